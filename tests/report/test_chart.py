"""Thinning, smoothing and charts."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.report.chart import Chart, Mark, Series, draw_chart
from recurra.report.comparison import bar
from recurra.report.points import smooth, thin

NUMBERS = st.floats(min_value=-1e140, max_value=1e140)


@given(st.lists(st.floats(-1e9, 1e9) | st.just(math.nan), max_size=500), st.integers(4, 100))
def test_thinning_keeps_ends_and_extremes(values: list[float], limit: int) -> None:
    points = [(float(index), value) for index, value in enumerate(values)]
    kept = thin(points, limit)
    real = [y for _, y in points if math.isfinite(y)]
    left = [y for _, y in kept if math.isfinite(y)]
    assert len(kept) <= 1.25 * limit + 5
    assert [x for x, _ in kept] == sorted(x for x, _ in kept)
    if real:
        assert (left[0], left[-1], min(left), max(left)) == (real[0], real[-1], min(real), max(real))
    assert any(math.isnan(y) for _, y in kept) == any(math.isnan(y) for y in values)


@given(st.lists(st.floats(-100, 100) | st.just(math.nan), max_size=60), st.floats(1, 50))
def test_smoothing_stays_within_the_values_and_keeps_gaps(values: list[float], span: float) -> None:
    points = [(float(index), value) for index, value in enumerate(values)]
    real = [value for value in values if math.isfinite(value)]
    for (_, before), (_, after) in zip(points, smooth(points, span), strict=True):
        assert math.isnan(before) == math.isnan(after)
        assert math.isnan(after) or min(real) - 1e-9 <= after <= max(real) + 1e-9


def test_smoothing_does_not_lag_behind_a_slope() -> None:
    line = [(float(x), 3.0 * x) for x in range(100)]
    assert [y for _, y in smooth(line, 9)][10:-10] == pytest.approx([3.0 * x for x in range(10, 90)])


def coordinates(svg: str) -> list[float]:
    return [float(number) for path in re.findall(r' d="([^"]*)"', svg) for number in re.findall(r"-?[\d.]+", path)]


@given(
    st.lists(st.tuples(st.integers(0, 10**9), NUMBERS | st.just(math.nan)), max_size=40), st.booleans(), st.booleans()
)
def test_any_curve_gives_a_well_formed_picture(points: list[tuple[int, float]], log: bool, zero: bool) -> None:
    points.sort(key=lambda point: point[0])
    series = [Series("a", [(float(x), y) for x, y in points], "held", dots=True)]
    svg = draw_chart(Chart("t", series, "x", log=log, zero=zero))
    if any(math.isfinite(y) and (y > 0 or not log) for _, y in points):
        ElementTree.fromstring(svg)
        assert "nan" not in svg and "inf" not in svg
        assert all(-0.2 * 2000 - 1 <= number <= 1.2 * 2000 + 1 for number in coordinates(svg))
    else:
        assert svg == ""


def test_one_point_is_a_dot_and_a_constant_lies_in_the_middle() -> None:
    one = draw_chart(Chart("t", [Series("a", [(5.0, 1.0)], "held")], "x"))
    assert one.count("<circle") == 1 and "<path" not in one
    flat = draw_chart(Chart("t", [Series("a", [(0.0, 2.0), (1.0, 2.0)], "held")], "x"))
    assert re.search(r'd="M0 500h0L2000 500"', flat)


def test_a_gap_parts_the_curve() -> None:
    points = [(0.0, 1.0), (1.0, 2.0), (2.0, math.nan), (3.0, 1.0), (4.0, math.inf), (5.0, 1.5)]
    svg = draw_chart(Chart("t", [Series("a", points, "held")], "x"))
    assert coordinates(svg) and re.findall(r' d="([^"]*)"', svg)[0].count("M") == 3


def test_texts_are_escaped() -> None:
    series, marks = [Series("<s>", [(0.0, 1.0), (1.0, 2.0)], "held")], [Mark(1.0, 2.0, "<b>best</b>", "held")]
    svg = draw_chart(Chart('"><script>', series, "<x>", marks=marks))
    assert "<script" not in svg and "<x>" not in svg and "<b>" not in svg
    assert "&lt;b&gt;best" in svg


def test_bars_stay_between_nothing_and_all() -> None:
    assert 'width="100.00%"' in bar(7.0, "model")
    assert 'width="50.00%"' in bar(0.5, "model")
    assert 'width="0.50%"' in bar(-3.0, "model")

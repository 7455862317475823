"""Ticks of an axis, and their labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.report.ticks import log_ticks, tick_labels, ticks

NUMBERS = st.floats(min_value=-1e140, max_value=1e140)


@given(NUMBERS, NUMBERS)
def test_ticks_are_round_few_and_inside(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    found = ticks(low, high)
    room = 1e-6 * (high - low) + 1e-9 * max(abs(low), abs(high))
    assert 1 <= len(found) <= 12
    assert found == sorted(found)
    assert all(low - room <= tick <= high + room for tick in found)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (1.37, 4.2, [2, 3, 4]),
        (-3, 3, [-2, 0, 2]),
        (0, 0.0021, [0, 0.0005, 0.001, 0.0015, 0.002]),
        (0, 50_000, [0, 10_000, 20_000, 30_000, 40_000, 50_000]),
        (7, 7, [7]),
    ],
)
def test_ticks_are_at_ones_twos_and_fives(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_log_ticks_are_powers_of_ten_or_else_ordinary_ones() -> None:
    assert log_ticks(1e-8, 1.0, 5) == pytest.approx([1e-8, 1e-6, 1e-4, 1e-2, 1])
    assert log_ticks(2.0, 8.0) == [2, 4, 6, 8]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8, unique=True))
def test_ticks_of_any_axis_have_labels_that_differ(values: list[float]) -> None:
    found = ticks(min(values), max(values))
    labels = tick_labels(found)
    if len(found) > 1 and max(values) - min(values) > 1e-4 * max(map(abs, values)):
        assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 500, 1000], ["0", "500", "1000"]),
        ([1000, 2000], ["1k", "2k"]),
        ([0, 2e6], ["0", "2M"]),
        ([1.5, 2.0], ["1.5", "2.0"]),
        ([0, 1e-5], ["0", "10⁻⁵"]),
        ([0, 5e20], ["0", "5·10²⁰"]),
        ([3.0], ["3"]),
        ([], []),
    ],
)
def test_tick_labels(values: list[float], labels: list[str]) -> None:
    assert tick_labels(values) == labels

"""Windows are scaled as a slow loop over them would, and nothing at a step depends on a later value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recurra.tasks.forecast.scaling import (
    MIN_SCALE,
    MIN_SCALE_SHARE,
    ScaledSeries,
    fit_local_scale,
    impute,
    lag_windows,
    local_scale,
    pad_batch,
)

SCALINGS = ["last", "standard", "robust", "mean", "none"]
# The squares of numbers below about 1e-150 are no numbers any more.
FLOATS = st.one_of(st.floats(-1e6, 1e6), st.floats(-1, 1)).map(lambda value: value if abs(value) > 1e-100 else 0.0)
NUMBERS = st.one_of(st.just(np.nan), st.just(3.0), FLOATS)


@st.composite
def series(draw: st.DrawFn) -> tuple[np.ndarray, int, int]:
    """Values (T, C) with gaps, a lookback, a season."""
    steps, channels = draw(st.integers(1, 40)), draw(st.integers(1, 3))
    values = draw(arrays(np.float64, (steps, channels), elements=NUMBERS))
    return values, draw(st.integers(1, 20)), draw(st.integers(1, 9))


def slowly(values: np.ndarray, lookback: int, season: int, scaling: str) -> ScaledSeries:
    """Take the scale of one window after the other, in exact sums."""
    filled = impute(values, season).astype(np.longdouble)
    loc, scale, mean_abs_step = (np.zeros_like(filled) for _ in range(3))
    for step in range(len(filled)):
        window = filled[max(0, step + 1 - lookback) : step + 1].T
        kind = np.float64 if scaling == "robust" else np.longdouble  # np.quantile takes no longer numbers
        loc[step], scale[step] = local_scale(window.astype(kind), scaling)
        mean_abs_step[step] = np.abs(np.diff(filled[: step + 1], axis=0)).sum(0) / max(1, step)
    if scaling != "none":
        scale = np.maximum(scale, MIN_SCALE_SHARE * mean_abs_step)
    return ScaledSeries(filled, loc, scale, mean_abs_step)


@pytest.mark.parametrize("scaling", SCALINGS)
@settings(deadline=None)
@given(series())
def test_scales_are_those_of_a_slow_loop(scaling: str, drawn: tuple[np.ndarray, int, int]) -> None:
    values, lookback, season = drawn
    found, wanted = fit_local_scale(values, lookback, season, scaling), slowly(values, lookback, season, scaling)
    for name in ("filled", "loc", "scale", "mean_abs_step"):
        size = np.abs(wanted.filled).max(0)  # a mean of numbers may lie near 0, but is only as exact as they are
        error = np.abs(getattr(found, name) - getattr(wanted, name))
        limit = 1e-9 * np.maximum(np.abs(getattr(wanted, name)), 1e-3 * size)
        assert (error <= limit).all(), name


@pytest.mark.parametrize("scaling", SCALINGS)
@settings(deadline=None)
@given(series(), st.data())
def test_nothing_depends_on_a_later_value(
    scaling: str, drawn: tuple[np.ndarray, int, int], data: st.DataObject
) -> None:
    values, lookback, season = drawn
    cut = data.draw(st.integers(1, len(values)))
    # What stands before the first value is the first value itself, so each channel has to have had one.
    values[:cut][0] = np.where(np.isnan(values[:cut]).all(0), 1.0, values[0])
    changed = values.copy()
    changed[cut:] = data.draw(arrays(np.float64, changed[cut:].shape, elements=NUMBERS))
    whole, other, short = (fit_local_scale(each, lookback, season, scaling) for each in (values, changed, values[:cut]))
    for name in ("filled", "loc", "scale", "mean_abs_step"):
        np.testing.assert_array_equal(getattr(whole, name)[:cut], getattr(other, name)[:cut])
        np.testing.assert_array_equal(getattr(whole, name)[:cut], getattr(short, name))


@pytest.mark.parametrize("scaling", ["last", "standard"])
@pytest.mark.parametrize("first", [0.0, 1e6])
def test_small_steps_of_large_values_show(scaling: str, first: float) -> None:
    prices = 1e6 + 1e-3 * np.random.default_rng(1).normal(size=(300, 1)).cumsum(0)
    prices[0] = first  # the first windows hold it, those later do not
    found, wanted = fit_local_scale(prices, 48, 1, scaling), slowly(prices, 48, 1, scaling)
    np.testing.assert_allclose(found.scale, wanted.scale.astype(float), rtol=1e-6 if first else 1e-9)
    spread = prices[200:248].std()
    assert 1e-4 < spread < 1e-1
    assert abs(local_scale(prices[200:248].T, scaling)[1][0] - spread) < 1e-6 * spread


@pytest.mark.parametrize("scaling", ["last", "standard", "robust"])
def test_what_never_changes_has_no_scale(scaling: str) -> None:
    assert (fit_local_scale(np.full((60, 2), 0.1), 24, 7, scaling).scale < MIN_SCALE).all()


@settings(deadline=None)
@given(st.lists(series(), min_size=1, max_size=4), st.data())
def test_windows_side_by_side_are_those_of_each_alone(
    drawn: list[tuple[np.ndarray, int, int]], data: st.DataObject
) -> None:
    lookback, channels = drawn[0][1], drawn[0][0].shape[1]
    scaled = [
        fit_local_scale(np.resize(values, (len(values), channels)), lookback, 1, "last") for values, _, _ in drawn
    ]
    firsts = np.array([data.draw(st.integers(0, len(each.filled) - 1)) for each in scaled])
    lasts = np.array([data.draw(st.integers(f + 1, len(m.filled))) for f, m in zip(firsts, scaled, strict=True)])
    found = np.full((int((lasts - firsts).max()), len(scaled), lookback, channels), np.nan, np.float32)
    lag_windows(scaled, firsts, lasts, lookback, found)
    for lane, (each, first, last) in enumerate(zip(scaled, firsts, lasts, strict=True)):
        for step in range(first, last):
            window = np.stack([each.filled[max(0, at)] for at in range(step - lookback + 1, step + 1)])
            scale = np.where(each.scale[step] < MIN_SCALE, 1.0, each.scale[step])
            wanted = ((window - each.loc[step]) / scale).astype(np.float32)
            np.testing.assert_array_equal(found[step - first, lane], wanted)


def test_spans_that_lie_outside_are_their_ends() -> None:
    found = pad_batch([np.arange(4), np.arange(2)], np.array([6, -2]), np.array([8, 1]))
    assert found.tolist() == [[3, 3, 3], [0, 0, 0]]

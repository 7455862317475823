"""What is read of a series at each step: its last values, measured by what they themselves are like.

All of it is causal: nothing at a step depends on a later value, so a series can be read once and forecast from every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

TINY = 1e-30
"""What is smaller counts as nought: far below any unit, and above what float32 numbers end at."""
NOISE = 4 * float(np.finfo(np.float64).eps)
"""Share of a series' values up to which a spread may be what rounding left of a constant."""
CHUNK = 4096
"""Steps whose windows are measured at once: enough for speed, and little memory however long a series is."""
AT_ONCE = 32_768
"""Numbers of windows that are put into their own units at once: so many stay in a core's cache."""
SORTED = 1_000_000
"""Numbers of windows that are sorted at once."""
FLOOR = 0.1
"""The smallest spread that a window is taken to have, as a share of the mean step from a value to the next so far."""


@dataclass(frozen=True)
class Measured:
    """A series with what its windows are measured by.

    filled: (T, C), gaps closed by what stood there a season before.  level, unit: (T, C), of the window that ends at each
    step; a unit of 0 means that nothing has ever changed.  steady: (T, C), the mean step from a value to the next so far.
    """

    filled: np.ndarray
    level: np.ndarray
    unit: np.ndarray
    steady: np.ndarray


def fill(values: np.ndarray, season: int) -> np.ndarray:
    """Close the gaps of (T, C): by the value a season before, the last one, or at the beginning the first.

    >>> fill(np.array([[np.nan], [1.0], [2.0], [np.nan], [np.nan]]), 2).ravel().tolist()
    [1.0, 1.0, 2.0, 1.0, 2.0]
    """
    filled = values.copy()
    for channel in range(values.shape[1]):
        column = filled[:, channel]
        missing = np.flatnonzero(np.isnan(column))
        if not len(missing):
            continue
        there = np.flatnonzero(~np.isnan(column))
        if not len(there):
            column[:] = 0.0
            continue
        column[: there[0]] = column[there[0]]
        for step in missing[missing > there[0]].tolist():
            column[step] = column[step - season] if step >= season else column[step - 1]
    return filled


def measures(windows: np.ndarray, scale: str) -> tuple[np.ndarray, np.ndarray]:
    """Give the level and the unit of windows (..., w): each (...).

    >>> [each.round(3).tolist() for each in measures(np.array([[1.0, 2.0, 3.0]]), "standard")]
    [[2.0], [0.816]]
    """
    if scale == "none":
        return np.zeros(windows.shape[:-1]), np.ones(windows.shape[:-1])
    if scale == "mean":
        return np.zeros(windows.shape[:-1]), np.abs(windows).mean(-1)
    if scale == "robust":
        low, level, high = np.quantile(windows, [0.25, 0.5, 0.75], axis=-1)
        return level, (high - low) / 1.349  # as wide as the spread of a normal distribution
    spread = windows.std(-1)
    return (windows[..., -1] if scale == "last" else windows.mean(-1)), spread


def measure(
    values: np.ndarray, lookback: int, season: int, scale: str, reference: np.ndarray | float = 0.0
) -> Measured:
    """Measure all windows of a series (T, C); the first ones, before there are `lookback` values, by those that there are.

    reference (C): what values are counted from, beside which a unit may be what rounding left.
    """
    filled = fill(values, season)
    level, unit = np.zeros_like(filled), np.zeros_like(filled)
    start = min(lookback - 1, len(filled))
    if start:
        level[:start], unit[:start] = _beginnings(filled[:start], scale)
    if len(filled) >= lookback:
        view = sliding_window_view(filled, lookback, axis=0)  # (T - w + 1, C, w)
        for first in range(0, len(view), CHUNK):
            part = slice(first, first + CHUNK)
            at = slice(lookback - 1 + first, lookback - 1 + first + len(view[part]))
            level[at], unit[at] = measures(view[part], scale)
    change = np.abs(np.diff(filled, axis=0, prepend=filled[:1]))
    steady = np.cumsum(change, axis=0) / np.maximum(1, np.arange(len(filled)))[:, None]
    if scale != "none":
        unit = np.maximum(unit, FLOOR * steady)
        unit[unit <= NOISE * (np.abs(reference) + np.maximum.accumulate(np.abs(filled), axis=0))] = 0.0
    return Measured(filled, level, unit, steady)


def _beginnings(values: np.ndarray, scale: str) -> tuple[np.ndarray, np.ndarray]:
    """Give what `measures` gives of the first 1, 2, …, n values of (n, C), each (n, C)."""
    counts = np.arange(1, len(values) + 1)[:, None]
    if scale == "none":
        return np.zeros_like(values), np.ones_like(values)
    if scale == "mean":
        return np.zeros_like(values), np.cumsum(np.abs(values), axis=0) / counts
    if scale == "robust":
        low, level, high = _quartiles(values)
        return level, (high - low) / 1.349
    means = values[0] + np.cumsum(values - values[0], axis=0) / counts
    # Welford's sum has no term below zero, so nothing cancels, and what has never changed has a spread of exactly 0.
    left = np.zeros_like(values)
    left[1:] = (values[1:] - means[:-1]) ** 2 * (counts[:-1] / counts[1:])
    return (values if scale == "last" else means), np.sqrt(np.cumsum(left, axis=0) / counts)


def _quartiles(values: np.ndarray) -> np.ndarray:
    """Give the quartiles of the first 1, 2, …, n values of (n, C), (3, n, C), as `np.quantile` does."""
    count, channels = values.shape
    found = np.empty((3, count, channels))
    together = max(1, SORTED // max(1, count * channels))
    for first in range(0, count, together):
        some = np.arange(first, min(count, first + together))
        there = np.arange(count) <= some[:, None]
        ordered = np.sort(np.where(there[..., None], values, np.inf), axis=1)  # (some, n, C)
        for place, share in enumerate((0.25, 0.5, 0.75)):
            at = share * some
            low = at.astype(np.int64)
            below, above = (ordered[np.arange(len(some)), np.minimum(step, some)] for step in (low, low + 1))
            found[place, some] = below + (above - below) * (at - low)[:, None]
    return found


def side_by_side(arrays: Sequence[np.ndarray], firsts: np.ndarray, lasts: np.ndarray) -> np.ndarray:
    """Put the steps first … last − 1 of arrays (T, …) side by side, (B, longest, …).

    Before the beginning of an array stands its first value, and behind its end, or a shorter stretch, the last one.

    >>> side_by_side([np.arange(5), np.arange(3)], np.array([1, -1]), np.array([4, 4])).tolist()
    [[1, 2, 3, 3, 3], [0, 0, 1, 2, 2]]
    """
    steps = int((lasts - firsts).max(initial=0))
    found = np.empty((len(arrays), steps, *arrays[0].shape[1:]), arrays[0].dtype)
    for lane, array, first, last in zip(found, arrays, firsts.tolist(), lasts.tolist(), strict=True):
        begin, end = max(first, 0), min(last, len(array))
        if begin < end:
            lane[begin - first : end - first] = array[begin:end]
        if begin > first:
            lane[: begin - first] = array[0]
        if end - first < steps:
            lane[max(0, end - first) :] = array[end - 1]
    return found


def windows_of(
    measured: Sequence[Measured], firsts: np.ndarray, lasts: np.ndarray, lookback: int, into: np.ndarray
) -> None:
    """Put the windows that end at steps first … last − 1 of each series, in their own units, into (longest, B, w, C).

    Before the beginning stands the first value; what stands behind the end of a shorter stretch means nothing.

    >>> found = np.empty((2, 1, 2, 1))
    >>> windows_of([measure(np.array([[1.0], [3.0]]), 2, 1, "last")], np.array([0]), np.array([2]), 2, found)
    >>> found[:, 0, :, 0].tolist()
    [[0.0, 0.0], [-2.0, 0.0]]
    """
    whole = side_by_side([each.filled for each in measured], firsts - (lookback - 1), lasts)
    level = side_by_side([each.level for each in measured], firsts, lasts)
    unit = side_by_side([each.unit for each in measured], firsts, lasts)
    unit[unit < TINY] = 1.0
    view = sliding_window_view(whole, lookback, axis=1).transpose(1, 0, 3, 2)  # (T, B, w, C)
    level, unit = (each.transpose(1, 0, 2)[:, :, None] for each in (level, unit))
    together = max(1, AT_ONCE // max(1, view[0].size))
    for first in range(0, len(view), together):
        some = slice(first, first + together)
        into[some] = (view[some] - level[some]) / unit[some]


def lags(horizon: int, season: int) -> np.ndarray:
    """Give how many steps back from now the value stands that is as far in its season as each step ahead, (h).

    >>> lags(5, 3).tolist()
    [2, 1, 0, 2, 1]
    """
    ahead = np.arange(1, horizon + 1)
    return season * -(-ahead // season) - ahead

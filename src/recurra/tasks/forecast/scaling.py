"""What is read of a series at each step: its last values, scaled by what they themselves are like.

All of it is causal: nothing at a step depends on a later value, so a series can be read once and forecast from every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

MIN_SCALE = 1e-30
"""What is smaller counts as zero: far below any scale, and above what float32 numbers end at."""
ROUNDING_SHARE = 4 * float(np.finfo(np.float64).eps)
"""Share of a series' values up to which a spread may be what rounding left of a constant."""
STEPS_PER_CHUNK = 4096
"""Steps whose scale is taken at once: enough for speed, and little memory however long a series is."""
NUMBERS_PER_BLOCK = 32_768
"""Numbers of windows that are scaled at once: so many stay in a core's cache."""
NUMBERS_PER_SORT = 1_000_000
"""Numbers of windows that are sorted at once."""
MIN_SCALE_SHARE = 0.1
"""The smallest scale that a window is taken to have, as a share of the mean step from a value to the next so far."""


@dataclass(frozen=True)
class ScaledSeries:
    """A series with what its windows are scaled by.

    filled: (T, C), gaps closed by what stood there a season before.  loc, scale: (T, C), of the window that ends at each
    step; a scale of 0 means that nothing has ever changed.  mean_abs_step: (T, C), the mean step from a value to the next so far.
    """

    filled: np.ndarray
    loc: np.ndarray
    scale: np.ndarray
    mean_abs_step: np.ndarray


def impute(values: np.ndarray, season: int) -> np.ndarray:
    """Close the gaps of (T, C): by the value a season before, the last one, or at the beginning the first.

    >>> impute(np.array([[np.nan], [1.0], [2.0], [np.nan], [np.nan]]), 2).ravel().tolist()
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


def local_scale(windows: np.ndarray, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """Give the location and the scale of windows (..., w): each (...).

    >>> [each.round(3).tolist() for each in local_scale(np.array([[1.0, 2.0, 3.0]]), "standard")]
    [[2.0], [0.816]]
    """
    if scaling == "none":
        return np.zeros(windows.shape[:-1]), np.ones(windows.shape[:-1])
    if scaling == "mean":
        return np.zeros(windows.shape[:-1]), np.abs(windows).mean(-1)
    if scaling == "robust":
        low, loc, high = np.quantile(windows, [0.25, 0.5, 0.75], axis=-1)
        return loc, (high - low) / 1.349  # as wide as the spread of a normal distribution
    spread = windows.std(-1)
    return (windows[..., -1] if scaling == "last" else windows.mean(-1)), spread


def fit_local_scale(
    values: np.ndarray, lookback: int, season: int, scaling: str, reference: np.ndarray | float = 0.0
) -> ScaledSeries:
    """Take the scale of all windows of a series (T, C); the first ones, before there are `lookback` values, by those that there are.

    reference (C): what values are counted from, compared with which a scale may be what rounding left.
    """
    filled = impute(values, season)
    loc, scale = np.zeros_like(filled), np.zeros_like(filled)
    start = min(lookback - 1, len(filled))
    if start:
        loc[:start], scale[:start] = _expanding_scale(filled[:start], scaling)
    if len(filled) >= lookback:
        view = sliding_window_view(filled, lookback, axis=0)  # (T - w + 1, C, w)
        for first in range(0, len(view), STEPS_PER_CHUNK):
            part = slice(first, first + STEPS_PER_CHUNK)
            at = slice(lookback - 1 + first, lookback - 1 + first + len(view[part]))
            loc[at], scale[at] = local_scale(view[part], scaling)
    change = np.abs(np.diff(filled, axis=0, prepend=filled[:1]))
    mean_abs_step = np.cumsum(change, axis=0) / np.maximum(1, np.arange(len(filled)))[:, None]
    if scaling != "none":
        scale = np.maximum(scale, MIN_SCALE_SHARE * mean_abs_step)
        scale[scale <= ROUNDING_SHARE * (np.abs(reference) + np.maximum.accumulate(np.abs(filled), axis=0))] = 0.0
    return ScaledSeries(filled, loc, scale, mean_abs_step)


def _expanding_scale(values: np.ndarray, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """Give what `local_scale` gives of the first 1, 2, …, n values of (n, C), each (n, C)."""
    counts = np.arange(1, len(values) + 1)[:, None]
    if scaling == "none":
        return np.zeros_like(values), np.ones_like(values)
    if scaling == "mean":
        return np.zeros_like(values), np.cumsum(np.abs(values), axis=0) / counts
    if scaling == "robust":
        low, loc, high = _expanding_quartiles(values)
        return loc, (high - low) / 1.349
    means = values[0] + np.cumsum(values - values[0], axis=0) / counts
    # Welford's sum has no term below zero, so nothing cancels, and what has never changed has a spread of exactly 0.
    terms = np.zeros_like(values)
    terms[1:] = (values[1:] - means[:-1]) ** 2 * (counts[:-1] / counts[1:])
    return (values if scaling == "last" else means), np.sqrt(np.cumsum(terms, axis=0) / counts)


def _expanding_quartiles(values: np.ndarray) -> np.ndarray:
    """Give the quartiles of the first 1, 2, …, n values of (n, C), (3, n, C), as `np.quantile` does."""
    count, channels = values.shape
    found = np.empty((3, count, channels))
    block = max(1, NUMBERS_PER_SORT // max(1, count * channels))
    for first in range(0, count, block):
        some = np.arange(first, min(count, first + block))
        there = np.arange(count) <= some[:, None]
        ordered = np.sort(np.where(there[..., None], values, np.inf), axis=1)  # (some, n, C)
        for place, share in enumerate((0.25, 0.5, 0.75)):
            at = share * some
            low = at.astype(np.int64)
            below, above = (ordered[np.arange(len(some)), np.minimum(step, some)] for step in (low, low + 1))
            found[place, some] = below + (above - below) * (at - low)[:, None]
    return found


def pad_batch(arrays: Sequence[np.ndarray], firsts: np.ndarray, lasts: np.ndarray) -> np.ndarray:
    """Put the steps first … last − 1 of arrays (T, …) side by side, (B, longest, …).

    Before the beginning of an array stands its first value, and behind its end, or a shorter span, the last one.

    >>> pad_batch([np.arange(5), np.arange(3)], np.array([1, -1]), np.array([4, 4])).tolist()
    [[1, 2, 3, 3, 3], [0, 0, 1, 2, 2]]
    """
    steps = int((lasts - firsts).max(initial=0))
    found = np.empty((len(arrays), steps, *arrays[0].shape[1:]), arrays[0].dtype)
    for lane, array, first, last in zip(found, arrays, firsts.tolist(), lasts.tolist(), strict=True):
        start, end = max(first, 0), min(last, len(array))
        if start < end:
            lane[start - first : end - first] = array[start:end]
        if start > first:
            lane[: start - first] = array[0]
        if end - first < steps:
            lane[max(0, end - first) :] = array[end - 1]
    return found


def lag_windows(
    series: Sequence[ScaledSeries], firsts: np.ndarray, lasts: np.ndarray, lookback: int, into: np.ndarray
) -> None:
    """Put the scaled windows that end at steps first … last − 1 of each series into (longest, B, w, C).

    Before the beginning stands the first value; what stands behind the end of a shorter span means nothing.

    >>> found = np.empty((2, 1, 2, 1))
    >>> lag_windows([fit_local_scale(np.array([[1.0], [3.0]]), 2, 1, "last")], np.array([0]), np.array([2]), 2, found)
    >>> found[:, 0, :, 0].tolist()
    [[0.0, 0.0], [-2.0, 0.0]]
    """
    whole = pad_batch([each.filled for each in series], firsts - (lookback - 1), lasts)
    loc = pad_batch([each.loc for each in series], firsts, lasts)
    scale = pad_batch([each.scale for each in series], firsts, lasts)
    scale[scale < MIN_SCALE] = 1.0
    view = sliding_window_view(whole, lookback, axis=1).transpose(1, 0, 3, 2)  # (T, B, w, C)
    loc, scale = (each.transpose(1, 0, 2)[:, :, None] for each in (loc, scale))
    block = max(1, NUMBERS_PER_BLOCK // max(1, view[0].size))
    for first in range(0, len(view), block):
        some = slice(first, first + block)
        into[some] = (view[some] - loc[some]) / scale[some]


def seasonal_lags(horizon: int, season: int) -> np.ndarray:
    """Give how many steps back from now the value stands that is as far in its season as each step ahead, (h).

    >>> seasonal_lags(5, 3).tolist()
    [2, 1, 0, 2, 1]
    """
    ahead = np.arange(1, horizon + 1)
    return season * -(-ahead // season) - ahead

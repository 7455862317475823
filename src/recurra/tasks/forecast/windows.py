"""What is read of a series at each step: its last values, measured by what they themselves are like.

All of it is causal: nothing at a step depends on a later value, so a series can be read once and forecast from every step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

TINY = 1e-12
CHUNK = 4096
"""Steps whose windows are measured at once: enough for speed, and little memory however long a series is."""
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


def measure(values: np.ndarray, lookback: int, season: int, scale: str) -> Measured:
    """Measure all windows of a series (T, C); the first ones, before there are `lookback` values, by those that there are."""
    filled = fill(values, season)
    level, unit = np.zeros_like(filled), np.zeros_like(filled)
    for step in range(min(lookback - 1, len(filled))):
        level[step], unit[step] = measures(filled[: step + 1].T, scale)
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
    return Measured(filled, level, unit, steady)


def windows_of(measured: Measured, first: int, last: int, lookback: int) -> np.ndarray:
    """Give the windows that end at steps first … last − 1, in their own units, (n, w, C) float32.

    Before the beginning stands the first value.

    >>> windows_of(measure(np.array([[1.0], [3.0]]), 2, 1, "last"), 0, 2, 2)[:, :, 0].tolist()
    [[0.0, 0.0], [-2.0, 0.0]]
    """
    short = max(0, lookback - 1 - first)
    part = measured.filled[max(0, first - lookback + 1) : last]
    if short:
        part = np.concatenate([np.repeat(measured.filled[:1], short, axis=0), part])
    view = sliding_window_view(part, lookback, axis=0).transpose(0, 2, 1)
    level, unit = measured.level[first:last, None], measured.unit[first:last, None]
    return ((view - level) / np.where(unit < TINY, 1.0, unit)).astype(np.float32)


def lags(horizon: int, season: int) -> np.ndarray:
    """Give how many steps back from now the value stands that is as far in its season as each step ahead, (h).

    >>> lags(5, 3).tolist()
    [2, 1, 0, 2, 1]
    """
    ahead = np.arange(1, horizon + 1)
    return season * -(-ahead // season) - ahead

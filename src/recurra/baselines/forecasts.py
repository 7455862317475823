"""What every baseline of forecasts can do, how gaps in a history are filled, and how wide their intervals are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from statistics import NormalDist
from typing import Self

import numpy as np

from recurra.errors import DataError, UsageError

ERROR_LEVELS = np.linspace(0.005, 0.995, 199)
"""Levels that are kept of the errors met in training; those between are interpolated, those outside count as the outermost."""
MIN_ERRORS = 20
"""Errors that a quantile may be taken of."""
MAX_ERRORS = 20_000
"""Errors of a step that are looked at, evenly taken from all series."""

Forecast = tuple[np.ndarray, np.ndarray | None]


class ForecastBaseline(ABC):
    """A plain forecaster: learns from the training part of all series, then continues any history.

    A history is (T, C), float64. A value that is missing (NaN or infinite) is carried on from the season before, and where
    there is none from the step before; steps before the first known value do not count. All of it looks back alone, so
    `rolling` at an origin gives what `forecast` gives for the history as far as that origin. No forecast is ever NaN.
    """

    name: str
    title: str
    season = 0
    horizon = 0

    @abstractmethod
    def fit(self, histories: Sequence[np.ndarray], season: int, horizon: int) -> Self:
        """Learn from training histories, each (T, C), for a season of so many steps and so many steps ahead.

        Raises:
            DataError: nothing that could be learnt from.
            UsageError: no histories, other shapes, a season or a horizon below 1.
        """

    @abstractmethod
    def rolling(
        self, history: np.ndarray, origins: Sequence[int] | np.ndarray, levels: Sequence[float] = ()
    ) -> Forecast:
        """Forecast after each history[:origin].

        Args:
            history: (T, C).
            origins: (n), from 1 to T.
            levels: (Q), of the quantiles that are wanted.

        Returns:
            The mean (n, h, C), and the quantiles (n, h, C, Q) or None: none wanted, or the baseline has no intervals.

        Raises:
            DataError: before an origin a channel has no known value.
            UsageError: `fit` was not called, another shape, or an origin outside the history.
        """

    def forecast(self, history: np.ndarray, levels: Sequence[float] = ()) -> Forecast:
        """Forecast after a history (T, C): the mean (h, C), and the quantiles (h, C, Q) or None.

        Raises:
            DataError: an empty history, or a channel without any known value.
            UsageError: as `rolling`.
        """
        values = check_history(history)
        if not len(values):
            raise DataError("history: expected at least one step to forecast from, got none")
        mean, quantiles = self.rolling(values, [len(values)], levels)
        return mean[0], None if quantiles is None else quantiles[0]

    def _check_histories(self, histories: Sequence[np.ndarray], season: int, horizon: int) -> list[np.ndarray]:
        """Check what `fit` is given and keep the season and the horizon."""
        for name, value in (("season", season), ("horizon", horizon)):
            if value != int(value) or value < 1:
                raise UsageError(f"{name}: expected a whole number of steps, 1 or more, got {value}")
        if not len(histories):
            raise UsageError("histories: expected at least one series, got none")
        known = [check_history(history) for history in histories]
        if len({values.shape[1] for values in known}) > 1:
            counts = sorted({values.shape[1] for values in known})
            raise UsageError(f"histories: expected the same channels in all series, got {counts}")
        self.season, self.horizon = int(season), int(horizon)
        return known

    def _check_origins(self, history: np.ndarray, origins: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Check what `rolling` is given."""
        if not self.horizon:
            raise UsageError(f"{type(self).__name__} has learnt nothing yet: call fit first")
        values, places = check_history(history), np.asarray(origins, np.int64)
        if places.ndim != 1 or (len(places) and not (places.min() >= 1 and places.max() <= len(values))):
            raise UsageError(f"origins: expected steps from 1 to {len(values)}, got {np.asarray(origins).tolist()[:8]}")
        if len(places):
            empty = np.flatnonzero(first_valid(values) >= places.min())
            if len(empty):
                raise DataError(
                    f"history: expected a known value before step {places.min()}, got none in channel {empty[0]}",
                    hint="leave such a series out, or start at a later origin",
                )
        return values, places


def check_history(history: np.ndarray) -> np.ndarray:
    """Give a history as float64 (T, C) with NaN wherever a value is not finite; raises `UsageError` for another shape."""
    values = np.asarray(history, np.float64)
    if values.ndim != 2 or not values.shape[1]:
        raise UsageError(f"history: expected (steps, channels), got {values.shape}")
    return np.where(np.isfinite(values), values, np.nan)


def first_valid(values: np.ndarray) -> np.ndarray:
    """Give the first step of each channel that has a value, (C); T where none has.

    >>> first_valid(np.array([[np.nan, 1.0], [2.0, np.nan]])).tolist()
    [1, 0]
    """
    known = ~np.isnan(values)
    return np.where(known.any(0), known.argmax(0) if len(known) else 0, len(known))


def fill_forward(values: np.ndarray, season: int) -> np.ndarray:
    """Carry missing values on from the last season that has them, else from the step before; NaN is left only before the first.

    >>> fill_forward(np.array([[1.0], [2.0], [np.nan], [4.0], [np.nan], [np.nan], [np.nan]]), season=2)[:, 0].tolist()
    [1.0, 2.0, 1.0, 4.0, 1.0, 4.0, 1.0]
    """
    if not np.isnan(values).any():
        return values
    steps, channels = values.shape
    rows = -(-steps // season)
    by_season = np.full((rows * season, channels), np.nan)
    by_season[:steps] = values
    by_phase = _carry_forward(by_season.reshape(rows, -1)).reshape(-1, channels)[:steps]
    return _carry_forward(by_phase)


def _carry_forward(values: np.ndarray) -> np.ndarray:
    """Carry the last known value of each column (T, C) on over missing ones."""
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))[:, None]), axis=0)
    return np.where(last < 0, np.nan, np.take_along_axis(values, np.maximum(last, 0), axis=0))


def running_scale(values: np.ndarray, season: int, origins: np.ndarray) -> np.ndarray:
    """Give `naive_scale` of values[:origin] for each origin and channel, (n, C).

    Where no two values a season apart are known, that of steps side by side; NaN where there are no such either.

    >>> running_scale(np.array([[1.0], [2.0], [5.0], [9.0]]), 2, np.array([1, 3, 4]))[:, 0].tolist()
    [nan, 4.0, 5.5]
    """
    found = np.full((len(origins), values.shape[1]), np.nan)
    for lag in dict.fromkeys((1, season)):
        if lag >= len(values):
            continue
        change = np.abs(values[lag:] - values[:-lag])
        there = ~np.isnan(change)
        sums = np.pad(np.cumsum(np.where(there, change, 0.0), 0), ((lag + 1, 0), (0, 0)))[origins]
        counts = np.pad(np.cumsum(there, 0), ((lag + 1, 0), (0, 0)))[origins]
        found = np.where(counts > 0, sums / np.maximum(counts, 1), found)
    return found


class ErrorQuantiles:
    """How far off a baseline was in training: quantiles of its errors, each divided by its series' scale (`running_scale`).

    A step ahead with fewer than 20 errors takes over those of the last step before it that has them, √ as wide as the steps are
    far; before all of them a normal distribution is taken.

    Args:
        errors: for each step, or season, ahead and each channel the errors in units of the scale, [[(n)]].
        typical_scale: (C), the scale of a series that is too short to have one.

    >>> ErrorQuantiles([[np.linspace(-1, 1, 1001)]], typical_scale=np.ones(1)).quantiles(np.array([[2.0]]), [0.1, 0.5]).round(3).tolist()
    [[[[-1.6, 0.0]]]]
    """

    def __init__(self, errors: Sequence[Sequence[np.ndarray]], typical_scale: np.ndarray) -> None:
        self._typical_scale = typical_scale
        # A normal distribution of a mean |e| of 1.
        normal = np.array([NormalDist().inv_cdf(level) for level in ERROR_LEVELS]) * np.sqrt(np.pi / 2)
        self._table = np.empty((len(errors), len(typical_scale), len(ERROR_LEVELS)))
        for channel in range(len(typical_scale)):
            base, since = normal, 1
            for ahead, of_channels in enumerate(errors, 1):
                if len(of_channels[channel]) >= MIN_ERRORS:
                    base, since = np.quantile(of_channels[channel], ERROR_LEVELS), ahead
                self._table[ahead - 1, channel] = base * np.sqrt(ahead / since)

    def quantiles(self, scale: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """Give what is to be added to means: scale (n, C) → (n, steps or seasons, C, Q)."""
        marks = np.asarray(levels, np.float64)
        if not ((marks > 0) & (marks < 1)).all():
            raise UsageError(f"levels: expected shares between 0 and 1, such as 0.1, 0.5, 0.9, got {list(levels)}")
        place = np.clip(np.interp(marks, ERROR_LEVELS, np.arange(len(ERROR_LEVELS))), 0, len(ERROR_LEVELS) - 1)
        low = np.minimum(place.astype(np.int64), len(ERROR_LEVELS) - 2)
        share = place - low
        table = self._table[..., low] * (1 - share) + self._table[..., low + 1] * share  # (steps, C, Q)
        width = np.where(np.isnan(scale), self._typical_scale, scale)
        return table[None] * width[:, None, :, None]


def subsample(values: np.ndarray, count: int) -> np.ndarray:
    """Take at most so many rows, evenly spaced, the last one among them.

    >>> subsample(np.arange(10), 3).tolist()
    [1, 5, 9]
    """
    stride = max(1, -(-len(values) // max(1, count)))
    return values[(len(values) - 1) % stride :: stride] if len(values) else values


def median_scale(scales: np.ndarray) -> np.ndarray:
    """Give the median scale of training series (S, C) for each channel, (C); 0 where none has one."""
    return np.array([np.median(column[~np.isnan(column)]) if (~np.isnan(column)).any() else 0.0 for column in scales.T])

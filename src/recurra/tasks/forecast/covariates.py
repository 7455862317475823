"""What is read with the values of a series: columns that are known ahead, past and static ones, and the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recurra.data.timeseries.frequency import Frequency, calendar_features
from recurra.data.timeseries.grid import future_times
from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.errors import DataError

MAX_CATEGORIES = 50
"""Different words of a static column that are told apart; the others are read as none of them."""
MIN_RELATIVE_SPREAD = 1e-9
"""Spread of a column, as a share of its mean, up to which it is what rounding left of a constant."""


@dataclass
class Covariates:
    """Which columns are read, and how they become numbers; fitted to the training part.

    step: the spacing of times that are dates, which the calendar needs.  calendar: the features that are read of it.  scales:
    mean and spread of each column that holds numbers.  categories: of each static column that holds words, those that are told
    apart.
    """

    known: list[str]
    past: list[str]
    static: list[str]
    step: Frequency | None
    calendar: list[str] = field(default_factory=list)
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)

    @property
    def known_size(self) -> int:
        """K, the numbers that are known of a step ahead."""
        return len(self.known) + len(self.calendar)

    @property
    def static_size(self) -> int:
        """S, the numbers that are known of a whole series."""
        return sum(len(self.categories[name]) if name in self.categories else 1 for name in self.static)

    @property
    def size(self) -> int:
        """The numbers that are read at a step."""
        return len(self.past) + self.known_size + self.static_size

    def fit(self, panel: Panel, ends: Sequence[int]) -> None:
        """Take the means, spreads and words of the columns; ends: how much of each series is trained on."""
        for place, name in enumerate(self.known):
            self.scales[name] = mean_and_spread(
                [s.known[:end, place] for s, end in zip(panel.series, ends, strict=True)]
            )
        for place, name in enumerate(self.past):
            self.scales[name] = mean_and_spread(
                [s.past[:end, place] for s, end in zip(panel.series, ends, strict=True)]
            )
        for place, name in enumerate(self.static):
            values = [series.static[place] for series in panel.series]
            if all(isinstance(value, int | float) for value in values):
                self.scales[name] = mean_and_spread([np.array([value], float) for value in values])
            else:
                self.categories[name] = sorted({str(value) for value in values})[:MAX_CATEGORIES]

    def extend(self, series: TimeSeries, horizon: int) -> TimeSeries:
        """Let times go on to the horizon, so that the calendar of all steps ahead is read; what was known last goes on too."""
        lacking = len(series) + horizon - len(series.times)
        if not self.calendar or lacking <= 0 or not len(series.times):
            return series
        times = np.concatenate([series.times, future_times(series.times, self.step, lacking)])
        return replace(series, times=times, known=np.pad(series.known, ((0, lacking), (0, 0)), "edge"))

    def known_features(self, series: TimeSeries) -> np.ndarray:
        """Give what is known of each step, those ahead too, (T + F, K)."""
        parts = [self._standardise(name, series.known[:, place])[:, None] for place, name in enumerate(self.known)]
        if self.calendar:
            features, names = calendar_features(series.times, self.step)
            if names != self.calendar:
                raise DataError(
                    "its time stamps are of another kind than those of the training data", source=series.place
                )
            parts.append(features)
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(series.times), 0), np.float32)

    def past_features(self, series: TimeSeries) -> np.ndarray:
        """Give the past columns, (T, P)."""
        parts = [self._standardise(name, series.past[:, place])[:, None] for place, name in enumerate(self.past)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(series), 0), np.float32)

    def static_features(self, series: TimeSeries) -> np.ndarray:
        """Give what is known of a whole series, (S); raises `DataError` for a word where training had numbers."""
        parts = []
        for name, value in zip(self.static, series.static, strict=True):
            if name in self.categories:
                parts.append(np.array([float(word == str(value)) for word in self.categories[name]], np.float32))
            elif isinstance(value, str) and value:
                raise DataError(
                    f"series {series.name}: static column '{name}': expected a number, as in the training data; got {value!r:.40}",
                    source=series.place,
                )
            else:
                parts.append(self._standardise(name, np.array([float("nan" if value == "" else value)])))
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _standardise(self, name: str, values: np.ndarray) -> np.ndarray:
        mean, spread = self.scales[name]
        divisor = spread if spread > MIN_RELATIVE_SPREAD * abs(mean) else 1.0
        return np.nan_to_num((values - mean) / divisor).astype(np.float32)


def mean_and_spread(columns: Sequence[np.ndarray]) -> tuple[float, float]:
    """Give the mean and the standard deviation of all finite values, 0 and 1 where there are none.

    >>> mean_and_spread([np.array([1.0, np.nan]), np.array([3.0])]), mean_and_spread([])
    ((2.0, 1.0), (0.0, 0.0))
    """
    whole = np.concatenate([np.asarray(column, np.float64) for column in columns] or [np.zeros(1)])
    there = whole[np.isfinite(whole)]
    return (float(there.mean()), float(there.std())) if len(there) else (0.0, 1.0)

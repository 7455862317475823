"""What is learnt of columns from the training series, and what numbers they become: scaling, static columns, the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.data.timeseries.frequency import Frequency, calendar_features
from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.errors import DataError

MIN_STD = 1e-8
"""A standard deviation below this is none: such a channel is not blown up to noise, but read in its own units."""
CYCLE_HOURS = {"minute": 0, "hour": 1, "day": 24, "week": 7 * 24, "month": 31 * 24, "year": 366 * 24}


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of channels and past covariates, (C + P) each.  by_series: those of a series by its name."""

    mean: np.ndarray
    std: np.ndarray
    by_series: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def fit(cls, panel: Panel, scale: str) -> Scaling:
        """Take them from the training series; raises `DataError` for a column that is never there."""
        names = [*panel.targets, *panel.past]
        stacked = np.concatenate([_columns(one) for one in panel.series])
        present = np.isfinite(stacked)
        if len(never := np.flatnonzero(~present.any(0))):
            raise DataError(f"{names[never[0]]!r} has no value in any training series", hint="leave this column out")
        mean, std = _mean_and_std(stacked, present)
        if scale == "none":
            mean, std = np.zeros_like(mean), np.ones_like(std)
        by_series = {}
        if scale == "series":
            for one in panel.series:
                values = _columns(one)
                own_mean, own_std = _mean_and_std(values, np.isfinite(values))
                known = np.isfinite(own_mean)
                by_series[one.name] = np.where(known, own_mean, mean), np.where(known, own_std, std)
        return cls(mean, std, by_series)

    def of(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Give mean and standard deviation that a series is scaled by; one that training did not know as all of them are."""
        return self.by_series.get(name, (self.mean, self.std))


@dataclass(frozen=True)
class StaticFeature:
    """A static column: its words as one-hot features, or, where words is None, a number that is scaled."""

    name: str
    words: list[str] | None
    mean: float
    std: float

    @classmethod
    def fit(cls, name: str, values: Sequence[str | float]) -> StaticFeature:
        """Take it from the values of the training series."""
        if all(isinstance(value, int | float) for value in values):
            numbers = np.array([float(value) for value in values])
            known = numbers[np.isfinite(numbers)]
            mean, std = (float(known.mean()), float(known.std())) if len(known) else (0.0, 1.0)
            return cls(name, None, mean, std if std > MIN_STD else 1.0)
        return cls(name, sorted({str(value) for value in values}), 0.0, 1.0)

    @property
    def width(self) -> int:
        """How many numbers it makes."""
        return 1 if self.words is None else len(self.words)

    def encode(self, value: str | float) -> list[float]:
        """Give its numbers for the value of a series; a word that training did not know is none of those it knew."""
        if self.words is not None:
            return [float(str(value) == word) for word in self.words]
        number = float(value) if isinstance(value, int | float) else np.nan
        return [0.0 if np.isnan(number) else (number - self.mean) / self.std]


@dataclass(frozen=True)
class Calendar:
    """What of the calendar is read.  frequency: of the steps; features: names as `calendar` gives them."""

    frequency: Frequency | None
    features: Sequence[str] = ()

    @classmethod
    def fit(cls, panel: Panel) -> Calendar:
        """Take the cycles that a training series has gone through once: others cannot be learnt."""
        longest = max((one.times[len(one) - 1] - one.times[0] for one in panel.series if len(one)), default=0)
        names = calendar_features(panel.series[0].times[:1], panel.frequency)[1] if panel.series else []
        kept = [name for name in names if longest >= np.timedelta64(CYCLE_HOURS[name.split()[0]], "h")]
        return cls(panel.frequency, kept)

    def encode(self, one: TimeSeries) -> np.ndarray:
        """Give the features of each step of a series, (T, M); raises `DataError` where it has no time stamps."""
        values, names = calendar_features(one.times[: len(one)], self.frequency)
        if lacking := [name for name in self.features if name not in names]:
            raise DataError(
                f"series {one.name!r}: expected time stamps, as in the training data, of which the {lacking[0].split()[0]} is read; got none",
                source=one.place,
            )
        return values[:, [names.index(name) for name in self.features]].astype(float)


def _columns(one: TimeSeries) -> np.ndarray:
    """Give channels and past covariates side by side, (T, C + P)."""
    return np.hstack([one.values, one.past])


def _mean_and_std(values: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation of what is there of each column, (N, C); NaN where nothing is, 1 where nothing differs."""
    count = present.sum(0)
    known = np.maximum(1, count)
    mean = np.where(present, values, 0.0).sum(0) / known
    std = np.sqrt((np.where(present, values - mean, 0.0) ** 2).sum(0) / known)
    flat = std <= MIN_STD * np.maximum(1.0, np.abs(mean))
    return np.where(count, mean, np.nan), np.where(flat, 1.0, std)

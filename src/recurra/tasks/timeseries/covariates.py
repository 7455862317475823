"""What is read with the values of a series, as numbers: standardised columns, static ones, and the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from recurra.data.timeseries.frequency import Frequency, calendar_features
from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.errors import DataError
from recurra.formatting import abbreviate

MAX_SIZE = 1e140
"""Size of a number up to which the squares of very many can be summed in 64 bits."""
CYCLE_HOURS = {"minute": 0, "hour": 1, "day": 24, "week": 7 * 24, "month": 31 * 24, "year": 366 * 24}


def mean_and_std(values: np.ndarray) -> tuple[float, float]:
    """Give the mean and the standard deviation of all finite values, 0 and 1 where there are none.

    >>> mean_and_std(np.array([1.0, np.nan, 3.0])), mean_and_std(np.array([np.nan]))
    ((2.0, 1.0), (0.0, 1.0))
    """
    there = values[np.isfinite(values)]
    return (float(there.mean()), float(there.std())) if len(there) else (0.0, 1.0)


@dataclass(frozen=True)
class Standardizer:
    """Centres columns and divides them by their standard deviations; a column that has none is centred alone.

    mean, std: (N) each.  min_std, min_std_share: a standard deviation up to this, or up to this share of the
    mean, is none, but what rounding left of a constant.

    >>> Standardizer(np.array([2.0, 1e9]), np.array([4.0, 1e-6]), min_std_share=1e-9).transform(np.array([[4.0, 1e9 + 1]])).tolist()
    [[0.5, 1.0]]
    """

    mean: np.ndarray
    std: np.ndarray
    min_std: float = 0.0
    min_std_share: float = 0.0

    @classmethod
    def fit(cls, values: np.ndarray, **limits: float) -> Standardizer:
        """Take mean and standard deviation of each column of (T, N); limits: `min_std` and `min_std_share`."""
        mean, std = np.array([mean_and_std(column) for column in values.T]).reshape(-1, 2).T
        return cls(mean, std, **limits)

    @cached_property
    def divisor(self) -> np.ndarray:
        """What values are divided by: the standard deviation, or 1 where it is none."""
        return np.where(self.std > np.maximum(self.min_std, self.min_std_share * np.abs(self.mean)), self.std, 1.0)

    def transform(self, values: np.ndarray | float) -> np.ndarray:
        """Standardise columns, (…, N)."""
        return (values - self.mean) / self.divisor


@dataclass(frozen=True)
class StaticColumn:
    """A column that is the same in all steps of a series: its words as one-hot features, or, where `words` is None, a number."""

    name: str
    words: list[str] | None
    scale: Standardizer = Standardizer(np.zeros(1), np.ones(1))

    @classmethod
    def fit(
        cls, name: str, values: Sequence[str | float], *, max_words: int | None = None, **limits: float
    ) -> StaticColumn:
        """Take it from the values of the training series; no more than `max_words` are told apart.  limits: see `Standardizer`."""
        if all(isinstance(value, int | float) for value in values):
            if any(abs(value) > MAX_SIZE for value in values if isinstance(value, int | float)):
                hint = "write the values in a larger unit"
                raise DataError(f"{name!r}: expected finite numbers of a size up to {MAX_SIZE:g}, got more", hint=hint)
            return cls(name, None, Standardizer.fit(np.array(values, np.float64)[:, None], **limits))
        return cls(name, sorted({str(value) for value in values})[:max_words])

    @property
    def width(self) -> int:
        """How many numbers it makes."""
        return 1 if self.words is None else len(self.words)

    def encode(self, value: str | float) -> list[float]:
        """Give its numbers for the value of a series; a word that training did not know is none of those it knew."""
        if self.words is not None:
            return [float(str(value) == word) for word in self.words]
        number = float(value) if isinstance(value, int | float) else np.nan
        return [0.0 if np.isnan(number) else self.scale.transform(number).item()]


@dataclass(frozen=True)
class Calendar:
    """What of the calendar is read.  frequency: of the steps; features: names as `calendar_features` gives them."""

    frequency: Frequency | None
    features: Sequence[str] = ()

    @classmethod
    def fit(cls, panel: Panel, *, whole_cycles: bool = False) -> Calendar:
        """Take all features; whole_cycles: of the cycles that a series has gone through once, since others cannot be learnt."""
        names = calendar_features(panel.series[0].times[:1], panel.frequency)[1] if panel.series else []
        if whole_cycles:
            longest = max((one.times[len(one) - 1] - one.times[0] for one in panel.series if len(one)), default=0)
            names = [name for name in names if longest >= np.timedelta64(CYCLE_HOURS[name.split()[0]], "h")]
        return cls(panel.frequency, names)

    @classmethod
    def from_json(cls, frequency: Mapping[str, Any] | None, features: Sequence[str]) -> Calendar:
        """Make it from what a file holds of it: `frequency_to_json`, and the features; raises `ValueError` for one that there is none of."""
        for name in features:
            cycle, _, wave = name.partition(" ")
            if cycle not in CYCLE_HOURS or wave not in ("sin", "cos"):
                raise ValueError(f"expected a feature of the calendar, such as 'day sin', got {abbreviate(name, 40)}")
        return cls(None if frequency is None else Frequency(**frequency), features)

    def frequency_to_json(self) -> dict[str, Any] | None:
        """Give the frequency as a file holds it."""
        return None if self.frequency is None else asdict(self.frequency)

    def encode(self, series: TimeSeries, end: int | None = None) -> np.ndarray:
        """Give the features of each step before `end`, or of all, those ahead too, (T, M) float32.

        Raises `DataError` where the series has no time stamps.
        """
        times = series.times[:end]
        if not self.features:
            return np.zeros((len(times), 0), np.float32)
        values, names = calendar_features(times, self.frequency)
        if lacking := [name for name in self.features if name not in names]:
            raise DataError(
                f"series {series.name!r}: expected time stamps, as in the training data, of which the {lacking[0].split()[0]} is read; got none",
                source=series.place,
            )
        return values[:, [names.index(name) for name in self.features]]


@dataclass(frozen=True)
class Covariates:
    """What is read with the targets.  past: columns that are known as far as the targets are; static: one value for a series."""

    past: list[str]
    static: list[StaticColumn]
    calendar: Calendar

    @property
    def static_size(self) -> int:
        """S, the numbers that are known of a whole series."""
        return sum(column.width for column in self.static)

    @property
    def size(self) -> int:
        """The numbers that are read at a step."""
        return len(self.past) + len(self.calendar.features) + self.static_size

    def encode_static(self, series: TimeSeries) -> np.ndarray:
        """Give what is known of a whole series, (S)."""
        pairs = zip(self.static, series.static, strict=True)
        return np.array([number for column, value in pairs for number in column.encode(value)], np.float64)

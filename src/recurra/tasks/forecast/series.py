"""One series, or one channel of it, as a network reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.data.timeseries.grid import NumericTimes
from recurra.tasks.forecast.scaling import ScaledSeries


@dataclass(frozen=True)
class SeriesFeatures:
    """One series, or one of its channels, ready to be read.

    series: its name.  channels: which of the targets.  values: (T, C) float64, transformed and counted from `reference` (C), NaN
    where one is missing.  known_covariates: (T + F, K), of the steps after the last value too.  past_covariates: (T, P).
    static_covariates: (S).  times: (T + F), and their numbers, as of the series (`TimeSeries`).
    """

    series: str
    channels: tuple[int, ...]
    values: np.ndarray
    reference: np.ndarray
    scaled: ScaledSeries
    times: np.ndarray
    known_covariates: np.ndarray
    past_covariates: np.ndarray
    static_covariates: np.ndarray
    place: str
    numbers: NumericTimes | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def first_valid(self) -> int:
        """The first step at which all channels have had a value, T where there is none: nothing can be forecast before it."""
        return first_valid_step(self.values)

    @property
    def key(self) -> str:
        """A name that differs from that of the series' other channels."""
        return f"{self.series}\0{self.channels[0]}"


def first_valid_step(values: np.ndarray) -> int:
    """Give the first step at which all channels of (T, C) have had a value, T where there is none.

    >>> first_valid_step(np.array([[np.nan, 1.0], [2.0, np.nan], [3.0, 4.0]])), first_valid_step(np.array([[np.nan]]))
    (1, 1)
    """
    known = np.logical_or.accumulate(~np.isnan(values), axis=0).all(axis=1)
    return int(np.argmax(known)) if known.any() else len(values)

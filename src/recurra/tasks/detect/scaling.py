"""What channels and past covariates are scaled by: all training series together, or each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.errors import DataError
from recurra.tasks.timeseries.covariates import Standardizer

MIN_STD = 1e-8
"""A standard deviation below this is none: such a channel is not blown up to noise, but read in its own units."""


@dataclass(frozen=True)
class Scaling:
    """How channels and past covariates are standardised, (C + P).  by_series: how those of a series are, by its name."""

    overall: Standardizer
    by_series: Mapping[str, Standardizer] = field(default_factory=dict)

    @classmethod
    def fit(cls, panel: Panel, scale: str) -> Scaling:
        """Take it from the training series; raises `DataError` for a column that is never there."""
        names = [*panel.targets, *panel.past]
        overall = _fit_where_present(np.concatenate([_columns(one) for one in panel.series]))
        if len(never := np.flatnonzero(np.isnan(overall.mean))):
            raise DataError(f"{names[never[0]]!r} has no value in any training series", hint="leave this column out")
        if scale == "none":
            return cls(Standardizer(np.zeros(len(names)), np.ones(len(names))))
        by_series = {}
        for one in panel.series if scale == "series" else []:
            own = _fit_where_present(_columns(one))
            known = np.isfinite(own.mean)
            mean = np.where(known, own.mean, overall.mean)
            by_series[one.name] = Standardizer(mean, np.where(known, own.divisor, overall.divisor))
        return cls(overall, by_series)

    def of(self, name: str) -> Standardizer:
        """Give how a series is standardised; one that training did not know as all of them are."""
        return self.by_series.get(name, self.overall)

    def transform(self, one: TimeSeries) -> tuple[np.ndarray, np.ndarray]:
        """Standardise the channels of a series, (T, C), and its past covariates, (T, P)."""
        scaled, channels = self.of(one.name).transform(_columns(one)), one.values.shape[1]
        return scaled[:, :channels], scaled[:, channels:]


def _columns(one: TimeSeries) -> np.ndarray:
    """Give channels and past covariates side by side, (T, C + P)."""
    return np.concatenate([one.values, one.past], axis=1)


def _fit_where_present(values: np.ndarray) -> Standardizer:
    """Take mean and standard deviation of what is there of each column, (N, C), all columns at once; a mean of NaN where nothing is."""
    present = np.isfinite(values)
    count = present.sum(0)
    known = np.maximum(1, count)
    mean = np.where(present, values, 0.0).sum(0) / known
    std = np.sqrt((np.where(present, values - mean, 0.0) ** 2).sum(0) / known)
    return Standardizer(np.where(count, mean, np.nan), std, MIN_STD, MIN_STD)

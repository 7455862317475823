"""What is read with the values of a series: columns that are known ahead, past and static ones, and the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recurra.data.timeseries.grid import future_times
from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.errors import DataError
from recurra.formatting import abbreviate
from recurra.tasks.timeseries.covariates import Calendar, Covariates, Standardizer, StaticColumn
from recurra.tasks.timeseries.data import refuse_large

MAX_WORDS = 50
"""Different words of a static column that are told apart; the others are read as none of them."""
MIN_STD_SHARE = 1e-9
"""Standard deviation of a column, as a share of its mean, up to which it is what rounding left of a constant."""


@dataclass(frozen=True)
class ForecastCovariates(Covariates):
    """Which columns are read, and how they become numbers; fitted to the training part.

    known: those that are known ahead.  known_scale: of these, (K); past_scale: of the past ones, (P).
    """

    known: list[str]
    known_scale: Standardizer
    past_scale: Standardizer

    @property
    def known_size(self) -> int:
        """K, the numbers that are known of a step ahead."""
        return len(self.known) + len(self.calendar.features)

    @property
    def size(self) -> int:
        return super().size + len(self.known)

    @classmethod
    def fit(cls, panel: Panel, ends: Sequence[int], *, calendar: bool) -> ForecastCovariates:
        """Take the means, spreads and words of the columns; ends: how much of each series is trained on."""
        for series in panel.series:
            refuse_large(series, series.known, panel.known)
            refuse_large(series, series.past, panel.past)
        pairs = list(zip(panel.series, ends, strict=True))
        known = [np.zeros((0, len(panel.known))), *(series.known[:end] for series, end in pairs)]
        past = [np.zeros((0, len(panel.past))), *(series.past[:end] for series, end in pairs)]
        limit = {"min_std_share": MIN_STD_SHARE}
        static = [
            StaticColumn.fit(name, [series.static[place] for series in panel.series], max_words=MAX_WORDS, **limit)
            for place, name in enumerate(panel.static)
        ]
        return cls(
            list(panel.past),
            static,
            Calendar.fit(panel) if calendar and panel.frequency is not None else Calendar(panel.frequency),
            list(panel.known),
            Standardizer.fit(np.concatenate(known), **limit),
            Standardizer.fit(np.concatenate(past), **limit),
        )

    def extend(self, series: TimeSeries, horizon: int) -> TimeSeries:
        """Let times go on to the horizon, so that the calendar of all steps ahead is read; what was known last goes on too."""
        lacking = len(series) + horizon - len(series.times)
        if not self.calendar.features or lacking <= 0 or not len(series.times):
            return series
        times = np.concatenate([series.times, future_times(series.times, self.calendar.frequency, lacking)])
        return replace(series, times=times, known=np.pad(series.known, ((0, lacking), (0, 0)), "edge"))

    def encode_known(self, series: TimeSeries) -> np.ndarray:
        """Give what is known of each step, those ahead too, (T + F, K)."""
        columns = np.nan_to_num(self.known_scale.transform(series.known)).astype(np.float32)
        return np.concatenate([columns, self.calendar.encode(series)], axis=1)

    def encode_past(self, series: TimeSeries) -> np.ndarray:
        """Give the past columns, (T, P)."""
        return np.nan_to_num(self.past_scale.transform(series.past)).astype(np.float32)

    def encode_static(self, series: TimeSeries) -> np.ndarray:
        """Give what is known of a whole series, (S); raises `DataError` for a word where training had numbers."""
        for column, value in zip(self.static, series.static, strict=True):
            if column.words is None and isinstance(value, str) and value:
                raise DataError(
                    f"series {series.name}: static column '{column.name}': expected a number, as in the training data; got {abbreviate(value, 40)}",
                    source=series.place,
                )
        return super().encode_static(series).astype(np.float32)

    def scales_to_json(self) -> dict[str, list[float]]:
        """Give mean and standard deviation of each column that holds numbers."""
        numbers = [([column.name], column.scale) for column in self.static if column.words is None]
        columns = [(self.known, self.known_scale), (self.past, self.past_scale), *numbers]
        pairs = (zip(names, scale.mean.tolist(), scale.std.tolist(), strict=True) for names, scale in columns)
        return {name: [mean, std] for each in pairs for name, mean, std in each}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], calendar: Calendar) -> ForecastCovariates:
        """Make it from what the file of a run holds; raises `ValueError` or `KeyError` for a column without its scale."""
        words = content.get("words", {})

        def scale(names: Sequence[str]) -> Standardizer:
            pairs = [content["spreads"][name] for name in names]
            if any(len(pair) != 2 or pair[1] < 0 for pair in pairs):
                raise ValueError("spreads: expected a mean and a standard deviation of each column")
            mean, std = np.array(pairs, np.float64).reshape(-1, 2).T
            return Standardizer(mean, std, min_std_share=MIN_STD_SHARE)

        return cls(
            content["past"],
            [StaticColumn(n, words[n]) if n in words else StaticColumn(n, None, scale([n])) for n in content["static"]],
            calendar,
            content["known"],
            scale(content["known"]),
            scale(content["past"]),
        )

"""The forecast to beat: what was a season ago."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from recurra.baselines.forecasts import (
    MAX_ERRORS,
    ErrorQuantiles,
    Forecast,
    ForecastBaseline,
    fill_forward,
    first_valid,
    median_scale,
    running_scale,
    subsample,
)
from recurra.baselines.titles import register_baseline

MIN_ERRORS_PER_SERIES = 5
"""Errors of a series that are looked at, however many series there are."""


@register_baseline
class SeasonalNaive(ForecastBaseline):
    """Repeats the last season: ŷ_(T+k) = y_(T+k−m·⌈k/m⌉). With a season of 1 this is the naive forecast, the last value.

    A channel that is known for less than a season repeats its last value. Intervals are as wide as the errors were in the
    training histories, ⌈k/m⌉ seasons ahead: their quantiles for each channel, in units of each series' own mean
    |y_t − y_(t−m)|, taken as far as the origin. So a lively series has a wider interval than a quiet one.

    >>> model = SeasonalNaive().fit([np.arange(6.0)[:, None]], season=3, horizon=4)
    >>> model.forecast(np.array([[1.0], [2.0], [3.0]]))[0][:, 0].tolist()
    [1.0, 2.0, 3.0, 1.0]
    """

    name = "seasonal-naive"
    title = "seasonal naive"

    def fit(self, histories: Sequence[np.ndarray], season: int, horizon: int) -> Self:
        """Learn how wide the intervals are; a mean needs nothing but the season. See `ForecastBaseline.fit`."""
        known = self._check_histories(histories, season, horizon)
        scales = np.concatenate([running_scale(values, self.season, np.array([len(values)])) for values in known])
        per_series = max(MIN_ERRORS_PER_SERIES, MAX_ERRORS // len(known))
        errors = [
            self._collect_errors(known, scales, self.season * ahead, per_series)
            for ahead in range(1, -(-self.horizon // self.season) + 1)
        ]
        self._error_quantiles = ErrorQuantiles(errors, median_scale(scales))
        return self

    def rolling(
        self, history: np.ndarray, origins: Sequence[int] | np.ndarray, levels: Sequence[float] = ()
    ) -> Forecast:
        """Forecast after each history[:origin]. See `ForecastBaseline.rolling`."""
        values, places = self._check_origins(history, origins)
        steps = np.arange(self.horizon)
        whole = places[:, None] - first_valid(values) >= self.season  # (n, C): a season is known
        back = (places[:, None] - self.season + steps % self.season)[:, :, None]  # (n, h, 1)
        rows = np.where(whole[:, None, :], back, places[:, None, None] - 1)
        mean = fill_forward(values, self.season)[rows, np.arange(values.shape[1])]
        if not len(levels):
            return mean, None
        offsets = self._error_quantiles.quantiles(running_scale(values, self.season, places), levels)
        return mean, mean[..., None] + offsets[:, steps // self.season]

    def _collect_errors(
        self, known: Sequence[np.ndarray], scales: np.ndarray, lag: int, per_series: int
    ) -> list[np.ndarray]:
        """Give for each channel how far values lie from those `lag` steps before, in units of the scale, at most `per_series` of a series."""
        parts: list[list[np.ndarray]] = [[np.zeros(0)] for _ in range(known[0].shape[1])]
        for values, scale in zip(known, scales, strict=True):
            if len(values) <= lag:
                continue
            change = subsample(values[lag:] - values[:-lag], per_series)
            for channel in np.flatnonzero(scale > 0):
                column = change[:, channel]
                parts[channel].append(column[~np.isnan(column)] / scale[channel])
        return [np.concatenate(part) for part in parts]

"""M4's Naive2: the last value, freed of its season, with the season of the step to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from recurra.baselines.forecasts import Forecast, ForecastBaseline, fill_forward, first_valid
from recurra.baselines.titles import register_baseline

CRITICAL_VALUE = 1.645
"""Of the normal distribution, 90 % in the middle: the autocorrelation at the season has to lie further out."""


@register_baseline
class Naive2(ForecastBaseline):
    """The naive forecast of the series without its season, brought back to it: what OWA is relative to.

        ŷ_(T+k) = y_T / s_T · s_(T+k)      where the series is seasonal, else ŷ_(T+k) = y_T

    As in the M4 competition's own code: a series of three seasons or more is seasonal if its autocorrelation at lag m lies outside
    1.645 · √((1 + 2 Σ_(k<m) r_k²) / n). The indices s are those of the classical multiplicative decomposition, the mean ratio
    of the values to their centred moving average over a season, brought to the mean 1. That code computes lags to 10·log₁₀ n only, so
    that it finds no season in a series too short for its lag m to be among them; here all are computed. Of M4's hourly and weekly series none is concerned.

    Where a value is not above 0 ratios make no sense, and the decomposition is additive. There are no intervals.

    >>> model = Naive2().fit([np.zeros((1, 1))], season=2, horizon=3)
    >>> model.forecast(np.tile([[10.0], [30.0]], (6, 1)))[0][:, 0].round(6).tolist()
    [10.0, 30.0, 10.0]
    """

    name = "naive2"
    title = "Naive2"

    def fit(self, histories: Sequence[np.ndarray], season: int, horizon: int) -> Self:
        """Keep the season and the horizon; nothing is learnt. See `ForecastBaseline.fit`."""
        self._check_histories(histories, season, horizon)
        return self

    def rolling(
        self, history: np.ndarray, origins: Sequence[int] | np.ndarray, levels: Sequence[float] = ()
    ) -> Forecast:
        """Forecast after each history[:origin], one after the other. See `ForecastBaseline.rolling`."""
        del levels
        values, places = self._check_origins(history, origins)
        starts, whole = first_valid(values), fill_forward(values, self.season)
        mean = np.empty((len(places), self.horizon, values.shape[1]))
        for number, origin in enumerate(places):
            for channel, first in enumerate(starts):
                mean[number, :, channel] = _forecast_channel(whole[first:origin, channel], self.season, self.horizon)
        return mean, None


def is_seasonal(values: np.ndarray, season: int) -> bool:
    """Tell whether values (T) repeat with a season, as M4 tests it; never for a season of 1 or a constant.

    >>> is_seasonal(np.tile([1.0, 2.0, 3.0], 5), 3), is_seasonal(np.arange(9.0) % 2, 3)
    (True, False)
    """
    count = len(values)
    if season < 2 or count < 3 * season:
        return False
    centred = values - values.mean()
    power = centred @ centred
    if power <= 1e-20 * count * max(1.0, np.abs(values).max()) ** 2:  # what rounding leaves of a constant
        return False
    spectrum = np.fft.rfft(centred, 2 ** int(np.ceil(np.log2(count + season + 1))))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[1 : season + 1] / power
    limit = CRITICAL_VALUE * np.sqrt((1 + 2 * (correlation[:-1] ** 2).sum()) / count)
    return bool(abs(correlation[-1]) > limit)


def seasonal_indices(values: np.ndarray, season: int, *, multiplicative: bool) -> np.ndarray:
    """Give the classical decomposition's index of each phase of the season, (m), from values (T), T ≥ 2·m: mean 1, or mean 0.

    >>> seasonal_indices(np.tile([10.0, 30.0], 4), 2, multiplicative=True).tolist()
    [0.5, 1.5]
    """
    around = np.full(season, 1.0) if season % 2 else np.array([0.5, *np.ones(season - 1), 0.5])
    trend = np.convolve(values, around / season, "valid")
    half = len(around) // 2
    middle = values[half : half + len(trend)]
    parts = middle / trend if multiplicative else middle - trend
    phase = (half + np.arange(len(trend))) % season
    index = np.bincount(phase, parts, season) / np.bincount(phase, minlength=season)
    return index / index.mean() if multiplicative else index - index.mean()


def _forecast_channel(values: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Continue values (T) without gaps, T ≥ 1: (h)."""
    count, last = len(values), values[-1]
    if not is_seasonal(values, season):
        return np.full(horizon, last)
    multiplicative = bool(values.min() > 0)
    index = seasonal_indices(values, season, multiplicative=multiplicative)
    now, then = index[(count - 1) % season], index[(count + np.arange(horizon)) % season]
    return last / now * then if multiplicative else last - now + then

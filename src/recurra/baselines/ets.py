"""Exponential smoothing, with its form chosen for each series."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from recurra.baselines.forecasts import Forecast, ForecastBaseline, fill_forward, first_valid
from recurra.baselines.naive2 import is_seasonal, seasonal_indices
from recurra.baselines.seasonal import SeasonalNaive
from recurra.baselines.titles import register_baseline
from recurra.errors import require

MAX_HISTORY = 500
"""Steps of a history that are looked at: what lies further back has hardly any weight."""
MAX_SEASON = 24
"""Steps of a season that ETS estimates a state for each of."""


@register_baseline
class ETS(ForecastBaseline):
    """Error, trend and season by exponential smoothing (Hyndman et al. 2002); the form with the lowest AICc, statsforecast's AutoETS.

    It is fitted again to each channel of each history, to its last 500 steps. A season of more than 24 steps, which would ask for
    as many states, is taken off first, where there is one (`is_seasonal`), by the classical additive decomposition. Where
    AutoETS cannot be fitted (fewer than about eight steps) or gives what is not finite, the seasonal naive forecast is taken.

    A fit takes a tenth of a second without a season, and one or two with one: `estimate_seconds` gives how long a forecast takes, `max_forecasts` how many of them
    fit into some time, so that one who measures it on much data can leave it out or take fewer origins, and say so.

    Attributes:
        substituted: forecasts of a channel, so far, that the seasonal naive had to replace.

    Raises:
        MissingExtraError: at `fit`, without the package statsforecast.

    >>> ETS.max_forecasts(length=700, channels=1, season=24, seconds=120)
    60
    """

    name = "ets"
    title = "ETS"

    def __init__(self) -> None:
        self.substituted = 0

    @staticmethod
    def estimate_seconds(length: int, channels: int, season: int) -> float:
        """Estimate how long the forecast after one history takes on one core."""
        steps = min(length, MAX_HISTORY)
        with_season = 1 < season <= MAX_SEASON and steps > season
        return channels * (0.02 * season + 0.003 * steps if with_season else 0.03 + 0.0003 * steps)

    @classmethod
    def max_forecasts(cls, length: int, channels: int, season: int, seconds: float = 120.0) -> int:
        """Give how many forecasts after histories of about such a length fit into so many seconds of one core; maybe none."""
        return int(seconds / cls.estimate_seconds(length, channels, season))

    def fit(self, histories: Sequence[np.ndarray], season: int, horizon: int) -> Self:
        """Keep the season and the horizon; ETS itself is fitted to each history. See `ForecastBaseline.fit`."""
        require("statsforecast", "forecast", "the baseline ETS")
        self._check_histories(histories, season, horizon)
        self._fallback = SeasonalNaive().fit(histories, season, horizon)
        return self

    def rolling(
        self, history: np.ndarray, origins: Sequence[int] | np.ndarray, levels: Sequence[float] = ()
    ) -> Forecast:
        """Forecast after each history[:origin], each with a fit of its own. See `ForecastBaseline.rolling`."""
        values, places = self._check_origins(history, origins)
        mean, quantiles = self._fallback.rolling(values, places, levels)
        starts, whole = first_valid(values), fill_forward(values, self.season)
        for number, origin in enumerate(places):
            for channel, first in enumerate(starts):
                forecast = self._forecast_channel(whole[max(first, origin - MAX_HISTORY) : origin, channel], levels)
                if forecast is None:
                    self.substituted += 1
                    continue
                mean[number, :, channel] = forecast[:, 0]
                if quantiles is not None:
                    quantiles[number, :, channel] = forecast[:, 1:]
        return mean, quantiles

    def _forecast_channel(self, values: np.ndarray, levels: Sequence[float]) -> np.ndarray | None:
        """Continue values (T) without gaps: the mean and the quantiles, (h, 1 + Q); None where ETS cannot."""
        season, removed = self.season, np.zeros(self.horizon)
        if season > MAX_SEASON:
            if is_seasonal(values, season):
                index = seasonal_indices(values, season, multiplicative=False)
                removed = index[(len(values) + np.arange(self.horizon)) % season]
                values = values - index[np.arange(len(values)) % season]
            season = 1
        percents = sorted({_percent(level) for level in levels if level != 0.5})
        # Imported here: statsforecast brings pandas and much else, which takes seconds.
        models: Any = require("statsforecast.models", "forecast", "the baseline ETS")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found = models.AutoETS(season_length=season).forecast(values, self.horizon, level=percents or None)
            # Too few values to fit, by whatever way statsforecast meets that.
            except (NotImplementedError, ValueError, IndexError, ArithmeticError):
                return None
        columns = ["mean", *("mean" if level == 0.5 else _column(level) for level in levels)]
        forecast = np.stack([np.asarray(found[column], np.float64) for column in columns], axis=1)
        # A simulated quantile may cross the mean, which stands for the median.
        forecast[:, 1:] = np.sort(forecast[:, 1:], axis=1)[:, np.argsort(np.argsort(levels))]
        return forecast + removed[:, None] if np.isfinite(forecast).all() else None


def _percent(level: float) -> float:
    """Give the per cent of the interval that a level is an end of.

    >>> _percent(0.1), _percent(0.975)
    (80.0, 95.0)
    """
    return round(100 * abs(1 - 2 * level), 6)


def _column(level: float) -> str:
    return f"{'lo' if level < 0.5 else 'hi'}-{_percent(level)}"

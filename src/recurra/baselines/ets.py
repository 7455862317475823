"""Exponential smoothing, with its form chosen for each series."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from recurra.baselines.forecasts import Forecast, ForecastBaseline, filled, first_known
from recurra.baselines.naive2 import is_seasonal, seasonal_indices
from recurra.baselines.seasonal import SeasonalNaive
from recurra.baselines.titles import register_baseline
from recurra.errors import require

LONGEST = 500  # steps of a history that are looked at: what lies further back has hardly any weight
WIDEST = 24  # steps of a season that ETS estimates a state for each of


@register_baseline
class ETS(ForecastBaseline):
    """Error, trend and season by exponential smoothing (Hyndman et al. 2002); the form with the lowest AICc, statsforecast's AutoETS.

    It is fitted anew to each channel of each history, to its last 500 steps. A season of more than 24 steps, which would ask for
    as many states, is taken off first, where there is one (`is_seasonal`), by the classical additive decomposition. Where
    AutoETS cannot be fitted (fewer than about eight steps) or says what is not finite, the seasonal naive forecast stands instead.

    A fit takes a tenth of a second without a season, and one or two with one: `seconds` tells how long a forecast takes, `affordable` how many of them some
    time allows, so that one who measures it on much data can leave it out or ask it about fewer origins, and say so.

    Attributes:
        substituted: forecasts of a channel, so far, that the seasonal naive had to stand for.

    Raises:
        MissingExtraError: at `fit`, without the package statsforecast.

    >>> ETS.affordable(length=700, channels=1, season=24, seconds=120)
    60
    """

    name = "ets"
    title = "ETS"

    def __init__(self) -> None:
        self.substituted = 0

    @staticmethod
    def seconds(length: int, channels: int, season: int) -> float:
        """Estimate how long the forecast after one history takes on one core."""
        steps = min(length, LONGEST)
        with_season = 1 < season <= WIDEST and steps > season
        return channels * (0.02 * season + 0.003 * steps if with_season else 0.03 + 0.0003 * steps)

    @classmethod
    def affordable(cls, length: int, channels: int, season: int, seconds: float = 120.0) -> int:
        """Tell how many forecasts after histories of about such a length fit into so many seconds of one core; maybe none."""
        return int(seconds / cls.seconds(length, channels, season))

    def fit(self, histories: Sequence[np.ndarray], season: int, horizon: int) -> Self:
        """Keep the season and the horizon; ETS itself is fitted to each history. See `ForecastBaseline.fit`."""
        require("statsforecast", "forecast", "the baseline ETS")
        self._begin(histories, season, horizon)
        self._instead = SeasonalNaive().fit(histories, season, horizon)
        return self

    def rolling(
        self, history: np.ndarray, origins: Sequence[int] | np.ndarray, levels: Sequence[float] = ()
    ) -> Forecast:
        """Forecast after each history[:origin], each with a fit of its own. See `ForecastBaseline.rolling`."""
        values, places = self._asked(history, origins)
        mean, quantiles = self._instead.rolling(values, places, levels)
        begin, whole = first_known(values), filled(values, self.season)
        for number, origin in enumerate(places):
            for channel, first in enumerate(begin):
                said = self._ahead(whole[max(first, origin - LONGEST) : origin, channel], levels)
                if said is None:
                    self.substituted += 1
                    continue
                mean[number, :, channel] = said[:, 0]
                if quantiles is not None:
                    quantiles[number, :, channel] = said[:, 1:]
        return mean, quantiles

    def _ahead(self, values: np.ndarray, levels: Sequence[float]) -> np.ndarray | None:
        """Go on from values (T) without holes: the mean and the quantiles, (h, 1 + Q); None where ETS cannot."""
        season, removed = self.season, np.zeros(self.horizon)
        if season > WIDEST:
            if is_seasonal(values, season):
                index = seasonal_indices(values, season, multiplicative=False)
                removed = index[(len(values) + np.arange(self.horizon)) % season]
                values = values - index[np.arange(len(values)) % season]
            season = 1
        widths = sorted({_width(level) for level in levels if level != 0.5})
        # Imported here: statsforecast brings pandas and much else, which takes seconds.
        models: Any = require("statsforecast.models", "forecast", "the baseline ETS")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                found = models.AutoETS(season_length=season).forecast(values, self.horizon, level=widths or None)
            # Too few values to fit, by whatever way statsforecast meets that.
            except (NotImplementedError, ValueError, IndexError, ArithmeticError):
                return None
        keys = ["mean", *("mean" if level == 0.5 else _key(level) for level in levels)]
        said = np.stack([np.asarray(found[key], np.float64) for key in keys], axis=1)
        # A simulated quantile may cross the mean, which stands for the median.
        said[:, 1:] = np.sort(said[:, 1:], axis=1)[:, np.argsort(np.argsort(levels))]
        return said + removed[:, None] if np.isfinite(said).all() else None


def _width(level: float) -> float:
    """Give the per cent of the interval that a level is an end of.

    >>> _width(0.1), _width(0.975)
    (80.0, 95.0)
    """
    return round(100 * abs(1 - 2 * level), 6)


def _key(level: float) -> str:
    return f"{'lo' if level < 0.5 else 'hi'}-{_width(level)}"

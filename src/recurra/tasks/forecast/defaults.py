"""What the user left open: what is read of the series, how large a network is, and how long it is trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np

from recurra.baselines import Linear
from recurra.data.timeseries.frequency import default_season
from recurra.data.timeseries.reader import Panel
from recurra.errors import DataError
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.forecast.config import Data, Model
from recurra.tasks.forecast.covariates import ForecastCovariates
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor, PreprocessingOptions

STEPS_TO_LEARN = 10_000_000
"""Steps read after which a forecaster has most of what it will get."""
SMALL_DATA = 1_000
"""Steps of training below which a small network, taught slowly, forecasts better."""
MAX_LOOKBACK = 1024
"""Numbers of a lookback that is chosen, at most; the user may choose a longer one."""
LOOKBACK_MULTIPLICATIONS = 10**10
"""Multiplications that choosing the lookback is worth: less than a second of one core."""
LOOKBACK_SERIES = 1_000
"""Series that it is chosen by."""
LOOKBACK_HORIZON = 96
"""Steps ahead that it is chosen by, at most: what tells of them tells of later ones."""
LOOKBACK_TOLERANCE = 1.02
"""Squared error, relative to the least, that is as good: a longer lookback takes longer to learn, and more to learn from."""


def choose_size(model: Model, steps: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training; steps: of the training part.

    >>> model = Model()
    >>> choose_size(model, 350_000), model.hidden, model.dropout
    (28.571428571428573, 128, 0.1)
    """
    if model.hidden is None:
        model.hidden = 16 if steps < SMALL_DATA else 64 if steps < 20_000 else 128
    if model.dropout is None:
        model.dropout = 0.3 if steps < 2_000 else 0.1
    if model.input_dropout is None:
        model.input_dropout = 0.0  # a window whose values are missing now and then has another level
    return min(200.0, max(3.0, STEPS_TO_LEARN / max(1, steps)))


def learning_rate_for(steps: int) -> float:
    """Choose AdamW's learning rate.

    >>> learning_rate_for(144), learning_rate_for(350_000)
    (0.0007, 0.002)
    """
    return 0.0007 if steps < SMALL_DATA else 0.002


def build_preprocessor(panel: Panel, ends: Sequence[int], data: Data, model: Model) -> ForecastPreprocessor:
    """Decide from the training part what series have to look like, and fill in what of that is open in the configuration.

    ends: how much of each series is trained on.
    """
    season = data.season or default_season(panel.frequency)
    horizon = data.horizon or (season if season > 1 else 12)
    if model.lookback is None:
        model.lookback = choose_lookback(panel, ends, season, horizon, model)
    data.season, data.horizon = season, horizon
    covariates = ForecastCovariates.fit(panel, ends, calendar=data.calendar)
    options = PreprocessingOptions(
        season, horizon, model.lookback, model.window_scaling, model.transform, model.multivariate
    )
    return ForecastPreprocessor(list(panel.targets), covariates, options, panel.numeric_step)


def choose_lookback(panel: Panel, ends: Sequence[int], season: int, horizon: int, model: Model) -> int:
    """Choose how much is read at once: the least that a plain linear model does as well with as with more.

    But two seasons, to see what has changed, and no more than most series have.
    """
    usual, chosen = int(np.median(ends)) if len(ends) else 1, 0
    if histories := list(_histories(panel, ends, model.transform)):
        with contextlib.suppress(DataError):  # too short for a line, or nothing that changes
            errors = Linear.window_errors(histories, season, min(horizon, LOOKBACK_HORIZON), LOOKBACK_MULTIPLICATIONS)
            good = (w for w in errors if errors[w] <= LOOKBACK_TOLERANCE * min(errors.values()))
            chosen = min(good, default=0)
    channels = len(panel.targets) if model.multivariate else 1
    return max(season, min(MAX_LOOKBACK // channels, max(2 * season, 16, chosen), usual))


def _histories(panel: Panel, ends: Sequence[int], transform: str) -> Iterator[np.ndarray]:
    """Give the training part of some series as it is learnt from; what has no logarithm is refused later, with its place."""
    for number in evenly_spaced(len(ends), LOOKBACK_SERIES):
        values = panel.series[number].values[: ends[number]].astype(np.float64)
        if len(values):
            yield np.log(np.where(values > 0, values, np.nan)) if transform == "log" else values

"""A forecast's mean or quantile at a step ahead as a function of the values that are there."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from recurra.data.timeseries.types import TimeSeries
from recurra.errors import UsageError
from recurra.tasks.base.explanation import Explained, Target
from recurra.tasks.base.settings import Flag
from recurra.tasks.forecast.backtest import BacktestOptions, backtest
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor
from recurra.tasks.sequence.explain import check_place, check_target
from recurra.tasks.timeseries.explain import ReplaceableRows, TimeSeriesExplainOptions

NO_GRADIENTS = nn.Identity()
"""What reads the series with gradients: nothing, since its features are made by numpy."""
BLANK = "the mean of the series"


class ForecasterExplainOptions(TimeSeriesExplainOptions):
    """What `explain` takes of a run of forecast."""

    target: Annotated[str | None, Flag(metavar="COLUMN")] = Field(
        default=None, description="The column whose forecast is explained. Default: the first."
    )
    at: Annotated[int, Flag(metavar="N")] = Field(default=1, ge=1, description="The step ahead that is explained.")
    quantile: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="The quantile that is explained, one that the run gives. Default: the point forecast.",
    )


def explain_forecast(
    network: nn.Module,
    preprocessor: ForecastPreprocessor,
    levels: BacktestOptions,
    series: TimeSeries,
    options: ForecasterExplainOptions,
) -> Explained:
    """Give the forecast of a column at a step ahead."""
    names = [*preprocessor.targets, *preprocessor.covariates.past]
    check_target(options.target, preprocessor.targets, "columns")
    channel = 0 if options.target is None else preprocessor.targets.index(options.target)
    ahead = check_place(options.at, preprocessor.horizon)
    if options.quantile is not None and options.quantile not in levels.quantiles:
        known = ", ".join(f"{level:g}" for level in levels.quantiles)
        raise UsageError(f"quantile: expected one of those that this run gives ({known}), got {options.quantile:g}")
    level = None if options.quantile is None else list(levels.quantiles).index(options.quantile)
    rows = np.concatenate([series.values, series.past], axis=1)
    means = np.nan_to_num(np.nanmean(rows, axis=0)) if len(rows) else np.zeros(len(names))
    given = ReplaceableRows(series, names, means, by_channel=options.by == "channels")

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        made = [preprocessor.transform(one) for one in given.rows(shares, order)]
        features = [next(each for each in one if channel in each.channels) for one in made]
        place = list(features[0].channels).index(channel)
        found = np.zeros(len(features))
        for some in backtest(network, preprocessor, levels, features, [np.array([len(one) - 1]) for one in features]):
            values = some.mean[:, ahead] if level is None else some.quantiles[:, ahead, :, level]
            found[some.series] = values[:, place]
        return torch.from_numpy(found)

    what = "mean" if level is None else f"quantile {options.quantile:g}"
    target = Target(f"{preprocessor.targets[channel]}, {options.at} ahead", what, len(series) - 1, BLANK)
    return Explained(network, given.segments, len(series), compute, target, differentiable=False, reader=NO_GRADIENTS)

"""A step's error, or a series' score, as a function of the values that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from recurra.data.timeseries.types import TimeSeries
from recurra.errors import DataError, UsageError
from recurra.tasks.base.explanation import Explained, Target
from recurra.tasks.base.settings import Flag
from recurra.tasks.detect.data import whole_segment
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.preprocessing import DetectorPreprocessor
from recurra.tasks.detect.residuals import predict_errors
from recurra.tasks.detect.scoring import AGGREGATIONS, aggregate_scores, score_errors
from recurra.tasks.sequence.explain import check_place
from recurra.tasks.timeseries.data import truncate
from recurra.tasks.timeseries.explain import ReplaceableRows, TimeSeriesExplainOptions

NO_GRADIENTS = nn.Identity()
"""What reads the series with gradients: nothing, since its features are made by numpy."""
BLANK = "the mean of the training data"


class DetectorExplainOptions(TimeSeriesExplainOptions):
    """What `explain` takes of a run of detect."""

    at: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None,
        ge=1,
        description="The step whose error is explained, from 1. Default: that of the largest; of whole series, all.",
    )


def explain_score(
    network: DetectorNetwork,
    preprocessor: DetectorPreprocessor,
    series: TimeSeries,
    options: DetectorExplainOptions,
    *,
    smoothing: float,
    per_series: bool,
) -> Explained:
    """Give the error at a step, averaged as a score is, of the channel that is farthest off; or the score of a whole series."""
    step, whole = len(series) - 1, per_series and options.at is None
    if len(series):
        (scores,) = _scores(network, preprocessor, [series], smoothing)
        known = np.isfinite(scores)
        if not known.any():
            raise DataError("there is nothing to explain: no step of the series has an error", source=series.place)
        if options.at is not None:
            step = check_place(options.at, len(series))
            if not known[step]:
                first = int(known.argmax()) + 1
                raise UsageError(f"at: expected a step that has an error, as {first} has, got {options.at}")
        elif not whole:
            step = int(np.nanargmax(scores))
    series = truncate(series, step + 1)
    names = [*preprocessor.targets, *preprocessor.covariates.past]
    means = preprocessor.scaling.of(series.name).mean
    given = ReplaceableRows(series, names, means, by_channel=options.by == "channels")
    kind = AGGREGATIONS[int(cast(Tensor, network.pooling))]

    def compute(shares: Tensor, order: Tensor | None) -> Tensor:
        scores = _scores(network, preprocessor, given.rows(shares, order), smoothing)
        if whole:
            return torch.tensor([aggregate_scores(one[np.isfinite(one)], kind) for one in scores], dtype=torch.float64)
        return torch.from_numpy(np.nan_to_num(np.array([one[step] for one in scores])))

    target = Target("the whole series" if whole else f"step {step + 1}", "score" if whole else "error", step, BLANK)
    return Explained(network, given.segments, len(series), compute, target, differentiable=False, reader=NO_GRADIENTS)


def _scores(
    network: DetectorNetwork, preprocessor: DetectorPreprocessor, series: Sequence[TimeSeries], smoothing: float
) -> list[np.ndarray]:
    """Give the score of each step of each series, (T), NaN where there is none."""
    segments = [whole_segment(one, preprocessor) for one in series]
    found = []
    for one in predict_errors(network, segments, exact=False):
        scores = np.full(len(one.errors), np.nan)
        scores[~np.isnan(one.errors).all(axis=1)] = score_errors(one.errors, smoothing)
        found.append(scores)
    return found

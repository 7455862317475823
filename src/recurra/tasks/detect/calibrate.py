"""What is set by held-out data when training is over: the unit of errors, how whole series are scored, and the scores of normal
steps that a threshold begins with (see threshold.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from recurra.metrics import detection
from recurra.tasks.detect.data import Segment, Split
from recurra.tasks.detect.network import HISTORY_SIZE
from recurra.tasks.detect.predict import Detector
from recurra.tasks.detect.residuals import Predictions, predict_errors
from recurra.tasks.detect.scoring import AGGREGATIONS, aggregate_scores, score_errors
from recurra.tasks.detect.synthetic_anomalies import ANOMALY_KINDS, MIN_STEPS, inject_anomaly

MIN_UNIT = 0.1
"""The least unit: where held-out errors are far smaller than was predicted, a tenth of the predicted scale is one."""
MAX_CORRUPTED = 400
"""Held-out series that are corrupted to find out how the scores of steps tell corrupted series best."""


@torch.no_grad()
def calibrate(detector: Detector, train: Split, valid: Split | None) -> None:
    """Set the network's buffers by the validation part, or by the training part where nothing was held out."""
    network, scoring = detector.network, detector.config.scoring
    segments = (valid or train).segments
    unit, history, held, pooling = (
        cast(Tensor, network.get_buffer(name)) for name in ("unit", "history", "held", "pooling")
    )
    values = np.concatenate([one.values for split in (train, valid) if split for one in split.segments])
    for name, extreme in (("low", np.fmin), ("high", np.fmax)):
        network.get_buffer(name).copy_(torch.from_numpy(np.nan_to_num(extreme.reduce(values, axis=0))))
    unit.fill_(1.0)
    unit.copy_(torch.from_numpy(_error_unit(predict_errors(network, segments))))
    scored = [score_errors(one.errors, scoring.error_smoothing) for one in predict_errors(network, segments)]
    if detector.per_series:
        wanted = scoring.aggregation
        pooling.fill_(AGGREGATIONS.index(wanted) if wanted != "auto" else _best_aggregation(detector, segments, scored))
        kind = AGGREGATIONS[int(pooling)]
        scores = np.array([aggregate_scores(steps, kind) for steps in scored if len(steps)])
    else:
        scores = np.concatenate(scored) if scored else np.zeros(0)
    scores = scores[-HISTORY_SIZE:]
    history.zero_()
    history[: len(scores)] = torch.from_numpy(scores).to(history)
    held.fill_(len(scores))


def _error_unit(parts: Sequence[Predictions]) -> np.ndarray:
    """Give the root mean square of the errors of each lead and channel, (A, C); 1 where there are none."""
    squares, counts = sum(one.squares for one in parts), sum(one.counts for one in parts)
    unit = np.maximum(MIN_UNIT, np.sqrt(squares / np.maximum(1, counts)))
    return np.where(counts > 0, unit, 1.0).astype(np.float32)


def _best_aggregation(detector: Detector, segments: Sequence[Segment], scored: Sequence[np.ndarray]) -> int:
    """Choose how steps make the score of a whole series, without labels: by which normal ones are best told from corrupted ones.

    scored: the scores of the steps of each segment.  Gives the number of one of `AGGREGATIONS`.
    """
    rng = np.random.default_rng(0)
    chosen = [number for number, one in enumerate(segments) if len(one) >= MIN_STEPS][:MAX_CORRUPTED]
    if len(chosen) < 2:
        return 0
    corrupted = []
    for place, number in enumerate(chosen):
        one, other = segments[number], segments[int(rng.choice([each for each in chosen if each != number]))]
        kind = ANOMALY_KINDS[place % len(ANOMALY_KINDS)]
        series = replace(one.series, values=inject_anomaly(one.series.values, other.series.values, kind, rng))
        corrupted.append(replace(one, series=series, encoded=detector.preprocessor.encode(series)[0]))
    smoothing = detector.config.scoring.error_smoothing
    bad = [score_errors(one.errors, smoothing) for one in predict_errors(detector.network, corrupted)]
    good = [scored[number] for number in chosen]
    marks = np.repeat([False, True], len(good))
    areas = [
        detection(np.array([aggregate_scores(steps, kind) for steps in (*good, *bad)]), marks)["auroc"]
        for kind in AGGREGATIONS
    ]
    return int(np.argmax(areas))

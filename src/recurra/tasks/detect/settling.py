"""What is set by held-out data when training is over: the unit of errors, how whole series are judged, what a threshold begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from recurra.metrics import detection
from recurra.tasks.detect.examples import Stretch
from recurra.tasks.detect.foretelling import told
from recurra.tasks.detect.judging import POOLINGS, Smoother, pooled
from recurra.tasks.detect.network import HISTORY, DetectorNetwork

if TYPE_CHECKING:
    from recurra.tasks.detect.task import Detector

LEAST = 0.1
"""The least unit: where held-out errors are far smaller than was foretold, a tenth of the foretold spread is one."""
SPOILT = 400
"""Held-out series that are spoilt to find out which way of judging whole ones tells spoilt ones best."""


@torch.no_grad()
def settle(task: Detector, network: DetectorNetwork) -> None:
    """Set a network's buffers by the validation part, or by the training part where nothing was held out."""
    stretches = (task.examples.valid or task.examples.train).stretches
    unit, history, held, pooling = (
        cast(Tensor, network.get_buffer(name)) for name in ("unit", "history", "held", "pooling")
    )
    unit.fill_(1.0)
    unit.copy_(torch.from_numpy(_unit([one.errors for one in told(network, stretches)])))
    parts = [one.errors for one in told(network, stretches)]
    smoothing = task.config.scoring.smoothing
    scored = [scores_of(errors, smoothing) for errors in parts]
    if task.whole:
        asked = task.config.scoring.pooling
        pooling.fill_(POOLINGS.index(asked) if asked != "auto" else _tells_best(task, network, stretches, scored))
        kind = POOLINGS[int(pooling)]
        scores = np.array([pooled(steps, kind) for steps in scored if len(steps)])
    else:
        scores = np.concatenate(scored) if scored else np.zeros(0)
    scores = scores[-HISTORY:]
    history.zero_()
    history[: len(scores)] = torch.from_numpy(scores).to(history)
    held.fill_(len(scores))


def scores_of(errors: np.ndarray, smoothing: float) -> np.ndarray:
    """Give the scores of steps that have one, from the errors of all steps (T, C)."""
    smoother = Smoother(errors.shape[1], smoothing)
    scores = [smoother.step(row)[0] for row in errors]
    return np.array([score for score in scores if score is not None])


def _unit(errors: Sequence[np.ndarray]) -> np.ndarray:
    """Give the root mean square of the errors of each channel, (C); 1 where a channel has none."""
    every = np.concatenate(errors).astype(np.float64)
    there = np.isfinite(every)
    square = (np.where(there, every, 0.0) ** 2).sum(0) / np.maximum(1, there.sum(0))
    return np.where(there.any(0), np.maximum(LEAST, np.sqrt(square)), 1.0).astype(np.float32)


def _tells_best(
    task: Detector, network: DetectorNetwork, stretches: Sequence[Stretch], scored: Sequence[np.ndarray]
) -> int:
    """Choose how steps make the score of a whole series, without labels: by which normal ones are best told from spoilt ones.

    A series is spoilt by a quarter of another that takes the place of a quarter of it, elsewhere; as anomalies that are put in
    on purpose choose among detectors in Goswami et al. 2022, arXiv:2210.01078.
    """
    chance = np.random.default_rng(0)
    chosen = [number for number, one in enumerate(stretches) if len(one) >= 8][:SPOILT]
    if len(chosen) < 2:
        return 0
    spoilt = []
    for number in chosen:
        one, other = stretches[number], stretches[int(chance.choice([each for each in chosen if each != number]))]
        width = max(2, min(len(one), len(other)) // 4)
        there, elsewhere = (int(chance.integers(1, len(each) - width + 1)) for each in (one, other))
        values = one.series.values.copy()
        values[there : there + width] = other.series.values[elsewhere : elsewhere + width]
        series = replace(one.series, values=values)
        spoilt.append(Stretch(series, task.readings.encode(series)[0], one.first, one.last))
    smoothing = task.config.scoring.smoothing
    bad = [scores_of(one.errors, smoothing) for one in told(network, spoilt)]
    good = [scored[number] for number in chosen]
    marks = np.repeat([False, True], len(good))
    areas = [detection(np.array([pooled(steps, kind) for steps in (*good, *bad)]), marks)["auroc"] for kind in POOLINGS]
    return int(np.argmax(areas))

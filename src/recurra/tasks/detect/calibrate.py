"""What is set by held-out data when training is over: the unit of errors, how whole series are judged, what a threshold begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from recurra.metrics import detection
from recurra.tasks.detect.data import Stretch
from recurra.tasks.detect.network import HISTORY, DetectorNetwork
from recurra.tasks.detect.residuals import Told, told
from recurra.tasks.detect.scoring import POOLINGS, Smoother, pooled

if TYPE_CHECKING:
    from recurra.tasks.detect.task import Detector

LEAST = 0.1
"""The least unit: where held-out errors are far smaller than was foretold, a tenth of the foretold spread is one."""
SPOILS = ("flip", "scale", "shift", "wander", "smooth", "noise", "stretch", "splice")
"""What is done to them, in turn."""
SPOILT = 400
"""Held-out series that are spoilt to find out which way of judging whole ones tells spoilt ones best."""


@torch.no_grad()
def settle(task: Detector, network: DetectorNetwork) -> None:
    """Set a network's buffers by the validation part, or by the training part where nothing was held out."""
    stretches = (task.examples.valid or task.examples.train).stretches
    unit, history, held, pooling = (
        cast(Tensor, network.get_buffer(name)) for name in ("unit", "history", "held", "pooling")
    )
    for name, most in (("low", np.fmin), ("high", np.fmax)):
        known = [task.examples.train, *([task.examples.valid] if task.examples.valid else [])]
        values = np.concatenate([one.encoded.values[one.first : one.last] for part in known for one in part.stretches])
        network.get_buffer(name).copy_(torch.from_numpy(np.nan_to_num(most.reduce(values, axis=0))))
    unit.fill_(1.0)
    unit.copy_(torch.from_numpy(_unit(told(network, stretches))))
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


def _unit(parts: Sequence[Told]) -> np.ndarray:
    """Give the root mean square of the errors of each lead and channel, (A, C); 1 where there are none."""
    squares, counts = sum(one.squares for one in parts), sum(one.counts for one in parts)
    unit = np.maximum(LEAST, np.sqrt(squares / np.maximum(1, counts)))
    return np.where(counts > 0, unit, 1.0).astype(np.float32)


def _tells_best(
    task: Detector, network: DetectorNetwork, stretches: Sequence[Stretch], scored: Sequence[np.ndarray]
) -> int:
    """Choose how steps make the score of a whole series, without labels: by which normal ones are best told from spoilt ones.

    As anomalies that are put in on purpose choose among detectors in Goswami et al. 2022, arXiv:2210.01078; see `spoil`.
    """
    chance = np.random.default_rng(0)
    chosen = [number for number, one in enumerate(stretches) if len(one) >= 8][:SPOILT]
    if len(chosen) < 2:
        return 0
    spoilt = []
    for place, number in enumerate(chosen):
        one, other = stretches[number], stretches[int(chance.choice([each for each in chosen if each != number]))]
        values = spoil(one.series.values, other.series.values, SPOILS[place % len(SPOILS)], chance)
        series = replace(one.series, values=values)
        spoilt.append(Stretch(series, task.readings.encode(series)[0], one.first, one.last))
    smoothing = task.config.scoring.smoothing
    bad = [scores_of(one.errors, smoothing) for one in told(network, spoilt)]
    good = [scored[number] for number in chosen]
    marks = np.repeat([False, True], len(good))
    areas = [detection(np.array([pooled(steps, kind) for steps in (*good, *bad)]), marks)["auroc"] for kind in POOLINGS]
    return int(np.argmax(areas))


def spoil(values: np.ndarray, other: np.ndarray, kind: str, chance: np.random.Generator) -> np.ndarray:
    """Spoil a quarter of a series (T, C), T ≥ 8: one of `SPOILS`; other: a series that "splice" takes a stretch of.

    flip: backwards; scale: a quarter or two and a half times as far from its mean; shift: up or down by 0.7 of the series' spread;
    wander: away by one spread; smooth: a mean of nine steps; noise: of 0.3 of the spread; stretch: half or 1.6 times as fast.
    """
    spoilt, steps = values.copy(), len(values)
    width = max(4, steps // 4)
    first = int(chance.integers(1, steps - width + 1))
    there = slice(first, first + width)
    part, spread, sign = values[there], np.nanstd(values, axis=0), int(chance.choice([-1, 1]))
    if kind == "flip":
        spoilt[there] = part[::-1]
    elif kind == "scale":
        middle = np.nanmean(part, axis=0) if np.isfinite(part).any(0).all() else 0.0
        spoilt[there] = middle + (part - middle) * (0.25 if sign < 0 else 2.5)
    elif kind == "shift":
        spoilt[there] = part + sign * 0.7 * spread
    elif kind == "wander":
        spoilt[there] = part + sign * np.linspace(0, 1, width)[:, None] * spread
    elif kind == "smooth":
        padded = np.pad(part, ((4, 4), (0, 0)), mode="edge")
        spoilt[there] = np.stack([padded[at : at + width] for at in range(9)]).mean(0)
    elif kind == "noise":
        spoilt[there] = part + chance.normal(0, 0.3, part.shape) * spread
    elif kind == "stretch":
        places = np.clip(first + np.arange(width) * (0.5 if sign < 0 else 1.6), 0, steps - 1)
        spoilt[there] = values[np.round(places).astype(int)]
    else:
        width = min(width, len(other) - 1)
        begin = int(chance.integers(1, len(other) - width + 1))
        spoilt[first : first + width] = other[begin : begin + width]
    return spoilt

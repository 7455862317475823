"""The figures of a classifier and of the baselines on the same held-out examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.baselines import ClassBaseline, Majority, NearestNeighbour, TfidfLogistic
from recurra.metrics import classification, confusion, intervals, multi_label, per_class, reliability, worst
from recurra.tasks.classify import predict as asking
from recurra.tasks.classify.data import Part
from recurra.tasks.sequence.data import notes_of

if TYPE_CHECKING:
    from recurra.tasks.classify.task import Classifier

WATCHED = ("nll", "accuracy", "exact_match", "macro_f1")
"""Figures that are looked at while training."""
MISTAKES = 20
MOST_WORK = {"1-nn": 1e12, "1-nn-dtw": 5e10}
"""Work (`NearestNeighbour.cost`) that a search for neighbours is worth: some two or three minutes of one core."""


def figures(probabilities: np.ndarray, part: Part) -> dict[str, float]:
    """Give the figures for probabilities (N, C) on a part."""
    if part.targets.ndim == 2:
        return multi_label(probabilities, part.targets, part.missed)
    return classification(probabilities, part.targets)


def known(part: Part) -> np.ndarray:
    """Tell which examples have a label that training has seen, (N) bool."""
    return np.ones(len(part), bool) if part.targets.ndim == 2 else part.targets >= 0


def shares(targets: np.ndarray, classes: int) -> Tensor:
    """Give how often each class comes in training, (C), as if each had come once more; with several labels each by itself."""
    if targets.ndim == 2:
        return torch.from_numpy((targets.sum(0) + 1) / (len(targets) + 2)).float()
    count = np.bincount(targets, minlength=classes) + 1.0
    return torch.from_numpy(count / count.sum()).float()


def evaluation(
    task: Classifier, network: nn.Module, part: Part, name: str, progress: Callable[[str], None], *, baselines: bool
) -> dict[str, Any]:
    """Measure a network on a part, beside the baselines: the object that `evaluate` prints."""
    progress("measuring the model")
    rows = asking.probabilities(task, network, part.encoded)
    beside = {}
    if baselines:
        for baseline in _baselines(task, part, progress):
            beside[baseline.name] = figures(baseline.probabilities(part.sequences), part)
    result = {"task": task.name, "data": name, "count": len(part), "metrics": figures(rows, part), "baselines": beside}
    return {**result, "details": _details(task, name, rows, part)}


def _neighbours() -> list[ClassBaseline]:
    return [NearestNeighbour(), NearestNeighbour("dtw")]


def _baselines(task: Classifier, part: Part, progress: Callable[[str], None]) -> Iterator[ClassBaseline]:
    """Give the plain models to stand beside, which have learnt from the same training data."""
    train = task.examples.train
    for baseline in (Majority(), *([TfidfLogistic()] if task.input.kind == "text" else _neighbours())):
        asked = baseline.cost(train.sequences, len(part)) if isinstance(baseline, NearestNeighbour) else 0.0
        if asked > MOST_WORK.get(baseline.name, 0.0):
            progress(f"{baseline.name} is left out: on so many series it would take longer than a few minutes")
            continue
        progress(f"measuring the baseline {baseline.name}")
        yield baseline.fit(train.sequences, train.targets, len(task.classes))


def _details(task: Classifier, name: str, rows: np.ndarray, part: Part) -> dict[str, Any]:
    """Give what a report shows beside the figures."""
    details: dict[str, Any] = {"classes": task.classes, "notes": notes_of(task, name, part)}
    details["intervals"] = intervals(rows, part.targets)
    predicted = rows >= 0.5 if task.multi_label else rows.argmax(1)
    details["per_class"] = per_class(predicted, part.targets, task.classes)
    if not task.multi_label:
        details["confusion"] = confusion(predicted, part.targets, task.classes)
        details["mistakes"] = _mistakes(task, rows, part)
    details["reliability"] = reliability(rows, part.targets)
    return details


def _mistakes(task: Classifier, rows: np.ndarray, part: Part) -> list[dict[str, Any]]:
    """List the wrong answers that the network was surest of."""
    predicted = rows.argmax(1)
    return [
        {
            "place": part.places[index],
            "input": _shown(part.sequences[index]),
            "label": task.classes[part.targets[index]] if part.targets[index] >= 0 else None,
            "predicted": task.classes[predicted[index]],
            "probability": round(float(rows[index].max()), 4),
        }
        for index in worst(rows, part.targets, MISTAKES)
    ]


def _shown(sequence: Any) -> str:
    return sequence[:300] if isinstance(sequence, str) else f"{len(sequence)} steps"

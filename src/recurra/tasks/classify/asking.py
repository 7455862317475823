"""What a trained classifier can be asked: the class of a text or series, alone, many at once, or after each of its elements."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from recurra.data.labelled import Reading, read_labelled
from recurra.errors import DataError
from recurra.tasks.classify.examples import Part
from recurra.tasks.reading import in_batches, to_device

if TYPE_CHECKING:
    from recurra.tasks.classify.task import Classifier

TEXT_FILES = {".txt", ""}
"""Suffixes of files that hold a text a line; others are read as the training data were."""


def logits(task: Classifier, network: nn.Module, encoded: Sequence[Any], *, exactly: bool = True) -> np.ndarray:
    """Give the logits of each sequence, (N, C) float64."""

    def ask(indices: np.ndarray, device: torch.device) -> list[np.ndarray]:
        group = [encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in group])
        given = network(to_device(task.input.collate(group), device), lengths)
        return list(given.double().cpu().numpy())

    answers = in_batches(network, [len(one) for one in encoded], ask, exactly=exactly)
    return np.stack(answers) if answers else np.zeros((0, len(task.classes)))


def probabilities(task: Classifier, network: nn.Module, encoded: Sequence[Any], *, exactly: bool = True) -> np.ndarray:
    """Give the probability of each class, (N, C) float64: rows add up to 1, or with several labels each stands by itself."""
    scores = logits(task, network, encoded, exactly=exactly)
    if task.multi_label:
        return 1 / (1 + np.exp(-scores))
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def predict(
    task: Classifier, network: nn.Module, inputs: Sequence[Any], *, k: int | None, steps: bool
) -> list[dict[str, Any]]:
    """Give {"text" or "series", "label" (or "labels"), "probabilities"} of each sequence.

    k: only so many classes, the likeliest; None: all.  steps: also "steps", what would be said after each element.
    """
    groups = [[*task.input.prefixes(sequence), sequence] if steps else [sequence] for sequence in inputs]
    flat = [sequence for group in groups for sequence in group]
    rows = iter(probabilities(task, network, [task.input.encode(sequence) for sequence in flat]))
    results = []
    for group in groups:
        said = [_said(task, sequence, next(rows), k) for sequence in group]
        results.append({**said[-1], "steps": said[:-1]} if steps else said[-1])
    return results


def _said(task: Classifier, sequence: Any, row: np.ndarray, k: int | None) -> dict[str, Any]:
    order = np.argsort(-row, kind="stable")
    shares = {task.classes[index]: round(float(row[index]), 6) for index in order[:k]}
    if task.multi_label:
        label: dict[str, Any] = {"labels": [task.classes[index] for index in order if row[index] >= 0.5]}
    else:
        label = {"label": task.classes[int(order[0])]}
    return {task.input.kind: task.input.shown(sequence), **label, "probabilities": shares}


def line(result: Mapping[str, Any]) -> str:
    """Write a prediction in a line for people, and one more for each step.

    >>> line({"text": "that was phenomenal", "label": "positive", "probabilities": {"positive": 0.98, "negative": 0.02}})
    'positive\\t0.980\\tthat was phenomenal'
    """
    lines = [_line(step) for step in result.get("steps", [])] or [_line(result)]
    return "\n".join(lines)


def _line(result: Mapping[str, Any]) -> str:
    shown = result["text"] if "text" in result else _short(result["series"])
    if "labels" in result:
        shares = " ".join(f"{label} {result['probabilities'].get(label, math.nan):.3f}" for label in result["labels"])
        return f"{shares or 'none'}\t{shown}"
    return f"{result['label']}\t{result['probabilities'][result['label']]:.3f}\t{shown}"


def _short(series: Sequence[Any]) -> str:
    return f"{len(series)} steps, the last {json.dumps(series[-1])}" if len(series) else "no steps"


def few_lines(task: Classifier, network: nn.Module, part: Part, count: int = 4) -> str:
    """Show what the network says of a few examples, spread over the part."""
    chosen = sorted({round(place) for place in np.linspace(0, len(part) - 1, count)})
    rows = probabilities(task, network, [part.encoded[index] for index in chosen], exactly=False)
    lines = []
    for index, row in zip(chosen, rows, strict=True):
        said = _said(task, part.sequences[index], row, None)
        shown = str(said["text"])[:80] if "text" in said else part.places[index]
        if task.multi_label:
            lines.append(f"{', '.join(said['labels']) or 'none'}: {shown}")
            continue
        target = int(part.targets[index])
        truth = task.classes[target] if target >= 0 else "another class"
        verdict = "right" if said["label"] == truth else f"it is {truth}"
        lines.append(f"{said['label']} {row.max():.2f} ({verdict}): {shown}")
    return "\n".join(lines)


def read_inputs(source: str, how: Reading, kind: str) -> list[Any] | None:
    """Read sequences from a file of the kind that was trained on; None for what holds a sequence a line."""
    if source == "-" or (kind == "text" and Path(source).suffix.lower() in TEXT_FILES and Path(source).is_file()):
        return None
    read = read_labelled([source], how)
    if read.kind != kind:
        raise DataError(f"expected {kind}, as this run was trained on; got {read.kind}", source=source)
    return list(read.sequences)

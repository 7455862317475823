"""What a trained classifier can be asked: the class of a text or series, alone, many at once, or after each of its elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from recurra.tasks.base.inference import in_batches, spread, to_device
from recurra.tasks.base.results import line_name, one_line
from recurra.tasks.classify.data import Part
from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.classify.stream import ClassStream

if TYPE_CHECKING:
    from recurra.tasks.classify.task import Classifier

AT_ONCE = 256
"""Beginnings of a sequence that are read at a time."""


def logits(task: Classifier, network: nn.Module, encoded: Sequence[Any], *, exactly: bool = True) -> np.ndarray:
    """Give the logits of each sequence, (N, C) float64."""

    def ask(indices: np.ndarray, device: torch.device) -> list[np.ndarray]:
        group = [encoded[index] for index in indices]
        lengths = torch.tensor([len(one) for one in group])
        given = network(to_device(task.input.collate(group), device), lengths)
        return list(given.double().cpu().numpy())

    answers = in_batches(network, [len(one) for one in encoded], ask, exactly=exactly)
    return np.stack(answers) if answers else np.zeros((0, len(task.classes)))


def shares(task: Classifier, logits: np.ndarray) -> np.ndarray:
    """Give the probability of each class, (N, C): rows add up to 1, or with several labels each stands by itself."""
    if task.multi_label:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def probabilities(task: Classifier, network: nn.Module, encoded: Sequence[Any], *, exactly: bool = True) -> np.ndarray:
    """Give the probability of each class for each sequence, (N, C) float64."""
    return shares(task, logits(task, network, encoded, exactly=exactly))


def predict(
    task: Classifier, network: nn.Module, inputs: Sequence[Any], *, k: int | None, steps: bool
) -> list[dict[str, Any]]:
    """Give {"text" or "series", "label" (or "labels"), "probabilities"} of each sequence.

    k: only so many classes, the likeliest; None: all.  steps: also "steps", what is said after each element: with "text" so
    far, or "step" (from 1) and "value" of a series. A network in one direction says it in one reading; for one in both
    directions each beginning is read by itself.
    """
    given = task.taken(inputs)
    rows = probabilities(task, network, [task.input.encode(sequence) for sequence in given])
    kind = task.input.kind
    results = [
        {kind: task.input.shown(sequence), **said(task, row, k)} for sequence, row in zip(given, rows, strict=True)
    ]
    if not steps:
        return results
    return [
        {**result, "steps": list(_steps(task, network, sequence, k))}
        for result, sequence in zip(results, given, strict=True)
    ]


def _steps(task: Classifier, network: nn.Module, sequence: Any, k: int | None) -> Iterator[dict[str, Any]]:
    if task.streams:
        stream = ClassStream(task, cast(ClassifierNetwork, network))
        for shown, output in zip(task.input.shown_after_each(sequence), stream.outputs(sequence), strict=True):
            yield {**shown, **said(task, shares(task, output.double().cpu().numpy())[0], k)}
        return
    beginnings = zip(task.input.shown_after_each(sequence), task.input.beginnings(sequence), strict=True)
    while some := list(islice(beginnings, AT_ONCE)):
        rows = probabilities(task, network, [encoded for _, encoded in some])
        yield from ({**shown, **said(task, row, k)} for (shown, _), row in zip(some, rows, strict=True))


def said(task: Classifier, row: np.ndarray, k: int | None = None) -> dict[str, Any]:
    """Give {"label" (or "labels"), "probabilities"} for the probabilities of the classes, (C), the likeliest first."""
    order = np.argsort(-row, kind="stable")
    likely = {task.classes[index]: round(float(row[index]), 6) for index in order[:k]}
    if task.multi_label:
        return {"labels": [task.classes[index] for index in order if row[index] >= 0.5], "probabilities": likely}
    return {"label": task.classes[int(order[0])], "probabilities": likely}


def line(result: Mapping[str, Any]) -> str:
    """Write a prediction in a line for people, or one for each step.

    >>> line({"text": "that was phenomenal", "label": "positive", "probabilities": {"positive": 0.98, "negative": 0.02}})
    'positive\\t0.980\\tthat was phenomenal'
    """
    return "\n".join(map(_line, result.get("steps", []))) or _line(result)


def _line(result: Mapping[str, Any]) -> str:
    if "labels" in result:
        likely = ((label, result["probabilities"].get(label)) for label in result["labels"])
        named = " ".join(label if share is None else f"{label} {share:.3f}" for label, share in likely)
        return f"{named or 'none'}\t{one_line(result)}"
    return f"{result['label']}\t{result['probabilities'][result['label']]:.3f}\t{one_line(result)}"


def header(result: Mapping[str, Any]) -> str:
    """Name the columns of what `line` writes.

    >>> header({"text": "that was phenomenal", "label": "positive", "probabilities": {"positive": 0.98, "negative": 0.02}})
    'label\\tprobability\\ttext'
    """
    one = next(iter(result.get("steps", [])), result)
    return "\t".join([*(["labels"] if "labels" in one else ["label", "probability"]), line_name(one)])


def few_lines(task: Classifier, network: nn.Module, part: Part, count: int = 4) -> str:
    """Show what the network says of a few examples, spread over the part."""
    chosen = spread(len(part), count)
    rows = probabilities(task, network, [part.encoded[index] for index in chosen], exactly=False)
    lines = []
    for index, row in zip(chosen, rows, strict=True):
        answer, sequence = said(task, row), part.sequences[index]
        shown = sequence[:80] if isinstance(sequence, str) else part.places[index]
        if task.multi_label:
            lines.append(f"{', '.join(answer['labels']) or 'none'}: {shown}")
            continue
        target = int(part.targets[index])
        truth = task.classes[target] if target >= 0 else "another class"
        verdict = "right" if answer["label"] == truth else f"it is {truth}"
        lines.append(f"{answer['label']} {row.max():.2f} ({verdict}): {shown}")
    return "\n".join(lines)

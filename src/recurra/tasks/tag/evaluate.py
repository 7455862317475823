"""The figures of a tagger and of the baseline on the same held-out sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from recurra.baselines import MostFrequentTag
from recurra.metrics import confusion, per_class, ratio_intervals, span_counts, span_scores, tag_scores
from recurra.tasks.base.inference import eval_mode, to_device
from recurra.tasks.sequence.data import evaluation_notes
from recurra.tasks.tag import predict as asking
from recurra.tasks.tag.data import Part
from recurra.tasks.tag.network import TaggerNetwork

if TYPE_CHECKING:
    from recurra.tasks.tag.task import Tagger

FLOOR = 1e-12
MISTAKES = 20
TEMPERATURES = (0.2, 5.0)
LOOKS = 16
"""Temperatures that are tried: each narrows the range to 0.62 of what it was, 16 to a hundredth."""
ENOUGH = 2_000
"""Sequences that are enough to find a single number by."""


def figures(part: Part, answers: Sequence[asking.Answer]) -> dict[str, float]:
    """Give accuracy (and precision, recall and F1 of the spans), and −log p of the true tags, nats a step."""
    scores = tag_scores(part.tags, [answer.tags for answer in answers])
    return {**scores, "nll": _nll(part, [answer.probabilities for answer in answers])}


def _nll(part: Part, probabilities: Sequence[np.ndarray]) -> float:
    return _total(part, probabilities) / max(1, part.steps)


def _total(part: Part, probabilities: Sequence[np.ndarray]) -> float:
    total = 0.0
    for targets, rows in zip(part.targets, probabilities, strict=True):
        likely = np.where(targets < 0, 0.0, rows[np.arange(len(targets)), np.maximum(targets, 0)])
        total -= float(np.log(np.clip(likely, FLOOR, 1.0)).sum())
    return total


def fit_temperature(task: Tagger, network: TaggerNetwork, part: Part) -> None:
    """Find the temperature with the least −log p of the true tags, by golden section search (Kiefer 1953)."""
    chosen = [part.encoded[index] for index in range(0, len(part), max(1, len(part) // ENOUGH))]
    kept = Part([], chosen, [], [part.targets[i] for i in range(0, len(part), max(1, len(part) // ENOUGH))], [])
    with eval_mode(network) as device:
        scored = []
        for first in range(0, len(chosen), 64):
            group = chosen[first : first + 64]
            lengths = torch.tensor([len(one) for one in group])
            scored.append((network(to_device(task.input.collate(group), device), lengths), lengths))

        def cost(logarithm: float) -> float:
            rows: list[np.ndarray] = []
            for scores, lengths in scored:
                shares = network.probabilities(scores, lengths, float(np.exp(logarithm))).double().cpu().numpy()
                rows += [shares[: int(length), row] for row, length in enumerate(lengths)]
            return _total(kept, rows)

        low, high = np.log(TEMPERATURES)
        ratio = (5**0.5 - 1) / 2
        for _ in range(LOOKS):
            left, right = high - ratio * (high - low), low + ratio * (high - low)
            low, high = (low, right) if cost(left) <= cost(right) else (left, high)
        network.temperature.fill_(float(np.exp((low + high) / 2)))


def evaluation(
    task: Tagger, network: nn.Module, part: Part, name: str, progress: Callable[[str], None], *, baselines: bool
) -> dict[str, Any]:
    """Measure a network on a part, beside the baseline: the object that `evaluate` prints."""
    progress("measuring the model")
    answers = asking.answers(task, network, part.encoded)
    beside = {}
    if baselines:
        baseline = MostFrequentTag()
        progress(f"measuring the baseline {baseline.name}")
        baseline.fit(_words(task, task.examples.train), task.examples.train.tags)
        beside[baseline.name] = tag_scores(part.tags, baseline.predict(_words(task, part)))
    result = {"task": task.name, "data": name, "count": part.steps, "metrics": figures(part, answers)}
    return {**result, "baselines": beside, "details": _details(task, name, part, answers)}


def _words(task: Tagger, part: Part) -> list[list[str]]:
    """Give the words; the steps of series have none, and the baseline then knows only which tag is the commonest."""
    return part.sequences if task.input.kind == "text" else [[""] * len(tags) for tags in part.tags]


def _details(task: Tagger, name: str, part: Part, answers: Sequence[asking.Answer]) -> dict[str, Any]:
    """Give what a report shows beside the figures."""
    said = [answer.tags for answer in answers]
    right = np.array([sum(map(str.__eq__, tags, given)) for tags, given in zip(part.tags, said, strict=True)])
    sizes = np.array([len(tags) for tags in part.tags])
    ratios = {"accuracy": (right, sizes)}
    details: dict[str, Any] = {"classes": task.tags, "notes": evaluation_notes(task, name, part)}
    if task.spans:
        counts = span_counts(part.tags, said)
        ratios["f1"] = (2 * counts[:, 0], counts[:, 1] + counts[:, 2])
        details["per_type"] = span_scores(part.tags, said)["types"]
    else:
        index = {tag: number for number, tag in enumerate(task.tags)}
        predicted = np.array([index[tag] for tags in said for tag in tags])
        targets = np.concatenate(part.targets)
        details["confusion"] = confusion(predicted, targets, task.tags)
        details["per_class"] = per_class(predicted, targets, task.tags)
    details["intervals"] = ratio_intervals(ratios)
    details["mistakes"] = _mistakes(part, answers, task.tags)
    return details


def _mistakes(part: Part, answers: Sequence[asking.Answer], names: Sequence[str]) -> list[dict[str, Any]]:
    """List the wrong tags that the network was surest of."""
    index = {tag: number for number, tag in enumerate(names)}
    wrong = [
        (float(answer.probabilities[step, index[tag]]), number, step)
        for number, answer in enumerate(answers)
        for step, tag in enumerate(answer.tags)
        if tag != part.tags[number][step]
    ]
    worst = sorted(wrong, key=lambda item: (-item[0], item[1:]))[:MISTAKES]
    return [
        {
            "place": part.places[number],
            "input": _around(part.sequences[number], step),
            "label": part.tags[number][step],
            "predicted": answers[number].tags[step],
            "probability": round(share, 4),
        }
        for share, number, step in worst
    ]


def _around(sequence: Any, step: int, words: int = 4) -> str:
    """Show a word with those around it, or which step of a series it is."""
    if not isinstance(sequence, list):
        return f"step {step + 1} of {len(sequence)}"
    before, after = sequence[max(0, step - words) : step], sequence[step + 1 : step + 1 + words]
    return " ".join([*before, f"[{sequence[step]}]", *after])

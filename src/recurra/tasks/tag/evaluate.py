"""The metrics of a tagger and of the baseline on the same held-out sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recurra.baselines import MostFrequentTag
from recurra.metrics import confusion, per_class, ratio_intervals, span_counts, span_scores, tag_scores
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.sequence.data import evaluation_notes
from recurra.tasks.tag.data import Split
from recurra.tasks.tag.predict import Tagger
from recurra.tasks.tag.results import Tagging, total_nll

VALIDATION_METRICS = ("accuracy", "nll")
"""Metrics that are looked at while training."""
MAX_MISTAKES_SHOWN = 20
MAX_WORDS_SHOWN = 20


def compute_metrics(split: Split, taggings: Sequence[Tagging]) -> dict[str, float]:
    """Give accuracy (and precision, recall and F1 of the spans), and −log p of the true tags, nats a step."""
    scores = tag_scores(split.tags, [tagging.tags for tagging in taggings])
    nll = total_nll(split.targets, [tagging.probabilities for tagging in taggings])
    return {**scores, "nll": nll / max(1, split.steps)}


def evaluate(
    tagger: Tagger,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a tagger on a split: the object that `evaluate` prints.

    train: what the baseline learns from; None: it is not measured.  notes: on the training data.
    """
    progress("measuring the model")
    taggings = tagger.forward(split.encoded)
    baselines = {}
    if train is not None:
        baseline = MostFrequentTag()
        progress(f"measuring the baseline {baseline.name}")
        baseline.fit(_words(tagger, train), train.tags)
        baselines[baseline.name] = tag_scores(split.tags, baseline.predict(_words(tagger, split)))
    return {
        "task": tagger.name,
        "data": name,
        "count": split.steps,
        "metrics": compute_metrics(split, taggings),
        "baselines": baselines,
        "details": _details(tagger, split, taggings, evaluation_notes(notes, name, split)),
    }


def _words(tagger: Tagger, split: Split) -> list[list[str]]:
    """Give the words; the steps of series have none, and the baseline then knows only which tag is the commonest."""
    return split.sequences if tagger.inputs.discrete else [[""] * len(tags) for tags in split.tags]


def _details(tagger: Tagger, split: Split, taggings: Sequence[Tagging], notes: list[str]) -> dict[str, Any]:
    """Give what a report shows beside the metrics."""
    tags, predicted = tagger.tags, [tagging.tags for tagging in taggings]
    right = np.array([sum(map(str.__eq__, *rows)) for rows in zip(split.tags, predicted, strict=True)])
    ratios = {"accuracy": (right, np.array([len(row) for row in split.tags]))}
    details: dict[str, Any] = {"classes": tags, "notes": notes}
    if tagger.tags_mark_spans:
        counts = span_counts(split.tags, predicted)
        ratios["f1"] = (2 * counts[:, 0], counts[:, 1] + counts[:, 2])
        details["per_type"] = span_scores(split.tags, predicted)["types"]
    else:
        index = {tag: number for number, tag in enumerate(tags)}
        numbers = np.array([index[tag] for row in predicted for tag in row])
        targets = np.concatenate(split.targets)
        details["confusion"] = confusion(numbers, targets, tags)
        details["per_class"] = per_class(numbers, targets, tags)
    details["intervals"] = ratio_intervals(ratios)
    details["mistakes"] = _mistakes(split, taggings, tags)
    return details


def _mistakes(split: Split, taggings: Sequence[Tagging], tags: Sequence[str]) -> list[dict[str, Any]]:
    """List the wrong tags with the highest probabilities."""
    index = {tag: number for number, tag in enumerate(tags)}
    wrong = [
        (float(tagging.probabilities[step, index[tag]]), number, step)
        for number, tagging in enumerate(taggings)
        for step, tag in enumerate(tagging.tags)
        if tag != split.tags[number][step]
    ]
    worst = sorted(wrong, key=lambda item: (-item[0], item[1:]))[:MAX_MISTAKES_SHOWN]
    return [
        {
            "place": split.places[number],
            "input": _context(split.sequences[number], step),
            "label": split.tags[number][step],
            "predicted": taggings[number].tags[step],
            "probability": round(probability, 4),
        }
        for probability, number, step in worst
    ]


def _context(sequence: Any, step: int, words: int = 4) -> str:
    """Show a word with those around it, or which step of a series it is."""
    if not isinstance(sequence, list):
        return f"step {step + 1} of {len(sequence)}"
    before, after = sequence[max(0, step - words) : step], sequence[step + 1 : step + 1 + words]
    return " ".join([*before, f"[{sequence[step]}]", *after])


def preview_predictions(tagger: Tagger, split: Split, count: int = 3) -> str:
    """Show the predictions for a few examples, spread over the split; a wrong tag has the right one behind it."""
    chosen = evenly_spaced(len(split), count)
    taggings = tagger.forward([split.encoded[index] for index in chosen], exact=False)
    lines = []
    for index, tagging in zip(chosen, taggings, strict=True):
        tokens = split.sequences[index] if tagger.inputs.discrete else [""] * len(tagging.tags)
        words = [
            f"{token}/{tag}" if tag == truth else f"{token}/{tag}(not {truth})"
            for token, tag, truth in zip(tokens[:MAX_WORDS_SHOWN], tagging.tags, split.tags[index], strict=False)
        ]
        lines.append(" ".join(words) + (" …" if len(tagging.tags) > MAX_WORDS_SHOWN else ""))
    return "\n".join(lines)

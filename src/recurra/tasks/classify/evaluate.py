"""The metrics of a classifier and of the baselines on the same held-out examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recurra.baselines import ClassBaseline, Majority, NearestNeighbour, TfidfLogistic
from recurra.metrics import (
    classification,
    confusion,
    headline_metric,
    intervals,
    most_confident_mistakes,
    multi_label,
    per_class,
    reliability,
)
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.classify.data import Split
from recurra.tasks.classify.predict import Classifier
from recurra.tasks.classify.results import class_probabilities, to_result
from recurra.tasks.sequence.data import evaluation_notes

VALIDATION_METRICS = ("nll", "accuracy", "exact_match", "macro_f1")
"""Metrics that are looked at while training."""
MAX_MISTAKES_SHOWN = 20
MAX_CLASSES_CONFUSED = 1000
"""Classes of which the table of confusions, a million cells, is kept."""
MAX_TFIDF_CLASSES = 1500
"""Classes from which on the weights of the n-grams, for each class, take gigabytes and hours."""
MAX_COST = {"1-nn": 1e12, "1-nn-dtw": 5e10}
"""Cost (`NearestNeighbour.cost`) that a search for neighbours is worth: some two or three minutes of one core."""


def compute_metrics(probabilities: np.ndarray, split: Split) -> dict[str, float]:
    """Give the metrics of probabilities (N, C) on a split."""
    if split.targets.ndim == 2:
        return multi_label(probabilities, split.targets, split.missed)
    return classification(probabilities, split.targets)


def evaluate(
    classifier: Classifier,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a classifier on a split: the object that `evaluate` prints.

    train: what the baselines learn from; None: none are measured.  notes: on the training data.
    """
    progress("measuring the model")
    rows = classifier.probabilities(split)
    metrics = compute_metrics(rows, split)
    details = _details(classifier, rows, split, evaluation_notes(notes, name, split))
    if split.linear is not None:
        details["parts"] = parts = _parts(classifier, split, split.linear)
        details["notes"].append(parts_note(parts, metrics))
    baselines = {}
    for baseline in _fit_baselines(classifier, train, len(split), progress) if train is not None else ():
        baselines[baseline.name] = compute_metrics(baseline.probabilities(split.sequences), split)
    return {
        "task": classifier.name,
        "data": name,
        "count": len(split),
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def _fit_baselines(
    classifier: Classifier, train: Split, asked: int, progress: Callable[[str], None]
) -> Iterator[ClassBaseline]:
    """Give the plain models to compare with, which have learnt from the same training data."""
    by_kind = [TfidfLogistic()] if classifier.inputs.discrete else [NearestNeighbour(), NearestNeighbour("dtw")]
    for baseline in (Majority(), *by_kind):
        cost = baseline.cost(train.sequences, asked) if isinstance(baseline, NearestNeighbour) else 0.0
        if cost > MAX_COST.get(baseline.name, 0.0):
            progress(f"{baseline.name} is left out: on so many series it would take longer than a few minutes")
            continue
        if isinstance(baseline, TfidfLogistic) and len(classifier.classes) > MAX_TFIDF_CLASSES:
            progress(f"{baseline.name} is left out: of more than {MAX_TFIDF_CLASSES:,} classes it would take hours")
            continue
        progress(f"measuring the baseline {baseline.name}")
        yield baseline.fit(train.sequences, train.targets, len(classifier.classes))


def _details(classifier: Classifier, rows: np.ndarray, split: Split, notes: list[str]) -> dict[str, Any]:
    """Give what a report shows beside the metrics."""
    classes = classifier.classes
    details: dict[str, Any] = {"classes": classes, "notes": notes, "intervals": intervals(rows, split.targets)}
    predicted = rows >= 0.5 if classifier.multi_label else rows.argmax(1)
    details["per_class"] = per_class(predicted, split.targets, classes)
    if not classifier.multi_label and len(classes) <= MAX_CLASSES_CONFUSED:
        details["confusion"] = confusion(predicted, split.targets, classes)
    if not classifier.multi_label:
        details["mistakes"] = _mistakes(classes, rows, split)
    details["reliability"] = reliability(rows, split.targets)
    return details


def _parts(classifier: Classifier, split: Split, logits: np.ndarray) -> dict[str, Any]:
    """Give what the linear classifier alone would reach, and what the logits of both count in their sum."""
    network, linear = classifier.shares
    alone = linear * logits.astype(np.float64)
    alone = class_probabilities(alone, multi_label=classifier.multi_label, out=alone)
    title = classifier.preprocessor.linear.title
    return {"title": title, "metrics": compute_metrics(alone, split), "shares": {"network": network, "linear": linear}}


def parts_note(parts: Mapping[str, Any], metrics: Mapping[str, float]) -> str:
    r"""Say what the linear classifier reaches alone, and what the network adds.

    >>> parts_note({"title": "n-grams alone", "metrics": {"accuracy": 0.869}, "shares": {"network": 0.0}}, {"accuracy": 0.869})
    'n-grams alone: accuracy 86.9\xa0%; on the validation data the network added nothing, so it is left out'
    """
    metric = headline_metric(metrics)
    if metric is None:
        return f"{parts['title']}: no metric"
    alone = f"{parts['title']}: {metric.title} {metric.format(parts['metrics'][metric.key])}"
    if not parts["shares"]["network"]:
        return f"{alone}; on the validation data the network added nothing, so it is left out"
    return f"{alone}; with the network: {metric.format(metrics[metric.key])}"


def _mistakes(classes: Sequence[str], rows: np.ndarray, split: Split) -> list[dict[str, Any]]:
    """List the wrong predictions with the highest probabilities."""
    predicted = rows.argmax(1)
    return [
        {
            "place": split.places[index],
            "input": _shortened(split.sequences[index]),
            "label": classes[split.targets[index]] if split.targets[index] >= 0 else None,
            "predicted": classes[predicted[index]],
            "probability": round(float(rows[index].max()), 4),
        }
        for index in most_confident_mistakes(rows, split.targets, MAX_MISTAKES_SHOWN)
    ]


def _shortened(sequence: Any) -> str:
    return sequence[:300] if isinstance(sequence, str) else f"{len(sequence)} steps"


def preview_predictions(classifier: Classifier, split: Split, count: int = 4) -> str:
    """Show the predictions for a few examples, spread over the split."""
    chosen, classes = evenly_spaced(len(split), count), classifier.classes
    some = replace(split, encoded=[split.encoded[index] for index in chosen])
    if split.linear is not None:
        some = replace(some, linear=split.linear[chosen])
    rows = classifier.probabilities(some, exact=False)
    lines = []
    for index, row in zip(chosen, rows, strict=True):
        result, sequence = to_result(row, classes, multi_label=classifier.multi_label), split.sequences[index]
        shown = sequence[:80] if isinstance(sequence, str) else split.places[index]
        if classifier.multi_label:
            lines.append(f"{', '.join(result['labels']) or 'none'}: {shown}")
            continue
        target = int(split.targets[index])
        truth = classes[target] if target >= 0 else "another class"
        verdict = "right" if result["label"] == truth else f"it is {truth}"
        lines.append(f"{result['label']} {row.max():.2f} ({verdict}): {shown}")
    return "\n".join(lines)

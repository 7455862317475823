"""What a classifier's results hold, and how they are written for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurra.tasks.base.results import preview, preview_column


def class_probabilities(logits: np.ndarray, *, multi_label: bool) -> np.ndarray:
    """Give the probability of each class, (N, C): rows add up to 1, or with several labels each stands by itself."""
    if multi_label:
        return 1 / (1 + np.exp(-logits))
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def to_result(
    probabilities: np.ndarray, classes: Sequence[str], k: int | None = None, *, multi_label: bool
) -> dict[str, Any]:
    """Give {"label" (or "labels"), "probabilities"} for the probabilities of the classes, (C), the likeliest first.

    k: only so many classes; None: all.

    >>> to_result(np.array([0.25, 0.75]), ["negative", "positive"], multi_label=False)
    {'label': 'positive', 'probabilities': {'positive': 0.75, 'negative': 0.25}}
    """
    order = np.argsort(-probabilities, kind="stable")
    likeliest = {classes[index]: round(float(probabilities[index]), 6) for index in order[:k]}
    if multi_label:
        return {
            "labels": [classes[index] for index in order if probabilities[index] >= 0.5],
            "probabilities": likeliest,
        }
    return {"label": classes[int(order[0])], "probabilities": likeliest}


def format_result(result: Mapping[str, Any]) -> str:
    """Write a prediction in a line for people, or one for each step.

    >>> format_result({"text": "that was phenomenal", "label": "positive", "probabilities": {"positive": 0.98, "negative": 0.02}})
    'positive\\t0.980\\tthat was phenomenal'
    """
    return "\n".join(map(_format_one, result.get("steps", []))) or _format_one(result)


def _format_one(result: Mapping[str, Any]) -> str:
    if "labels" in result:
        likely = ((label, result["probabilities"].get(label)) for label in result["labels"])
        named = " ".join(label if share is None else f"{label} {share:.3f}" for label, share in likely)
        return f"{named or 'none'}\t{preview(result)}"
    return f"{result['label']}\t{result['probabilities'][result['label']]:.3f}\t{preview(result)}"


def format_header(result: Mapping[str, Any]) -> str:
    """Name the columns of what `format_result` writes.

    >>> format_header({"text": "that was phenomenal", "label": "positive", "probabilities": {"positive": 0.98, "negative": 0.02}})
    'label\\tprobability\\ttext'
    """
    one = next(iter(result.get("steps", [])), result)
    return "\t".join([*(["labels"] if "labels" in one else ["label", "probability"]), preview_column(one)])

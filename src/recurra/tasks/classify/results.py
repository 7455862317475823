"""What a classifier's results hold, and how they are written for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurra.tasks.base.results import preview, preview_column

MAX_CELLS_AT_ONCE = 2**20
"""Logits that become probabilities at a time: several arrays of as many are made on the way."""


def class_probabilities(logits: np.ndarray, *, multi_label: bool, out: np.ndarray | None = None) -> np.ndarray:
    """Give the probability of each class, (N, C): rows add up to 1, or with several labels each stands by itself.

    out: where they go, which may be the logits themselves: of thousands of classes these are gigabytes.
    """
    out = np.empty(logits.shape, np.result_type(logits, np.float32)) if out is None else out
    rows = max(1, MAX_CELLS_AT_ONCE // max(1, logits.shape[1]))
    for start in range(0, len(logits), rows):
        some = logits[start : start + rows]
        if multi_label:
            out[start : start + rows] = 1 / (1 + np.exp(-some))
            continue
        powers = np.exp(some - some.max(1, keepdims=True))
        out[start : start + rows] = powers / powers.sum(1, keepdims=True)
    return out


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

"""What a tagger's results hold, and how they are written for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.metrics import spans

MIN_PROBABILITY = 1e-12
"""The least that a tag's probability counts as, so that its logarithm is finite."""


@dataclass(frozen=True)
class Tagging:
    """The tags of one sequence, T of them, and the probability of every tag at every step, (T, K) float64."""

    tags: list[str]
    probabilities: np.ndarray


def total_nll(targets: Sequence[np.ndarray], probabilities: Sequence[np.ndarray]) -> float:
    """Give Σ −log p of the true tags, nats: targets (T) and probabilities (T, K) of each sequence; one that is unknown counts 0."""
    total = 0.0
    for row, shares in zip(targets, probabilities, strict=True):
        likely = np.where(row < 0, 0.0, shares[np.arange(len(row)), np.maximum(row, 0)])
        total -= float(np.log(np.clip(likely, MIN_PROBABILITY, 1.0)).sum())
    return total


def to_result(tagging: Tagging, tags: Sequence[str], k: int | None = None) -> dict[str, Any]:
    """Give {"tags", "probabilities"} of a sequence; tags: all, in the order of their numbers.

    probabilities: of the tag given to each step; with k the k likeliest tags of each step and theirs, as {tag: p}.

    >>> tagging = Tagging(["VERB"], np.array([[0.25, 0.75]]))
    >>> to_result(tagging, ["NOUN", "VERB"]), to_result(tagging, ["NOUN", "VERB"], 2)["probabilities"]
    ({'tags': ['VERB'], 'probabilities': [0.75]}, [{'VERB': 0.75, 'NOUN': 0.25}])
    """
    if k is None:
        index = {tag: number for number, tag in enumerate(tags)}
        rows = zip(tagging.tags, tagging.probabilities, strict=True)
        return {"tags": tagging.tags, "probabilities": [round(float(row[index[tag]]), 6) for tag, row in rows]}
    likeliest = [
        {tags[number]: round(float(row[number]), 6) for number in np.argsort(-row, kind="stable")[:k]}
        for row in tagging.probabilities
    ]
    return {"tags": tagging.tags, "probabilities": likeliest}


def spans_to_json(tokens: Sequence[str], tags: Sequence[str]) -> list[dict[str, Any]]:
    """List the spans that the tags of some words mark.

    >>> spans_to_json(["Ann", "saw", "New", "York"], ["B-PER", "O", "B-LOC", "I-LOC"])[1]
    {'start': 2, 'end': 4, 'type': 'LOC', 'tokens': ['New', 'York']}
    """
    return [{"start": start, "end": end, "type": kind, "tokens": tokens[start:end]} for start, end, kind in spans(tags)]


def format_result(result: Mapping[str, Any]) -> str:
    """Write the tags in a line for people, and one more for each step.

    >>> format_result({"tokens": ["dogs", "bark"], "tags": ["NOUN", "VERB"], "probabilities": [0.98, 0.97]})
    'dogs/NOUN bark/VERB'
    """
    return "\n".join(map(_format_one, result.get("steps", []))) or _format_one(result)


def _format_one(result: Mapping[str, Any]) -> str:
    if "tokens" in result:
        return " ".join(f"{token}/{tag}" for token, tag in zip(result["tokens"], result["tags"], strict=True))
    return " ".join(result["tags"])

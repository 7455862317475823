"""What an embedder's results hold, and how they are written for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurra.tasks.base.results import preview, preview_column

DIGITS = 6
"""Behind the point, of what JSON has."""
MAX_NUMBERS_SHOWN = 4
"""Numbers of a vector that fit into a line."""


def to_result(vector: np.ndarray) -> dict[str, Any]:
    """Give {"vector"} for a vector (D)."""
    return {"vector": [round(float(value), DIGITS) for value in vector]}


def neighbours_to_json(neighbours: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
    """List neighbours, each with its number from 1 and its distance; neighbours: (its place from 0, its distance)."""
    return [{"number": place + 1, "distance": round(distance, DIGITS)} for place, distance in neighbours]


def format_result(result: Mapping[str, Any]) -> str:
    """Write a result in a line for people, or one for each step.

    >>> format_result({"text": "to be", "vector": [0.5, -1.25, 0.0, 1.0, 2.0], "cluster": 2, "neighbours": [{"number": 7, "distance": 0.4}]})
    'cluster 2\\t7 (0.400)\\t 0.50 -1.25  0.00  1.00 … (5)\\tto be'
    """
    return "\n".join(map(_format_one, result.get("steps", []))) or _format_one(result)


def _format_one(result: Mapping[str, Any]) -> str:
    parts = []
    if "cluster" in result:
        parts.append("no cluster" if result["cluster"] is None else f"cluster {result['cluster']}")
    if "neighbours" in result:
        parts.append(" ".join(f"{near['number']} ({near['distance']:.3f})" for near in result["neighbours"]) or "alone")
    vector = result["vector"]
    more = f" … ({len(vector)})" if len(vector) > MAX_NUMBERS_SHOWN else ""
    parts.append(" ".join(f"{value:5.2f}" for value in vector[:MAX_NUMBERS_SHOWN]) + more)
    return "\t".join([*parts, preview(result)])


def format_header(result: Mapping[str, Any]) -> str:
    """Name the columns of what `format_result` writes.

    >>> format_header({"text": "to be", "vector": [0.5, -1.25], "cluster": 2, "neighbours": []})
    'cluster\\tneighbours\\tvector\\ttext'
    """
    one = next(iter(result.get("steps", [])), result)
    return "\t".join([*(name for name in ("cluster", "neighbours", "vector") if name in one), preview_column(one)])

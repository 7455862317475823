"""How well a grouping agrees with another, and how well what is near belongs together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.errors import UsageError
from recurra.metrics.base import Metric, register_metric, share_metric

DISTANCES_PER_CHUNK = 2**22
"""Distances that are held at a time."""


register_metric(
    Metric(
        "adjusted_rand",
        "adjusted Rand index",
        rank=80,
        lower_is_better=False,
        versus="difference",
        gloss="How far its clusters agree with the labels, which it never saw: 1 is wholly, 0 no more than by chance.",
    ),
    Metric("mutual_information", "mutual information", rank=90, lower_is_better=False, versus="difference"),
    share_metric(
        "neighbour_accuracy", "neighbour accuracy", 100, "{value} have the label of the one that is nearest to them."
    ),
)


def adjusted_rand(one: Sequence[object], other: Sequence[object]) -> float:
    """Give the adjusted Rand index of two groupings of the same N things: 1 where they are alike, around 0 by chance.

        (Σ_ij C(n_ij, 2) − E) / (½ (Σ_i C(a_i, 2) + Σ_j C(b_j, 2)) − E),  E = Σ_i C(a_i, 2) · Σ_j C(b_j, 2) / C(N, 2)

    n_ij: things in group i of one and j of the other; a_i, b_j: the sizes (Hubert and Arabie 1985, DOI 10.1007/BF01908075,
    equation 5). What a group is called says nothing. Raises `UsageError` where they are not of the same things.

    >>> adjusted_rand(["a", "a", "b", "b"], [2, 2, 1, 1]), round(adjusted_rand([0, 0, 1, 1], [0, 0, 1, 2]), 4)
    (1.0, 0.5714)
    """
    table = _contingency(one, other)
    together, firsts, seconds = (float(_pairs(count).sum()) for count in (table, table.sum(1), table.sum(0)))
    expected = firsts * seconds / max(1.0, float(_pairs(table.sum())))
    most = (firsts + seconds) / 2
    # Both all together or both all apart: nothing could differ.
    return 1.0 if most == expected else (together - expected) / (most - expected)


def mutual_information(one: Sequence[object], other: Sequence[object]) -> float:
    """Give the normalised mutual information of two groupings of the same things, I / ½ (H_1 + H_2), from 0 to 1.

    (Strehl and Ghosh 2002, with the arithmetic mean.) Two groupings that tell nothing apart are alike: 1.
    Raises `UsageError` where they are not of the same things.

    >>> mutual_information([0, 0, 1, 1], ["x", "x", "y", "y"]), mutual_information([0, 0, 1, 1], [0, 1, 0, 1])
    (1.0, 0.0)
    """
    table = _contingency(one, other)
    shares = table / table.sum()
    rows, columns = shares.sum(1), shares.sum(0)
    there = shares > 0
    shared = float((shares[there] * np.log(shares[there] / np.outer(rows, columns)[there])).sum())
    mean = (_entropy(rows) + _entropy(columns)) / 2
    return 1.0 if mean == 0 else min(1.0, max(0.0, shared / mean))


def neighbour_accuracy(points: np.ndarray, labels: Sequence[object]) -> float:
    """Give the share of points (N, …) whose nearest other, by the Euclidean distance, has the same label; of equally near ones the first.

    Raises `UsageError` for fewer than two points, or another number of labels.

    >>> neighbour_accuracy(np.array([[0.0], [0.1], [5.0], [5.1], [9.0]]), list("aabbc"))
    0.8
    """
    flat = np.asarray(points, np.float64).reshape(len(points), -1)
    if len(flat) < 2 or len(labels) != len(flat):
        raise UsageError(f"labels: expected one for each of two points or more, got {len(labels)} for {len(flat)}")
    known = np.unique(np.array([str(label) for label in labels]), return_inverse=True)[1]
    squares, right = (flat**2).sum(1), 0
    for start in range(0, len(flat), each := max(1, DISTANCES_PER_CHUNK // len(flat))):
        far = squares - 2 * flat[start : start + each] @ flat.T
        far[np.arange(len(far)), np.arange(start, start + len(far))] = np.inf
        right += int((known[far.argmin(1)] == known[start : start + each]).sum())
    return right / len(flat)


def _contingency(one: Sequence[object], other: Sequence[object]) -> np.ndarray:
    """Count how many things are in each group of one and of the other, (I, J) int64."""
    if len(one) != len(other) or not len(one):
        raise UsageError(f"groupings: expected two of the same things, got one of {len(one)} and one of {len(other)}")
    rows, columns = (_numbered(grouping) for grouping in (one, other))
    table = np.zeros((rows.max() + 1, columns.max() + 1), np.int64)
    np.add.at(table, (rows, columns), 1)
    return table


def _numbered(grouping: Sequence[object]) -> np.ndarray:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in grouping], np.int64)


def _pairs(count: np.ndarray) -> np.ndarray:
    return count * (count - 1) / 2


def _entropy(shares: np.ndarray) -> float:
    return float(-(shares * np.log(shares)).sum()) if len(shares) > 1 else 0.0

"""What every baseline of a classifier can do, and the one that looks only at how common the classes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from recurra.baselines.titles import register_baseline
from recurra.errors import UsageError


class ClassBaseline(Protocol):
    """A plain classifier: learns from sequences and their classes, then says how likely each class of others is.

    Attributes:
        name: under which its metrics are given, such as "majority".
        title: what people call it.
    """

    name: str
    title: str

    def fit(self, sequences: Sequence, targets: np.ndarray, classes: int) -> Self: ...

    def probabilities(self, sequences: Sequence) -> np.ndarray: ...


def known_targets(targets: np.ndarray, count: int, classes: int) -> np.ndarray:
    """Give the classes to learn from, int64 (N,), or which labels each example has, bool (N, C).

    Raises:
        UsageError: nothing to learn from, shapes that do not fit, or a class that is none.
    """
    numbers = np.asarray(targets)
    if not count:
        raise UsageError("sequences: expected at least one to learn from, got none: is the data empty?")
    if classes < 1:
        raise UsageError(f"classes: expected 1 or more, got {classes}")
    if numbers.shape == (count, classes):
        return numbers.astype(bool)
    if numbers.shape != (count,):
        raise UsageError(
            f"targets: expected a class for each of {count} sequences, or marks {(count, classes)}, got {numbers.shape}"
        )
    if numbers.min() < 0 or numbers.max() >= classes:
        raise UsageError(
            f"targets: expected classes from 0 to {classes - 1}, got classes from {numbers.min()} to {numbers.max()}"
        )
    return numbers.astype(np.int64)


def frequencies(targets: np.ndarray, classes: int) -> np.ndarray:
    """Give how likely each class, or each label of several (targets (N, C)), is by its count with one more added, (C,).

    One class: (n + 1) / (N + C).  Each of several labels: (n + 1) / (N + 2).

    >>> frequencies(np.array([0, 0, 1]), 3).tolist()
    [0.5, 0.3333333333333333, 0.16666666666666666]
    """
    if targets.ndim == 2:
        return (targets.sum(0) + 1) / (len(targets) + 2)
    return (np.bincount(targets, minlength=classes) + 1) / (len(targets) + classes)


@register_baseline
class Majority:
    """Every example is of the commonest class; probabilities are the classes' frequencies with one more of each.

    >>> Majority().fit(["a", "b", "c"], np.array([1, 1, 0]), classes=2).probabilities(["d"]).tolist()
    [[0.4, 0.6]]
    """

    name = "majority"
    title = "majority class"

    def __init__(self) -> None:
        self._shares: np.ndarray | None = None

    def fit(self, sequences: Sequence, targets: np.ndarray, classes: int) -> Self:
        """Count the classes (N,), or the labels (N, C); the sequences do not matter.

        Raises:
            UsageError: nothing to learn from, or targets that do not fit.
        """
        self._shares = frequencies(known_targets(targets, len(sequences), classes), classes)
        return self

    def probabilities(self, sequences: Sequence) -> np.ndarray:
        """Give the same shares for each sequence, float64 (N, C)."""
        if self._shares is None:
            raise UsageError("Majority has learnt nothing yet: call fit first")
        return np.tile(self._shares, (len(sequences), 1))

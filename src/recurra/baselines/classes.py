"""What baselines of a classifier learn from: the classes as numbers, and how common each is."""

from __future__ import annotations

import numpy as np

from recurra.errors import UsageError


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

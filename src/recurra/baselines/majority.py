"""The baseline that looks only at how common the classes are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from recurra.baselines.classes import frequencies, known_targets
from recurra.baselines.titles import register_baseline
from recurra.errors import UsageError


@register_baseline
class Majority:
    """Every example is of the commonest class; probabilities are the classes' frequencies with one more of each.

    >>> Majority().fit(["a", "b", "c"], np.array([1, 1, 0]), classes=2).probabilities(["d"]).tolist()
    [[0.4, 0.6]]
    """

    name = "majority"
    title = "majority class"
    ignores_input = True

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
        return np.broadcast_to(self._shares, (len(sequences), len(self._shares)))

"""The language model that knows nothing but how many units there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from recurra.baselines.language import check_marks
from recurra.baselines.titles import register_baseline
from recurra.errors import UsageError


@register_baseline
class Uniform:
    """Every id that can be predicted (all but the begin mark) is equally likely: 1 / (V − 1).

    >>> Uniform(5).log_probs(np.array([2, 4])).round(4).tolist()
    [-1.3863, -1.3863]
    """

    name = "uniform"
    title = "uniform"
    ignores_input = True

    def __init__(self, size: int | None = None) -> None:
        if size is not None and size < 2:
            raise UsageError(f"size: expected 2 or more ids (one of them the begin mark), got {size}")
        self.size = size
        self.trained_on = 0

    def fit(self, sequences: Sequence[np.ndarray], size: int, bos_id: int, eos_id: int | None) -> Self:
        """Take the size of the vocabulary, V; the sequences do not matter."""
        check_marks(size, bos_id, eos_id)
        self.size = size
        self.trained_on = sum(len(sequence) + (eos_id is not None) for sequence in sequences)
        return self

    def log_probs(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray:
        """The natural log-probability of each id, float64 (T,); the context does not matter."""
        del context
        if self.size is None:
            raise UsageError("Uniform has no vocabulary yet: give it a size, or call fit first")
        return np.full(len(sequence), -np.log(self.size - 1))

    def top1(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray:
        """How likely a guess at each id is right, float64 (T,): drawn among all ids, since none is likelier than another."""
        return np.exp(self.log_probs(sequence, context))

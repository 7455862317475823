"""What every language baseline can do, and what all of them refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from recurra.errors import UsageError


class Baseline(Protocol):
    """What every language baseline can do: learn from sequences of ids, then say how likely the ids of another are, and which
    of them it would have guessed.

    Attributes:
        trained_on: units that it learnt from, ends of documents included; fewer than there were where a limit is said.
    """

    trained_on: int

    def fit(self, sequences: Sequence[np.ndarray], size: int, begin: int, end: int | None) -> Self: ...

    def log_probs(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray: ...

    def hits(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray: ...


def check_marks(size: int, begin: int, end: int | None) -> None:
    """Raise `UsageError` unless the marks are different ids of the vocabulary."""
    if size < 2:
        raise UsageError(f"size: expected 2 or more ids (one of them the begin mark), got {size}")
    for name, mark in (("begin", begin), ("end", end)):
        if mark is not None and not 0 <= mark < size:
            raise UsageError(f"{name}: expected an id from 0 to {size - 1}, got {mark}")
    if begin == end:
        raise UsageError(f"begin and end: expected two different ids, got {begin} for both")


def check_range(ids: np.ndarray, size: int, name: str) -> None:
    """Raise `UsageError` for an id that is not in the vocabulary."""
    if len(ids) and (ids.min() < 0 or ids.max() >= size):
        raise UsageError(f"{name}: expected ids from 0 to {size - 1}, got ids from {ids.min()} to {ids.max()}")


def check_ids(sequence: np.ndarray, size: int, begin: int, name: str, end: int | None = None) -> None:
    """Raise `UsageError` for an id that is not in the vocabulary or is a mark."""
    check_range(sequence, size, name)
    for word, mark in (("begin", begin), ("end", end)):
        if mark is not None and (sequence == mark).any():
            raise UsageError(
                f"{name}: expected ids without marks, got the {word} mark ({mark}), which is added for you"
            )

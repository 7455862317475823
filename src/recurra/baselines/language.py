"""What all language baselines refuse."""

from __future__ import annotations

import numpy as np

from recurra.errors import UsageError


def check_marks(size: int, bos_id: int, eos_id: int | None) -> None:
    """Raise `UsageError` unless the marks are different ids of the vocabulary."""
    if size < 2:
        raise UsageError(f"size: expected 2 or more ids (one of them the begin mark), got {size}")
    for name, mark in (("bos_id", bos_id), ("eos_id", eos_id)):
        if mark is not None and not 0 <= mark < size:
            raise UsageError(f"{name}: expected an id from 0 to {size - 1}, got {mark}")
    if bos_id == eos_id:
        raise UsageError(f"bos_id, eos_id: expected two different ids, got {bos_id} for both")


def check_range(ids: np.ndarray, size: int, name: str) -> None:
    """Raise `UsageError` for an id that is not in the vocabulary."""
    if len(ids) and (ids.min() < 0 or ids.max() >= size):
        raise UsageError(f"{name}: expected ids from 0 to {size - 1}, got ids from {ids.min()} to {ids.max()}")


def check_ids(sequence: np.ndarray, size: int, bos_id: int, name: str, eos_id: int | None = None) -> None:
    """Raise `UsageError` for an id that is not in the vocabulary or is a mark."""
    check_range(sequence, size, name)
    for word, mark in (("begin", bos_id), ("end", eos_id)):
        if mark is not None and (sequence == mark).any():
            raise UsageError(
                f"{name}: expected ids without marks, got the {word} mark ({mark}), which is added for you"
            )

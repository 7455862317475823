"""How much of a held-out text stands in the training text too, passage by passage."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

MAX_UNITS = 4_000_000
"""Of the training text that are looked through: eight bytes each, sorted."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no unit of a passage is lost in the sum


def passage_length(least: int, nats: float, train: int, held_out: int) -> int:
    """Give how long passages have to be so that one of a held-out text is hardly ever in another by chance.

    least: units, whatever the text.  nats: what a unit of it is worth to a good model, so that a passage of L units comes at a given place by a chance of
    exp(−nats·L): of all pairs of places in both texts, of `train` and `held_out` units, less than one in a hundred such is expected.

    >>> passage_length(50, 1.5, 1_000_000, 50_000), passage_length(50, 0.2, 50_000, 2_000)
    (50, 116)
    """
    needed = math.log(100 * max(1, train) * max(1, held_out)) / nats if nats > 0 else 0.0
    return max(least, min(math.ceil(needed), max(1, held_out // 4)))


def repeated_share(train: Sequence[np.ndarray], held_out: Sequence[np.ndarray], length: int) -> tuple[float, int]:
    """Give the share of the held-out passages of so many units, one behind the other, that the training text has at any place, and how many there are.

    >>> text = np.random.default_rng(0).integers(99, size=900)
    >>> repeated_share([text[:500]], [text[400:]], length=50)
    (0.2, 10)
    """
    passages = np.concatenate([_sums(ids, length)[::length] for ids in held_out] or [np.empty(0, np.uint64)])
    if not len(passages):
        return 0.0, 0
    known: list[np.ndarray] = []
    left = MAX_UNITS
    for ids in train:
        if left <= 0:
            break
        known.append(_sums(ids[:left], length))
        left -= len(ids)
    return float(np.isin(passages, np.concatenate(known)).mean()), len(passages)


def _sums(ids: np.ndarray, length: int) -> np.ndarray:
    """Give a 64-bit sum of each passage of so many units: two that differ have the same one by a chance of about 2⁻⁶⁴."""
    count = len(ids) - length + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    mixed = _mix(np.asarray(ids).astype(np.uint64))
    found = np.zeros(count, np.uint64)
    for at in range(length):
        found = found * _FACTOR + mixed[at : at + count]
    return _mix(found)


def _mix(values: np.ndarray) -> np.ndarray:
    """Spread each number over all 64 bits (the last step of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9) + _FACTOR
    return values ^ (values >> np.uint64(27))

"""What interpolation makes of the counts of one order: probabilities all the way down, and what is left for the shorter context."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.baselines.counts import CHUNK, Counts
from recurra.baselines.discounts import Discounts


@dataclass(frozen=True)
class Order:
    """What one order from 2 up needs to be looked up; the keys are those of `Counts`."""

    keys: np.ndarray  # int64 (n-grams,), sorted
    probs: np.ndarray  # float64 (n-grams,), interpolated all the way down
    backoff: np.ndarray  # float64 (n-grams of the order below,): γ, or 1 where nothing follows


def interpolated(table: Counts, discounts: Discounts, shorter: np.ndarray, size: int) -> Order:
    """Work out the probabilities of one order from its adjusted counts and the probabilities of the order below."""
    counts = table.counts
    probs = np.empty(len(counts))
    # A context that nothing follows (the last id of a text) hands everything on to the shorter one.
    backoff = np.ones(len(shorter))
    start = 0
    while start < len(counts):
        # All that follows a context is worked on at once: the sums are then rounded in the same way for any CHUNK.
        last = table.keys[min(start + CHUNK, len(counts)) - 1] // size
        stop = int(np.searchsorted(table.keys, (last + 1) * size))
        part, first = slice(start, stop), table.keys[start] // size
        context = table.keys[part] // size - first
        discount = discounts.of(counts[part])
        total = np.bincount(context, weights=counts[part])
        left = np.bincount(context, weights=discount)
        share = backoff[first : last + 1]
        np.divide(left, total, out=share, where=total > 0)
        probs[part] = (counts[part] - discount) / total[context] + share[context] * shorter[table.suffix[part]]
        start = stop
    return Order(table.keys, probs, backoff)

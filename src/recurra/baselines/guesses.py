"""The likeliest id after each context that was counted."""

from __future__ import annotations

import numpy as np

from recurra.baselines.counts import CHUNK, PLACE_TYPE


def likeliest(keys: np.ndarray, probs: np.ndarray, size: int, contexts: int) -> np.ndarray:
    """The place of the likeliest n-gram of each context, the first of equally likely ones; −1 where nothing follows.

    Args:
        keys: of the n-grams of one order, sorted; key = place of the context · V + id (`Counts`).
        probs: of the n-grams, (n-grams,).
        size: V, the number of ids.
        contexts: how many n-grams the order below has.

    Returns:
        Places, (contexts,).

    >>> likeliest(np.array([1, 3, 8]), np.array([0.2, 0.5, 0.1]), size=4, contexts=4).tolist()
    [1, -1, 2, -1]
    """
    places = np.full(contexts, -1, PLACE_TYPE)
    start = 0
    while start < len(keys):
        last = keys[min(start + CHUNK, len(keys)) - 1] // size  # all that follows a context is looked at at once
        stop = int(np.searchsorted(keys, (last + 1) * size))
        context, part = keys[start:stop] // size, probs[start:stop]
        first = np.flatnonzero(np.diff(context, prepend=-1))
        highest = np.repeat(np.maximum.reduceat(part, first), np.diff(first, append=len(part)))
        top = np.flatnonzero(part == highest)
        places[context[first]] = start + top[np.searchsorted(top, first)]
        start = stop
    return places

"""The n-grams of a text and how often each was seen, counted some ids at a time, so that a long text needs little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

CHUNK = 1 << 20
"""Ids or n-grams that are worked on at a time: only time and memory depend on it."""

BYTES_PER_GRAM = 48
"""Bytes that each different n-gram takes at most, from being counted to being looked up."""

PLACE_TYPE = np.dtype(np.int32)
"""What holds the place of an n-gram in its order; 2³¹ n-grams would take 100 GiB."""


@dataclass(frozen=True)
class Counts:
    """The different n-grams of one order, sorted by key.

    An n-gram is known by its place in `keys`, and its key is made of the place of its first n − 1 ids in the order
    below and of its last id: key = place · V + id. At order 1 the place is the id.
    """

    keys: np.ndarray  # int64
    suffix: np.ndarray  # the place of the last n − 1 ids in the order below
    counts: np.ndarray  # int64, how often it was seen
    first: np.ndarray  # bool: starts with the begin mark


def count(words: np.ndarray, size: int, bos_id: int, order: int, memory: float = np.inf) -> list[Counts] | None:
    """Count the n-grams of the orders 1 … n; those that would reach over a begin mark do not exist.

    How much memory that takes depends on the text: of a regular one few n-grams are different, of noise nearly all.

    Args:
        words: ids (N,) of all sequences, each after a begin mark, in any type of whole numbers.
        size: V, the number of ids, marks included.
        bos_id: the begin mark.
        order: n.
        memory: bytes that the ids, the n-grams and what is worked out from them may take.

    Returns:
        The orders, the lowest first, or None as soon as the memory proves too little.

    >>> [table.counts.tolist() for table in count(np.array([0, 2, 1, 2, 1]), size=3, bos_id=0, order=2) or []]
    [[1, 2, 2], [1, 1, 2]]
    """
    room = (memory - words.nbytes - len(words) * PLACE_TYPE.itemsize) / BYTES_PER_GRAM
    if room < 0:
        return None
    singles = np.zeros(size, np.int64)
    for part in chunks(len(words)):
        singles += np.bincount(words[part], minlength=size)
    ids = np.arange(size)
    tables = [Counts(ids, np.zeros(size, PLACE_TYPE), singles, ids == bos_id)]
    grams = words.astype(PLACE_TYPE)
    for length in range(2, order + 1):
        found = _different(_keys(grams, words, size, bos_id), room)
        if found is None:
            return None
        keys, counts = found
        room -= len(keys)
        tables.append(_table(keys, counts, tables[-1], size))
        if length < order:
            _lengthen(grams, words, keys, size, bos_id)
    return tables


def adjust(tables: list[Counts]) -> None:
    """Put the counts that probabilities are made of in place of the counts: left neighbours, but at the highest order."""
    for place, (table, above) in enumerate(pairwise(tables)):
        neighbours = np.zeros(len(table.keys), np.int64)
        for part in chunks(len(above.suffix)):
            np.add.at(neighbours, above.suffix[part], 1)
        np.copyto(neighbours, table.counts, where=table.first)
        tables[place] = replace(table, counts=neighbours)


def chunks(length: int, start: int = 0) -> Iterator[slice]:
    """Cut an array from `start` on into chunks of `CHUNK`.

    >>> [(chunk.start, chunk.stop) for chunk in chunks(CHUNK + 5, 2)]
    [(2, 1048578), (1048578, 1048581)]
    """
    return (slice(first, min(first + CHUNK, length)) for first in range(start, length, CHUNK))


def find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The place of each wanted key among the sorted keys, or −1.

    >>> find(np.array([3, 5, 8]), np.array([8, 4, 9])).tolist()
    [2, -1, -1]
    """
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


def _keys(grams: np.ndarray, words: np.ndarray, size: int, bos_id: int) -> Iterator[np.ndarray]:
    """The keys of all n-grams of one order; `grams` holds the place of the one before that ends at each id, or −1."""
    for part in chunks(len(words), 1):
        before, word = grams[part.start - 1 : part.stop - 1], words[part]
        there = (before >= 0) & (word != bos_id)
        yield before[there].astype(np.int64) * size + word[there]


def _lengthen(grams: np.ndarray, words: np.ndarray, keys: np.ndarray, size: int, bos_id: int) -> None:
    """Put the places of the n-grams that end at each id where those of the order below stood."""
    # From the end, since an n-gram is found by the one of the order below that ends an id before it.
    for part in reversed(list(chunks(len(words), 1))):
        before, word = grams[part.start - 1 : part.stop - 1], words[part]
        there = (before >= 0) & (word != bos_id)
        places = np.full(len(word), -1, PLACE_TYPE)
        places[there] = np.searchsorted(keys, before[there].astype(np.int64) * size + word[there])
        grams[part] = places
    grams[0] = -1


def _different(keys: Iterable[np.ndarray], room: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The different keys, sorted, and how often each comes; None when there are more of them than `room`."""
    runs = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for some in keys:
        runs.append(np.unique(some, return_counts=True))
        # Runs of like length are merged, so that no key is moved more than log(N) times.
        while len(runs) > 1 and len(runs[-2][0]) <= 2 * len(runs[-1][0]):
            runs[-2:] = [_merged(*runs[-2:])]
        if len(runs[0][0]) > room:
            return None
    while len(runs) > 1:
        runs[-2:] = [_merged(*runs[-2:])]
    return None if len(runs[0][0]) > room else runs[0]


def _merged(one: tuple[np.ndarray, np.ndarray], two: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Merge two sorted runs of keys and their counts."""
    if not len(one[0]):
        return two
    places = np.searchsorted(one[0], two[0])
    known = one[0][np.minimum(places, len(one[0]) - 1)] == two[0]
    one[1][places[known]] += two[1][known]
    new = ~known
    there = np.zeros(len(one[0]) + int(new.sum()), bool)
    there[places[new] + np.arange(int(new.sum()))] = True
    merged = np.empty(len(there), np.int64), np.empty(len(there), np.int64)
    for target, old, other in zip(merged, one, two, strict=True):
        target[~there], target[there] = old, other[new]
    return merged


def _table(keys: np.ndarray, counts: np.ndarray, below: Counts, size: int) -> Counts:
    """One order from its keys: an n-gram's last n − 1 ids are those of its context without the first, and its last."""
    suffix, first = np.empty(len(keys), PLACE_TYPE), np.empty(len(keys), bool)
    for part in chunks(len(keys)):
        context, word = np.divmod(keys[part], size)
        suffix[part] = np.searchsorted(below.keys, below.suffix[context].astype(np.int64) * size + word)
        first[part] = below.first[context]
    return Counts(keys, suffix, counts, first)

"""Plain translators: the source itself, the translation of the nearest source known, and word by word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log
from typing import Protocol, Self

import numpy as np

from recurra.baselines.titles import register_baseline

MAX_LINKS = 30_000_000
"""Pairs of units that word by word learns from; of more, every second, third, … text is left out."""
ROUNDS = 5


class TranslationBaseline(Protocol):
    """A plain translator: learns from pairs of sequences of units, then translates others."""

    name: str
    title: str

    def fit(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Self: ...

    def translate(self, sources: Sequence[Sequence[int]]) -> list[list[int]]: ...


@register_baseline
class NearestSource:
    """Gives the target of the known source that shares most with a new one, by units weighed by how rare they are (cosine of TF-IDF).

    >>> NearestSource().fit([[1, 2], [3, 4]], [[7], [8]]).translate([[4, 9], [1]])
    [[8], [7]]
    """

    name, title = "nearest", "nearest source's target"

    def fit(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Self:
        self._targets = [list(target) for target in targets]
        counts = [Counter(source) for source in sources]
        documents = Counter(unit for count in counts for unit in count)
        self._weights = {unit: log((1 + len(sources)) / (1 + many)) + 1 for unit, many in documents.items()}
        found: defaultdict[int, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for row, count in enumerate(counts):
            size = sum((self._weights[unit] * many) ** 2 for unit, many in count.items()) ** 0.5
            for unit, many in count.items():
                found[unit][0].append(row)
                found[unit][1].append(self._weights[unit] * many / max(size, 1e-12))
        self._rows = {unit: (np.array(rows), np.array(shares)) for unit, (rows, shares) in found.items()}
        return self

    def translate(self, sources: Sequence[Sequence[int]]) -> list[list[int]]:
        return [self._nearest(source) for source in sources]

    def _nearest(self, source: Sequence[int]) -> list[int]:
        """Give the target of the nearest source, of equals the first."""
        likeness = np.zeros(len(self._targets))
        for unit, many in Counter(source).items():
            if unit in self._weights:
                rows, shares = self._rows[unit]
                likeness[rows] += self._weights[unit] * many * shares
        return self._targets[int(likeness.argmax())] if self._targets else []


@register_baseline
class WordByWord:
    """Gives for each unit of a source the unit that it most likely becomes, in the same order: IBM model 1 (Brown et al. 1993).

    >>> WordByWord().fit([[1, 2], [1, 3], [2]], [[11, 12], [11, 13], [12]]).translate([[3, 1]])
    [[13, 11]]
    """

    name, title = "word-by-word", "word by word (IBM model 1)"

    def fit(self, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Self:
        pairs = [
            (np.unique(one), np.unique(other))
            for one, other in zip(sources, targets, strict=True)
            if len(one) and len(other)
        ]
        every = -(-sum(len(one) * len(other) for one, other in pairs) // MAX_LINKS) if pairs else 1
        pairs = pairs[:: max(1, every)]
        given = np.concatenate([np.repeat(one, len(other)) for one, other in pairs]) if pairs else np.zeros(0, np.int64)
        wanted = np.concatenate([np.tile(other, len(one)) for one, other in pairs]) if pairs else np.zeros(0, np.int64)
        sizes = [len(other) for one, other in pairs]
        # Each target unit of each text shares itself out among the text's source units.
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if pairs else np.zeros(0, np.int64)
        slots = (
            np.concatenate(
                [
                    np.tile(start + np.arange(len(other)), len(one))
                    for start, (one, other) in zip(starts, pairs, strict=True)
                ]
            )
            if pairs
            else np.zeros(0, np.int64)
        )
        width = int(wanted.max(initial=0)) + 1
        keys, place = np.unique(given.astype(np.int64) * width + wanted, return_inverse=True)
        chance = np.ones(len(keys))
        for _ in range(ROUNDS):
            weights = chance[place]
            shares = weights / np.bincount(slots, weights)[slots] if len(slots) else weights
            expected = np.bincount(place, shares, len(keys))
            of_source = np.bincount(keys // width, expected)
            chance = expected / np.maximum(of_source[keys // width], 1e-300)
        order = np.lexsort((keys % width, -chance, keys // width))
        first = np.unique((keys // width)[order], return_index=True)
        self._table = {int(unit): int((keys % width)[order[at]]) for unit, at in zip(*first, strict=True)}
        return self

    def translate(self, sources: Sequence[Sequence[int]]) -> list[list[int]]:
        return [[self._table[unit] for unit in map(int, source) if unit in self._table] for source in sources]

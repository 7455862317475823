"""A plain model of strings: what may follow is what followed the same last symbols in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.baselines import KneserNey
from recurra.tasks.grammar.preprocessing import MARK, StringPreprocessor

ORDER = 3


class Trigram:
    """What followed the last two symbols in training may follow; how likely is by `KneserNey`, whose name it has in results."""

    name = "trigram"
    title = "trigram"

    def __init__(self, preprocessor: StringPreprocessor) -> None:
        self._size = preprocessor.size
        # The mark is read before a string and written behind it: a model of counts has a number for either.
        self._end = preprocessor.size
        self._seen: dict[tuple[int, ...], np.ndarray] = {}
        self._model = KneserNey(ORDER)
        self._shares: dict[tuple[int, ...], np.ndarray] = {}

    def fit(self, ids: Sequence[np.ndarray]) -> Trigram:
        """Count what follows in strings of numbers."""
        for each in ids:
            for context, number in zip(self._contexts(each), [*each.tolist(), MARK], strict=True):
                self._seen.setdefault(context, np.zeros(self._size, bool))[number] = True
        self._model.fit(list(ids), self._size + 1, MARK, self._end)
        return self

    def _contexts(self, ids: np.ndarray) -> list[tuple[int, ...]]:
        read = [MARK, *ids.tolist()]
        return [tuple(read[max(0, end - ORDER + 1) : end]) for end in range(1, len(read) + 1)]

    def legal(self, ids: np.ndarray) -> np.ndarray:
        """Mark what may follow each beginning, bool (T + 1, V)."""
        none = np.zeros(self._size, bool)
        return np.stack([self._seen.get(context, none) for context in self._contexts(ids)])

    def shares(self, ids: np.ndarray) -> np.ndarray:
        """Give how likely each number follows each beginning, (T + 1, V)."""
        return np.stack([self._share(context) for context in self._contexts(ids)])

    def _share(self, context: tuple[int, ...]) -> np.ndarray:
        if context not in self._shares:
            found = self._model.distribution(np.array(context))
            self._shares[context] = np.concatenate([[found[self._end]], found[1 : self._size]])
        return self._shares[context]

"""Plain captioners: one caption for all pictures, and the caption of the nearest picture known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from recurra.baselines.titles import register_baseline
from recurra.metrics import CaptionScores

MAX_CANDIDATES, MAX_PICTURES = 100, 500
"""Captions that are tried as the one for all, and pictures that they are tried on."""
_ORDERS = (1, 2, 3, 4)
_ROWS = 256

Words = Sequence[str]


class CaptionBaseline(Protocol):
    """A plain captioner: learns from pictures, as vectors, and captions of each; then writes some of others."""

    name: str
    title: str

    def fit(self, pictures: np.ndarray, captions: Sequence[Sequence[Words]]) -> Self: ...

    def write(self, pictures: np.ndarray) -> list[Words]: ...


@register_baseline
class ConstantCaption:
    """Writes of every picture the caption that has the highest BLEU-4 as one for all those known.

    >>> known = [[["a", "dog", "runs", "fast"]], [["a", "dog", "runs", "off"]], [["two", "men"]]]
    >>> ConstantCaption().fit(np.zeros((3, 1)), known).write(np.zeros((1, 1)))
    [['a', 'dog', 'runs', 'fast']]
    """

    name, title, ignores_input = "constant-caption", "one caption for all", True

    def fit(self, pictures: np.ndarray, captions: Sequence[Sequence[Words]]) -> Self:  # noqa: ARG002
        every = -(-len(captions) // MAX_PICTURES)
        scores = CaptionScores(captions[::every])
        counts = Counter(ngram for some in captions for ngram in set().union(*map(_ngrams, some)))

        def usual(words: Words) -> float:
            return sum(counts[ngram] for ngram in _ngrams(words)) / max(1, len(words) + 2)

        different = {tuple(words): None for some in captions for words in some}
        candidates = sorted(different, key=lambda words: -usual(words))[:MAX_CANDIDATES]
        values = [scores.measure_bleu([words] * len(scores)) for words in candidates]
        self._caption = list(candidates[int(np.argmax(values))])
        return self

    def write(self, pictures: np.ndarray) -> list[Words]:
        return [self._caption for _ in pictures]


@register_baseline
class NearestPicture:
    """Writes of a picture the first caption of the one that is nearest to it, by the distance of their vectors.

    >>> NearestPicture().fit(np.array([[0.0], [9.0]]), [[["night"]], [["day"]]]).write(np.array([[8.0]]))
    [['day']]
    """

    name, title = "nearest-picture", "nearest picture's caption"

    def fit(self, pictures: np.ndarray, captions: Sequence[Sequence[Words]]) -> Self:
        self._pictures, self._captions = pictures.astype(np.float32), captions
        self._squares = (self._pictures**2).sum(1)
        return self

    def write(self, pictures: np.ndarray) -> list[Words]:
        found: list[Words] = []
        for start in range(0, len(pictures), _ROWS):
            some = pictures[start : start + _ROWS].astype(np.float32)
            nearest = (self._squares - 2 * some @ self._pictures.T).argmin(1)
            found += [self._captions[int(index)][0] for index in nearest]
        return found


def _ngrams(words: Words) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + order]) for order in _ORDERS for at in range(len(words) - order + 1)}

"""Texts by byte pairs in another way each time: some merges are left out (Provilkov et al. 2020, arXiv:1910.13267v2)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recurra.text.vocabulary.bpe import BpeVocabulary

VARIANTS = 32
"""Ways in which a word is written, of which each occurrence has one by chance: as many as matter, made once."""


class BpeDropout:
    """Writes a word now by one piece, now by several, so that what is learnt of its parts serves rarer words too.

    rate: the share of the merges that is left out, each again at each step of a word.  The same texts, in the same order, and seeds
    give the same ids.

    >>> vocabulary = BpeVocabulary.build(["low lower lowest " * 9], max_size=264)
    >>> dropout = BpeDropout(vocabulary, rate=0.5, seed=1)
    >>> words, chance = dropout.prepare("low lower"), np.random.default_rng(1)
    >>> ids = [dropout.encode(words, chance) for _ in range(3)]
    >>> [len(some) for some in ids], {vocabulary.decode(some) for some in ids}
    ([7, 5, 5], {'low lower'})
    """

    def __init__(self, vocabulary: BpeVocabulary, rate: float, seed: int) -> None:
        self._vocabulary, self._rate, self._seed = vocabulary, rate, seed
        self._ranks = {pair: rank for rank, pair in enumerate(vocabulary.merges)}
        self._numbers: dict[str, int] = {}
        self._words: list[str] = []
        self._variants: list[list[list[int] | None]] = []

    def prepare(self, text: str) -> npt.NDArray[np.int32]:
        """Give the numbers of a text's words, of which each is split into pieces for itself."""
        words = self._vocabulary.spelt_words(text)
        return np.fromiter((self._number(word) for word in words), np.int32)

    def _number(self, word: str) -> int:
        number = self._numbers.setdefault(word, len(self._words))
        if number == len(self._words):
            self._words.append(word)
            self._variants.append([None] * VARIANTS)
        return number

    def encode(self, words: npt.NDArray[np.int32], generator: np.random.Generator) -> npt.NDArray[np.int32]:
        """Give ids of a text, by its words as `prepare` gives them."""
        ids: list[int] = []
        for word, variant in zip(words.tolist(), generator.integers(VARIANTS, size=len(words)).tolist(), strict=True):
            made = self._variants[word][variant]
            if made is None:
                made = self._variants[word][variant] = self._split(word, variant)
            ids += made
        return np.array(ids, np.int32)

    def _split(self, word: int, variant: int) -> list[int]:
        chance = np.random.Generator(np.random.PCG64([self._seed, word, variant]))
        pieces = list(self._words[word])
        while len(pieces) > 1:
            kept = chance.random(len(pieces) - 1) >= self._rate
            possible = [
                (rank, place)
                for place, pair in enumerate(pairwise(pieces))
                if kept[place] and (rank := self._ranks.get(pair)) is not None
            ]
            if not possible:
                break
            _, place = min(possible)
            pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
        return [self._vocabulary.id_of(piece) for piece in pieces]

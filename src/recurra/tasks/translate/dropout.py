"""Training pairs by byte pairs, in other pieces each time that they are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.errors import UsageError
from recurra.tasks.translate.data import Split
from recurra.tasks.translate.preprocessing import TranslationPreprocessor
from recurra.text import Vocabulary
from recurra.text.vocabulary import BpeDropout, BpeVocabulary


class TrainingSide:
    """The ids of one side of the training pairs: by byte pairs with `rate` of the merges left out, else as they were encoded.

    end: what stands behind the ids of each.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        texts: Sequence[str],
        encoded: Sequence[np.ndarray],
        *,
        rate: float,
        seed: int,
        end: Sequence[int] = (),
    ) -> None:
        self._encoded, self._end = encoded, list(end)
        self._dropout = BpeDropout(vocabulary, rate, seed) if rate and isinstance(vocabulary, BpeVocabulary) else None
        self._words = [] if self._dropout is None else [self._dropout.prepare(text) for text in texts]

    def encode(self, index: int, chance: np.random.Generator) -> np.ndarray:
        """Give the ids of a pair's side."""
        if self._dropout is None:
            return self._encoded[index]
        return np.append(self._dropout.encode(self._words[index], chance), self._end).astype(np.int32)


def training_sides(
    preprocessor: TranslationPreprocessor, train: Split, rate: float, seed: int
) -> tuple[TrainingSide, TrainingSide]:
    """Give both sides of the training pairs; raises `UsageError` where merges are to be left out and neither is of byte pairs."""
    source, target = preprocessor.source, preprocessor.target
    if rate and not any(isinstance(side, BpeVocabulary) for side in (source, target)):
        raise UsageError("bpe_dropout: expected a side of byte pairs (--source-unit, --target-unit); leave it out")
    texts = ([preprocessor.check(text) for text in side] for side in (train.sources, train.targets))
    return (
        TrainingSide(source, next(texts), train.encoded_sources, rate=rate, seed=seed, end=[source.eos_id]),
        TrainingSide(target, next(texts), train.encoded_targets, rate=rate, seed=seed),
    )

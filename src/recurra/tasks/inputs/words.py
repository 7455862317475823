"""Text by words: the common ones have a vector of their own, the others are known by their characters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from recurra.errors import UsageError
from recurra.nn import WordBatch, WordEncoder, collate_words
from recurra.nn.words import CharactersFor
from recurra.tasks.inputs.base import Encoder, Input
from recurra.text import normalise
from recurra.text.vocabulary.words_and_characters import SpeltText, WordsAndCharacters

Words = str | list[str]
"""A text, or the words that it is cut into already."""
WORD_SIZE = 128


class WordInput(Input[SpeltText]):
    """Text as words.

    >>> text = WordInput.build(["that was phenomenal", "that was it"])
    >>> batch = text.collate([text.encode("that was"), text.encode("phenomenal")])
    >>> batch.words.shape, text.prefixes("that was it")
    (torch.Size([2, 2]), ['that', 'that was', 'that was it'])
    """

    kind = "text"

    def __init__(self, vocabulary: WordsAndCharacters) -> None:
        self.vocabulary = vocabulary
        self._vectors: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def build(cls, texts: Sequence[Words], *, max_words: int | None = 10_000) -> WordInput:
        """Make it from the training texts."""
        return cls(WordsAndCharacters.build(texts, max_words=max_words))

    @classmethod
    def load(cls, folder: Path) -> WordInput:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        return cls(WordsAndCharacters.load(folder))

    def read_vectors(self, path: str) -> tuple[int, int]:
        """Read the vectors that the words begin with; gives how many have one, and their size.

        Raises `DataError` with file and line for a file that is broken.
        """
        from recurra.text.vectors import read_vectors

        self._vectors = matrix, found = read_vectors(path, self.vocabulary.words)
        if not found.any():
            raise UsageError(
                f"vectors: {path} has no vector for any word of the training data; is it of this language?"
            )
        return int(found.sum()), matrix.shape[1]

    @property
    def vector_size(self) -> int | None:
        """The size of the vectors that words begin with, where some were read."""
        return None if self._vectors is None else self._vectors[0].shape[1]

    def encode(self, sequence: Words) -> SpeltText:
        return self.vocabulary.encode(sequence)

    def collate(self, encoded: Sequence[SpeltText]) -> WordBatch:
        return collate_words(encoded)

    def encoder(
        self,
        size: int | None,
        *,
        characters_for: CharactersFor = "unknown",
        characters: tuple[int, int] = (32, 32),
        cell: str = "lstm",
        noise: float = 0.0,  # noqa: ARG002
    ) -> WordFirst:
        if (width := self.vector_size) is not None:
            if size not in (None, width):
                raise UsageError(
                    f"embedding: the vectors have {width} numbers each; leave it out or set {width}, got {size}"
                )
            size = width
        encoder = WordFirst(
            WordEncoder(
                len(self.vocabulary.words),
                len(self.vocabulary.characters),
                word_size=size or WORD_SIZE,
                character_size=characters[0],
                character_hidden=characters[1],
                characters_for=characters_for,
                cell=cell,
            )
        )
        if self._vectors is not None:
            encoder.words.set_vectors(*self._vectors)
        return encoder

    def prefixes(self, sequence: Words) -> list[Words]:
        words = self.vocabulary.cut(sequence)
        if not isinstance(sequence, str):
            return [words[: count + 1] for count in range(len(words))]
        text, ends, place = normalise(sequence), [], 0
        for word in words:
            place = text.index(word, place) + len(word)
            ends.append(place)
        return [text[:end] for end in ends]

    def shown(self, sequence: Words) -> Words:
        return sequence

    def key(self, sequence: Words) -> bytes:
        return (sequence if isinstance(sequence, str) else "\0".join(sequence)).encode()

    def save(self, folder: Path) -> list[str]:
        return [self.vocabulary.save(folder).name]


class WordFirst(Encoder):
    """A batch of words → vectors (T, B, E)."""

    def __init__(self, words: WordEncoder) -> None:
        super().__init__()
        self.words, self.size = words, words.size

    def forward(self, inputs: WordBatch) -> Tensor:
        return self.words(inputs)

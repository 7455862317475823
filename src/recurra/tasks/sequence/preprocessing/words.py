"""How a text becomes numbers where it is read by words, as a review is by default.

The common words of the training data have a number each, and with it a vector; the others are known by their characters (`encode`, which the
vocabulary of `recurra.text.vocabulary.words_and_characters` does). `collate` makes one batch of texts, `input_layer` the layer that gives each word
its vector. By characters, bytes or byte pairs: tokens.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.errors import DataError, UsageError
from recurra.formatting import abbreviate
from recurra.nn import WordBatch, WordEncoder, collate_words
from recurra.nn.words import CharactersFor
from recurra.tasks.base.config import SequenceData
from recurra.tasks.base.transfer import UNKNOWN, PretrainedLayers, is_mark
from recurra.tasks.sequence.preprocessing.base import InputLayer, Preprocessor, register_preprocessor
from recurra.text import normalise
from recurra.text.vocabulary.base import normal_form
from recurra.text.vocabulary.words_and_characters import SpeltText, WordsAndCharacters

Words = str | list[str]
"""A text, or the words that it is cut into already."""
WORD_SIZE = 128


@register_preprocessor
class WordPreprocessor(Preprocessor[SpeltText]):
    """Text as words.

    >>> text = WordPreprocessor.build(["that was phenomenal", "that was it"])
    >>> batch = text.collate([text.encode("that was"), text.encode("phenomenal")])
    >>> batch.words.shape, [shown["text"] for shown in text.prefixes_json("that was it")]
    (torch.Size([2, 2]), ['that', 'that was', 'that was it'])
    """

    kind = "text"
    discrete = True
    reads_words = True

    def __init__(self, vocabulary: WordsAndCharacters) -> None:
        self.vocabulary = vocabulary
        self._vectors: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def build(cls, texts: Sequence[Words], *, max_words: int | None = 10_000) -> WordPreprocessor:
        """Make it from the training texts."""
        return cls(WordsAndCharacters.build(texts, max_words=max_words))

    @classmethod
    def reads_unit(cls, unit: str) -> bool:
        return unit == "word"

    @classmethod
    def from_data(
        cls,
        sequences: Sequence[Words],
        channels: Sequence[str],  # noqa: ARG003
        data: SequenceData,
        unit: str,  # noqa: ARG003
    ) -> WordPreprocessor:
        return cls.build(sequences, max_words=data.max_words)

    @classmethod
    def is_saved_in(cls, folder: Path, unit: str) -> bool:
        return unit == "word" and (folder / WordsAndCharacters.file).is_file()

    @classmethod
    def load(cls, folder: Path) -> WordPreprocessor:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        return cls(WordsAndCharacters.load(folder))

    def extend(self, given: PretrainedLayers, max_words: int) -> None:
        """Add the words and characters that another run knows, as long as there is room: they may be met later."""
        known = self.vocabulary
        words, characters = dict(zip(known.words, known.counts, strict=True)), dict.fromkeys(known.characters)
        for word in given.units:
            if len(words) >= max_words:
                break
            if (folded := word.casefold() if known.fold else word) and not is_mark(word):
                words.setdefault(folded, max(1, given.counts.get(word, 1)))
        characters |= dict.fromkeys(given.characters)
        self.vocabulary = WordsAndCharacters(
            list(words), list(words.values()), list(characters), fold=known.fold, split=known.split
        )

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

    def unit_names(self) -> list[str]:
        return [UNKNOWN, *self.vocabulary.words]

    def pieces(self, encoded: SpeltText, steps: int) -> list[SpeltText]:
        return [encoded.cut(start, start + steps) for start in range(0, len(encoded), steps)]

    def unit_ids(self, inputs: WordBatch) -> Tensor:
        rows = torch.where(inputs.known > 0, inputs.known, -1)  # 0 is what all unknown words have in common
        return torch.cat([rows, rows.new_full((1,), -1)])[inputs.words]

    def input_layer(
        self,
        size: int | None,
        *,
        characters_for: CharactersFor = "unknown",
        characters: tuple[int, int] = (32, 32),
        cell: str = "lstm",
        **options: Any,  # noqa: ARG002  those of other inputs
    ) -> WordInputLayer:
        if (width := self.vector_size) is not None:
            if size not in (None, width):
                raise UsageError(
                    f"embedding: the vectors have {width} numbers each; leave it out or set {width}, got {size}"
                )
            size = width
        layer = WordInputLayer(
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
            layer.words.set_vectors(*self._vectors)
        return layer

    def validate(self, sequence: Any) -> Words:
        words = sequence
        if isinstance(sequence, Iterable) and not isinstance(sequence, str | bytes):
            with suppress(TypeError):  # an array or a tensor of no dimension, which `check` refuses
                words = list(sequence)
        self.check(words)
        return words

    def parse(self, line: str) -> str:
        self.check(line)
        return line

    def check(self, sequence: Any) -> None:
        for text in sequence if isinstance(sequence, list) else [sequence]:
            if not isinstance(text, str):
                raise DataError(f"expected a text, or a list of words; got {abbreviate(text, 40)}")
            normal_form(text)

    def elements(self, sequence: Words) -> list[SpeltText]:
        return [self.encode([word]) for word in self.vocabulary.tokenize(sequence)]

    def is_element(self, element: Any) -> bool:
        return isinstance(element, SpeltText)

    def prefixes(self, sequence: Words) -> Iterator[SpeltText]:
        whole = self.encode(sequence)
        # Distinct words are numbered as they come, so those of a prefix are the first ones.
        for count, distinct in enumerate(np.maximum.accumulate(whole.places + 1), 1):
            parts = (whole.ids[:distinct], whole.counts[:distinct], whole.spellings[:distinct])
            yield SpeltText(whole.places[:count], *parts)

    def prefixes_json(self, sequence: Words) -> Iterator[dict[str, Any]]:
        words = self.vocabulary.tokenize(sequence)
        if not isinstance(sequence, str):
            yield from ({"text": words[:count]} for count in range(1, len(words) + 1))
            return
        text, ends = self.text_and_ends(sequence)
        yield from ({"text": text[:end]} for end in ends)

    def text_and_ends(self, sequence: Words) -> tuple[str, list[int]]:
        words, ends, end = self.vocabulary.tokenize(sequence), list[int](), 0
        text = normalise(sequence) if isinstance(sequence, str) else " ".join(words)
        for word in words:
            end = text.index(word, end) + len(word)
            ends.append(end)
        return text[:end], ends

    def step_names(self, sequence: Words) -> list[str]:
        return self.vocabulary.tokenize(sequence)

    def to_json(self, sequence: Words) -> Words:
        return sequence

    def dedup_key(self, sequence: Words) -> bytes:
        return (sequence if isinstance(sequence, str) else "\0".join(sequence)).encode()

    def save(self, folder: Path) -> list[str]:
        return [self.vocabulary.save(folder).name]


class WordInputLayer(InputLayer):
    """A batch of words → vectors (T, B, E)."""

    def __init__(self, words: WordEncoder) -> None:
        super().__init__()
        self.words, self.size = words, words.size

    @property
    def table(self) -> nn.Embedding:
        return self.words.words

    def blank(self) -> Tensor:
        unknown = self.words.words.weight[0]  # which training has put in the place of known words now and then
        return torch.cat([unknown, unknown.new_zeros(self.size - len(unknown))])  # without any letters

    def forward(self, inputs: WordBatch) -> Tensor:
        return self.words(inputs)

"""Text by characters, bytes or BPE: each unit has an id, and each id a vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.errors import DataError
from recurra.tasks.sequence.preprocessing.base import Encoder, Input
from recurra.text import Vocabulary, build_vocabulary, load_vocabulary, normalise


class UnitInput(Input[np.ndarray]):
    """Text as ids of a vocabulary.

    >>> text = UnitInput.build(["to be or not to be"], "char")
    >>> text.collate([text.encode("to"), text.encode("be or")]).shape
    torch.Size([5, 2])
    >>> [shown["text"] for shown in text.shown_after_each("to be")]
    ['t', 'to', 'to ', 'to b', 'to be']
    """

    kind = "text"

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    @classmethod
    def build(cls, texts: Sequence[str], unit: str, *, max_size: int | None = None) -> UnitInput:
        """Make it from the training texts."""
        return cls(build_vocabulary(list(texts), unit=unit, max_size=max_size))

    @classmethod
    def load(cls, folder: Path) -> UnitInput:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        return cls(load_vocabulary(folder))

    def encode(self, sequence: str) -> np.ndarray:
        return self.vocabulary.encode(sequence)

    def collate(self, encoded: Sequence[np.ndarray]) -> Tensor:
        steps = max((len(ids) for ids in encoded), default=0)
        padded = np.zeros((steps, len(encoded)), np.int64)
        for row, ids in enumerate(encoded):
            padded[: len(ids), row] = ids
        return torch.from_numpy(padded)

    def encoder(self, size: int | None, **options: Any) -> UnitEncoder:  # noqa: ARG002
        return UnitEncoder(self.vocabulary.size, size or 64)

    def read(self, sequence: Any) -> str:
        self.check(sequence)
        return sequence

    def parse(self, line: str) -> str:
        return self.read(line)

    def check(self, sequence: Any) -> None:
        if not isinstance(sequence, str):
            raise DataError(f"expected a text, got {sequence!r:.40}")
        normalise(sequence)

    def elements(self, sequence: str) -> list[np.ndarray]:
        ids = self.encode(sequence)
        return np.split(ids, np.flatnonzero(self.vocabulary.starts(ids))[1:]) if len(ids) else []

    def beginnings(self, sequence: str) -> Iterator[np.ndarray]:
        ids = self.encode(sequence)
        return (ids[:end] for end in np.cumsum([len(element) for element in self.elements(sequence)]))

    def shown_after_each(self, sequence: str) -> Iterator[dict[str, Any]]:
        elements, decoder, text = self.elements(sequence), self.vocabulary.decoder(), ""
        for number, element in enumerate(elements, 1):
            text += decoder.push_all(element.tolist()) + (decoder.flush() if number == len(elements) else "")
            yield {"text": text}

    def shown(self, sequence: str) -> str:
        return sequence

    def key(self, sequence: str) -> bytes:
        return sequence.encode()

    def save(self, folder: Path) -> list[str]:
        return [self.vocabulary.save(folder).name]


class UnitEncoder(Encoder):
    """ids (T, B) → vectors (T, B, E)."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(count, size)

    def forward(self, inputs: Tensor) -> Tensor:
        return cast(Tensor, self.embedding(inputs))

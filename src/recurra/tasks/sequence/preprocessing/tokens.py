"""Text by characters, bytes or BPE: each unit has an id, and each id a vector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.errors import DataError
from recurra.formatting import abbreviate
from recurra.tasks.base.config import SequenceData
from recurra.tasks.base.transfer import unit_names
from recurra.tasks.sequence.preprocessing.base import InputLayer, Preprocessor, register_preprocessor
from recurra.text import UNITS, Vocabulary, build_vocabulary, load_vocabulary
from recurra.text.vocabulary import VOCABULARIES
from recurra.text.vocabulary.base import normal_form


@register_preprocessor
class TokenPreprocessor(Preprocessor[np.ndarray]):
    """Text as ids of a vocabulary.

    >>> text = TokenPreprocessor.build(["to be or not to be"], "char")
    >>> text.collate([text.encode("to"), text.encode("be or")]).shape
    torch.Size([5, 2])
    >>> [shown["text"] for shown in text.prefixes_json("to be")]
    ['t', 'to', 'to ', 'to b', 'to be']
    """

    kind = "text"
    discrete = True

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    @classmethod
    def build(cls, texts: Sequence[str], unit: str, *, max_size: int | None = None) -> TokenPreprocessor:
        """Make it from the training texts."""
        return cls(build_vocabulary(list(texts), unit=unit, max_size=max_size))

    @classmethod
    def reads_unit(cls, unit: str) -> bool:
        return unit in UNITS and unit != "word"

    @classmethod
    def from_data(
        cls,
        sequences: Sequence[str],
        channels: Sequence[str],  # noqa: ARG003
        data: SequenceData,  # noqa: ARG003
        unit: str,
    ) -> TokenPreprocessor:
        return cls.build(sequences, unit)

    @classmethod
    def is_saved_in(cls, folder: Path, unit: str) -> bool:
        return unit != "word" and any((folder / kind.file).is_file() for kind in VOCABULARIES.values())

    @classmethod
    def load(cls, folder: Path) -> TokenPreprocessor:
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

    def unit_names(self) -> list[str]:
        return unit_names(self.vocabulary)

    def pieces(self, encoded: np.ndarray, steps: int) -> list[np.ndarray]:
        return [encoded[start : start + steps] for start in range(0, len(encoded), steps)]

    def unit_ids(self, inputs: Tensor) -> Tensor:
        return inputs

    def input_layer(self, size: int | None, **options: Any) -> TokenInputLayer:  # noqa: ARG002
        return TokenInputLayer(self.vocabulary.size, size or 64)

    def validate(self, sequence: Any) -> str:
        self.check(sequence)
        return sequence

    def parse(self, line: str) -> str:
        return self.validate(line)

    def check(self, sequence: Any) -> None:
        if not isinstance(sequence, str):
            raise DataError(f"expected a text, got {abbreviate(sequence, 40)}")
        normal_form(sequence)

    def elements(self, sequence: str) -> list[np.ndarray]:
        ids = self.encode(sequence)
        return np.split(ids, np.flatnonzero(self.vocabulary.unit_starts(ids))[1:]) if len(ids) else []

    def is_element(self, element: Any) -> bool:
        ids = isinstance(element, np.ndarray) and element.dtype.kind in "iu" and element.ndim == 1
        return ids and bool(((element >= 0) & (element < self.vocabulary.size)).all())

    def prefixes(self, sequence: str) -> Iterator[np.ndarray]:
        ids = self.encode(sequence)
        return (ids[:end] for end in np.cumsum([len(element) for element in self.elements(sequence)]))

    def prefixes_json(self, sequence: str) -> Iterator[dict[str, Any]]:
        text, ends = self.text_and_ends(sequence)
        return ({"text": text[:end]} for end in ends)

    def text_and_ends(self, sequence: str) -> tuple[str, list[int]]:
        elements, decoder = self.elements(sequence), self.vocabulary.decoder()
        pieces = [decoder.push_all(element.tolist()) for element in elements]
        if pieces:
            pieces[-1] += decoder.flush()
        return "".join(pieces), list(accumulate(map(len, pieces)))

    def step_names(self, sequence: str) -> list[str]:
        return [self.vocabulary.label(id) for id in self.encode(sequence).tolist()]

    def to_json(self, sequence: str) -> str:
        return sequence

    def dedup_key(self, sequence: str) -> bytes:
        return sequence.encode()

    def save(self, folder: Path) -> list[str]:
        return [self.vocabulary.save(folder).name]


class TokenInputLayer(InputLayer):
    """ids (T, B) → vectors (T, B, E)."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(count, size)

    @property
    def table(self) -> nn.Embedding:
        return self.embedding

    def blank(self) -> Tensor:
        return self.embedding.weight.mean(0)

    def forward(self, inputs: Tensor) -> Tensor:
        return cast(Tensor, self.embedding(inputs))

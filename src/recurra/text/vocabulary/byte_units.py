"""Units that are bytes: 256 of them, for any text in any script, at the price of longer sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from recurra.text.vocabulary.base import FIRST_BYTE, VERSION, PieceVocabulary, expect_keys

_BLOCK_CHARACTERS = 1 << 20


class ByteVocabulary(PieceVocabulary):
    """The bytes of UTF-8: id 2 + b is the byte b.

    >>> vocabulary = ByteVocabulary()
    >>> vocabulary.encode("é").tolist(), vocabulary.decode([2 + 0xC3, 2 + 0xA9])
    ([197, 171], 'é')
    """

    unit = "byte"

    def __init__(self) -> None:
        self.size = FIRST_BYTE + 256
        self.line_break_id = FIRST_BYTE + 0x0A
        self._pieces = [b""] * FIRST_BYTE + [bytes([byte]) for byte in range(256)]

    @classmethod
    def build(cls, texts: Sequence[str]) -> Self:  # noqa: ARG003 the bytes are the same for all texts
        return cls()

    def _encode(self, text: str) -> Iterator[npt.NDArray[np.int32]]:
        for start in range(0, len(text), _BLOCK_CHARACTERS):
            block = text[start : start + _BLOCK_CHARACTERS].encode("utf-8")
            yield np.frombuffer(block, dtype=np.uint8).astype(np.int32) + FIRST_BYTE

    def decode(self, ids: npt.ArrayLike) -> str:
        array = self.check_ids(ids)
        return (array[array >= FIRST_BYTE] - FIRST_BYTE).astype(np.uint8).tobytes().decode("utf-8", "replace")

    def to_json(self) -> dict[str, Any]:
        return {"unit": self.unit, "version": VERSION}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        expect_keys(document, set())
        return cls()

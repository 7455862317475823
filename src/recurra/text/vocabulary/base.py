"""What every vocabulary promises, and what those whose ids stand for bytes share."""

from __future__ import annotations

import codecs
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from recurra.documents import read_json
from recurra.errors import DataError, RunError, UsageError
from recurra.formatting import abbreviate
from recurra.text.normal import nfc

BOS_ID, EOS_ID = 0, 1
MARKS = ("<begin>", "<end>")
FIRST_BYTE = len(MARKS)
VERSION = 1

_SURROGATE = re.compile("[\ud800-\udfff]")


class Decoder(ABC):
    """Turns ids into text one at a time; what the pushes and the flush return, joined, is what `decode` returns."""

    @abstractmethod
    def push(self, id: int) -> str:
        """Take the next id and return the text that is now certain, which may be none."""

    def push_all(self, ids: Sequence[int]) -> str:
        """Take the next ids and return the text that is now certain: what pushing each of them gives, joined."""
        return "".join(map(self.push, ids))

    @abstractmethod
    def flush(self) -> str:
        """Return what is still held back, and start afresh."""


class Vocabulary(ABC):
    """The units of a text and their numbers: 0 is the mark <begin>, 1 the mark <end>, the rest are the units.

    The marks are never written in a text: one that contains the characters "<end>" has those characters, or that word.
    """

    unit: ClassVar[str]
    file: ClassVar[str] = "vocabulary.json"
    unknown_id: ClassVar[int | None] = None
    """The id of whatever the vocabulary does not have, where it has such an id: what stood there is then lost."""
    settings: ClassVar[frozenset[str]] = frozenset()
    """What `build` takes besides the texts."""

    bos_id: int = BOS_ID
    eos_id: int = EOS_ID
    size: int
    line_break_id: int | None

    @classmethod
    @abstractmethod
    def build(cls, texts: Sequence[str]) -> Self:
        """Make the vocabulary of some texts; the subclasses take settings."""

    @abstractmethod
    def _encode(self, text: str) -> Iterator[npt.NDArray[np.int32]]:
        """Give the ids of a text in normal form, part by part, so that no more than a part is held twice."""

    @abstractmethod
    def label(self, id: int) -> str:
        """Return how one id is shown to a person."""

    @abstractmethod
    def decoder(self) -> Decoder:
        """Return a decoder that takes one id at a time."""

    def decoder_after(self, text: str) -> Decoder:  # noqa: ARG002  whole characters leave nothing open
        """Return a decoder that continues a text: `text` and what it returns, joined, are one text."""
        return self.decoder()

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return all that is saved, as JSON values."""

    @classmethod
    @abstractmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Make the vocabulary that `document` describes. Raises `RunError` when it is not well formed."""

    def encode(self, text: str, dtype: npt.DTypeLike = np.int32) -> npt.NDArray[Any]:
        """Return the ids of a text, int32 or of another type, without marks. The text is brought to Unicode's normal form C first.

        Raises `DataError` for a lone surrogate, which is half a character and cannot be written as UTF-8.
        """
        parts = self._encode(normal_form(text))
        first, second = next(parts, np.zeros(0, np.int32)), next(parts, None)
        if second is None:
            return first.astype(dtype, copy=False)
        # Joining the parts would need room for all of them twice. What is never written takes no memory.
        ids, count = np.empty(len(text), dtype), 0
        for part in chain((first, second), parts):
            if count + len(part) > len(ids):
                ids.resize(count + len(part) + len(ids) // 16, refcheck=False)
            ids[count : count + len(part)] = part
            count += len(part)
        ids.resize(count, refcheck=False)
        return ids

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest type that holds every id."""
        return np.min_scalar_type(self.size - 1)

    def decode(self, ids: npt.ArrayLike) -> str:
        """Return the text that some ids stand for. Marks give nothing; bytes that are not UTF-8 give U+FFFD.

        Raises `UsageError` for an id that is out of range.
        """
        decoder = self.decoder()
        return "".join([decoder.push(id) for id in self.check_ids(ids).tolist()]) + decoder.flush()

    def unit_starts(self, ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return where an id begins a new unit; here each does. A mark counts as a unit."""
        return np.ones(len(self.check_ids(ids)), dtype=np.bool_)

    def save(self, folder: Path, prefix: str = "") -> Path:
        """Write the vocabulary into a folder as canonical UTF-8 JSON and return the file's path, whose name begins with the prefix."""
        path = Path(folder) / f"{prefix}{self.file}"
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=0, sort_keys=True, allow_nan=False)
        path.write_bytes(text.encode("utf-8") + b"\n")
        return path

    def check_ids(self, ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return ids as an array (T,). Raises `UsageError` when they are not whole numbers from 0 to size − 1."""
        array = np.asarray(ids)
        if array.ndim != 1:
            raise UsageError(f"ids: expected a list of numbers, got an array of {array.ndim} dimensions")
        if array.size == 0:
            return np.zeros(0, dtype=np.int64)
        if array.dtype.kind not in "iu":
            raise UsageError(f"ids: expected whole numbers, got {array.dtype}")
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= self.size:
            raise UsageError(f"ids: expected 0 to {self.size - 1}, got {low if low < 0 else high}")
        return array.astype(np.int64, copy=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and type(self) is type(other) and self.to_json() == other.to_json()

    def __repr__(self) -> str:
        return f"<{self.unit} vocabulary of {self.size} ids>"


class ByteDecoder(Decoder):
    """Decodes ids that stand for bytes: a character is held back until its last byte has come."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, id: int) -> str:
        return self._utf8.decode(self._pieces[check_id(id, len(self._pieces))])

    def push_all(self, ids: Sequence[int]) -> str:
        for id in (min(ids), max(ids)) if ids else ():
            check_id(id, len(self._pieces))
        return self._utf8.decode(b"".join(map(self._pieces.__getitem__, ids)))

    def flush(self) -> str:
        rest = self._utf8.decode(b"", final=True)
        self._utf8.reset()
        return rest


class PieceVocabulary(Vocabulary):
    """A vocabulary in which each id stands for some bytes of UTF-8, and a text's ids for exactly its bytes."""

    _pieces: list[bytes]

    @property
    def pieces(self) -> Sequence[bytes]:
        """The bytes that each id stands for; a mark for none."""
        return self._pieces

    def decode(self, ids: npt.ArrayLike) -> str:
        return b"".join(map(self._pieces.__getitem__, self.check_ids(ids).tolist())).decode("utf-8", "replace")

    def decoder(self) -> Decoder:
        return ByteDecoder(self._pieces)

    def label(self, id: int) -> str:
        return MARKS[id] if check_id(id, self.size) < FIRST_BYTE else piece_label(self._pieces[id])


def piece_label(piece: bytes) -> str:
    """Return how bytes are shown: as text where they are whole characters, else each byte by its number.

    >>> piece_label("中".encode()), piece_label(bytes([0xE4, 0xB8]))
    ('中', '<0xE4><0xB8>')
    """
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in piece)


def check_id(id: int, size: int) -> int:
    """Return the id. Raises `UsageError` unless it is from 0 to size − 1."""
    if not 0 <= id < size:
        raise UsageError(f"id: expected 0 to {size - 1}, got {id}")
    return id


def normal_form(text: str) -> str:
    """Return a text in normal form C. Raises `DataError` for what is no text, and when it holds a lone surrogate."""
    if not isinstance(text, str):
        raise DataError(f"expected a text, got {abbreviate(text)}")
    if not text.isascii() and (found := _SURROGATE.search(text)):
        raise DataError(
            f"character {found.start()}: expected Unicode text, got the lone surrogate U+{ord(found.group()):04X}",
            hint="read the file as UTF-8, or replace it by U+FFFD",
        )
    return nfc(text)


def check_at_least(name: str, value: int, least: int, why: str = "") -> int:
    """Return a setting. Raises `UsageError` unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name}: expected a whole number of at least {least}{why}, got {value!r}")
    return value


def most_frequent(counts: Iterable[tuple[str, int]], min_count: int) -> list[str]:
    """Return the units that come at least `min_count` times, the most frequent first, ties by code points."""
    kept = [(unit, count) for unit, count in counts if count >= min_count]
    return [unit for unit, _ in sorted(kept, key=lambda pair: (-pair[1], pair[0]))]


def expect_keys(document: dict[str, Any], keys: set[str]) -> None:
    """Raise `RunError` unless a saved vocabulary has exactly these keys, and a version that is known."""
    if set(document) != keys | {"unit", "version"}:
        raise RunError(f"expected the keys {sorted(keys | {'unit', 'version'})}, got {sorted(document)}")
    if document["version"] != VERSION or isinstance(document["version"], bool):
        raise RunError(f"version: expected {VERSION}, got {document['version']!r}; read it with a newer Recurra")


def expect_units(value: object, name: str) -> list[str]:
    """Return a list of units. Raises `RunError` unless all are non-empty texts without surrogates, none twice."""
    if not isinstance(value, list):
        raise RunError(f"{name}: expected a list of texts, got {type(value).__name__}")
    seen: set[str] = set()
    for place, unit in enumerate(value):
        if not isinstance(unit, str) or not unit or _SURROGATE.search(unit):
            raise RunError(f"{name}[{place}]: expected a text that is not empty, got {abbreviate(unit, 60)}")
        if unit in seen:
            raise RunError(f"{name}[{place}]: {abbreviate(unit, 60)} is there twice")
        seen.add(unit)
    return value


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file. Raises `RunError`, with the file, when there is none, or when a key is there twice."""
    document = read_json(path, _without_doubles)
    if not isinstance(document, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(document).__name__}")
    return document


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is there twice")
    return document

"""Word vectors in the text formats of GloVe, fastText and word2vec: a word and its numbers on each line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from recurra.errors import DataError, UsageError, as_data_error, require
from recurra.text.normal import nfc
from recurra.text.read.unpack import ARCHIVES, layers

_ANY_CASE, _LOWER, _EXACT = 1, 2, 3
_MAX_LINE_BYTES = 1 << 20
_MAX_HEADER_DIGITS = 18
_HEADER = re.compile(rb"\s*([0-9]+)\s+([0-9]+)\s*")


def read_vectors(
    path: Path | str, words: Mapping[str, int] | Sequence[str]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Read the vectors of some words: matrix (N, D) float32, zeros where there is none, and found (N).

    words: in the order of the rows, or each with its row; N is one more than the last row.
    The file may be compressed (.gz, .xz, .bz2, .zst) and have word2vec's first line "COUNT D"; it is read once, line by line,
    so that memory holds the wanted words alone. Of a word that is there twice the first counts. A word takes the vector of
    itself, else of itself in lower case, else of the first that is the same without regard to case; all in normal form C.

    Raises `DataError` with file and line for a line of another size than the first, for what is no finite number, and for a
    file that is missing, empty, binary or cut off.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "tiny.txt")
    ...     _ = path.write_text("the 0.5 1\\nPeking 2 -3\\n", encoding="utf-8")
    ...     matrix, found = read_vectors(path, ["The", "peking", "cat"])
    >>> matrix.tolist(), found.tolist()
    ([[0.5, 1.0], [2.0, -3.0], [0.0, 0.0]], [True, True, False])
    """
    rows = dict(words) if isinstance(words, Mapping) else {word: row for row, word in enumerate(words)}
    if any(row < 0 for row in rows.values()):
        raise UsageError("words: expected rows from 0, got one below")
    wanted = _WantedVectors(rows)
    with _open(Path(path)) as file:
        lines = _lines(file, path)
        number, line = next(lines, (0, b""))
        if not number:
            raise DataError("expected word vectors, got an empty file", source=path)
        stated, size = _header(line, path)
        if stated is None:
            size = _vector_size(line, path)
            wanted.add(line, size, path, number)
        count = 0 if stated is not None else 1
        for number, line in lines:
            wanted.add(line, size, path, number)
            count += 1
    if stated is not None and count < stated:
        raise DataError(
            f"expected {stated} vectors, as its first line says, got {count}: the file is cut off",
            source=path,
            hint="copy or download it again",
        )
    return wanted.matrix(size)


class _WantedVectors:
    """The vectors of wanted words, as far as they were found."""

    def __init__(self, rows: Mapping[str, int]) -> None:
        self._count = max(rows.values(), default=-1) + 1
        # For each spelling of a file the rows that would take its vector, and how well it would suit them.
        self._exact: dict[str, list[int]] = {}
        self._lower: dict[str, list[int]] = {}
        self._any_case: dict[str, list[int]] = {}
        for word, row in rows.items():
            word = nfc(word)
            self._exact.setdefault(word, []).append(row)
            self._lower.setdefault(word.lower(), []).append(row)
            self._any_case.setdefault(word.casefold(), []).append(row)
        self._found: dict[int, tuple[int, npt.NDArray[np.float32]]] = {}

    def add(self, line: bytes, size: int, path: Path | str, number: int) -> None:
        """Take a line's vector where it is wanted. Raises `DataError` where the line has not `size` numbers."""
        if (
            line.count(b" ") == size
        ):  # nearly all lines; most of them are of no wanted word, and are looked at no further
            start = line.index(b" ")
        else:
            start = _vector_start(line, size)
            if start < 0:
                got = line.count(b" ")
                raise DataError(f"expected a word and {size} numbers, got {got}", source=path, line=number)
        word = nfc(line[:start].decode("utf-8", "replace"))
        vector: npt.NDArray[np.float32] | None = None
        for match, table, spelling in (
            (_EXACT, self._exact, word),
            (_LOWER, self._lower, word),
            (_ANY_CASE, self._any_case, word.casefold()),
        ):
            for row in table.get(spelling, ()):
                if row not in self._found or self._found[row][0] < match:
                    vector = _numbers(line[start + 1 :].split(b" "), path, number) if vector is None else vector
                    self._found[row] = match, vector

    def matrix(self, size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        matrix, found = np.zeros((self._count, size), dtype=np.float32), np.zeros(self._count, dtype=np.bool_)
        for row, (_, vector) in self._found.items():
            matrix[row], found[row] = vector, True
        return matrix, found


def _header(line: bytes, path: Path | str) -> tuple[int | None, int]:
    """Read word2vec's first line, the count and size of the vectors; (None, 0) where it is a word's."""
    found = _HEADER.fullmatch(line)
    if not found or not found[2].strip(b"0"):
        return None, 0
    if max(map(len, found.groups())) > _MAX_HEADER_DIGITS or int(found[2]) > _MAX_LINE_BYTES // 2:
        shown = line[:40].decode("utf-8", "replace")
        problem = f"expected vectors of at most {_MAX_LINE_BYTES // 2:,} numbers, got a first line that says {shown!r}"
        raise DataError(problem, source=path, line=1)
    return int(found[1]), int(found[2])


def _vector_size(line: bytes, path: Path | str) -> int:
    """Count the numbers of the first line, whose word may have spaces in it."""
    parts = line.split(b" ")
    size = 0
    while size < len(parts) - 1 and _all_numbers(parts[-size - 1 : len(parts) - size]):
        size += 1
    if not size:
        shown = line[:40].decode("utf-8", "replace")
        raise DataError(
            f"expected a word and its numbers, divided by spaces, got {shown!r}",
            source=path,
            line=1,
            hint="save the vectors in word2vec's text format, not the binary one",
        )
    return size


def _vector_start(line: bytes, size: int) -> int:
    """Find where the numbers of a line begin whose word has spaces in it; −1 where that is no word but more numbers, or less."""
    parts = line.rsplit(b" ", size)
    if len(parts) != size + 1 or (b" " in parts[0] and _all_numbers(parts[0].split(b" ")[1:])):
        return -1
    return len(parts[0])


def _numbers(parts: Sequence[bytes], path: Path | str, number: int) -> npt.NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):  # what is beyond float32 is refused below
            vector = np.array([float(part) for part in parts], dtype=np.float32)
    except ValueError:
        wrong = next(part for part in parts if not _all_numbers([part]))
        shown = wrong.decode("utf-8", "replace")
        raise DataError(
            f"expected {len(parts)} numbers after the word, got {shown!r}", source=path, line=number
        ) from None
    if not np.isfinite(vector).all():
        raise DataError("expected finite numbers, got others", source=path, line=number)
    return vector


def _all_numbers(parts: Sequence[bytes]) -> bool:
    try:
        for part in parts:
            float(part)
    except ValueError:
        return False
    return True


def _lines(file: BinaryIO, path: Path | str) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not empty with its number, from 1, tabs turned into spaces and none at its end."""
    number = 0
    while True:
        with as_data_error(
            "the compressed data is cut off or damaged", source=path, line=number + 1, hint="copy it again"
        ):
            line = file.readline(_MAX_LINE_BYTES)
        number += 1
        if not line:
            return
        if len(line) == _MAX_LINE_BYTES and not line.endswith(b"\n"):
            raise DataError("expected lines of a word and its numbers, got one of over a million bytes", source=path)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line := line.rstrip(b" \t\r\n").replace(b"\t", b" "):
            yield number, line


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked as it is read."""
    suffix, *compressions = layers(path.name)
    if suffix in ARCHIVES or len(compressions) > 1:
        raise DataError(
            "is an archive, of which this reads none", source=path, hint="unpack it and name the file inside"
        )
    try:
        raw = path.open("rb")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", source=path) from None
    with raw:
        compression = compressions[0] if compressions else ""
        if compression == ".gz":
            with gzip.GzipFile(fileobj=raw) as file:
                yield cast("BinaryIO", file)
        elif compression == ".xz":
            with lzma.LZMAFile(raw) as file:
                yield cast("BinaryIO", file)
        elif compression == ".bz2":
            with bz2.BZ2File(raw) as file:
                yield cast("BinaryIO", file)
        elif compression == ".zst":
            yield cast("BinaryIO", io.BufferedReader(_Zstandard(raw), 1 << 20))
        else:
            yield cast("BinaryIO", raw)


class _Zstandard(io.RawIOBase):
    """Unfolds as it is read, and says where the data ends too early, which the library's own stream does not."""

    def __init__(self, raw: BinaryIO) -> None:
        self._make = require("zstandard", "data", "a .zst file").ZstdDecompressor().decompressobj
        self._raw, self._decoder, self._ready, self._rest = raw, self._make(), b"", b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            piece = self._rest or self._raw.read(1 << 12)
            if not piece:
                if not self._decoder.eof:
                    raise EOFError("it ends before its end mark")
                return 0
            if self._decoder.eof:  # one frame may follow another
                self._decoder = self._make()
            self._ready = self._decoder.decompress(piece)
            self._rest = self._decoder.unused_data if self._decoder.eof else b""
        view = memoryview(buffer)
        chunk, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(chunk)] = chunk
        return len(chunk)

"""MAT-file level 5, what MATLAB's `save -v6` and `-v7` write: numbers, truth values, texts and cells of them, every length checked.

Source: MathWorks, "MAT-File Format" (R2024a), chapter 1. No library's reader is used: a file of 486 bytes could crash one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal, NoReturn

import numpy as np

from recurra.errors import DataError
from recurra.series.base import empty_dimension_problem
from recurra.text import Allowance, Source

MAX_CELL_DEPTH = 16
"""Cells within cells, and no deeper."""

_HEADER_BYTES = 128
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MAX_DIMENSIONS = 32
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_UINT32, _INT32, _INT8, _MATRIX, _COMPRESSED = 6, 5, 1, 14, 15
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CELL, _CHAR, _FIRST_NUMERIC, _LAST_NUMERIC, _OPAQUE = 1, 4, 6, 15, 17
_OTHER_CLASSES = {2: "a struct", 3: "an object", 5: "sparse", 16: "a function", _OPAQUE: "an object"}
_COMPLEX_FLAG, _LOGICAL_FLAG = 0x0800, 0x0200


@dataclass(frozen=True)
class Unread:
    """An array of a kind that is not read: a struct, say; what: which kind."""

    what: str


MatValue = np.ndarray | str | Unread
"""Numbers, truth values, or objects that are MatValues again (a cell array), by dimensions; a text; or what is not read."""

_EMPTY = np.empty((0, 0))


def read_mat5(source: Source) -> dict[str, MatValue]:
    """Read the variables of a MAT-file of level 5, in either byte order; compressed ones unfold to no more than is allowed.

    Numbers keep the type that they are stored in. Raises `DataError`, with the byte, for a file that is damaged or cut off, of
    another level, nested deeper than `MAX_CELL_DEPTH`, or unfolds to more than is allowed (`Allowance`).
    """
    data = source.data
    _check_level(source)
    order: Literal["<", ">"] = "<" if data[126:128] == b"IM" else ">"
    allowance = Allowance()
    file = _Elements(memoryview(data), order, source.name)
    values: dict[str, MatValue] = {}
    at = _HEADER_BYTES
    while at < len(data):
        kind, content, after = file.element(at)
        if kind == _COMPRESSED:
            unfolded = _inflate(content, allowance, source.name, at)
            inner = _Elements(memoryview(unfolded), order, source.name, compressed_at=at)
            kind, content, _ = inner.element(0)
            named = inner.variable(kind, content, 0)
        else:
            named = file.variable(kind, content, at)
        if named is not None:
            values[named[0]] = named[1]
        at = after
    return values


def _check_level(source: Source) -> None:
    """Raise `DataError` for what is no MAT-file of level 5."""
    data = source.data
    version = {b"IM": data[125:126], b"MI": data[124:125]}.get(data[126:128])
    if data.startswith(_HDF5) or data[512:520] == _HDF5 or version == b"\x02":
        problem = "is a MATLAB 7.3 file, which is HDF5"
        raise DataError(problem, source=source.name, hint="save it in MATLAB with -v7: save('new.mat', '-v7')")
    if version == b"\x01":
        return
    if b"\0" in data[:4]:  # which are text in level 5, and a small number in level 4
        problem = "is a MATLAB 4 file, or none: it has no header of level 5"
        raise DataError(problem, source=source.name, hint="save it in MATLAB with -v7: save('new.mat', '-v7')")
    raise DataError("is damaged, or no MATLAB file: it has no header of level 5", source=source.name)


def _inflate(content: memoryview, allowance: Allowance, name: str, at: int) -> bytes:
    decoder = zlib.decompressobj()
    try:
        unfolded = decoder.decompress(content, allowance.remaining + 1)
    except zlib.error as error:
        raise DataError(
            f"is damaged: the compressed variable here cannot be unfolded ({error})", source=name, byte=at
        ) from None
    allowance.spend(len(unfolded), name)
    if not decoder.eof:
        raise DataError("is damaged: the compressed variable here is cut off", source=name, byte=at)
    return unfolded


class _Elements:
    """The data elements in some bytes: a tag with type and length, the content, and bytes up to a multiple of eight."""

    def __init__(self, data: memoryview, order: str, name: str, compressed_at: int | None = None) -> None:
        self._data, self._order, self._name, self._compressed_at = data, order, name, compressed_at
        self._byteorder: Literal["little", "big"] = "little" if order == "<" else "big"

    def fail(self, problem: str, at: int) -> NoReturn:
        """Raise `DataError` for what is wrong at a byte."""
        inside = "" if self._compressed_at is None else f", at byte {at} of the compressed variable here"
        byte = at if self._compressed_at is None else self._compressed_at
        raise DataError(f"is damaged: {problem}{inside}", source=self._name, byte=byte, hint="save or copy it again")

    def element(self, at: int, end: int | None = None) -> tuple[int, memoryview, int]:
        """Give the type and the content of the element at a byte, and where the next one begins."""
        end = len(self._data) if end is None else end
        if end - at < 8:
            self.fail("it ends within an element", at)
        first = self._uint(at)
        if first >> 16:  # up to four bytes stand in the tag
            if first >> 16 > 4 or first & 0xFFFF in (_MATRIX, _COMPRESSED):
                self.fail(f"an element of the type {first & 0xFFFF} states {first >> 16} bytes within its tag", at)
            return first & 0xFFFF, self._data[at + 4 : at + 4 + (first >> 16)], at + 8
        count, start = self._uint(at + 4), at + 8
        if count > end - start:
            self.fail(f"an element states {count} bytes, of which {end - start} are there", at)
        padding = 0 if first == _COMPRESSED else -count % 8
        return first, self._data[start : start + count], min(end, start + count + padding)

    def variable(self, kind: int, content: memoryview, at: int) -> tuple[str, MatValue] | None:
        """Read the variable that an element of the file is; None where it has no name: MATLAB's own notes."""
        if kind != _MATRIX:
            self.fail(f"expected a variable, got an element of the type {kind}", at)
        if not content:
            return None
        name, value = self._matrix(at + 8, at + 8 + len(content), 0)
        return (name, value) if name else None

    def _uint(self, at: int) -> int:
        return int.from_bytes(self._data[at : at + 4], self._byteorder)

    def _matrix(self, at: int, end: int, depth: int) -> tuple[str, MatValue]:
        """Read an array between two bytes: its flags, dimensions, name and content."""
        kind, flags, after = self.element(at, end)
        if kind != _UINT32 or len(flags) != 8:
            self.fail(f"expected the flags of an array, got {len(flags)} bytes of the type {kind}", at)
        word = self._uint(at + 8)
        array_class, dimensions = word & 0xFF, ()
        if array_class != _OPAQUE:
            dimensions, after = self._dimensions(after, end)
        kind, name, after = self.element(after, end)
        if kind not in _TEXTS:
            self.fail(f"expected the name of an array, got an element of the type {kind}", after)
        named = bytes(name).rstrip(b"\0").decode("utf-8", "replace")
        return named, self._content(word, dimensions, after, end, depth)

    def _dimensions(self, at: int, end: int) -> tuple[tuple[int, ...], int]:
        kind, content, after = self.element(at, end)
        if kind not in (_INT32, _UINT32) or len(content) % 4 or not 8 <= len(content) <= 4 * _MAX_DIMENSIONS:
            self.fail(f"expected 2 to {_MAX_DIMENSIONS} dimensions, got {len(content)} bytes of the type {kind}", at)
        found = tuple(np.frombuffer(content, f"{self._order}i4").tolist())
        if min(found) < 0:
            self.fail(f"a dimension is {min(found)}", at)
        if problem := empty_dimension_problem(found):
            self.fail(problem, at)
        return found, after

    def _content(self, word: int, dimensions: tuple[int, ...], at: int, end: int, depth: int) -> MatValue:
        array_class = word & 0xFF
        if array_class == _CELL:
            return self._cells(dimensions, at, end, depth)
        if array_class == _CHAR:
            return self._text(dimensions, at, end)
        if _FIRST_NUMERIC <= array_class <= _LAST_NUMERIC:
            return Unread("complex") if word & _COMPLEX_FLAG else self._numbers(word, dimensions, at, end)
        if array_class not in _OTHER_CLASSES:
            self.fail(f"an array is of the class {array_class}, which there is not", at)
        return Unread(_OTHER_CLASSES[array_class])

    def _numbers(self, word: int, dimensions: tuple[int, ...], at: int, end: int) -> np.ndarray:
        kind, content, _ = self.element(at, end)
        if kind not in _NUMBERS:
            self.fail(f"expected numbers, got an element of the type {kind}", at)
        dtype = np.dtype(self._order + _NUMBERS[kind])
        if prod(dimensions) * dtype.itemsize != len(content):
            sizes = " x ".join(map(str, dimensions))
            self.fail(f"expected {sizes} numbers of {dtype.itemsize} bytes, got {len(content)} bytes", at)
        values = np.frombuffer(content, dtype).reshape(dimensions, order="F")
        return values != 0 if word & _LOGICAL_FLAG else values

    def _text(self, dimensions: tuple[int, ...], at: int, end: int) -> MatValue:
        if not prod(dimensions):
            return ""
        kind, content, _ = self.element(at, end)
        if kind not in _TEXTS:
            self.fail(f"expected characters, got an element of the type {kind}", at)
        if len(dimensions) > 2 or dimensions[0] != 1:
            return Unread("an array of several texts")
        encoding = _TEXTS[kind]
        if encoding in ("utf-16", "utf-32"):
            encoding += "-le" if self._order == "<" else "-be"
        try:
            return bytes(content).decode(encoding)
        except UnicodeDecodeError as error:
            self.fail(f"a text is no {encoding.upper()} ({error.reason})", at)

    def _cells(self, dimensions: tuple[int, ...], at: int, end: int, depth: int) -> MatValue:
        if depth == MAX_CELL_DEPTH:
            problem = f"has cells within cells, more than {MAX_CELL_DEPTH} deep"
            raise DataError(problem, source=self._name, hint="save the cell array with the series alone")
        count = prod(dimensions)
        if count > (end - at) // 8:  # a tag each
            self.fail(f"{count} cells are stated in {end - at} bytes", at)
        cells = np.empty(count, object)
        for number, (start, stop) in enumerate(self._matrices(count, at, end)):
            cells[number] = self._matrix(start, stop, depth + 1)[1] if stop > start else _EMPTY
        return cells.reshape(dimensions, order="F")

    def _matrices(self, count: int, at: int, end: int) -> Iterator[tuple[int, int]]:
        """Give where the content of each of so many arrays begins and ends."""
        for _ in range(count):
            kind, content, after = self.element(at, end)
            if kind != _MATRIX:
                self.fail(f"expected a cell, got an element of the type {kind}", at)
            yield at + 8, at + 8 + len(content)
            at = after

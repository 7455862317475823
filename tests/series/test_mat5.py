"""MAT-files of level 5: against SciPy's writer and reader, in both byte orders, and damaged in ways that crash SciPy's reader."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.data.labelled.reader import read_labelled
from recurra.errors import DataError
from recurra.series.mat5 import MAX_CELL_DEPTH, Unread, read_mat5
from recurra.text import Source

NUMBER_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASS_OF = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13, "i8": 14, "u8": 15}
DAMAGED_FILES = 3000


@pytest.fixture(scope="module")
def scipy() -> Any:
    return pytest.importorskip("scipy.io", reason="SciPy writes and reads MATLAB files")


def cells(*values: Any) -> np.ndarray:
    array = np.empty((1, len(values)), object)
    for at, value in enumerate(values):
        array[0, at] = value
    return array


def saved(scipy: Any, compressed: bool = False, **content: Any) -> bytes:
    stream = io.BytesIO()
    scipy.savemat(stream, content, do_compression=compressed)
    return stream.getvalue()


def read(data: bytes) -> dict[str, Any]:
    return read_mat5(Source("a.mat", "mat", data, False))


class Writer:
    """Writes elements as MATLAB does, in either byte order; SciPy writes the machine's own alone."""

    def __init__(self, order: str) -> None:
        self.order = order

    def file(self, *elements: bytes) -> bytes:
        mark = b"\x00\x01IM" if self.order == "<" else b"\x01\x00MI"
        return b"MATLAB 5.0 MAT-file".ljust(124) + mark + b"".join(elements)

    def element(self, kind: int, content: bytes) -> bytes:
        padding = b"" if kind == 15 else bytes(-len(content) % 8)
        return struct.pack(self.order + "II", kind, len(content)) + content + padding

    def small(self, kind: int, content: bytes) -> bytes:
        return struct.pack(self.order + "I", len(content) << 16 | kind) + content.ljust(4, b"\0")

    def matrix(self, array_class: int, dimensions: tuple[int, ...], name: str, content: bytes, flags: int = 0) -> bytes:
        sizes = struct.pack(f"{self.order}{len(dimensions)}i", *dimensions)
        head = self.element(6, struct.pack(self.order + "II", array_class | flags, 0)) + self.element(5, sizes)
        named = self.small(1, name.encode()) if len(name) <= 4 else self.element(1, name.encode())
        return self.element(14, head + named + content)

    def numbers(self, values: Any, kind: str, name: str = "", flags: int = 0) -> bytes:
        array = np.asarray(values, self.order + kind)
        stored = next(code for code, known in NUMBER_TYPES.items() if known == kind)
        return self.matrix(CLASS_OF[kind], array.shape, name, self.element(stored, array.tobytes("F")), flags)

    def text(self, word: str, name: str = "") -> bytes:
        encoded = word.encode("utf-16-le" if self.order == "<" else "utf-16-be")
        return self.matrix(4, (1, len(word)), name, self.element(17, encoded))


WRITER = Writer("<")


def as_ours(value: Any) -> Any:
    """Bring what SciPy reads into the form of ours: a text is a string, and cells hold such."""
    if value.dtype.kind == "U":
        return str(value.item()) if value.size else ""
    if value.dtype == object:
        flat = [as_ours(one) for one in value.ravel()]
        return (value.shape, flat)
    return value


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, str):
        assert ours == theirs
    elif isinstance(theirs, tuple):
        assert ours.shape == theirs[0] and ours.dtype == object
        for one, other in zip(ours.ravel(), theirs[1], strict=True):
            assert_same(one, other)
    else:
        np.testing.assert_array_equal(ours, theirs)
        assert ours.shape == theirs.shape


CONTENTS: dict[str, dict[str, Any]] = {
    **{f"numbers {kind}": {"x": np.arange(6).reshape(2, 3).astype(kind)} for kind in CLASS_OF},
    "three axes": {"x": np.arange(24.0).reshape(2, 3, 4)},
    "truth": {"x": np.array([[True, False, True]])},
    "text": {"x": "a wörd, 很快", "empty": ""},
    "cells": {"x": cells(np.arange(6.0).reshape(2, 3), "word", np.zeros((0, 0)), cells("a", np.ones((1, 1))))},
    "a cell": {"long_name_of_it": np.array([[cells("b")[0, 0]], ["c"]], object)},
    "several": {"x": cells(np.ones((2, 2))), "y": np.array([[1, 2]]), "z": np.nan},
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", CONTENTS)
def test_it_reads_what_scipy_writes_as_scipy_does(scipy: Any, name: str, compressed: bool) -> None:
    data = saved(scipy, compressed, **CONTENTS[name])
    ours, theirs = read(data), scipy.loadmat(io.BytesIO(data))
    assert list(ours) == [key for key in theirs if not key.startswith("__")]
    for key, value in ours.items():
        assert_same(value, as_ours(theirs[key]))


@pytest.mark.parametrize("order", ["<", ">"])
def test_it_reads_both_byte_orders_as_scipy_does(scipy: Any, order: str) -> None:
    writer = Writer(order)
    elements = [
        writer.numbers([[1, -2, 3], [4, 5, 6]], kind, f"of_{kind}") for kind in ("i1", "i2", "i4", "i8", "f4", "f8")
    ]
    inner = writer.numbers([[1.5, 2.5]], "f8") + writer.text("wörd")
    elements += [writer.matrix(1, (1, 2), "cell", inner), writer.numbers([[1, 0]], "u1", "true", flags=0x200)]
    elements.append(writer.element(15, zlib.compress(writer.numbers([[7, 8]], "u2", "z"))))
    data = writer.file(*elements)
    ours, theirs = read(data), scipy.loadmat(io.BytesIO(data))
    for key in ("of_i1", "of_i2", "of_i4", "of_i8", "of_f4", "of_f8", "z"):
        np.testing.assert_array_equal(ours[key], theirs[key])
    np.testing.assert_array_equal(ours["true"], [[True, False]])
    assert ours["true"].dtype == bool
    assert_same(ours["cell"], as_ours(theirs["cell"]))


def test_a_number_that_crashes_scipy_is_an_error_here(scipy: Any) -> None:
    """Each of these files, with one number changed, ends a process that lets SciPy 1.17 read it (SIGSEGV)."""
    good = saved(scipy, x=cells(np.arange(4.0).reshape(2, 2), np.arange(2.0).reshape(2, 1)))
    for at, numbers in {144: (4, 5, 14, 15), 192: (5,), 220: (1, 4, 5), 224: (0, 14, 15), 312: (0, 14, 15)}.items():
        for number in numbers:
            data = bytearray(good)
            data[at : at + 4] = number.to_bytes(4, "little")
            with pytest.raises(DataError, match=r"^a\.mat: "):
                list(read_all(bytes(data)))


def read_all(data: bytes) -> list[Any]:
    from recurra.series import read_mat

    return list(read_mat(Source("a.mat", "mat", data, False)))


def test_damaged_files_give_a_result_or_an_error(scipy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_UNPACK_LIMIT", "1M")
    content = {
        "x": cells(np.arange(4.0).reshape(2, 2), np.ones((2, 1))),
        "y": np.array([[1, 2]]),
        "key": cells("a", "b"),
    }
    plain = saved(scipy, **content)
    start = 128
    rng, failed = np.random.default_rng(1), 0
    for number in range(DAMAGED_FILES):
        data = bytearray(plain)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(124, len(data) - 4))
            value = int(rng.choice([0, 1, 2, 4, 5, 8, 14, 15, 16, 17, 0x10000, 2**31 - 1, 2**31, 2**32 - 1]))
            data[at : at + 4] = value.to_bytes(4, "little")
        if number % 3 == 0:  # as one compressed variable
            data = data[:start] + Writer("<").element(15, zlib.compress(bytes(data[start:])))
        try:
            read_all(bytes(data[: rng.integers(start, len(data) + 1)] if number % 5 == 0 else data))
        except DataError as error:
            assert str(error).startswith("a.mat: ")
            failed += 1
    assert DAMAGED_FILES / 2 < failed < DAMAGED_FILES


DIMENSIONS = [0, 0, 1, 2, 3, 100_000, 2**16, 2**31 - 1]


def test_any_dimensions_give_a_result_or_an_error() -> None:
    """Whatever stands in the dimensions, of numbers, truth values, texts and cells: also where they state no value at all."""
    rng = np.random.default_rng(2)
    found = {"read": 0, "damaged": 0}
    for _ in range(DAMAGED_FILES):
        dimensions = tuple(rng.choice(DIMENSIONS, rng.integers(2, 6)).tolist())
        array_class, values = int(rng.choice([1, 4, 6, 8])), int(rng.integers(0, 3))
        content = {1: WRITER.element(14, b""), 4: b"ab", 6: bytes(8), 8: b"a"}[array_class] * values
        kind = {4: 17, 6: 9, 8: 1}.get(array_class)
        flags = 0x200 if array_class == 8 else 0
        stored = content if kind is None else WRITER.element(kind, content)
        try:
            read_all(WRITER.file(WRITER.matrix(array_class, dimensions, "x", stored, flags)))
        except DataError as error:
            found["damaged" if "is damaged" in str(error) else "read"] += 1
    assert min(found.values()) > DAMAGED_FILES / 20


def nested(depth: int) -> bytes:
    writer = Writer("<")
    inner = writer.numbers([[1.0]], "f8")
    for level in range(depth):
        inner = writer.matrix(1, (1, 1), "x" if level == depth - 1 else "", inner)
    return writer.file(inner)


def test_cells_within_cells_have_a_bound() -> None:
    value = read(nested(MAX_CELL_DEPTH))["x"]
    for _ in range(MAX_CELL_DEPTH):
        value = value[0, 0]
    assert value.tolist() == [[1.0]]
    with pytest.raises(DataError, match="has cells within cells, more than 16 deep"):
        read(nested(MAX_CELL_DEPTH + 1))


def test_an_element_without_content_is_an_empty_matrix() -> None:
    data = WRITER.file(WRITER.matrix(1, (1, 1), "x", WRITER.element(14, b"")), WRITER.element(14, b""))
    assert read(data)["x"][0, 0].shape == (0, 0)


def test_what_a_variable_unfolds_to_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_UNPACK_LIMIT", "100K")
    writer = Writer("<")
    one = writer.element(15, zlib.compress(writer.numbers(np.zeros((1, 8000)), "f8", "x")))
    assert read(writer.file(one))["x"].shape == (1, 8000)
    with pytest.raises(DataError, match="unfolds to more than the 102,400 bytes"):
        read(writer.file(one, one))


@pytest.mark.parametrize(
    ("element", "problem"),
    [
        (WRITER.matrix(6, (2, 2), "x", WRITER.element(9, bytes(24))), "byte 176: is damaged: expected 2 x 2 numbers of 8 bytes, got 24"),
        (WRITER.matrix(6, (-1, 2), "x", WRITER.element(9, bytes(8))), "a dimension is -1"),
        (WRITER.matrix(6, (2**31 - 1,) * 4, "x", WRITER.element(9, b"")), "expected .* numbers of 8 bytes, got 0 bytes"),
        (WRITER.matrix(6, (2**31 - 1, 2**31 - 1, 0), "x", WRITER.element(9, b"")), "2147483647 x 2147483647 x 0 values are none"),
        (WRITER.matrix(1, (2**31 - 1, 2**31 - 1, 0), "x", b""), "2147483647 x 2147483647 x 0 values are none"),
        (WRITER.matrix(1, (1000, 1000), "x", b""), "1000000 cells are stated in 0 bytes"),
        (WRITER.matrix(1, (1, 1), "x", WRITER.element(9, bytes(8))), "expected a cell, got an element of the type 9"),
        (WRITER.matrix(99, (1, 1), "x", b""), "an array is of the class 99, which there is not"),
        (WRITER.matrix(6, (1,) * 40, "x", b""), "expected 2 to 32 dimensions"),
        (WRITER.element(9, bytes(8)), "expected a variable, got an element of the type 9"),
        (WRITER.element(15, b"no zlib")[:15], "byte 128: is damaged: the compressed variable here cannot be unfolded"),
        (WRITER.element(15, zlib.compress(bytes(100))[:10]), "the compressed variable here is cut off"),
        (struct.pack("<II", 14, 2**32 - 1), "an element states 4294967295 bytes, of which 0 are there"),
        (WRITER.small(14, b"abc"), "an element of the type 14 states 3 bytes within its tag"),
        (WRITER.element(15, zlib.compress(WRITER.element(15, b"x"))), "expected a variable, got an element of the type 15"),
    ],
    ids=range(15),
)  # fmt: skip
def test_lengths_that_cannot_be(element: bytes, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read(WRITER.file(element))


def test_what_is_not_read_is_named_and_how_to_save_it(scipy: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = {"s": {"x": 1.0}, "c": np.array([[1 + 2j]]), "t": np.array(["ab", "cd"])}
        read_kinds = read(saved(scipy, **content))
    assert read_kinds == {"s": Unread("a struct"), "c": Unread("complex"), "t": Unread("an array of several texts")}
    with pytest.raises(DataError, match=r"got 0; the file holds s; s is a struct, which is not read: save .*'-v7'"):
        read_all(saved(scipy, s={"x": 1.0}))
    with pytest.raises(DataError, match="a cell of x is complex, which is not read"):
        read_all(saved(scipy, x=cells(np.array([[1 + 2j]]))))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM", "is a MATLAB 7.3 file, which is HDF5; save it in MATLAB with -v7"),
        (b"\x89HDF\r\n\x1a\n" + bytes(200), "is a MATLAB 7.3 file"),
        (bytes(200), "is a MATLAB 4 file, or none"),
        (b"MATLAB", "is damaged, or no MATLAB file: it has no header of level 5"),
    ],
)  # fmt: skip
def test_files_of_other_levels(data: bytes, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read(data)


def test_a_variable_that_comes_besides_is_passed_over(scipy: Any, files: Callable[..., list[Path]]) -> None:
    content = {"about": {"made": "in May"}, "x": cells(np.ones((1, 3)), np.zeros((1, 2))), "y": np.array([[1, 2]])}
    labelled = read_labelled(files({"a.mat": saved(scipy, **content)}))
    assert [len(one) for one in labelled.sequences] == [3, 2]

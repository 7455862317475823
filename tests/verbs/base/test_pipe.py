"""Lines of a pipe: each as soon as it is there, several together where they are, and nothing held back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

import pytest

from recurra.errors import DataError
from recurra.verbs.base.pipe import Pipe, together
from recurra.verbs.predict import parse_lines


class Ends:
    """A pipe of the system: what is put in at one end, and the lines at the other."""

    def __init__(self) -> None:
        out, self._into = os.pipe()
        self._file: BinaryIO = os.fdopen(out, "rb", buffering=0)
        self.pipe = Pipe(self._file)

    def put(self, data: bytes) -> None:
        assert os.write(self._into, data) == len(data)

    def end(self) -> None:
        os.close(self._into)

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def test_only_a_whole_line_waits(ends: Ends):
    assert not ends.pipe.waits()
    ends.put(b"to be")
    assert not ends.pipe.waits()
    ends.put(b"\nor\n")
    assert ends.pipe.waits()
    assert next(ends.pipe) == b"to be\n"
    assert ends.pipe.waits()
    assert next(ends.pipe) == b"or\n"
    assert not ends.pipe.waits()
    ends.put(b"not")
    ends.end()
    assert not ends.pipe.waits(), "it has not ended with a line break"
    assert list(ends.pipe) == [b"not"]
    assert list(ends.pipe) == []


def test_the_rest_is_what_no_line_took(ends: Ends):
    ends.put(b"first\nsecond\nthi")
    assert ends.pipe.readline() == b"first\n"
    assert ends.pipe.waits()
    ends.put(b"rd\n")
    ends.end()
    assert ends.pipe.read() == b"second\nthird\n"
    assert ends.pipe.readline() == ends.pipe.read() == b""


@pytest.mark.parametrize("size", [1, 7, 4096, 40_000])
def test_lines_come_whole_whatever_they_are_cut_into(ends: Ends, size: int):
    lines = [b"x" * (number * 997 % 3000) + b"\n" for number in range(40)]
    whole, got = b"".join(lines), []
    for start in range(0, len(whole), size):
        ends.put(whole[start : start + size])
        while ends.pipe.waits():
            got.append(next(ends.pipe))
    ends.end()
    assert [*got, *ends.pipe] == lines


def test_bytes_in_memory_are_lines_too():
    assert list(Pipe(BytesIO(b"to be\nor not"))) == [b"to be\n", b"or not"]
    pipe = Pipe(BytesIO(b"to be\nor not"))
    assert (pipe.readline(), pipe.read()) == (b"to be\n", b"or not")


def test_what_waits_is_taken_together_and_no_more(ends: Ends):
    batches = together(ends.pipe, 3, ends.pipe.waits)
    ends.put(b"a\nb\nc\nd\ne")
    assert next(batches) == [b"a\n", b"b\n", b"c\n"]
    assert next(batches) == [b"d\n"], "the fifth has not come yet"
    ends.put(b"\n")
    assert next(batches) == [b"e\n"]
    ends.end()
    assert list(batches) == []


def test_what_was_read_before_an_error_comes_before_it():
    def broken() -> Iterator[int]:
        yield from (1, 2)
        raise DataError("no number")

    batches = together(broken(), 10)
    assert next(batches) == [1, 2]
    with pytest.raises(DataError, match="no number"):
        next(batches)


class Numbers:
    """A predictor, as far as its lines go."""

    def parse(self, line: str) -> float:
        try:
            return float(line)
        except ValueError:
            raise DataError(f"expected a number, got {line!r}") from None


def test_a_broken_line_holds_no_result_back(ends: Ends):
    """It is skipped; what was before it is answered while the next one has not come."""
    errors: list[str] = []
    ends.put(b"1\nx\n")
    (group,) = [next(together(enumerate(ends.pipe, 1), 10, ends.pipe.waits))]
    lines = [(number, line.decode().strip()) for number, line in group]
    assert list(parse_lines(Numbers(), lines, "-", lambda error: errors.append(str(error)))) == [1.0]  # pyrefly: ignore
    assert errors == ["standard input: line 2: expected a number, got 'x'"]

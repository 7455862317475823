"""Plain text whose lines are examples: a class a file, or a label before each line."""

from __future__ import annotations

from collections.abc import Iterator

from recurra.errors import DataError
from recurra.text.read.decode import decode, defect, normalise
from recurra.text.read.faults import Faults
from recurra.text.read.pieces import LabelledText
from recurra.text.read.sources import Source


def lines_of(source: Source, faults: Faults) -> Iterator[tuple[int, str]]:
    r"""Yield the lines that are not blank, in NFC and without white space around them, with their numbers from 1.

    Raises `DataError` for what is no text; with `faults` that skip, such lines are listed.

    >>> list(lines_of(Source("a.txt", "text", b"one \n\ntwo", False), Faults("stop")))
    [(1, 'one'), (3, 'two')]
    """
    text = normalise(decode(source.data, source.name, lenient=faults.skipping))
    # Only "\n" breaks a line: str.splitlines would also cut at form feeds and at U+2028.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        problem = defect(line, lenient=True) if line else None
        if problem:
            faults.meet(DataError(problem, source=source.name, line=number))
        elif line:
            yield number, line


def read_lines(source: Source, label: str | None, faults: Faults) -> Iterator[LabelledText]:
    """Yield every line that is not blank, each with the same label."""
    for number, line in lines_of(source, faults):
        yield LabelledText(line, label, {"line": number})


def read_whole(source: Source, label: str | None) -> Iterator[LabelledText]:
    """Yield a file as one text, without white space around it."""
    yield LabelledText(normalise(decode(source.data, source.name)).strip(), label, {})

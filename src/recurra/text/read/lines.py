"""Plain text whose lines are examples: a class a file, or a label before each line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recurra.errors import DataError
from recurra.text.read.decode import decode, find_defect, iter_lines, normalise
from recurra.text.read.faults import Faults
from recurra.text.read.labelled_text import LabelledText
from recurra.text.read.sources import Source
from recurra.text.read.unpack import decompress, layers


def numbered_lines(source: Source, faults: Faults) -> Iterator[tuple[int, str]]:
    r"""Yield the lines that are not blank, in NFC and without white space around them, with their numbers from 1.

    Raises `DataError` for what is no text; with `faults` that skip, such lines are listed.

    >>> list(numbered_lines(Source("a.txt", "text", b"one \n\ntwo", False), Faults("stop")))
    [(1, 'one'), (3, 'two')]
    """
    text = normalise(decode(source.data, source.name, lenient=faults.skipping))
    # Only "\n" breaks a line: str.splitlines would also cut at form feeds and at U+2028.
    for number, line in enumerate(iter_lines(text), start=1):
        line = line.strip()
        problem = find_defect(line, lenient=True) if line else None
        if problem:
            faults.handle(DataError(problem, source=source.name, line=number))
        elif line:
            yield number, line


def file_lines(source: str) -> list[str]:
    """Read the lines of a file as they are, without their ends; it is unpacked where its suffix says so.

    Raises `DataError` for what cannot be read or is no UTF-8 text.
    """
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", source=source) from None
    for compression in reversed(layers(Path(source).name)[1:]):
        data = decompress(data, compression, source)
    return split_lines(decode(data, source))


def split_lines(text: str) -> list[str]:
    r"""Split at line feeds alone.

    >>> split_lines("a\u2028b\n\nc"), split_lines("")
    (['a\u2028b', '', 'c'], [])
    """
    *whole, last = text.split("\n")
    return [*whole, last] if last else whole


def read_lines(source: Source, label: str | None, faults: Faults) -> Iterator[LabelledText]:
    """Yield every line that is not blank, each with the same label."""
    for number, line in numbered_lines(source, faults):
        yield LabelledText(line, label, {"line": number})


def read_whole(source: Source, label: str | None) -> Iterator[LabelledText]:
    """Yield a file as one text, without white space around it."""
    yield LabelledText(normalise(decode(source.data, source.name)).strip(), label, {})


_FAST_TEXT = "__label__"


def read_prefixed(source: Source, faults: Faults) -> Iterator[LabelledText]:
    """Yield every line that is not blank, which begins with its label: "4 a stirring film", or fastText's "__label__4 ...".

    The label ends at the first tab of the line or, where it has none, at the first space. Raises `DataError`, with the
    line, for one that is a label alone.

    >>> source = Source("a.txt", "text", b"4 a stirring film\\n__label__film __label__good what a film\\n", False)
    >>> [(one.label, one.text) for one in read_prefixed(source, Faults("stop"))]
    [('4', 'a stirring film'), (['film', 'good'], 'what a film')]
    """
    for number, line in numbered_lines(source, faults):
        if line.startswith(_FAST_TEXT):
            yield LabelledText(*_split_fast_text(line), {"line": number})
            continue
        label, text = split_first_word(line)
        if text:
            yield LabelledText(text, label, {"line": number})
        else:
            problem = f"expected a label and a text, got {line[:30]!r} alone"
            faults.handle(DataError(problem, source=source.name, line=number))


def read_suffixed(source: Source, separator: str, faults: Faults) -> Iterator[LabelledText]:
    r"""Yield every line that is not blank, which ends with its label: "a stirring film", a tab, "1".

    Raises `DataError`, with the line, for one that has no label or no text.

    >>> source = Source("a.txt", "text", b"Warm, quick.\t1\nCold!\t0\n", False)
    >>> [(one.label, one.text) for one in read_suffixed(source, "\t", Faults("stop"))]
    [('1', 'Warm, quick.'), ('0', 'Cold!')]
    """
    for number, line in numbered_lines(source, faults):
        text, label = split_last(line, separator)
        if text and label:
            yield LabelledText(text, label, {"line": number})
        else:
            problem = f"expected a text, {_SEPARATOR_NAMES.get(separator, separator)} and a label, got {line[:30]!r}"
            faults.handle(DataError(problem, source=source.name, line=number))


_SEPARATOR_NAMES = {"\t": "a tab", ",": "a comma", ";": "a semicolon"}


def split_last(line: str, separator: str) -> tuple[str, str]:
    """Part a line at its last separator; the text is "" where it has none."""
    text, _, label = line.rpartition(separator)
    return text.strip(), label.strip()


def split_first_word(line: str) -> tuple[str, str]:
    """Part a line at its first tab, or its first space where it has no tab."""
    label, _, text = line.partition("\t") if "\t" in line else line.partition(" ")
    return label.strip(), text.strip()


def _split_fast_text(line: str) -> tuple[str, list[str]]:
    words = line.split()
    count = next((at for at, word in enumerate(words) if not word.startswith(_FAST_TEXT)), len(words))
    text = line.split(None, count)[count] if count < len(words) else ""
    return text, [word.removeprefix(_FAST_TEXT) for word in words[:count]]

"""What the lines of plain text files look like: a text with its label last, or the rows of a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from math import isqrt

from recurra.data.header import has_header
from recurra.series import is_missing, is_number
from recurra.text import LABEL_NAMES, Faults, Source, first_rows, numbered_lines, split_last, whole_number

_SEPARATORS = ("\t", ",", ";")
_LINES_INSPECTED = 1000  # of each file
_MAX_LABEL_LENGTH = 30
_MIN_LINES = 20  # that end with few labels by more than chance, where no tab stands before them
_MIN_ROWS = 5  # of a table that no tab parts, and whose columns nobody names
_INTEGER = re.compile(r"[+-]?\d+")


def label_separator(sources: Sequence[Source]) -> str | None:
    r"""Give what stands before the label where every line of all files ends with one out of few; None where they do not.

    >>> label_separator([Source("a.txt", "text", b"Good, cheap.\t1\nNo!\t0\nBad.\t0\nNice\t1\n", False)])
    '\t'
    """
    lines = [line for source in sources for _, line in islice(numbered_lines(source, Faults("skip")), _LINES_INSPECTED)]
    several = len(sources) > 1
    return next((mark for mark in _SEPARATORS if _end_with_labels(lines, mark, several=several)), None)


def _end_with_labels(lines: Sequence[str], separator: str, *, several: bool) -> bool:
    """Say whether a label, one of a few, stands behind the last separator of each line: a whole number, or a short word.

    several: of several files, whose names may be their labels; then a word must stand behind a tab.
    """
    parts = [split_last(line, separator) for line in lines]
    if not parts or not all(text and 0 < len(label) <= _MAX_LABEL_LENGTH for text, label in parts):
        return False
    if any(separator in text for text, _ in parts) and separator == "\t":
        return False  # a table of several columns
    labels = [label for _, label in parts]
    few = len(set(labels))
    if is_heading(labels) or few < 2 or 2 * few > len(labels) or _texts_are_numbers([text for text, _ in parts]):
        return False
    whole = all(map(_INTEGER.fullmatch, labels))
    if separator == "\t":
        return True
    words = not several and not any(" " in label for label in labels)
    return len(lines) >= _MIN_LINES and few <= isqrt(len(lines)) and (whole or words)


def _texts_are_numbers(texts: Sequence[str]) -> bool:
    return all(is_number(part) or is_missing(part) for text in texts for part in re.split(r"[,;\t ]+", text))


def is_heading(labels: Sequence[str]) -> bool:
    """Say whether the first of what seem to be labels is the name of a column: it comes once, and is called so.

    >>> is_heading(["label", "0", "1", "0"]), is_heading(["0", "1", "0"])
    (True, False)
    """
    name = labels[0].strip().lower()
    return Counter(labels)[labels[0]] == 1 and any(name in names for names in LABEL_NAMES)


def table_kind(source: Source, *, sure: bool, several: bool = False) -> str | None:
    """Tell whether a text file is a table, "csv" or "tsv": every line has as many cells, two or more; None where it is none.

    sure: columns are named, so few lines are enough, and commas need no column of numbers or labels.  several: it is one of
    several files, whose names may be their labels; then commas need a column of numbers.
    """
    for kind in ("tsv", "csv"):
        rows = first_rows(replace(source, kind=kind))
        if len(rows) < 2 or len(rows[0]) < 2 or len({len(row) for row in rows}) > 1:
            continue
        if sure or kind == "tsv" or (len(rows) >= _MIN_ROWS and _has_columns(rows, several=several)):
            return kind
    return None


def names_text(source: Source, column: str) -> bool:
    r"""Say whether a text file is a table with this column, by its name in the first row or, of a sure table, by its position.

    >>> names_text(Source("a.txt", "text", b"id,review\n1,so good\n", False), "review")
    True
    >>> names_text(Source("a.txt", "text", b"good, but slow\nbad, but nice\n", False), "2")
    False
    """
    number = whole_number(column)
    if number is None:
        kind = table_kind(source, sure=True)
        return kind is not None and column in first_rows(replace(source, kind=kind))[0]
    kind = table_kind(source, sure=False, several=True)
    return kind is not None and number <= len(first_rows(replace(source, kind=kind))[0])


def _has_columns(rows: Sequence[Sequence[str]], *, several: bool) -> bool:
    """Say whether cells are those of a table, rather than prose with as many commas in each line: numbers, or few words."""
    columns = list(zip(*rows[1:], strict=True))
    short = [cells for cells in columns if all(len(cell) <= _MAX_LABEL_LENGTH for cell in cells)]
    if any(all(is_number(cell) or is_missing(cell) for cell in cells) for cells in short):
        return True
    return not several and (any(len(set(cells)) ** 2 <= len(cells) for cells in short) or not has_header(rows))

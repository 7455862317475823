"""How a table of text is written: what parts its cells, and what they are quoted by."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

DELIMITERS = ",;\t|"
_SAMPLED_CHARACTERS = 200_000
_SAMPLED_ROWS = 500
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_BLANK_LED = 0.1  # of a column
_MIN_WRAPPED_SHARE = 0.5  # of the rows, from which on ' is a quotation mark though " reads an even table too


@dataclass(frozen=True)
class Dialect:
    """The delimiter between cells, and the quotation mark around them."""

    delimiter: str
    quote: str = '"'


def find_dialect(text: str, kind: str, fields: Sequence[str] = ()) -> Dialect:
    r"""Find how a table is written: as its first row suggests, unless rows then differ in their cells and another way has none of that.

    kind: "tsv", parted by tabs, or "csv".  fields: names that the header should have.

    >>> find_dialect("a;b\n1,5;2\n", "csv"), find_dialect("good;'warm; it''s quick'\nbad;'cold, late'\n", "csv")
    (Dialect(delimiter=';', quote='"'), Dialect(delimiter=';', quote="'"))
    """
    usual = Dialect("\t" if kind == "tsv" else _header_delimiter(text, fields))
    rows = sample_rows(text, usual)
    if _is_even(rows):
        single = Dialect(usual.delimiter, "'")
        wrapped = _quoted_rows(text, single, closed=True) >= _MIN_WRAPPED_SHARE and not _quoted_rows(text, usual)
        return single if wrapped and _is_even(sample_rows(text, single)) else usual
    delimiters = "\t" if kind == "tsv" else DELIMITERS
    others = [Dialect(delimiter, quote) for quote in ('"', "'") for delimiter in delimiters]
    even = [
        (other, found)
        for other in others
        if other != usual
        and _is_even(found := sample_rows(text, other))
        and len(found) > 1
        and len(found[0]) > 1
        and (
            other.quote == '"' or _quoted_rows(text, other, closed=True) > _quoted_rows(text, replace(other, quote='"'))
        )
        and not (set(fields) & {*(rows or [[]])[0]}) - set(found[0])
    ]
    return max(even, key=lambda one: len(one[1][0]))[0] if even else usual


def sample_rows(text: str, dialect: Dialect, count: int = _SAMPLED_ROWS) -> list[list[str]]:
    """Give the first rows of a table, without blank ones; none where a quote is not closed or a row is broken otherwise."""
    head = text[:_SAMPLED_CHARACTERS]
    rows: list[list[str]] = []
    reader = csv.reader(
        io.StringIO(head, newline="\n"), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True
    )
    try:
        with unlimited_cells(head):
            for row in reader:
                if row:
                    rows.append(row)
                if len(rows) == count:
                    return rows
    except csv.Error as error:
        if len(head) == len(text) or "end of data" not in str(error):
            return []
        return rows
    return rows if len(head) == len(text) else rows[:-1]  # the last may be cut off


@contextmanager
def unlimited_cells(text: str) -> Generator[None]:
    """Lift the csv module's limit on the length of a cell, which is global, only while a row is read."""
    before = csv.field_size_limit(max(len(text), 1 << 17))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _header_delimiter(text: str, fields: Sequence[str]) -> str:
    """Choose the delimiter that gives the first row most of the fields asked for, then one whose rows are those of a table, then most cells."""
    header = text.lstrip("\n").split("\n", 1)[0]
    with unlimited_cells(header):
        cells = {delimiter: next(csv.reader([header], delimiter=delimiter), []) for delimiter in DELIMITERS}
    named = {delimiter: len({*fields} & {*found}) for delimiter, found in cells.items()}
    likely = [one for one in DELIMITERS if named[one] == max(named.values()) and len(cells[one]) > 1]
    if len(likely) < 2:
        return max(DELIMITERS, key=lambda one: (named[one], len(cells[one])))
    # A text may hold as many of another delimiter in each row, followed by a blank as in any sentence.
    telling = {one: _telling_columns(sample_rows(text, Dialect(one))) for one in likely}
    return max(likely, key=lambda one: (min(telling[one], 1), len(cells[one]), telling[one], -_blanks_after(text, one)))


def _telling_columns(rows: list[list[str]]) -> float:
    """Count the columns of numbers, or of few different values, below the first row; none where rows differ in their cells.

    Those whose cells begin with a blank count little: they can be the ends of sentences.
    """
    if not _is_even(rows):
        return 0
    columns = list(zip(*(row[: len(rows[0])] for row in rows[1:] or rows), strict=True))
    few_or_numbers = [
        len({*cells}) * 2 <= len(cells) or all(_NUMBER.fullmatch(cell.strip()) for cell in cells) for cells in columns
    ]
    blanks = [all(cell[:1].isspace() for cell in cells) for cells in columns]
    return sum(_BLANK_LED if led else 1 for telling, led in zip(few_or_numbers, blanks, strict=True) if telling)


def _blanks_after(text: str, delimiter: str) -> float:
    """Give the share of a delimiter's first places that a blank follows."""
    head = text[:_SAMPLED_CHARACTERS]
    return head.count(delimiter + " ") / max(1, head.count(delimiter))


def _is_even(rows: list[list[str]]) -> bool:
    """Say whether all rows have as many cells as the first; cells beyond it are none where they are empty."""
    return bool(rows) and all(len(row) >= len(rows[0]) and not any(row[len(rows[0]) :]) for row in rows)


def _quoted_rows(text: str, dialect: Dialect, *, closed: bool = False) -> float:
    """Give the share of the first lines that have a cell which begins with the quotation mark; closed: and ends with it."""
    mark, part = re.escape(dialect.quote), re.escape(dialect.delimiter)
    form = re.compile(f"(?:^|{part}){mark}" + (f"[^\n]*{mark}(?:{part}|$)" if closed else ""))
    lines = [line for line in text[:_SAMPLED_CHARACTERS].split("\n", _SAMPLED_ROWS)[:_SAMPLED_ROWS] if line]
    return sum(form.search(line) is not None for line in lines) / max(1, len(lines))

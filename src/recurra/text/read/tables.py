"""Tables to rows: CSV and TSV (quotes, line breaks within cells, the delimiter found by the header)."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypedDict

from recurra.errors import DataError
from recurra.formatting import closest
from recurra.text.read.decode import iter_lines
from recurra.text.read.dialect import Dialect, find_dialect, sample_rows, unlimited_cells
from recurra.text.read.faults import Faults
from recurra.text.read.sources import Source

LAST_COLUMN = "last"
_MAX_NAME_LENGTH = 40
ROWS_AT_A_TIME = 10_000
_MAX_DIGITS = 18  # of an int64


class Place(TypedDict, total=False):
    """Where a record stands in its file, from 1: its first line, or its number."""

    line: int
    row: int


@dataclass(frozen=True)
class Row:
    """One record: the value of each field."""

    cells: Any
    place: Place


def shorten_name(name: str) -> str:
    """Give the name of a field, for an error, no longer than a name is: a row of data that was read as names has longer ones.

    >>> shorten_name("review"), len(shorten_name("what a film " * 9))
    ('review', 40)
    """
    return name if len(name) <= _MAX_NAME_LENGTH else name[: _MAX_NAME_LENGTH - 1] + "…"


def fields_message(fields: list[str]) -> str:
    """List the fields there are, for an error, as many as a reader can take in."""
    shown = ", ".join(shorten_name(field) if field.strip() else "''" for field in fields[:20]) + (
        f" and {len(fields) - 20} more" if len(fields) > 20 else ""
    )
    return f"the fields there are: {shown or 'none'}"


def missing_field_error(field: str, fields: list[str], source: Source, place: Place) -> DataError:
    """Say that a field is not there, and which are."""
    close = closest(field, fields)
    hint = f"did you mean '{close}'?" if close else None
    if not source.header:
        hint = (
            "the table has no header: its columns are named 1, 2, … and last; --header yes reads the first row as names"
        )
    return DataError(f"field '{field}' is missing; {fields_message(fields)}", source=source.name, hint=hint, **place)


def whole_number(text: str) -> int | None:
    """Give the whole number that digits are; None for anything else, and for more digits than any count or year has.

    >>> whole_number("12"), whole_number("-1"), whole_number("²"), whole_number("9" * 5000)
    (12, None, None, None)
    """
    return int(text) if len(text) <= _MAX_DIGITS and text.isdecimal() else None


def resolve_column(given: str, names: Sequence[str]) -> str:
    """Give the name of a column that may be named by its position: by its number, from 1, or as the last.

    >>> [resolve_column(given, ["id", "review", "2"]) for given in ("review", "1", "2", "last", "4")]
    ['review', 'id', '2', '2', '4']
    """
    if given in names or not names:
        return given
    if given == LAST_COLUMN:
        return names[-1]
    number = whole_number(given)
    return names[number - 1] if number is not None and 1 <= number <= len(names) else given


def first_rows(source: Source) -> list[list[str]]:
    r"""Give the cells of the first rows of a CSV or TSV file, the first of which may be names; none of a table that is broken.

    >>> first_rows(Source("a.csv", "csv", b"1,good\n2,bad\n", False))
    [['1', 'good'], ['2', 'bad']]
    """
    text = _head(source, 1 << 20)
    dialect = find_dialect(text, source.kind)
    rows = sample_rows(text, dialect)
    return rows or [line.split("\t") for line in text.split("\n")[:-1] if line and source.kind == "tsv"]


def csv_rows(text: str, source: Source, fields: Sequence[str], faults: Faults) -> Iterator[Row]:
    """Yield the rows of a table, each with the line on which it begins; columns without a header are named by their numbers.

    Raises `DataError` for a header without one of the fields, a quote that is not closed and a row with more or fewer cells than the header.
    """
    dialect = find_dialect(text, source.kind, fields)
    # Many TSV files do not quote: there a quotation mark is a character like any other.
    quotes = source.kind != "tsv" or dialect.quote not in text or _is_quoted(text, source, dialect, fields)
    yield from _parse(text, source, dialect, fields, faults, quotes=quotes)


def _is_quoted(text: str, source: Source, dialect: Dialect, fields: Sequence[str]) -> bool:
    """Say whether each row of a table is whole if quotation marks stand around cells; no row is kept for it."""
    try:
        for _ in _parse(text, source, dialect, fields, Faults("stop"), quotes=True):
            pass
    except DataError:
        return False
    return True


def csv_columns(text: str, source: Source) -> tuple[dict[str, Sequence[str]], Sequence[int]] | None:
    """Read a table by its columns, and the lines of its rows, all at once; None where a row is not a line with a cell for each column.

    Such a table is for `csv_rows`, which says what is wrong with which row.
    """
    dialect = find_dialect(text, source.kind)
    if '"' in text and source.kind == "tsv":
        return None
    lines = io.StringIO(text, newline="\n")
    reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
    try:
        with unlimited_cells(text):
            return _transpose(reader, source)
    except csv.Error:
        return None


def _transpose(reader: Any, source: Source) -> tuple[dict[str, Sequence[str]], Sequence[int]] | None:
    """Give the columns of the rows, some thousands at a time: a row by itself takes many times the memory of its cells."""
    header: list[str] = []
    columns: list[list[str]] = []
    numbers = array("q")
    count, ends = 0, False  # ends: blank rows of another width have come, after which there may only be blank ones
    while rows := list(islice(reader, ROWS_AT_A_TIME)):
        numbered = [(number, row) for number, row in enumerate(rows, start=count + 1) if row]
        count += len(rows)
        if numbered and not columns:
            header = numbered.pop(0)[1] if source.header else _numbered(numbered[0][1])
            columns = [[] for _ in header]
        wrong = [at for at, (_, row) in enumerate(numbered) if ends or len(row) != len(header)]
        if wrong:
            numbered, rest, ends = numbered[: wrong[0]], numbered[wrong[0] :], True
            if not all(_is_blank(row) for _, row in rest):
                return None
        if numbered:
            numbers.extend(number for number, _ in numbered)
            for column, cells in zip(columns, zip(*(row for _, row in numbered), strict=True), strict=True):
                column += cells
    while numbers and _is_blank([column[-1] for column in columns]):
        numbers.pop()
        for column in columns:
            column.pop()
    if reader.line_num != count or not numbers or len(set(header)) != len(header):
        return None
    return dict(zip(header, columns, strict=True)), numbers


def _numbered(cells: Sequence[str]) -> list[str]:
    return [str(number) for number in range(1, len(cells) + 1)]


def _is_blank(cells: Sequence[str]) -> bool:
    """Say whether a row of several cells has none that is not empty: office programs write such behind the last one."""
    return len(cells) != 1 and not any(cells)


def _parse(
    text: str, source: Source, dialect: Dialect, fields: Sequence[str], faults: Faults, *, quotes: bool
) -> Iterator[Row]:
    header: list[str] | None = None
    first: tuple[list[str], Place] | None = None
    blank: list[tuple[list[str], Place]] = []
    for cells, place in _records(text, source, dialect, faults, quotes=quotes):
        if header is None:
            header, first = cells if source.header else _numbered(cells), (cells, place)
            if source.header and not any(map(str.strip, cells)):
                problem = "the first row, which names the columns, has only empty cells"
                raise DataError(problem, source=source.name, hint="delete it, or name the columns there", **place)
            _check_fields(fields, header, source, place)
            if source.header:
                continue
        if first is not None and place != first[1]:
            _refuse_comment(*first, cells, source)
            first = None
        if _is_blank(cells):
            blank.append((cells, place))  # a row like others, unless none follows
            continue
        for row, at in (*blank, (cells, place)):
            if len(row) < len(header) or any(row[len(header) :]):
                problem = f"the row has {len(row)} cells, the {'header' if source.header else 'first'} {len(header)}"
                hint = f"a cell that holds a delimiter ({dialect.delimiter!r}) must be quoted"
                faults.handle(
                    DataError(problem, source=source.name, hint=hint if len(row) > len(header) else None, **at)
                )
            else:
                yield Row(dict(zip(header, row, strict=False)), at)
        blank = []


def _refuse_comment(first: list[str], place: Place, second: list[str], source: Source) -> None:
    """Raise `DataError` for a first row that begins with # and has not as many cells as the second."""
    if first[0].lstrip().startswith("#") and len(first) != len(second):
        problem = f"the first row looks like a comment: it begins with #, and its number of cells is {len(first)}, the second's {len(second)}"
        raise DataError(problem, source=source.name, hint="delete it", **place)


def _records(
    text: str, source: Source, dialect: Dialect, faults: Faults, *, quotes: bool
) -> Iterator[tuple[list[str], Place]]:
    """Yield the cells of each row that is not an empty line, the header's too, with the line on which it begins."""
    lines = (line + "\n" for line in iter_lines(text))
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, quoting=quoting, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            with unlimited_cells(text):
                cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "a quoted cell ends in a quotation mark, and one within it is doubled"
            if "end of data" in str(error):
                problem = "a quoted cell in the row that begins here is not closed"
            else:
                reason = str(error).replace(repr(dialect.delimiter), "a delimiter")
                problem = f"broken {source.kind.upper()}: {reason}"
            faults.handle(DataError(problem, source=source.name, line=line, hint=hint))
        else:
            if cells:
                yield cells, {"line": line}


def _check_fields(fields: Sequence[str], header: list[str], source: Source, place: Place) -> None:
    """Raise `DataError` for a field that the header has not, or twice."""
    for field in fields:
        if field not in header:
            raise missing_field_error(field, header, source, place)
        if header.count(field) > 1:
            raise DataError(f"field '{field}' stands twice in the header", source=source.name, **place)


def has_decimal_commas(source: Source) -> bool:
    """Say whether a table parts its cells by semicolons, as office programs do where 1,5 is one and a half."""
    return source.kind == "csv" and find_dialect(_head(source, 100_000), "csv").delimiter == ";"


def _head(source: Source, count: int) -> str:
    """Give the first bytes as text with one kind of line break, whatever is no UTF-8 left out."""
    text = source.data[:count].decode("utf-8", "ignore").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""Tables to rows: CSV and TSV (quotes, line breaks within cells, the delimiter found by the header) and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypedDict

from recurra.errors import DataError, require
from recurra.text.read.faults import Faults
from recurra.text.read.sources import Source

_DELIMITERS = ",;\t|"


class Place(TypedDict, total=False):
    """Where a record stands in its file, from 1: its first line, or its number."""

    line: int
    row: int


@dataclass(frozen=True)
class Row:
    """One record: the value of each field."""

    cells: Any
    place: Place


def fields_message(fields: list[str]) -> str:
    """List the fields there are, for an error, as many as a reader can take in."""
    shown = ", ".join(fields[:20]) + (f" and {len(fields) - 20} more" if len(fields) > 20 else "")
    return f"the fields there are: {shown or 'none'}"


def missing_field_error(field: str, fields: list[str], source: Source, place: Place) -> DataError:
    """Say that a field is not there, and which are."""
    close = get_close_matches(field, fields, n=1)
    hint = f"did you mean '{close[0]}'?" if close else None
    return DataError(f"field '{field}' is missing; {fields_message(fields)}", source=source.name, hint=hint, **place)


def csv_rows(text: str, source: Source, fields: Sequence[str], faults: Faults) -> Iterator[Row]:
    """Yield the rows of a table with a header, each with the line on which it begins.

    Raises `DataError` for a header without one of the fields, a quote that is not closed and a row with more or fewer cells than the header.
    """
    if source.kind == "tsv":
        try:
            rows = list(_parse(text, source, "\t", fields, Faults("stop"), quotes=True))
        except DataError:
            # Many TSV files do not quote: there a quotation mark is a character like any other.
            yield from _parse(text, source, "\t", fields, faults, quotes=False)
        else:
            yield from rows
        return
    yield from _parse(text, source, _delimiter(text, fields), fields, faults, quotes=True)


def csv_columns(text: str, source: Source) -> tuple[dict[str, Sequence[str]], list[int]] | None:
    """Read a table by its columns, and the lines of its rows, all at once; None where a row is not a line with a cell for each column.

    Such a table is for `csv_rows`, which says what is wrong with which row.
    """
    delimiter = "\t" if source.kind == "tsv" else _delimiter(text, ())
    if '"' in text and source.kind == "tsv":
        return None
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    try:
        with _unlimited_cells(text):
            rows = list(reader)
    except csv.Error:
        return None
    lines = [number for number, row in enumerate(rows, start=1) if row]
    if reader.line_num != len(rows) or not lines:
        return None
    header, *rows = filter(None, rows)
    if set(map(len, rows)) != {len(header)} or len(set(header)) != len(header):
        return None
    return dict(zip(header, zip(*rows, strict=True), strict=True)), lines[1:]


def parquet_rows(source: Source, fields: Sequence[str], faults: Faults) -> Iterator[Row]:
    """Yield the rows of a Parquet file, of which only the columns of the fields are read; all of them for no fields.

    Raises `DataError` for a damaged file, a missing column and for a string that is not UTF-8, `MissingExtraError` without pyarrow.
    """
    arrow = require("pyarrow", "data", "a Parquet file")
    parquet = require("pyarrow.parquet", "data", "a Parquet file")
    number = 0
    try:
        file = parquet.ParquetFile(arrow.BufferReader(source.data))
        names = file.schema_arrow.names
        # A dotted name leads into a column, or is the name of one.
        found_columns = {field: [name for name in names if f"{field}.".startswith(f"{name}.")] for field in fields}
        absent = next((field for field, found in found_columns.items() if not found), None)
        if absent is not None:
            raise missing_field_error(absent, names, source, {})
        wanted = list(dict.fromkeys(name for found in found_columns.values() for name in found)) if fields else names
        for batch in file.iter_batches(batch_size=4096 if fields else 1, columns=wanted):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            for index in range(batch.num_rows):
                number += 1
                try:
                    cells = {name: column[index].as_py() for name, column in columns.items()}
                except UnicodeDecodeError as error:
                    problem = f"expected UTF-8 text, got byte 0x{error.object[error.start]:02x}"
                    faults.handle(DataError(problem, source=source.name, row=number))
                else:
                    yield Row(cells, {"row": number})
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        is_one = source.data.startswith(b"PAR1")
        problem = "the Parquet data is cut off or damaged" if is_one else "is no Parquet file, whatever its name says"
        raise DataError(f"{problem} ({reason})", source=source.name) from None


def _delimiter(text: str, fields: Sequence[str]) -> str:
    """Choose the delimiter that gives the header most of the fields asked for, then the one that gives it most cells."""
    header = text.lstrip("\n").split("\n", 1)[0]

    def cells(delimiter: str) -> list[str]:
        return next(csv.reader([header], delimiter=delimiter), [])

    with _unlimited_cells(header):
        return max(_DELIMITERS, key=lambda delimiter: (len({*fields} & {*cells(delimiter)}), len(cells(delimiter))))


def _parse(
    text: str, source: Source, delimiter: str, fields: Sequence[str], faults: Faults, *, quotes: bool
) -> Iterator[Row]:
    lines = (line + "\n" for line in text.split("\n"))
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    header: list[str] | None = None
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            with _unlimited_cells(text):
                cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "a quoted cell ends in a quotation mark, and one within it is doubled"
            if "end of data" in str(error):
                problem = "a quoted cell in the row that begins here is not closed"
            else:
                problem = f"broken {source.kind.upper()}: {str(error).replace(repr(delimiter), 'a delimiter')}"
            faults.handle(DataError(problem, source=source.name, line=line, hint=hint))
            continue
        if not cells:
            continue
        if header is None:
            header = cells
            for field in fields:
                if field not in header:
                    raise missing_field_error(field, header, source, {"line": line})
                if header.count(field) > 1:
                    raise DataError(f"field '{field}' stands twice in the header", source=source.name, line=line)
        elif len(cells) < len(header) or any(cells[len(header) :]):
            problem = f"the row has {len(cells)} cells, the header {len(header)}"
            hint = f"a cell that holds a delimiter ({delimiter!r}) must be quoted" if len(cells) > len(header) else None
            faults.handle(DataError(problem, source=source.name, line=line, hint=hint))
        else:
            yield Row(dict(zip(header, cells, strict=False)), {"line": line})


def has_decimal_commas(source: Source) -> bool:
    """Say whether a table parts its cells by semicolons, as office programs do where 1,5 is one and a half."""
    return (
        source.kind == "csv"
        and _delimiter(source.data[:100_000].decode("utf-8", "replace").lstrip("\ufeff"), ()) == ";"
    )


@contextmanager
def _unlimited_cells(text: str) -> Generator[None]:
    """Lift the csv module's limit on the length of a cell, which is global, only while a row is read."""
    before = csv.field_size_limit(max(len(text), 1 << 17))
    try:
        yield
    finally:
        csv.field_size_limit(before)

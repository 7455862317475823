"""Record files to texts: JSON, JSON lines, CSV and TSV, Parquet, with the line or row each text comes from."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from recurra.errors import DataError
from recurra.text.read.decode import decode, find_defect, iter_lines, normalise
from recurra.text.read.faults import Faults
from recurra.text.read.labelled_text import LabelledText
from recurra.text.read.parquet import parquet_rows
from recurra.text.read.sources import Source
from recurra.text.read.tables import Place, Row, csv_columns, csv_rows, missing_field_error

MAX_CELLS_PER_VALUE = 16
"""Cells of a table for each value that its records have: of more it is nearly empty."""
MIN_CELLS_CHECKED = 1_000_000  # 8 MB
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_JSON_TYPES = {"NoneType": "null", "bool": "a truth value", "int": "a number", "float": "a number", "dict": "an object"}


@dataclass(frozen=True)
class Record:
    """The text of one record, NFC-normalised, and where it stands: a line (JSONL, CSV, TSV) or a row (JSON, Parquet)."""

    text: str
    place: Place


def read_records(source: Source, field: str, faults: Faults) -> Iterator[Record]:
    """Yield the text of every record that has one, noting records whose text is empty.

    A list of strings is joined with line breaks. Raises `DataError` for a broken file and for a record whose
    field is missing, is no string or is no valid Unicode; with `faults` that skip, those are listed.
    """
    rows, faults_before = 0, len(faults.skipped)
    for row in iter_rows(source, (field,), faults):
        rows += 1
        try:
            text = field_text(row, field, source, lenient=faults.skipping)
        except DataError as error:
            faults.handle(error)
            continue
        if not text or text.isspace():
            faults.skip(str(DataError("empty text", source=source.name, **row.place)))
        else:
            yield Record(text, row.place)
    if rows == 0 and len(faults.skipped) == faults_before:
        faults.handle(DataError("holds no records", source=source.name))


def read_labelled_records(
    source: Source, text: str, label: str | None, faults: Faults, *, need_label: bool = True
) -> Iterator[LabelledText]:
    """Yield the text and the label of every record, empty texts too; without `need_label` the label may be absent.

    Raises `DataError` for a broken file, a field that is missing and a text that is no string; with `faults` that skip,
    those records are listed.
    """
    needed = (text, label) if label is not None and need_label else (text,)
    for row in iter_rows(source, needed if source.kind != "parquet" or need_label else (), faults):
        try:
            content = field_text(row, text, source, lenient=faults.skipping)
            labelled = need_label or (isinstance(row.cells, dict) and label in dict(flatten(row.cells)))
            found = field_value(row, label, source) if label is not None and labelled else None
        except DataError as error:
            faults.handle(error)
        else:
            yield LabelledText(content, found, row.place)


def text_fields(source: Source) -> tuple[list[str], str | None]:
    """List the fields of the first record, and the one that most likely is the text: the one with the longest.

    >>> text_fields(Source("a.json", "json", b'{"id": 1, "poem": {"title": "T", "lines": ["one", "two"]}}', False))
    (['id', 'poem.title', 'poem.lines'], 'poem.lines')
    """
    first = next(iter(iter_rows(source, (), Faults("stop"))), None)
    if first is None:
        return [], None
    fields = dict(flatten(first.cells)) if isinstance(first.cells, dict) else {}
    lengths = {name: len(join_strings(value) or "") for name, value in fields.items()}
    likely = max(lengths, key=lambda name: lengths[name], default=None)
    return list(fields), likely if likely and lengths[likely] else None


def record_kind_from_content(data: bytes) -> str:
    """Tell the format of records that come without a file name, by how they begin.

    >>> record_kind_from_content(b'{"text": "one"}'), record_kind_from_content(b'[{"text": "one"}]'), record_kind_from_content(b"id,text")
    ('jsonl', 'json', 'csv')
    """
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"["):
        return "json"
    if not start.startswith(b"{"):
        return "csv"
    # One object, which may be laid out over many lines, or one in every line.
    try:
        json.loads(data[data.index(b"{") :].split(b"\n", 1)[0])
    except ValueError:
        return "json"
    return "jsonl"


def iter_rows(source: Source, fields: Sequence[str], faults: Faults) -> Iterator[Row]:
    """Yield the records of a file, with all their fields, or (Parquet) those alone that are named.

    Raises `DataError` for a broken file, and for a table without one of the fields.
    """
    if source.kind == "parquet":
        yield from parquet_rows(source, fields, faults)
        return
    text = decode(source.data, source.name, lenient=faults.skipping)
    if not text or text.isspace():
        raise DataError("is empty" if not text else "holds only white space", source=source.name)
    if source.kind == "json":
        yield from _json_rows(text, source)
    elif source.kind == "jsonl":
        yield from _jsonl_rows(text, source, faults)
    else:
        yield from csv_rows(text, source, fields, faults)


def table_columns(source: Source, faults: Faults) -> tuple[dict[str, Sequence[Any]], Sequence[int], str]:
    """Give a file of records by its columns, None where a record has no such field, and the lines or rows where they stand.

    The word that comes last says which: "line" or "row". Raises `DataError` as `iter_rows` does, and for what is no object.

    >>> table_columns(Source("a.csv", "csv", b"x,y\\n1,2\\n3,4\\n", False), Faults("stop"))
    ({'x': ['1', '3'], 'y': ['2', '4']}, array('q', [2, 3]), 'line')
    """
    if source.kind in ("csv", "tsv"):
        read = csv_columns(decode(source.data, source.name, lenient=faults.skipping), source)
        if read is not None:
            return (*read, "line")
    records: list[dict[str, Any]] = []
    places: list[int] = []
    word = "line"
    for row in iter_rows(source, (), faults):
        if isinstance(row.cells, dict):
            records.append(dict(flatten(row.cells)))
            word = "line" if "line" in row.place else "row"
            places.append(row.place.get("line") or row.place.get("row") or 0)
        else:
            problem = f"expected an object with fields, got {_kind(row.cells)}"
            faults.handle(DataError(problem, source=source.name, **row.place))
    names = dict.fromkeys(name for cells in records for name in cells)
    _check_alike(records, len(names), source)
    return {name: [cells.get(name) for cells in records] for name in names}, places, word


def _check_alike(records: list[dict[str, Any]], fields: int, source: Source) -> None:
    """Raise `DataError` where a table of the records would be empty nearly everywhere, and many times as large as they are."""
    values, cells = sum(map(len, records)), fields * len(records)
    if cells > max(MIN_CELLS_CHECKED, MAX_CELLS_PER_VALUE * values):
        raise DataError(
            f"expected records that have fields in common, got {fields:,} different fields in {len(records):,} records, "
            f"with {values / len(records):.3g} values each",
            source=source.name,
            hint="what differs from record to record belongs into a value, not into the name of a field",
        )


def _json_rows(text: str, source: Source) -> Iterator[Row]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        hint = None
        if error.msg == "Extra data" and text[error.pos] in "{[":
            hint = "one record a line is JSON lines: name the file .jsonl"
        raise DataError(
            f"{_json_problem(error)}, column {error.colno}", source=source.name, line=error.lineno, hint=hint
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataError(_json_problem(error), source=source.name) from None
    escaped = _ESCAPED_SURROGATE.search(text) is not None
    for row, cells in enumerate(content if isinstance(content, list) else [content], start=1):
        if escaped:
            _check_names(cells, source, {"row": row})
        yield Row(cells, {"row": row})


def _jsonl_rows(text: str, source: Source, faults: Faults) -> Iterator[Row]:
    # Not splitlines: a JSON string may hold U+2028 and its like.
    for line, record in enumerate(iter_lines(text), start=1):
        if not record or record.isspace():
            continue
        try:
            cells = json.loads(record)
            if _ESCAPED_SURROGATE.search(record) is not None:
                _check_names(cells, source, {"line": line})
        except DataError as error:
            faults.handle(error)
        except (ValueError, RecursionError) as error:
            column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            problem = f"{_json_problem(error)}{column}"
            faults.handle(DataError(problem, source=source.name, line=line, hint=_not_lines_hint(text, line)))
        else:
            yield Row(cells, {"line": line})


def _check_names(cells: Any, source: Source, place: Place) -> None:
    """Raise `DataError` for a field whose name is no text, which no column may have: half of a surrogate pair, say."""
    for name, _ in flatten(cells) if isinstance(cells, dict) else ():
        problem = find_defect(name)
        if problem:
            raise DataError(f"the name of a field {problem}", source=source.name, **place)


def _not_lines_hint(text: str, line: int) -> str | None:
    return (
        "is it one JSON value over many lines? Name the file .json" if line == 1 and text.lstrip()[0] in "[{" else None
    )


def _json_problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"broken JSON: {error.msg[0].lower()}{error.msg[1:]}"
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    return f"a number of more than {sys.get_int_max_str_digits():,} digits"  # all else that the parser refuses


def field_value(row: Row, field: str, source: Source) -> Any:
    """Give the value of a record's field; dots lead into nested objects.

    Raises `DataError`, listing the fields there are, where it has none of that name.
    """
    if not isinstance(row.cells, dict):
        raise DataError(f"expected an object with fields, got {_kind(row.cells)}", source=source.name, **row.place)
    try:
        return _pick(row.cells, field)
    except KeyError:
        names = [name for name, _ in flatten(row.cells)]
        raise missing_field_error(field, names, source, row.place) from None


def field_text(row: Row, field: str, source: Source, *, lenient: bool = False) -> str:
    """Give the text of a record's field in NFC; a list of strings is joined with line breaks.

    Raises `DataError` for a field that is missing, is no string or is no valid Unicode; `lenient`: the file was decoded
    so, and bytes that were no UTF-8 are to be found.
    """
    value = field_value(row, field, source)
    text = join_strings(value)
    if text is None:
        message = f"field '{field}': expected a string or a list of strings, got {_kind(value)}"
        raise DataError(message, source=source.name, **row.place)
    text = normalise(text)
    problem = find_defect(text, lenient=lenient)
    if problem:
        raise DataError(f"field '{field}' {problem}", source=source.name, **row.place)
    return text


def _pick(cells: dict[str, Any], field: str) -> Any:
    """Return the value of a field; the dots of its name lead into nested objects, unless a name has them itself."""
    if field in cells:
        return cells[field]
    for dot in (place for place, character in enumerate(field) if character == "."):
        inner = cells.get(field[:dot])
        if isinstance(inner, dict):
            with suppress(KeyError):
                return _pick(inner, field[dot + 1 :])
    raise KeyError(field)


def flatten(cells: dict[str, Any], depth: int = 4) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a record and their values, those of nested objects by their dotted names."""
    for name, value in cells.items():
        if isinstance(value, dict) and value and depth:
            yield from ((f"{name}.{inner}", content) for inner, content in flatten(value, depth - 1))
        else:
            yield name, value


def join_strings(value: Any) -> str | None:
    """Give a string, or a list of strings joined with line breaks; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    return None


def _kind(value: Any) -> str:
    if isinstance(value, list):
        odd = next((part for part in value if not isinstance(part, str)), None)
        return f"a list with {_kind(odd)}"
    kind = _JSON_TYPES.get(type(value).__name__, type(value).__name__)
    return f"{kind} ({value})" if isinstance(value, int | float) else kind

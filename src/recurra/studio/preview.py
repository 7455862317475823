"""A first look into a file: its rows or lines, and what its columns seem to hold."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from recurra.audio import is_sound
from recurra.data.header import has_header
from recurra.data.timeseries.timestamps import is_time_of_day, is_timestamp
from recurra.errors import DataError, RecurraError
from recurra.images import is_picture
from recurra.series import is_missing, is_number
from recurra.text import (
    Source,
    base_name,
    first_rows,
    has_decimal_commas,
    is_archive,
    record_kind_from_name,
    sample_records,
)
from recurra.text.read.allowance import Allowance, unpack_limit
from recurra.text.read.decode import decode, is_binary
from recurra.text.read.unpack import decompress, layers

Kind = Literal["table", "text", "picture", "sound", "ink", "series", "archive", "other"]
ROWS_SHOWN, ROWS_LOOKED_AT, MAX_CELL, MAX_COLUMNS = 20, 200, 200, 60
HEAD_BYTES, MAX_WHOLE_BYTES = 2**20, 32 * 2**20
"""What is read of a file of lines, and of one that can be read as a whole alone."""
MIN_SHARE = 0.9
"""Of a column's cells, from which on it is of their kind."""
_INK_SUFFIXES, _SERIES_SUFFIXES = (".inkml", ".unp", ".dat"), (".ts", ".arff", ".npy", ".npz", ".mat", ".idx")


@dataclass(frozen=True)
class ColumnPreview:
    """A column: what its cells are, how many of those looked at are missing and different, and the longest, in words."""

    name: str
    type: Literal["number", "time", "text", "empty"]
    examples: list[str]
    missing: int = 0
    distinct: int = 0
    words: float = 0.0


@dataclass(frozen=True)
class Preview:
    """rows: the first ones, as text.  lines: of a text.  count: of rows or lines, where it is known.  names: of the files of an archive."""

    kind: Kind
    columns: list[ColumnPreview] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    count: int | None = None
    names: list[str] = field(default_factory=list)
    looked_at: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give its fields."""
        return asdict(self)


def preview(path: Path) -> Preview:
    """Look into a file; what cannot be read is a note."""
    name = base_name(path.name.lower())
    try:
        if is_archive(path.name.lower()):
            return _archive(path)
        if is_picture(name) or is_sound(name):
            return Preview("picture" if is_picture(name) else "sound")
        suffix = PurePosixPath(name).suffix
        if suffix in (*_INK_SUFFIXES, *_SERIES_SUFFIXES):
            return _with_lines("ink" if suffix in _INK_SUFFIXES else "series", path)
        if (records := record_kind_from_name(name)) is not None:
            return _table(path, records)
        return _with_lines("text", path)
    except RecurraError as error:
        return Preview("other", notes=[str(error)])


def _content(path: Path, most: int) -> tuple[bytes, bool]:
    """Give the beginning of a file, unpacked, and whether that is all of it."""
    suffixes = layers(path.name)[1:]
    with path.open("rb") as file:
        data = file.read() if suffixes else file.read(most + 1)
    for suffix in reversed(suffixes):
        data = decompress(data, suffix, path.name, Allowance(unpack_limit()))
    return data[:most], len(data) <= most


def _table(path: Path, records: str) -> Preview:
    whole = records in ("json", "parquet")
    data, complete = _content(path, MAX_WHOLE_BYTES if whole else HEAD_BYTES)
    if whole and not complete:
        return Preview(
            "table", notes=[f"the file is larger than {MAX_WHOLE_BYTES:,} bytes: it is not looked into here"]
        )
    if not complete:
        data = data[: data.rfind(b"\n") + 1] or data
    count = data.count(b"\n") if complete and not whole else None
    source = Source(path.name, records, data, found=False)
    notes: list[str] = []
    if records in ("csv", "tsv"):
        rows = first_rows(source)
        if not rows:
            raise DataError("the file holds no rows that can be read as a table", source=path.name)
        named = has_header(rows)
        names = rows[0] if named else [str(number) for number in range(1, len(rows[0]) + 1)]
        rows = rows[1:] if named else rows
        count = count if count is None else max(0, count - named)
        notes += [] if named else ["the first row is read as data: the columns have no names"]
        notes += ["numbers are written with decimal commas"] if has_decimal_commas(source) else []
    else:
        found = sample_records(source)
        names = list(dict.fromkeys(key for record in found for key in record))
        rows = [["" if (cell := record.get(name)) is None else str(cell) for name in names] for record in found]
    looked = rows[:ROWS_LOOKED_AT]
    columns = [_column(name, [row[at] for row in looked if at < len(row)]) for at, name in enumerate(names)]
    notes += [f"{one.name}: {one.missing} of {len(looked)} cells are empty" for one in columns if one.missing][:5]
    uneven = sum(len(row) != len(names) for row in looked)
    notes += [f"{uneven} of the first {len(looked)} rows have more or fewer cells than the first"] if uneven else []
    shown = [[_short(cell) for cell in row[:MAX_COLUMNS]] for row in rows[:ROWS_SHOWN]]
    return Preview("table", columns, shown, notes=notes, count=count, looked_at=len(looked))


def _column(name: str, cells: Sequence[str]) -> ColumnPreview:
    there = [cell for cell in cells if not is_missing(cell)]
    kinds = {
        "number": sum(is_number(cell, decimal_commas=True) for cell in there),
        "time": sum(is_timestamp(cell) or is_time_of_day(cell) for cell in there),
    }
    kind = next((kind for kind, number in kinds.items() if there and number >= MIN_SHARE * len(there)), "text")
    examples = [_short(cell) for cell in islice(dict.fromkeys(there), 3)]
    words = sum(len(cell.split()) for cell in there) / max(1, len(there))
    of_type: Any = kind if there else "empty"
    return ColumnPreview(name, of_type, examples, len(cells) - len(there), len(set(there)), words)


def _with_lines(kind: Kind, path: Path) -> Preview:
    data, complete = _content(path, HEAD_BYTES)
    if is_binary(data):
        return Preview(kind if kind != "text" else "other")
    if not complete:
        data = data[: data.rfind(b"\n") + 1] or data
    lines = decode(data, path.name, lenient=True).split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    count = len(lines) if complete else None
    return Preview(kind, lines=[_short(line) for line in lines[:ROWS_SHOWN]], count=count)


def _archive(path: Path) -> Preview:
    """Name the files of an archive; none of them is unpacked."""
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as packed:
                names = [one.filename for one in packed.infolist() if not one.is_dir()]
        else:
            with tarfile.open(path) as unpacked:
                names = [one.name for one in islice(unpacked, 100_000) if one.isfile()]
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, NotImplementedError) as error:
        raise DataError(f"the archive cannot be read ({error})", source=path.name) from None
    shown = [_short(name) for name in names[:ROWS_SHOWN]]
    return Preview("archive", lines=shown, count=len(names), names=names[:2000])


def _short(text: str) -> str:
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"

"""Tables of series in time by their columns: from files, and from frames in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.data.frames import index_to_columns
from recurra.data.timeseries.timestamps import YEAR_RANGE, to_microseconds
from recurra.errors import DataError, UsageError, as_data_error, require
from recurra.series import is_missing, is_number
from recurra.text import Faults, Place, Source, has_decimal_commas, missing_field_error, parquet_batches, table_columns

_ROWS_PER_BATCH = 1 << 16
_ROWS_SAMPLED = 400  # from all of the table
MIN_SHARE = 0.75
"""Share of a column's cells from which on the column is of their kind."""


@dataclass(frozen=True)
class Table:
    """A table by its columns, and where (N) each of its rows stands."""

    name: str
    columns: Mapping[str, Sequence[Any] | np.ndarray]
    lines: np.ndarray
    word: str = "row"
    decimal_commas: bool = False
    headerless: bool = False  # its columns have no names of their own

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> Place:
        """Say where a row stands."""
        line = int(self.lines[row])
        return {"line": line} if self.word == "line" else {"row": line}

    def missing_column_error(self, column: str) -> DataError:
        """Say that a column is not there, and which are."""
        source = Source(self.name, "csv", b"", False, header=not self.headerless)
        return missing_field_error(column, list(self.columns), source, {"line": 1} if self.word == "line" else {})

    def sample(self) -> list[dict[str, Any]]:
        """Give some rows of all of the table; a column that they do not show begins with what it shows first."""
        at = np.unique(np.linspace(0, max(0, len(self) - 1), _ROWS_SAMPLED).astype(int)) if len(self) else []
        rows = [{name: _to_python(cells[row]) for name, cells in self.columns.items()} for row in at]
        for name, cells in self.columns.items():
            if rows and all(is_missing(row[name]) for row in rows):
                rows[0][name] = next((_to_python(cell) for cell in cells if not _is_absent(cell)), None)
        return rows


def number_columns(sample: Sequence[Mapping[str, Any]], decimal_commas: bool = False) -> list[str]:
    """Name the columns of numbers: those most of whose cells, of the ones that are there, are numbers.

    What is none among them is refused where it is read, with its row: a broken cell must not cost a whole column.

    >>> rows = [{"bar": "1.5", "room": "12"}, {"bar": "x", "room": "hall"}, {"bar": "2", "room": ""}, {"bar": "3", "room": "cellar"}]
    >>> number_columns(rows)
    ['bar']
    """
    found = []
    for name in dict.fromkeys(name for row in sample for name in row):
        there = [row.get(name) for row in sample if not is_missing(row.get(name))]
        if there and sum(is_number(cell, decimal_commas) for cell in there) >= MIN_SHARE * len(there):
            found.append(name)
    return found


def _to_python(cell: Any) -> Any:
    return None if _is_absent(cell) else cell.item() if isinstance(cell, np.number | np.bool_) else cell


def _is_absent(cell: Any) -> bool:
    return is_missing(cell) or bool(cell != cell)  # NaN and NaT differ from themselves


def read_table(source: Source, faults: Faults) -> Table:
    """Read a CSV, TSV, JSON, JSONL or Parquet file by its columns."""
    if source.kind == "parquet":
        return _parquet(source)
    columns, lines, word = table_columns(source, faults)
    if not lines:
        raise DataError("holds no rows", source=source.name)
    return Table(source.name, columns, np.array(lines, np.int64), word, has_decimal_commas(source), not source.header)


def _parquet(source: Source) -> Table:
    arrow = require("pyarrow", "data", "a Parquet file")
    batches = list(parquet_batches(source, rows=_ROWS_PER_BATCH))
    if not batches:
        raise DataError("holds no rows", source=source.name)
    return table_from_frame(arrow.Table.from_batches(batches), source.name)


def table_from_frame(frame: Any, name: str) -> Table:
    """Read a table that is in memory, of pandas, polars, pyarrow or another library that narwhals knows, by its columns."""
    narwhals = require("narwhals.stable.v2", "data", "a table in memory")
    try:
        table = narwhals.from_native(index_to_columns(frame), eager_only=True)
    except TypeError:
        raise UsageError(
            f"expected a table of pandas, polars or pyarrow, or a dict of arrays, got {type(frame).__name__}"
        ) from None
    columns: dict[str, Any] = {}
    for column in table.iter_columns():
        columns[str(column.name)] = _checked_cells(column, narwhals, name)
    return Table(name, columns, np.arange(1, len(table) + 1), "row")


def _checked_cells(column: Any, narwhals: Any, name: str) -> np.ndarray | list[Any]:
    """Give the cells of a column; raises `DataError`, with the row, for one that no value of Python or numpy is."""
    problem = f"column '{column.name}' cannot be read"
    try:
        return _cells(column, narwhals)
    except Exception:  # noqa: BLE001 (the library behind the table raises errors of its own)
        for row in range(len(column)):
            with as_data_error(problem, source=name, row=row + 1):
                _cells(column[row : row + 1], narwhals)
        with as_data_error(problem, source=name):
            return _cells(column, narwhals)


def _cells(column: Any, narwhals: Any) -> np.ndarray | list[Any]:
    kind = column.dtype
    if isinstance(kind, narwhals.Datetime) and kind.time_zone:
        return column.to_list()
    if kind in (narwhals.Date, narwhals.Datetime):
        times = column.to_numpy()
        values, beyond = to_microseconds(times if times.dtype.kind == "M" else times.astype("M8[us]"))
        if beyond.any():
            raise OverflowError(f"{times[beyond][0]} is beyond {YEAR_RANGE}")
        return values
    if kind.is_integer():
        numbers = column.to_numpy()
        if numbers.dtype.kind in "iuf":
            return numbers.astype(np.float64)  # pyarrow refuses to cast whole numbers beyond 2⁵³
    if kind.is_numeric() and not kind.is_decimal():
        return column.cast(narwhals.Float64).to_numpy()
    cells = column.cast(narwhals.Float64).to_list() if kind.is_decimal() else column.to_list()
    # The periods of pandas, which narwhals does not know, begin at a time.
    return [cell.to_timestamp() if hasattr(cell, "to_timestamp") else cell for cell in cells]

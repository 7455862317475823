"""Tables of series in time: their columns at once, and which of them is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from recurra.data.frames import with_index
from recurra.data.timeseries.timestamps import is_clock, is_period, is_stamp
from recurra.data.timeseries.types import TimedReading
from recurra.errors import DataError, UsageError, require
from recurra.series import INDEX_NAMES, is_missing, is_number
from recurra.text import Faults, Place, Source, fields_message, has_decimal_commas, missing_field_error, table_columns

_SAMPLE = 400  # rows looked at, from all of the table
_MOST = 0.75  # share of a column's cells from which on it is taken for what they are
_TIMES = ("timestamp", "datetime", "date_time", "date", "time", "ds", "ts", "t", "utc", "epoch", "step")
_TIMES += ("时间", "日期", "時間", "时间戳", "日時", "datum", "zeit", "fecha")
_PERIODS = ("month", "week", "quarter", "day", "year", "月份", "季度", "年份", "年", "jahr")  # of dates, not of numbers
_SERIES = ("unique_id", "series", "series_id", "item_id", "序列")
_PARTS = (
    ("year", "年"),
    ("month", "月"),
    ("day", "日"),
    ("hour", "时", "小时"),
    ("minute", "min", "分"),
    ("second", "sec", "秒"),
)


@dataclass(frozen=True)
class Table:
    """A table by its columns, and where (N) each of its rows stands."""

    name: str
    columns: Mapping[str, Sequence[Any] | np.ndarray]
    lines: np.ndarray
    word: str = "row"
    decimal_commas: bool = False
    bare: bool = False

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> Place:
        """Say where a row stands."""
        line = int(self.lines[row])
        return {"line": line} if self.word == "line" else {"row": line}

    def missing_column_error(self, column: str) -> DataError:
        """Say that a column is not there, and which are."""
        source = Source(self.name, "csv", b"", False)
        return missing_field_error(column, list(self.columns), source, {"line": 1} if self.word == "line" else {})

    def sample(self) -> list[dict[str, Any]]:
        """Give some rows of all of the table; a column that they do not show begins with what it shows first."""
        at = np.unique(np.linspace(0, max(0, len(self) - 1), _SAMPLE).astype(int)) if len(self) else []
        rows = [{name: _plain(cells[row]) for name, cells in self.columns.items()} for row in at]
        for name, cells in self.columns.items():
            if rows and all(is_missing(row[name]) for row in rows):
                rows[0][name] = next((_plain(cell) for cell in cells if not _gone(cell)), None)
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
        if there and sum(is_number(cell, decimal_commas) for cell in there) >= _MOST * len(there):
            found.append(name)
    return found


def _plain(cell: Any) -> Any:
    return None if _gone(cell) else cell.item() if isinstance(cell, np.number | np.bool_) else cell


def _gone(cell: Any) -> bool:
    return is_missing(cell) or bool(cell != cell)  # NaN and NaT differ from themselves


@dataclass(frozen=True)
class Roles:
    """Which column is what.

    time: one column, or several that make a time together; none where the rows' order is it.  left: those left out.
    """

    time: tuple[str, ...]
    series: str | None
    target: tuple[str, ...]
    known: tuple[str, ...]
    past: tuple[str, ...]
    static: tuple[str, ...]
    left: tuple[str, ...] = ()

    @property
    def all(self) -> list[str]:
        """All columns that are needed."""
        single = () if self.series is None else (self.series,)
        return [*self.time, *single, *self.target, *self.known, *self.past, *self.static]


def table_of(source: Source, faults: Faults) -> Table:
    """Read a CSV, TSV, JSON, JSONL or Parquet file by its columns."""
    if source.kind == "parquet":
        return _parquet(source)
    columns, lines, word = table_columns(source, faults)
    if not lines:
        raise DataError("holds no rows", source=source.name)
    return Table(source.name, columns, np.array(lines, np.int64), word, has_decimal_commas(source))


def _parquet(source: Source) -> Table:
    arrow = require("pyarrow", "data", "a Parquet file")
    parquet = require("pyarrow.parquet", "data", "a Parquet file")
    try:
        held = parquet.read_table(arrow.BufferReader(source.data))
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise DataError(f"the Parquet data is cut off or damaged ({reason})", source=source.name) from None
    return frame_table(held, source.name)


def frame_table(frame: Any, name: str) -> Table:
    """Read a table that is in memory, of pandas, polars, pyarrow or another library that narwhals knows, by its columns."""
    narwhals = require("narwhals.stable.v2", "data", "a table in memory")
    try:
        held = narwhals.from_native(with_index(frame), eager_only=True)
    except TypeError:
        raise UsageError(
            f"expected a table of pandas, polars or pyarrow, or a dict of arrays, got {type(frame).__name__}"
        ) from None
    columns: dict[str, Any] = {}
    for column in held.iter_columns():
        columns[str(column.name)] = _cells(column, narwhals)
    return Table(name, columns, np.arange(1, len(held) + 1), "row")


def _cells(column: Any, narwhals: Any) -> np.ndarray | list[Any]:
    kind = column.dtype
    if isinstance(kind, narwhals.Datetime) and kind.time_zone:
        return column.to_list()
    if kind in (narwhals.Date, narwhals.Datetime):
        return column.to_numpy().astype("M8[us]")
    if kind.is_numeric() and not kind.is_decimal():
        return column.cast(narwhals.Float64).to_numpy()
    cells = column.cast(narwhals.Float64).to_list() if kind.is_decimal() else column.to_list()
    # The periods of pandas, which narwhals does not know, begin at a moment.
    return [cell.to_timestamp() if hasattr(cell, "to_timestamp") else cell for cell in cells]


def roles_of(table: Table, how: TimedReading, notes: list[str]) -> Roles:
    """Find out which column is what; raises `UsageError` or `DataError` where it is open, or a column is not there."""
    for name in (how.time, how.series, *how.target, *how.known, *how.past, *how.static):
        if name is not None and name not in table.columns:
            raise table.missing_column_error(name)
    _once(how)
    sample = table.sample()
    numeric = number_columns(sample, table.decimal_commas)
    said = {how.series, *how.target, *how.known, *how.past, *how.static}
    short = PurePath(table.name).name
    time = _time(table, how, sample, numeric, said, notes)
    series = how.series
    if series is None:
        series = next((name for name in table.columns if name.strip().lower() in _SERIES and name not in said), None)
        if series is not None:
            notes.append(f"{short}: column '{series}' says which series a row belongs to")
    others = {*time, series, *how.known, *how.past, *how.static}
    target = how.target or tuple(name for name in numeric if name not in others and not _counts(name, table, sample))
    if not target:
        raise UsageError(
            f"{table.name}: no column of numbers is left for the values; {fields_message(list(table.columns))}; "
            "name them: --target NAME"
        )
    left = [name for name in table.columns if name not in others and name not in target]
    if left:
        shown = ", ".join(left[:10]) + (f" and {len(left) - 10} more" if len(left) > 10 else "")
        notes.append(f"{short}: left out: {shown}")
    return Roles(time, series, target, how.known, how.past, how.static, tuple(left))


def _once(how: TimedReading) -> None:
    named = [("time", how.time), ("series", how.series)] + [
        (role, name) for role in ("target", "known", "past", "static") for name in getattr(how, role)
    ]
    seen: dict[str, str] = {}
    for role, name in named:
        if name is not None and name in seen:
            raise UsageError(f"{role}: the column '{name}' is named as {seen[name]} too; a column is one of them")
        if name is not None:
            seen[name] = role


def _counts(name: str, table: Table, sample: list[dict[str, Any]]) -> bool:
    """Say whether a column only counts the rows."""
    if name.strip().lower() in INDEX_NAMES:
        return True
    cells = table.columns[name]
    try:
        first = float(sample[0][name])
        wanted = np.linspace(0, len(table) - 1, min(len(table), 50)).astype(int)
        return (
            len(table) > 2
            and first in (0, 1)
            and all(float(cells[row]) == first + row for row in wanted)
            and name.lower() in ("no", "nr", "n", "序号", "编号")
        )
    except (TypeError, ValueError):
        return False


def _time(
    table: Table,
    how: TimedReading,
    sample: list[dict[str, Any]],
    numeric: list[str],
    said: set[str | None],
    notes: list[str],
) -> tuple[str, ...]:
    short = PurePath(table.name).name
    free = [name for name in table.columns if name not in said]
    if how.time is not None:
        return (how.time, *_clock(how.time, free, sample))
    dated = [name for name in free if _most(sample, name, is_stamp)]
    lower = {name.strip().lower(): name for name in reversed(free)}
    named = [lower[word] for word in (*_TIMES, *_PERIODS) if word in lower and lower[word] in dated]
    found = named[:1] or dated
    if len(found) > 1:
        raise UsageError(f"{table.name}: columns {', '.join(found)} hold times; say which it is: --time {found[0]}")
    if found:
        time = (found[0], *_clock(found[0], free, sample))
        notes.append(
            f"{short}: column '{found[0]}' holds the times"
            if len(time) == 1
            else f"{short}: columns '{time[0]}' and '{time[1]}' hold the times"
        )
        return time
    parts = [
        next((lower[word] for word in words if word in lower and lower[word] in numeric), None) for words in _PARTS
    ]
    if parts[0] is not None and parts[1] is not None:
        whole = (
            tuple(part for part in parts[: parts.index(None)] if part is not None)
            if None in parts
            else tuple(map(str, parts))
        )
        notes.append(f"{short}: columns {', '.join(whole)} are read as the times")
        return whole
    counted = [lower[word] for word in (*_TIMES, "year", "年", "年份") if word in lower and lower[word] in numeric]
    counted += [lower[word] for word in _PERIODS if word in lower and _most(sample, lower[word], is_period, share=1.0)]
    if counted:
        notes.append(f"{short}: column '{counted[0]}' holds the times")
        return (counted[0],)
    odd = next((lower[word] for word in (*_TIMES, *_PERIODS) if word in lower and lower[word] not in numeric), None)
    said_odd = f" (column '{odd}' holds no times that can be read, such as {str(sample[0][odd])[:20]!r})" if odd else ""
    notes.append(f"{short}: no column of times is found: the order of the rows is taken{said_odd}")
    return ()


def _most(sample: list[dict[str, Any]], name: str, test: Any, share: float = _MOST) -> bool:
    there = [row[name] for row in sample if not is_missing(row[name])]
    return bool(there) and sum(bool(test(cell)) for cell in there) >= share * len(there)


def _clock(date: str, free: list[str], sample: list[dict[str, Any]]) -> tuple[str, ...]:
    """Name the column with the time of day that stands beside one with days alone."""
    if not _most(sample, date, lambda cell: isinstance(cell, str) and ":" not in cell, share=1.0):
        return ()
    return tuple(name for name in free if name != date and _most(sample, name, is_clock))[:1]

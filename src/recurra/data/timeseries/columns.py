"""Columns of a table of series in time: which of them is what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from recurra.data.timeseries.table import MIN_SHARE, Table, number_columns
from recurra.data.timeseries.timestamps import is_period, is_time_of_day, is_timestamp
from recurra.data.timeseries.types import TimeSeriesOptions
from recurra.errors import UsageError
from recurra.series import INDEX_NAMES, is_missing
from recurra.text import fields_message

_MAX_COLUMNS_SHOWN = 10
_TIME_NAMES = ("timestamp", "datetime", "date_time", "date", "time", "ds", "ts", "t", "utc", "epoch", "step")
_TIME_NAMES += ("时间", "日期", "時間", "时间戳", "日時", "datum", "zeit", "fecha")
# Of dates, not of numbers.
_PERIOD_NAMES = ("month", "week", "quarter", "day", "year", "月份", "季度", "年份", "年", "jahr")
_SERIES_NAMES = ("unique_id", "series", "series_id", "item_id", "序列")
_PART_NAMES = (
    ("year", "年"),
    ("month", "月"),
    ("day", "日"),
    ("hour", "时", "小时"),
    ("minute", "min", "分"),
    ("second", "sec", "秒"),
)


@dataclass(frozen=True)
class ColumnRoles:
    """Which column is what.

    time: one column, or several that make a time together; none where the rows' order is it.  ignored: those left out.
    """

    time: tuple[str, ...]
    series: str | None
    target: tuple[str, ...]
    known: tuple[str, ...]
    past: tuple[str, ...]
    static: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    @property
    def all(self) -> list[str]:
        """All columns that are needed."""
        single = () if self.series is None else (self.series,)
        return [*self.time, *single, *self.target, *self.known, *self.past, *self.static]


def infer_roles(table: Table, options: TimeSeriesOptions, notes: list[str]) -> ColumnRoles:
    """Find out which column is what; raises `UsageError` or `DataError` where it is open, or a column is not there."""
    for name in (options.time, options.series, *options.target, *options.known, *options.past, *options.static):
        if name is not None and name not in table.columns:
            raise table.missing_column_error(name)
    _check_named_once(options)
    sample = table.sample()
    numeric = number_columns(sample, table.decimal_commas)
    assigned = {options.series, *options.target, *options.known, *options.past, *options.static}
    short = PurePath(table.name).name
    time = _infer_time(table, options, sample, numeric, assigned, notes)
    series = options.series
    if series is None:
        free = [name for name in table.columns if name not in assigned]
        series = next((name for name in free if name.strip().lower() in _SERIES_NAMES), None)
        if series is not None:
            notes.append(f"{short}: column '{series}' says which series a row belongs to")
    others = {*time, series, *options.known, *options.past, *options.static}
    values = [name for name in numeric if name not in others and not _counts_rows(name, table, sample)]
    target = options.target or tuple(values)
    if not target:
        raise UsageError(
            f"{table.name}: no column of numbers is left for the values; {fields_message(list(table.columns))}; "
            "name them: --target NAME"
        )
    ignored = [name for name in table.columns if name not in others and name not in target]
    if ignored:
        more = f" and {len(ignored) - _MAX_COLUMNS_SHOWN} more" if len(ignored) > _MAX_COLUMNS_SHOWN else ""
        notes.append(f"{short}: left out: {', '.join(ignored[:_MAX_COLUMNS_SHOWN])}{more}")
    return ColumnRoles(time, series, target, options.known, options.past, options.static, tuple(ignored))


def _check_named_once(options: TimeSeriesOptions) -> None:
    named = [("time", options.time), ("series", options.series)] + [
        (role, name) for role in ("target", "known", "past", "static") for name in getattr(options, role)
    ]
    seen: dict[str, str] = {}
    for role, name in named:
        if name is not None and name in seen:
            raise UsageError(f"{role}: the column '{name}' is named as {seen[name]} too; a column is one of them")
        if name is not None:
            seen[name] = role


def _counts_rows(name: str, table: Table, sample: list[dict[str, Any]]) -> bool:
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


def _infer_time(
    table: Table,
    options: TimeSeriesOptions,
    sample: list[dict[str, Any]],
    numeric: list[str],
    assigned: set[str | None],
    notes: list[str],
) -> tuple[str, ...]:
    """Find the columns that make a time together, of those that are not assigned to something else; none: the rows' order."""
    short = PurePath(table.name).name
    free = [name for name in table.columns if name not in assigned]
    if options.time is not None:
        return (options.time, *_time_of_day_column(options.time, free, sample))
    dated = [name for name in free if _mostly(sample, name, is_timestamp)]
    lower = {name.strip().lower(): name for name in reversed(free)}
    named = [lower[word] for word in (*_TIME_NAMES, *_PERIOD_NAMES) if word in lower and lower[word] in dated]
    found = named[:1] or dated
    if len(found) > 1:
        raise UsageError(f"{table.name}: columns {', '.join(found)} hold times; say which it is: --time {found[0]}")
    if found:
        time = (found[0], *_time_of_day_column(found[0], free, sample))
        notes.append(
            f"{short}: column '{found[0]}' holds the times"
            if len(time) == 1
            else f"{short}: columns '{time[0]}' and '{time[1]}' hold the times"
        )
        return time
    parts = [
        next((lower[word] for word in words if word in lower and lower[word] in numeric), None) for words in _PART_NAMES
    ]
    if parts[0] is not None and parts[1] is not None:
        whole = (
            tuple(part for part in parts[: parts.index(None)] if part is not None)
            if None in parts
            else tuple(map(str, parts))
        )
        notes.append(f"{short}: columns {', '.join(whole)} are read as the times")
        return whole
    counted = [lower[word] for word in (*_TIME_NAMES, "year", "年", "年份") if word in lower and lower[word] in numeric]
    periods = [lower[word] for word in _PERIOD_NAMES if word in lower]
    counted += [name for name in periods if _mostly(sample, name, is_period, share=1.0)]
    if counted:
        notes.append(f"{short}: column '{counted[0]}' holds the times")
        return (counted[0],)
    named = [lower[word] for word in (*_TIME_NAMES, *_PERIOD_NAMES) if word in lower]
    odd = next((name for name in named if name not in numeric), None)
    example = f" (column '{odd}' holds no times that can be read, such as {str(sample[0][odd])[:20]!r})" if odd else ""
    notes.append(f"{short}: no column of times is found: the order of the rows is taken{example}")
    return ()


def _mostly(sample: list[dict[str, Any]], name: str, test: Any, share: float = MIN_SHARE) -> bool:
    there = [row[name] for row in sample if not is_missing(row[name])]
    return bool(there) and sum(bool(test(cell)) for cell in there) >= share * len(there)


def _time_of_day_column(date: str, free: list[str], sample: list[dict[str, Any]]) -> tuple[str, ...]:
    """Name the column with the time of day that belongs to one with days alone."""
    if not _mostly(sample, date, lambda cell: isinstance(cell, str) and ":" not in cell, share=1.0):
        return ()
    return tuple(name for name in free if name != date and _mostly(sample, name, is_time_of_day))[:1]

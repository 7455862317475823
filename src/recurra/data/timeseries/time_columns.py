"""The columns of a table that make a time: one with all of it, a day and its hour, or year, month and day apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np

from recurra.data.timeseries.table import MIN_SHARE, Table
from recurra.data.timeseries.timestamps import (
    Timestamps,
    is_period,
    is_time_of_day,
    is_timestamp,
    read_timestamps,
)
from recurra.errors import UsageError
from recurra.series import column_numbers, is_missing

_TIME_NAMES = ("timestamp", "datetime", "date_time", "date", "time", "ds", "ts", "t", "utc", "epoch", "step")
_TIME_NAMES += ("时间", "日期", "時間", "时间戳", "日時", "datum", "zeit", "fecha")
# Of dates, not of numbers.
_PERIOD_NAMES = ("month", "week", "quarter", "day", "year", "月份", "季度", "年份", "年", "jahr")
_YEAR_NAMES = ("year", "yr", "yyyy", "jahr", "année", "annee", "año", "年", "年份")
_MONTH_NAMES = ("month", "mon", "mnth", "mm", "monat", "mois", "mes", "月", "月份")
_DAY_NAMES = (
    "day",
    "date_of_month",
    "day_of_month",
    "dayofmonth",
    "monthday",
    "mday",
    "dd",
    "tag",
    "jour",
    "día",
    "dia",
    "日",
)
_HOUR_NAMES = ("hour", "hr", "hours", "hh", "hour_of_day", "stunde", "heure", "hora", "时", "小时", "時")
_MINUTE_NAMES = ("minute", "min", "minutes", "分", "分钟")
_SECOND_NAMES = ("second", "sec", "seconds", "秒")
# Of a date and of a time of day: what the columns are called, and the numbers that they may hold. Hour 24 is the next day's 0.
_DATE_PARTS = ((_YEAR_NAMES, 1500, 2200), (_MONTH_NAMES, 1, 12), (_DAY_NAMES, 1, 31))
_CLOCK_PARTS = ((_HOUR_NAMES, 0, 24), (_MINUTE_NAMES, 0, 59), (_SECOND_NAMES, 0, 59))
_CELLS_INSPECTED = 100
_CLOCK_MICROSECONDS = (3_600_000_000, 60_000_000, 1_000_000)


def find_time_columns(
    table: Table,
    given: str | None,
    series: Sequence[str],
    sample: list[dict[str, Any]],
    numeric: list[str],
    assigned: set[str],
    notes: list[str],
) -> tuple[str, ...]:
    """Find the columns that make a time together, of those that are not assigned to something else; none: the rows' order.

    given: the column that is said to hold times.  series: those that name series.  numeric: those of numbers.
    Raises `UsageError` where several could hold them.
    """
    short = PurePath(table.name).name
    free = [name for name in table.columns if name not in assigned]
    if given is not None:
        return (given, *_clock_columns(table, given, series, free, sample, numeric))
    dated = [name for name in free if _mostly(sample, name, is_timestamp)]
    lower = {name.strip().lower(): name for name in reversed(free)}
    named = [lower[word] for word in (*_TIME_NAMES, *_PERIOD_NAMES) if word in lower and lower[word] in dated]
    found = named[:1] or dated
    if len(found) > 1:
        raise UsageError(f"{table.name}: columns {', '.join(found)} hold times; say which it is: --time {found[0]}")
    if not found:
        whole = _parts(table, _DATE_PARTS, lower, numeric, faulty=True)
        if len(whole) > 1:
            more = _parts(table, _CLOCK_PARTS, lower, numeric) if len(whole) == len(_DATE_PARTS) else ()
            notes.append(f"{short}: columns {', '.join((*whole, *more))} are read as the times")
            return (*whole, *more)
        counted = [
            lower[word] for word in (*_TIME_NAMES, "year", "年", "年份") if word in lower and lower[word] in numeric
        ]
        periods = [lower[word] for word in _PERIOD_NAMES if word in lower]
        counted += [name for name in periods if _mostly(sample, name, is_period, share=1.0)]
        found = counted[:1]
    if not found:
        named = [lower[word] for word in (*_TIME_NAMES, *_PERIOD_NAMES) if word in lower]
        odd = next((name for name in named if name not in numeric), None)
        example = (
            f" (column '{odd}' holds no times that can be read, such as {str(sample[0][odd])[:20]!r})" if odd else ""
        )
        notes.append(f"{short}: no column of times is found: the order of the rows is taken{example}")
        return ()
    time = (found[0], *_clock_columns(table, found[0], series, free, sample, numeric))
    if len(time) == 1:
        notes.append(f"{short}: column '{time[0]}' holds the times")
    else:
        listed = ", ".join(f"'{name}'" for name in time[:-1])
        notes.append(f"{short}: columns {listed} and '{time[-1]}' hold the times")
    return time


def read_time_columns(table: Table, columns: Sequence[str]) -> Timestamps:
    """Read the times of a table from the columns that make them together, as `find_time_columns` gives them."""
    first, *others = columns
    cells = table.columns[first]
    if not others:
        return read_timestamps(cells, first)
    rest = [table.columns[column] for column in others]
    if any(is_time_of_day(cell) for cell in rest[0][:_CELLS_INSPECTED]):
        clocks = [str(clock).strip().replace(".", ":", 2) for clock in rest[0]]
        joined = [f"{day} {clock}" for day, clock in zip(cells, clocks, strict=True)]
        return read_timestamps(joined, " and ".join(columns))
    if _is_whole(cells, *_DATE_PARTS[0][1:]):
        dates = [_numbers(table, column) for column in columns[: len(_DATE_PARTS)]]
        form = "-".join(("{:04.0f}", "{:02.0f}", "{:02.0f}")[: len(dates)])
        written = [None if np.isnan(row).any() else form.format(*row) for row in np.stack(dates, axis=1)]
        days, clock = read_timestamps(written, ", ".join(columns)), columns[len(_DATE_PARTS) :]
    else:
        days, clock = read_timestamps(cells, first), others
    return _add_clock(days, table, clock)


def _add_clock(days: Timestamps, table: Table, columns: Sequence[str]) -> Timestamps:
    """Add hours, minutes and seconds in columns of their own to days."""
    if not columns or days.values.dtype.kind != "M":
        return days
    values, wrong = days.values.copy(), dict(days.wrong)
    for column, unit in zip(columns, _CLOCK_MICROSECONDS, strict=False):
        numbers = _numbers(table, column)
        for row in np.flatnonzero(np.isnan(numbers)):
            wrong.setdefault(int(row), f"column '{column}' has no time")
        values = values + (np.nan_to_num(numbers) * unit).astype("m8[us]")
    return replace(days, values=values, wrong=wrong)


def _numbers(table: Table, column: str) -> np.ndarray:
    return column_numbers(table.columns[column], decimal_commas=table.decimal_commas)[0]


def _clock_columns(
    table: Table,
    date: str,
    series: Sequence[str],
    free: Sequence[str],
    sample: list[dict[str, Any]],
    numeric: Sequence[str],
) -> tuple[str, ...]:
    """Name the columns with the time of day that belong to one with days alone: one with all of it, or hours, minutes, seconds.

    Hours are its if a day comes more than once in a series: else they are values of the days.
    """
    cells = table.columns[date]
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        days = bool(np.all(cells == cells.astype("M8[D]")))
    else:
        days = _mostly(
            sample, date, lambda cell: is_period(cell) or (isinstance(cell, str) and ":" not in cell), share=1.0
        )
    if not days:
        return ()
    others = [name for name in free if name != date]
    whole = tuple(name for name in others if _mostly(sample, name, is_time_of_day))[:1]
    if whole:
        return whole
    lower = {name.strip().lower(): name for name in reversed(others)}
    parts = _parts(table, _CLOCK_PARTS, lower, numeric)
    keys = list(zip(*(map(str, table.columns[name]) for name in (*series, date)), strict=True))
    return parts if parts and len(set(keys)) < len(keys) else ()


def _parts(
    table: Table,
    parts: Sequence[tuple[Sequence[str], int, int]],
    lower: dict[str, str],
    numeric: Sequence[str],
    *,
    faulty: bool = False,
) -> tuple[str, ...]:
    """Name the columns of the parts of a time, up to the first part that no column is called and can be.

    faulty: what follows the first part may hold other numbers too, which are refused, with their row, when they are read.
    """
    found: list[str] = []
    for words, least, most in parts:
        named = [lower[word] for word in words if word in lower and lower[word] in numeric]
        fitting = [name for name in named if _is_whole(table.columns[name], least, most)]
        chosen = fitting or (named if faulty and found else [])
        if not chosen:
            break
        found.append(chosen[0])
    return tuple(found)


def _is_whole(cells: Sequence[Any] | np.ndarray, least: int, most: int) -> bool:
    """Say whether all cells that are not missing are whole numbers within limits."""
    numbers, wrong = column_numbers(cells)
    there = numbers[~np.isnan(numbers)]
    return (
        not wrong and there.size > 0 and bool(np.all((there == np.floor(there)) & (there >= least) & (there <= most)))
    )


def _mostly(sample: list[dict[str, Any]], name: str, test: Any, share: float = MIN_SHARE) -> bool:
    there = [row[name] for row in sample if not is_missing(row[name])]
    return bool(there) and sum(bool(test(cell)) for cell in there) >= share * len(there)

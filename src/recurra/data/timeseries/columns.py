"""Columns of a table of series in time: which of them is what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from recurra.data.timeseries.table import Table, number_columns
from recurra.data.timeseries.time_columns import find_time_columns
from recurra.data.timeseries.types import TimeSeriesOptions
from recurra.errors import UsageError
from recurra.series import INDEX_NAMES, is_missing
from recurra.text import fields_message

_MAX_COLUMNS_SHOWN = 10
_SERIES_NAMES = ("unique_id", "series", "series_id", "item_id", "序列")


@dataclass(frozen=True)
class ColumnRoles:
    """Which column is what.

    time: one column, or several that make a time together; none where the rows' order is it.  series: one, or several that name
    a series together; none where a file is one.  ignored: those left out.
    """

    time: tuple[str, ...]
    series: tuple[str, ...]
    target: tuple[str, ...]
    known: tuple[str, ...]
    past: tuple[str, ...]
    static: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    @property
    def all(self) -> list[str]:
        """All columns that are needed."""
        return [*self.time, *self.series, *self.target, *self.known, *self.past, *self.static]


def infer_roles(table: Table, options: TimeSeriesOptions, notes: list[str]) -> ColumnRoles:
    """Find out which column is what; raises `UsageError` or `DataError` where it is open, or a column is not there."""
    options = options.with_names(list(table.columns))
    for name in options.named:
        if name not in table.columns:
            raise table.missing_column_error(name)
    _check_named_once(options)
    sample = table.sample()
    numeric = number_columns(sample, table.decimal_commas)
    series = options.series_columns
    assigned = {*series, *options.target, *options.known, *options.past, *options.static}
    short = PurePath(table.name).name
    if not series:
        free = [name for name in table.columns if name not in assigned and name != options.time]
        series = tuple(name for name in free if name.strip().lower() in _SERIES_NAMES)[:1]
    time = find_time_columns(table, options.time, series, sample, numeric, assigned, notes)
    if series and not options.series_columns:
        notes.append(f"{short}: column '{series[0]}' says which series a row belongs to")
    others = {*time, *series, *options.known, *options.past, *options.static}
    values = [name for name in numeric if name not in others and not _counts_rows(name, table, sample)]
    target = options.target or tuple(values)
    if not target:
        raise UsageError(
            f"{table.name}: no column of numbers is left for the values; {fields_message(list(table.columns))}; "
            "name them: --target NAME"
        )
    blank = {name for name in table.columns if not name.strip() and all(is_missing(row[name]) for row in sample)}
    ignored = [name for name in table.columns if name not in others and name not in target and name not in blank]
    if ignored:
        more = f" and {len(ignored) - _MAX_COLUMNS_SHOWN} more" if len(ignored) > _MAX_COLUMNS_SHOWN else ""
        notes.append(f"{short}: left out: {', '.join(ignored[:_MAX_COLUMNS_SHOWN])}{more}")
    return ColumnRoles(time, series, target, options.known, options.past, options.static, tuple(ignored))


def _check_named_once(options: TimeSeriesOptions) -> None:
    named = [("time", options.time), *(("series", name) for name in options.series_columns)] + [
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
    except (TypeError, ValueError, OverflowError):
        return False

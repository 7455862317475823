"""Tables with a series a row, and how they are distinguished from tables with a step a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from recurra.data.sources import location
from recurra.data.timeseries.table import Table, number_columns
from recurra.data.timeseries.timestamps import is_timestamp, read_timestamps
from recurra.data.timeseries.types import TimeSeries, TimeSeriesOptions
from recurra.errors import DataError, UsageError
from recurra.series import INDEX_NAMES, channel_names, column_numbers, is_missing, join_names
from recurra.text import Faults, Place, Row, Source, has_decimal_commas, iter_rows

_NUMBERED = re.compile(r"\D*?(\d{1,18})\Z")
_ROWS_SAMPLED = 30  # they may be long
_MAX_COLUMNS_SHOWN = 10


def _named_targets(options: TimeSeriesOptions, names: Sequence[str]) -> tuple[str, ...]:
    """Give the columns that are asked for; where a row is a series, "value" is what it holds, and no column of it."""
    return () if options.target == channel_names(1) and options.target[0] not in names else options.target


def infer_layout(
    names: Sequence[str], sample: Sequence[dict[str, Any]], options: TimeSeriesOptions, source: str
) -> str:
    """Tell whether a row of a table is a step or a whole series, by its names and first rows.

    It is a series where the columns of numbers are numbered (V2, V3, …) or are dates, and there is a column of names or rows end
    at different columns. Raises `UsageError` where numbered columns are more than there are rows.

    >>> infer_layout(["id", "t1", "t2", "t3"], [{"id": "H1", "t1": "1", "t2": "2", "t3": ""}], TimeSeriesOptions(), "m4.csv")
    'series'
    """
    if options.layout != "auto":
        return options.layout
    if options.time or options.known or options.past or _named_targets(options, names):
        return "steps"
    numbered = _numbered_columns(names, sample)
    if len(numbered) < 3:
        return "steps"
    others = [name for name in names if name not in numbered]
    cells = {name: [row.get(name) for row in sample] for name in others}
    if any(all(map(is_timestamp, there)) for there in cells.values() if there):
        return "steps"
    if is_timestamp(numbered[0]) or any(
        len(set(map(str, there))) == len(there) and name.strip() for name, there in cells.items()
    ):
        return "series"
    ends = {_last_filled([row.get(name) for name in numbered]) for row in sample}
    if len(ends) > 1:
        return "series"
    if len(numbered) > len(sample):
        raise layout_error(source, len(numbered), len(sample))
    return "steps"


def layout_error(source: str, columns: int, rows: int) -> UsageError:
    """Give the error for an array or a table of numbers that could be read in two ways."""
    return UsageError(
        f"{source}: cannot tell whether each of its {rows:,} rows is a step of {columns:,} channels or a series of {columns:,} "
        "steps; say --layout steps or --layout series"
    )


def _last_filled(cells: Sequence[Any]) -> int:
    return max((at for at, cell in enumerate(cells, start=1) if not is_missing(cell)), default=0)


def _numbered_columns(names: Sequence[str], sample: Sequence[dict[str, Any]]) -> list[str]:
    """Give the columns that are numbered one after another, or dates, and hold numbers or nothing."""
    words = [name for name in names if any(not is_missing(row.get(name)) for row in sample)]
    numeric = set(number_columns(sample, decimal_commas=True))
    empty = set(names) - set(words)
    run: list[str] = []
    for name in names:
        if name not in numeric and name not in empty:
            continue
        found = _NUMBERED.match(name.strip())
        before = _NUMBERED.match(run[-1].strip()) if run else None
        follows = (
            found is not None
            and before is not None
            and name.strip()[: found.start(1)] == run[-1].strip()[: before.start(1)]
            and int(found[1]) == int(before[1]) + 1
        )
        if is_timestamp(name) or follows:
            run.append(name)
        elif found is not None and len(run) < 2:
            run = [name]
    return run


def read_wide(
    source: Source, options: TimeSeriesOptions, faults: Faults, folder: str, notes: list[str]
) -> Iterator[TimeSeries]:
    """Yield the series of a table with a series a row; cells that are empty at its end are no steps.

    Raises `DataError`, with the line and the name of the series, for what is no number.
    """
    rows = iter_rows(source, (), faults)
    sample = [row for _, row in zip(range(_ROWS_SAMPLED), iter_rows(source, (), Faults("skip")), strict=False)]
    if not sample:
        raise DataError("holds no rows", source=source.name)
    names, cells = list(sample[0].cells), [row.cells for row in sample]
    options = options.with_names(names)
    _check_options(source, options, names)
    decimal_commas = has_decimal_commas(source)
    key, columns = _choose_columns(source, options, names, cells, decimal_commas, notes)
    times = read_timestamps(columns, "header").values if columns and all(map(is_timestamp, columns)) else None
    seen: dict[str, Place] = {}
    for number, row in enumerate(rows, start=1):
        parts = [str(row.cells.get(column) or "").strip() for column in key]
        name = join_names(parts) if key else f"{number}"
        try:
            if not all(parts):
                raise DataError(f"column '{key[parts.index('')]}' names no series", source=source.name, **row.place)
            if name in seen:
                problem = f"series {name} is there twice, the first time in {seen[name]}"
                raise DataError(problem, source=source.name, **row.place)
            values = _row_values(row, columns, source, name, decimal_commas)
        except DataError as error:
            faults.handle(error)
            continue
        seen[name] = row.place
        static = tuple(str(row.cells.get(column) or "") for column in options.static)
        yield TimeSeries.from_values(name, values, location(source.name, row.place, folder), times, static)


def _check_options(source: Source, options: TimeSeriesOptions, names: list[str]) -> None:
    """Raise `DataError` for a column that is not there, `UsageError` for what needs a row for each step."""
    for name in (*options.series_columns, *options.static):
        if name not in names:
            raise Table(source.name, dict.fromkeys(names, ()), np.zeros(0), "line").missing_column_error(name)
    if options.known or options.past or options.time:
        raise UsageError(
            "a row is a whole series here (--layout series): time, known and past are of tables with a row a step"
        )
    if options.every is not None:
        raise UsageError(
            f"every: {options.every} puts rows together, and in {source.name} a row is a whole series; write its steps below each other, or leave it out"
        )


def _choose_columns(
    source: Source,
    options: TimeSeriesOptions,
    names: list[str],
    cells: list[dict[str, Any]],
    decimal_commas: bool,
    notes: list[str],
) -> tuple[tuple[str, ...], list[str]]:
    """Give the columns with the names of the series, if there are some, and those with their values."""
    numeric = set(number_columns(cells, decimal_commas))
    key = options.series_columns or tuple(filter(None, [_name_column(names, cells, numeric)]))
    columns = list(_named_targets(options, names)) or [
        name
        for name in names
        if name not in key
        and name not in options.static
        and (name in numeric or all(is_missing(row.get(name)) for row in cells))
    ]
    ignored = [name for name in names if name not in columns and name not in key and name not in options.static]
    short = PurePath(source.name).name
    by = f", named by column{'s' * (len(key) > 1)} " + " and ".join(f"'{name}'" for name in key) if key else ""
    notes.append(f"{short}: a row is a series{by}")
    if ignored:
        notes.append(f"{short}: left out: {', '.join(ignored[:_MAX_COLUMNS_SHOWN])}")
    return key, columns


def _row_values(row: Row, columns: list[str], source: Source, name: str, decimal_commas: bool) -> np.ndarray:
    """Give the values (T, 1) of a series in a row; raises `DataError` for what is no number."""
    values, wrong = column_numbers([row.cells.get(column) for column in columns], decimal_commas=decimal_commas)
    for at, problem in wrong.items():
        hint = "empty the cell where there is no value, or leave such series out: --on-error skip"
        raise DataError(f"series {name}: column '{columns[at]}': {problem}", source=source.name, hint=hint, **row.place)
    there = np.flatnonzero(~np.isnan(values))
    return values[: there[-1] + 1 if there.size else 0, None]


def _name_column(names: Sequence[str], cells: Sequence[dict[str, Any]], numeric: set[str]) -> str | None:
    """Find the column with the names of the series: distinct words, or what is called an index."""
    for name in names:
        there = [str(row.get(name)) for row in cells]
        if len(set(there)) == len(there) and (
            name.strip().lower() in INDEX_NAMES or (name not in numeric and any(map(str.strip, there)))
        ):
            return name
    return None

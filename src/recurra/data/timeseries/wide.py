"""Whole series at once: tables with a series a row, lines of numbers without a header, and arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from recurra.data.sources import location
from recurra.data.timeseries.columns import Table, number_columns
from recurra.data.timeseries.timestamps import is_stamp, read_stamps
from recurra.data.timeseries.types import Timed, TimedReading
from recurra.errors import DataError, UsageError
from recurra.series import (
    INDEX_NAMES,
    channel_names,
    column_numbers,
    is_missing,
    mask_infinite,
    match_arrays,
    parse_numbers,
    read_npy,
    read_npz,
    split_cells,
)
from recurra.text import Faults, Place, Source, decode, has_decimal_commas, iter_rows

_NUMBERED = re.compile(r"\D*?(\d+)\Z")
_SAMPLE = 30  # rows looked at; they may be long
_TALL = 5  # lines for each column, from which lines of numbers are steps


def plain(
    name: str, values: np.ndarray, place: str, times: np.ndarray | None = None, static: Sequence[str | float] = ()
) -> Timed:
    """Make a series (T, C) that has nothing beside its values; its steps are counted where no times are given."""
    times = np.arange(len(values), dtype=np.int64) if times is None else times[: len(values)]
    none = np.zeros((len(values), 0))
    return Timed(name, values, times, none, none, tuple(static), place)


def _named_targets(how: TimedReading, names: Sequence[str]) -> tuple[str, ...]:
    """Give the columns that are asked for; where a row is a series, "value" is what it holds, and no column of it."""
    return () if how.target == channel_names(1) and how.target[0] not in names else how.target


def layout_of(names: Sequence[str], sample: Sequence[dict[str, Any]], how: TimedReading, source: str) -> str:
    """Tell whether a row of a table is a step or a whole series, by its names and first rows.

    It is a series where the columns of numbers are numbered (V2, V3, …) or are dates, and there is a column of names or rows end
    at different columns. Raises `UsageError` where numbered columns are more than there are rows.

    >>> layout_of(["id", "t1", "t2", "t3"], [{"id": "H1", "t1": "1", "t2": "2", "t3": ""}], TimedReading(), "m4.csv")
    'series'
    """
    if how.layout != "auto":
        return how.layout
    if how.time or how.known or how.past or _named_targets(how, names):
        return "steps"
    run = _run(names, sample)
    if len(run) < 3:
        return "steps"
    others = [name for name in names if name not in run]
    cells = {name: [row.get(name) for row in sample] for name in others}
    if any(all(map(is_stamp, there)) for there in cells.values() if there):
        return "steps"
    if is_stamp(run[0]) or any(
        len(set(map(str, there))) == len(there) and name.strip() for name, there in cells.items()
    ):
        return "series"
    ends = {_end([row.get(name) for name in run]) for row in sample}
    if len(ends) > 1:
        return "series"
    if len(run) > len(sample):
        raise _open(source, len(run), len(sample))
    return "steps"


def _open(source: str, columns: int, rows: int) -> UsageError:
    return UsageError(
        f"{source}: cannot tell whether each of its {rows:,} rows is a step of {columns:,} channels or a series of {columns:,} "
        "steps; say --layout steps or --layout series"
    )


def _end(cells: Sequence[Any]) -> int:
    return max((at for at, cell in enumerate(cells, start=1) if not is_missing(cell)), default=0)


def _run(names: Sequence[str], sample: Sequence[dict[str, Any]]) -> list[str]:
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
        if is_stamp(name) or follows:
            run.append(name)
        elif found is not None and len(run) < 2:
            run = [name]
    return run


def read_wholes(source: Source, how: TimedReading, faults: Faults, folder: str, notes: list[str]) -> Iterator[Timed]:
    """Yield the series of a table with a series a row; cells that are empty at its end are no steps.

    Raises `DataError`, with the line and the name of the series, for what is no number.
    """
    rows = iter_rows(source, (), faults)
    decimal_commas = has_decimal_commas(source)
    sample = [row for _, row in zip(range(_SAMPLE), iter_rows(source, (), Faults("skip")), strict=False)]
    if not sample:
        raise DataError("holds no rows", source=source.name)
    names, cells = list(sample[0].cells), [row.cells for row in sample]
    for name in (how.series, *how.static):
        if name is not None and name not in names:
            raise Table(source.name, dict.fromkeys(names, ()), np.zeros(0), "line").missing_column_error(name)
    if how.known or how.past or how.time:
        raise UsageError(
            "a row is a whole series here (--layout series): time, known and past are of tables with a row a step"
        )
    if how.every is not None:
        raise UsageError(
            f"every: {how.every} puts rows together, and in {source.name} a row is a whole series; write its steps below each other, or leave it out"
        )
    numeric = set(number_columns(cells, decimal_commas))
    key = how.series or _key(names, cells, numeric)
    columns = _named_targets(how, names) or [
        name
        for name in names
        if name != key
        and name not in how.static
        and (name in numeric or all(is_missing(row.get(name)) for row in cells))
    ]
    left = [name for name in names if name not in columns and name != key and name not in how.static]
    short = PurePath(source.name).name
    notes.append(f"{short}: a row is a series" + (f", named by column '{key}'" if key is not None else ""))
    if left:
        notes.append(f"{short}: left out: {', '.join(left[:10])}")
    times = read_stamps(list(columns), "header") if columns and all(map(is_stamp, columns)) else None
    seen: dict[str, Place] = {}
    for number, row in enumerate(rows, start=1):
        name = f"{number}" if key is None else str(row.cells.get(key) or "").strip()
        try:
            if not name:
                raise DataError(f"column '{key}' names no series", source=source.name, **row.place)
            if name in seen:
                raise DataError(
                    f"series {name} is there twice, the first time in {seen[name]}", source=source.name, **row.place
                )
            values, wrong = column_numbers([row.cells.get(column) for column in columns], decimal_commas=decimal_commas)
            for at, problem in wrong.items():
                hint = "empty the cell where there is no value, or leave such series out: --on-error skip"
                said = f"series {name}: column '{columns[at]}': {problem}"
                raise DataError(said, source=source.name, hint=hint, **row.place)
        except DataError as error:
            faults.handle(error)
            continue
        seen[name] = row.place
        there = np.flatnonzero(~np.isnan(values))
        values = values[: there[-1] + 1 if there.size else 0, None]
        static = tuple(str(row.cells.get(column) or "") for column in how.static)
        yield plain(
            name, values, location(source.name, row.place, folder), None if times is None else times.values, static
        )


def _key(names: Sequence[str], cells: Sequence[dict[str, Any]], numeric: set[str]) -> str | None:
    """Find the column with the names of the series: distinct words, or what is called an index."""
    for name in names:
        there = [str(row.get(name)) for row in cells]
        if len(set(there)) == len(there) and (
            name.strip().lower() in INDEX_NAMES or (name not in numeric and any(map(str.strip, there)))
        ):
            return name
    return None


def read_numbers(
    source: Source, how: TimedReading, faults: Faults, folder: str, notes: list[str]
) -> list[Timed] | Table:
    """Read lines of numbers without a header: each a step, as a table, or each a series.

    Raises `UsageError` where it is open which, `DataError`, with the line, for what is no number and for steps that differ in
    how many they have.
    """
    rows: list[np.ndarray] = []
    lines: list[int] = []
    for number, line in enumerate(decode(source.data, source.name).split("\n"), start=1):
        cells = split_cells(line)
        if not cells:
            continue
        try:
            rows.append(parse_numbers(cells, source.name, {"line": number}, "column", float64=True))
            lines.append(number)
        except DataError as error:
            faults.handle(error)
    widths = {len(row) for row in rows}
    layout = how.layout
    if layout == "auto":
        layout = "series" if len(widths) > 1 else "steps"
        if layout == "steps" and len(rows) < _TALL * max(widths) and max(widths) > 1:
            raise _open(source.name, max(widths), len(rows))
        what = "series" if layout == "series" else "step of time"
        notes.append(
            f"{PurePath(source.name).name}: has no header: each of its {len(rows):,} lines is read as a {what}"
        )
    if layout == "series":
        made = []
        for row, line in zip(rows, lines, strict=True):
            there = np.flatnonzero(~np.isnan(row))
            end = int(there[-1]) + 1 if there.size else 0
            made.append(plain(str(len(made) + 1), row[:end, None], location(source.name, {"line": line}, folder)))
        return made
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            problem = f"the line has {len(row)} values, the first {len(rows[0])}"
            raise DataError(problem, source=source.name, line=line)
    return array_table(source.name, np.stack(rows), np.array(lines), "line")


def array_table(name: str, values: np.ndarray, lines: np.ndarray | None = None, word: str = "row") -> Table:
    """Make a table of an array (T) or (T, C), its channels numbered."""
    values = values[:, None] if values.ndim == 1 else values
    columns = dict(zip(channel_names(values.shape[1]), values.T, strict=True))
    return Table(name, columns, np.arange(1, len(values) + 1) if lines is None else lines, word, bare=True)


def read_array(source: Source, how: TimedReading, folder: str, stem: str) -> list[Timed] | list[tuple[str, Table]]:
    """Read the arrays of a `.npy` or `.npz` file: (T) or (T, C) a series, as a table with its name, (N, T, C) many.

    (N, T), one channel each, is read so with `layout="series"`, or where an array of labels or lengths says it.
    """
    if source.kind == "npy":
        arrays: dict[str, np.ndarray] = {stem: read_npy(source)}
    else:
        arrays = read_npz(source)
        try:
            found = match_arrays(arrays, source.name)
        except DataError:
            found = []
        if any(labels or lengths for _, labels, lengths in found):
            return [
                one
                for x, _, lengths in found
                for one in _many(arrays[x], arrays[lengths] if lengths else None, source, folder, "")
            ]
    tables: list[tuple[str, Table]] = []
    wholes: list[Timed] = []
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or array.ndim not in (1, 2, 3):
            sizes = " x ".join(map(str, array.shape)) or "one number"
            raise DataError(
                f"expected an array (T), (T, C) or (N, T, C) of numbers, got {sizes} of {array.dtype}",
                source=source.name,
            )
        if array.ndim == 3 or (array.ndim == 2 and how.layout == "series"):
            wholes += _many(array, None, source, folder, f"{name} " if len(arrays) > 1 else "")
            continue
        if array.ndim == 2 and how.layout == "auto" and (array.shape[1] > 100 or array.shape[1] > len(array)):
            raise _open(source.name, array.shape[1], array.shape[0])
        tables.append((name, array_table(source.name, array)))
    if tables and wholes:
        raise UsageError(f"{source.name}: some arrays are whole series, others many: keep them in files of their own")
    return wholes or tables


def _many(array: np.ndarray, lengths: np.ndarray | None, source: Source, folder: str, prefix: str) -> list[Timed]:
    made = []
    running = lengths is not None and len(array) == int(np.sum(lengths)) and array.ndim < 3
    ends = None if lengths is None else np.cumsum(lengths)
    for row in range(len(array) if lengths is None else len(lengths)):
        if running and ends is not None and lengths is not None:
            piece = array[int(ends[row] - lengths[row]) : int(ends[row])]
        else:
            piece = array[row] if lengths is None else array[row][: int(lengths[row])]
        values = piece.astype(np.float64)
        values = values[:, None] if values.ndim == 1 else values
        _, wrong = mask_infinite(values.ravel(), {})
        if wrong:
            raise DataError(
                f"series {row + 1}: step {next(iter(wrong)) // values.shape[1] + 1} is infinite",
                source=source.name,
                row=row + 1,
            )
        made.append(plain(f"{prefix}{row + 1}", values, location(source.name, {"row": row + 1}, folder)))
    return made

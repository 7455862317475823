"""Long tables: a row a step, with a column that names the series it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from recurra.errors import DataError
from recurra.series.base import Series
from recurra.series.tables import is_missing, is_number, row_numbers
from recurra.text import Faults, Place, Source, has_decimal_commas, iter_rows

NAME_SEPARATOR = "/"  # between the parts of a name, where several columns name a series


def read_long(
    source: Source,
    series: Sequence[str],
    time: str | None,
    label: str | None,
    columns: Sequence[str],
    faults: Faults,
    *,
    steps: bool = False,
) -> Iterator[Series]:
    """Yield a series (T, C) for every value of the columns `series`, in the order in which they first occur.

    Its steps are its rows, wherever they stand, in the order of the column `time` (numbers or ISO dates) or of the file. With
    `steps`, the label of a series is the list of the labels of its rows; without, all its rows must agree. Raises `DataError`,
    with the line or row, for what is no number, a time that cannot be read or occurs twice, and labels that differ.
    """
    decimal_commas = has_decimal_commas(source)
    needed = [name for name in (*series, time, label, *columns) if name is not None]
    groups: dict[tuple[str, ...], list[tuple[Any, np.ndarray, Any, Place]]] = {}
    for row in iter_rows(source, needed, faults):
        try:
            key = tuple(str(row.cells.get(name)) for name in series)
            absent = next((name for name in series if is_missing(row.cells.get(name))), None)
            if absent is not None:
                raise DataError(f"column '{absent}' names no series", source=source.name, **row.place)
            when = None if time is None else _parse_time(row.cells.get(time), time, source, row.place)
            values = row_numbers(row, columns, source, decimal_commas)
        except DataError as error:
            faults.handle(error)
            continue
        groups.setdefault(key, []).append((when, values, row.cells.get(label) if label else None, row.place))
    for key, group in groups.items():
        try:
            yield _series(join_names(key), group, time is not None, steps, tuple(columns), source)
        except DataError as error:
            faults.handle(error)


def join_names(names: Sequence[str]) -> str:
    """Name a series by what several columns call it.

    >>> join_names(["north"]), join_names(["1", "72"])
    ('north', '1/72')
    """
    return NAME_SEPARATOR.join(names)


def _series(
    key: str,
    group: list[tuple[Any, np.ndarray, Any, Place]],
    timed: bool,
    steps: bool,
    columns: tuple[str, ...],
    source: Source,
) -> Series:
    first = group[0]
    if not steps:
        for _, _, label, place in group:
            if label != first[2]:
                problem = f"series {key}: expected the label {first[2]!r} as before, got {label!r}"
                raise DataError(problem, source=source.name, hint="a series has one label", **place)
    if timed:
        if len({type(when) for when, *_ in group}) > 1:
            raise DataError(f"series {key}: some times are numbers, some dates", source=source.name, **first[3])
        group = sorted(group, key=lambda row: row[0])
        for before, after in pairwise(group):
            if before[0] == after[0]:
                raise DataError(f"series {key}: the time {after[0]} occurs twice", source=source.name, **after[3])
    values = np.stack([values for _, values, _, _ in group])
    return Series(values, [row[2] for row in group] if steps else first[2], first[3], columns)


def _parse_time(cell: Any, column: str, source: Source, place: Place) -> float | datetime:
    if is_number(cell) and not is_missing(cell):
        return float(cell)
    try:
        return _naive_utc(cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell).strip()))
    except ValueError:
        problem = f"column '{column}': expected a number or a date such as 2024-05-31 13:00, got {str(cell)[:30]!r}"
        raise DataError(problem, source=source.name, **place) from None


def _naive_utc(time: datetime) -> datetime:
    """Make times comparable: those with a zone are taken in UTC."""
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)

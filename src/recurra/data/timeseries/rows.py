"""Tables to rows of numbers: which values each row has, of which series, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurra.data.timeseries.columns import ColumnRoles
from recurra.data.timeseries.table import Table
from recurra.data.timeseries.timestamps import read_timestamps
from recurra.errors import DataError
from recurra.series import column_numbers, is_missing
from recurra.text import Faults

NUMBER_HINT = "empty the cell where there is no value, leave such rows out (--on-error skip), or name the columns to read: --target NAME"


@dataclass
class Rows:
    """The rows of one table that can be used, column by column, N of them."""

    table: Table
    indices: np.ndarray
    names: list[str]
    times: np.ndarray | None
    local: np.ndarray | None
    values: np.ndarray
    known: np.ndarray
    past: np.ndarray
    static: list[np.ndarray] = field(default_factory=list)


def read_rows(table: Table, roles: ColumnRoles, default_name: str, faults: Faults, notes: list[str]) -> Rows:
    """Read the columns of a table that are needed; rows that cannot be used are handled as `faults` says.

    default_name: the name of the series where no column names one.
    """
    for name in roles.all:
        if name not in table.columns:
            raise table.missing_column_error(name)
    wrong: dict[int, str] = {}

    def add_wrong(found: dict[int, str], column: str = "") -> None:
        for row, problem in found.items():
            between = " " if problem.startswith("is ") else ": "
            wrong.setdefault(row, f"column '{column}'{between}{problem}" if column else problem)

    def read_numbers(columns: Sequence[str], booleans: bool) -> np.ndarray:
        read = np.zeros((len(table), len(columns)))
        for at, column in enumerate(columns):
            read[:, at], found = column_numbers(
                table.columns[column], decimal_commas=table.decimal_commas, booleans=booleans
            )
            add_wrong(found, column)
        return read

    times = local = None
    if roles.time:
        cells, column = _time_cells(table, roles.time)
        timestamps = read_timestamps(cells, column)
        times, local = timestamps.values, timestamps.local
        add_wrong(timestamps.wrong)
        notes += [note for note in timestamps.notes if note not in notes]
    names = [default_name] * len(table)
    if roles.series is not None:
        column = roles.series
        cells = table.columns[column]
        cells = cells.tolist() if isinstance(cells, np.ndarray) else cells
        named = {cell: series_name(cell) for cell in set(cells)}
        names = [named[cell] for cell in cells]
        add_wrong({row: f"column '{column}' names no series" for row, name in enumerate(names) if name == ""})
    values, known, past = (
        read_numbers(roles.target, False),
        read_numbers(roles.known, True),
        read_numbers(roles.past, True),
    )
    static = [_static_values(table.columns[column]) for column in roles.static]
    for row in sorted(wrong):
        problem = f"series {names[row]}: {wrong[row]}" if roles.series is not None and names[row] else wrong[row]
        hint = NUMBER_HINT if "expected a number" in problem else None
        faults.handle(DataError(problem, source=table.name, hint=hint, **table.place(row)))
    usable = np.setdiff1d(np.arange(len(table)), list(wrong)) if wrong else np.arange(len(table))
    if wrong:
        names = [names[row] for row in usable]
        values, known, past, static = values[usable], known[usable], past[usable], [words[usable] for words in static]
        times, local = (None if some is None else some[usable] for some in (times, local))
    return Rows(table, usable, names, times, local, values, known, past, static)


def _time_cells(table: Table, columns: tuple[str, ...]) -> tuple[Any, str]:
    """Give the cells with the times, those of several columns put together."""
    if len(columns) == 1:
        return table.columns[columns[0]], columns[0]
    cells = [table.columns[column] for column in columns]
    if len(columns) == 2 and isinstance(cells[1][0], str) and ":" in cells[1][0]:
        return [f"{day} {clock}" for day, clock in zip(*cells, strict=True)], " and ".join(columns)
    forms = ("{:04.0f}", "-{:02.0f}", "-{:02.0f}", " {:02.0f}:00", ":{:02.0f}", ":{:02.0f}")
    parts = np.stack([column_numbers(column)[0] for column in cells], axis=1)
    form = "".join(forms[: len(columns)])
    if len(columns) > 4:
        form = form.replace(":00", "", 1)  # the minutes are there
    written = [None if np.isnan(row).any() else form.format(*row) for row in parts]
    return written, ", ".join(columns)


def series_name(cell: Any) -> str:
    """Give the name of a series as a string, a whole number without decimals; "" for a cell that is missing.

    >>> series_name(7.0), series_name(" pump "), series_name(None)
    ('7', 'pump', '')
    """
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else str(int(cell)) if float(cell).is_integer() else str(cell)
    return "" if cell is None or (isinstance(cell, str) and not cell.strip()) else str(cell).strip()


def _static_values(cells: Any) -> np.ndarray:
    numbers, wrong = column_numbers(cells)
    if not wrong:
        return numbers
    return np.array([None if is_missing(cell) else str(cell).strip() for cell in cells], object)

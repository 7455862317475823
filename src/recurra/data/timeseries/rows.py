"""Tables to rows of numbers: what each row says of which series, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurra.data.timeseries.columns import Roles, Table
from recurra.data.timeseries.timestamps import read_stamps
from recurra.errors import DataError
from recurra.series import column_numbers, is_missing
from recurra.text import Faults

HINT = "empty the cell where there is no value, leave such rows out (--on-error skip), or name the columns to read: --target NAME"


@dataclass
class Rows:
    """The rows of one table that can be used, column by column, N of them."""

    table: Table
    at: np.ndarray
    names: list[str]
    times: np.ndarray | None
    local: np.ndarray | None
    values: np.ndarray
    known: np.ndarray
    past: np.ndarray
    static: list[np.ndarray] = field(default_factory=list)


def read_rows(table: Table, roles: Roles, alone: str, faults: Faults, notes: list[str]) -> Rows:
    """Read the columns of a table that are needed; rows that cannot be used are met as `faults` says.

    alone: the name of the series where no column names one.
    """
    for name in roles.all:
        if name not in table.columns:
            raise table.missing_column_error(name)
    wrong: dict[int, str] = {}

    def take(found: dict[int, str], column: str = "") -> None:
        for row, problem in found.items():
            between = " " if problem.startswith("is ") else ": "
            wrong.setdefault(row, f"column '{column}'{between}{problem}" if column else problem)

    def numbers(columns: Sequence[str], booleans: bool) -> np.ndarray:
        read = np.zeros((len(table), len(columns)))
        for at, column in enumerate(columns):
            read[:, at], found = column_numbers(
                table.columns[column], decimal_commas=table.decimal_commas, booleans=booleans
            )
            take(found, column)
        return read

    times = local = None
    if roles.time:
        cells, column = _time_cells(table, roles.time)
        stamps = read_stamps(cells, column)
        times, local = stamps.values, stamps.local
        take(stamps.wrong)
        notes += [note for note in stamps.notes if note not in notes]
    names = [alone] * len(table)
    if roles.series is not None:
        column = roles.series
        cells = table.columns[column]
        cells = cells.tolist() if isinstance(cells, np.ndarray) else cells
        said = {cell: name_of(cell) for cell in set(cells)}
        names = [said[cell] for cell in cells]
        take({row: f"column '{column}' names no series" for row, name in enumerate(names) if name == ""})
    values, known, past = numbers(roles.target, False), numbers(roles.known, True), numbers(roles.past, True)
    static = [_words(table.columns[column]) for column in roles.static]
    for row in sorted(wrong):
        said = f"series {names[row]}: {wrong[row]}" if roles.series is not None and names[row] else wrong[row]
        hint = HINT if "expected a number" in said else None
        faults.handle(DataError(said, source=table.name, hint=hint, **table.place(row)))
    at = np.setdiff1d(np.arange(len(table)), list(wrong)) if wrong else np.arange(len(table))
    if wrong:
        names = [names[row] for row in at]
        values, known, past, static = values[at], known[at], past[at], [words[at] for words in static]
        times, local = (None if some is None else some[at] for some in (times, local))
    return Rows(table, at, names, times, local, values, known, past, static)


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
    said = [None if np.isnan(row).any() else form.format(*row) for row in parts]
    return said, ", ".join(columns)


def name_of(cell: Any) -> str:
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else str(int(cell)) if float(cell).is_integer() else str(cell)
    return "" if cell is None or (isinstance(cell, str) and not cell.strip()) else str(cell).strip()


def _words(cells: Any) -> np.ndarray:
    numbers, wrong = column_numbers(cells)
    if not wrong:
        return numbers
    return np.array([None if is_missing(cell) else str(cell).strip() for cell in cells], object)

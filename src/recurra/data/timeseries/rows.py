"""Tables to rows of numbers: which values each row has, of which series, and when."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurra.data.timeseries.columns import ColumnRoles
from recurra.data.timeseries.table import Table
from recurra.data.timeseries.time_columns import read_time_columns
from recurra.errors import DataError
from recurra.series import NAME_SEPARATOR, column_numbers, is_missing, join_names
from recurra.text import Faults, find_defect

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
        timestamps = read_time_columns(table, roles.time)
        times, local = timestamps.values, timestamps.local
        add_wrong(timestamps.wrong)
        notes += [note for note in timestamps.notes if note not in notes]
    names = [default_name] * len(table)
    if roles.series:
        parts = [_series_names(table.columns[column]) for column in roles.series]
        for column, part in zip(roles.series, parts, strict=True):
            add_wrong({row: f"column '{column}' names no series" for row, name in enumerate(part) if name == ""})
            add_wrong(_defects(part), column)
        _check_names(parts, roles.series, table)
        names = [join_names(row) if all(row) else "" for row in zip(*parts, strict=True)]
    values, known, past = (
        read_numbers(roles.target, False),
        read_numbers(roles.known, True),
        read_numbers(roles.past, True),
    )
    static = [_static_values(table.columns[column]) for column in roles.static]
    for column, words in zip(roles.static, static, strict=True):
        if words.dtype == object:
            add_wrong(_defects(words), column)
    for row in sorted(wrong):
        problem = f"series {names[row]}: {wrong[row]}" if roles.series and names[row] else wrong[row]
        hint = NUMBER_HINT if "expected a number" in problem else None
        faults.handle(DataError(problem, source=table.name, hint=hint, **table.place(row)))
    usable = np.setdiff1d(np.arange(len(table)), list(wrong)) if wrong else np.arange(len(table))
    if wrong:
        names = [names[row] for row in usable]
        values, known, past, static = values[usable], known[usable], past[usable], [words[usable] for words in static]
        times, local = (None if some is None else some[usable] for some in (times, local))
    return Rows(table, usable, names, times, local, values, known, past, static)


def _series_names(cells: Any) -> list[str]:
    cells = cells.tolist() if isinstance(cells, np.ndarray) else cells
    cells = [cell if isinstance(cell, Hashable) else str(cell) for cell in cells]  # Parquet has lists in cells
    named = {cell: series_name(cell) for cell in set(cells)}
    return [named[cell] for cell in cells]


def _defects(words: Iterable[Any]) -> dict[int, str]:
    """Say of which rows the word is no text, and why."""
    words = list(words)
    wrong = {word: find_defect(word, lenient=True) for word in set(words) if isinstance(word, str)}
    if not any(wrong.values()):
        return {}
    return {row: problem for row, word in enumerate(words) if (problem := wrong.get(word))}


def _check_names(parts: Sequence[Sequence[str]], columns: Sequence[str], table: Table) -> None:
    """Raise `DataError` where series that several columns tell apart have one name when these are put together."""
    seen: dict[str, tuple[str, ...]] = {}
    for at, row in enumerate(zip(*parts, strict=True)):
        if seen.setdefault(join_names(row), row) != row:
            one, other = (
                ", ".join(f"{column} {name!r}" for column, name in zip(columns, names, strict=True))
                for names in (seen[join_names(row)], row)
            )
            problem = f"the series of {one} and of {other} have one name, {join_names(row)}"
            hint = f"write the names without {NAME_SEPARATOR}"
            raise DataError(problem, source=table.name, hint=hint, **table.place(at))


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

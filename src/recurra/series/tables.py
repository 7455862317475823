"""Tables of series with a header: which columns are values, and a series a row (wide)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from recurra.errors import DataError, UsageError
from recurra.series.base import UNIVARIATE, Series, parse_numbers, strip_padding
from recurra.text import Faults, Row, Source, fields_message, has_decimal_commas, iter_rows

_NUMBER_PATTERN = re.compile(r"[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|nan)\Z", re.IGNORECASE)
_COMMA_PATTERN = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?\Z")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_FLOAT64_BITS = sys.float_info.max_exp  # from which on an integer may be too large for a float
INDEX_NAMES = frozenset({"", "id", "index", "unnamed: 0", "row"})


def is_number(cell: Any, decimal_commas: bool = False) -> bool:
    """Say whether a cell of a table is a number; an integer beyond float64, as JSON may have it, is none.

    >>> is_number("-1.5e3"), is_number("12 May"), is_number("1,5"), is_number("1,5", decimal_commas=True), is_number(10**400)
    (True, False, False, True, False)
    """
    if isinstance(cell, str):
        cell = cell.strip()
        return _NUMBER_PATTERN.match(cell) is not None or (decimal_commas and _COMMA_PATTERN.match(cell) is not None)
    if isinstance(cell, int):
        return not isinstance(cell, bool) and cell.bit_length() < _FLOAT64_BITS
    return isinstance(cell, float)


def is_comma_number(cell: str) -> bool:
    """Say whether a cell is a number with a decimal comma.

    >>> is_comma_number("1,5"), is_comma_number("1.5"), is_comma_number("1,024.5")
    (True, False, False)
    """
    return _COMMA_PATTERN.match(cell.strip()) is not None


def is_missing(cell: Any) -> bool:
    """Say whether a cell of a table has no value."""
    return cell is None or (
        isinstance(cell, str) and cell.strip().lower() in ("", "?", "na", "n/a", "null", "none", "nan")
    )


def numeric_columns(sample: Sequence[dict[str, Any]], decimal_commas: bool = False) -> list[str]:
    """Name the columns whose cells are numbers, or missing, in all records that are looked at, and not always missing.

    A number may be infinite: its column is not to be passed over in silence, but refused where it is read.

    >>> numeric_columns([{"a": "1", "b": "x", "c": ""}, {"a": "-inf", "b": "2", "c": ""}])
    ['a']
    """
    return [
        name
        for name in (sample[0] if sample else {})
        if any(is_number(row.get(name), decimal_commas) and not is_missing(row.get(name)) for row in sample)
        and all(
            is_missing(cell)
            or is_number(cell, decimal_commas)
            or (isinstance(cell, str) and _INFINITE.fullmatch(cell.strip()))
            for cell in (row.get(name) for row in sample)
        )
    ]


def value_columns(
    columns: Sequence[str], sample: Sequence[dict[str, Any]], others: Sequence[str | None], source: Source
) -> list[str]:
    """Name the columns with values: those asked for, or all numeric ones but the others and what only counts rows.

    Raises `UsageError`, listing the fields there are, where that leaves none.
    """
    if columns:
        return list(columns)
    named = numeric_columns(sample, has_decimal_commas(source))
    found = [name for name in named if name not in others and name.strip().lower() not in INDEX_NAMES]
    if not found:
        there = fields_message(list(sample[0]) if sample else [])
        raise UsageError(
            f"{source.name}: no column of numbers is left for the values; {there}; name them: --columns NAME"
        )
    return found


def read_wide(source: Source, label: str | None, columns: Sequence[str], faults: Faults) -> Iterator[Series]:
    """Yield a series (T, 1) for every row of a table; its steps are the columns, in the order given.

    Cells that are empty or NaN are missing; those at the end of a row are no steps at all, so that series may differ in
    length. Raises `DataError`, with the line or row, for what is no number.
    """
    decimal_commas = has_decimal_commas(source)
    needed = [*columns, *([label] if label is not None else [])]
    for row in iter_rows(source, needed, faults):
        try:
            values = row_numbers(row, columns, source, decimal_commas)
        except DataError as error:
            faults.handle(error)
            continue
        found_label = row.cells.get(label) if label is not None else None
        yield Series(strip_padding(values[:, None]), found_label, row.place, UNIVARIATE)


def row_numbers(row: Row, columns: Sequence[str], source: Source, decimal_commas: bool) -> np.ndarray:
    """Give the values (C) of some columns of a row; raises `DataError`, with its place, for what is no number."""
    cells = []
    for column in columns:
        cell = row.cells.get(column) if isinstance(row.cells, dict) else None
        if cell is None or is_missing(cell):
            cells.append("nan")
        elif is_number(cell, decimal_commas):
            cells.append(cell.replace(",", ".") if isinstance(cell, str) else repr(float(cell)))
        elif isinstance(cell, str) and cell.strip().lower().lstrip("+-") in ("inf", "infinity"):
            raise DataError(f"column '{column}' is infinite", source=source.name, **row.place)
        else:
            hint = "write decimals with a point" if isinstance(cell, str) and is_comma_number(cell) else None
            problem = f"column '{column}': expected a number, got {str(cell)[:30]!r}"
            raise DataError(problem, source=source.name, hint=hint, **row.place)
    return parse_numbers(cells, source.name, row.place, "column")


def read_steps(source: Source, columns: Sequence[str], faults: Faults) -> np.ndarray:
    """Read a table as one series (T, C): a row a step. Raises `DataError`, with the line or row, for what is no number."""
    decimal_commas = has_decimal_commas(source)
    rows = []
    for row in iter_rows(source, columns, faults):
        try:
            rows.append(row_numbers(row, columns, source, decimal_commas))
        except DataError as error:
            faults.handle(error)
    return np.stack(rows) if rows else np.zeros((0, len(columns)), np.float32)

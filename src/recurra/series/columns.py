"""Columns of tables as float64, whole columns at once, with the rows that hold no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.series.tables import is_comma_number, is_missing

_BOOLEANS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "是": 1.0, "否": 0.0}


def column_numbers(
    cells: Sequence[Any] | np.ndarray, *, decimal_commas: bool = False, booleans: bool = False
) -> tuple[np.ndarray, dict[int, str]]:
    """Read a column as float64 (N), NaN where a value is missing, and say for each row that holds no finite number why.

    decimal_commas: 1,5 is one and a half.  booleans: true and false, yes and no are 1 and 0.

    >>> column_numbers(["1.5", "", "x", "inf"])
    (array([1.5, nan, nan, nan]), {2: "expected a number, got 'x'", 3: 'is infinite'})
    """
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "fiub":
        return mask_infinite(cells.astype(np.float64), {})
    wrong: dict[int, str] = {}
    kinds = set(map(type, cells))
    try:
        if not kinds <= _FAST_TYPES:
            raise TypeError
        try:
            return mask_infinite(np.array(cells, dtype=np.float64), wrong)
        except ValueError:  # cells without a value among them
            values = np.array([_MISSING.get(cell, cell) for cell in cells], dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        values = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            try:
                values[row] = _parse_cell(cell, decimal_commas, booleans)
            except ValueError as error:
                wrong[row] = str(error)
    return mask_infinite(values, wrong)


def mask_infinite(values: np.ndarray, wrong: dict[int, str]) -> tuple[np.ndarray, dict[int, str]]:
    """Turn infinities into NaN, and say in which rows they were."""
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        values = np.where(np.isinf(values), np.nan, values)
        wrong = wrong | {int(row): "is infinite" for row in infinite}
    return values, wrong


_FAST_TYPES = {str, int, float, type(None)}
_MISSING: dict[Any, str] = {"": "nan", "NA": "nan", "?": "nan", None: "nan"}


def _parse_cell(cell: Any, decimal_commas: bool, booleans: bool) -> float:
    if cell is None or is_missing(cell):
        return float("nan")
    text = str(cell).strip()
    if booleans and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    comma = is_comma_number(text)
    if not isinstance(cell, bool):
        try:
            return float(text.replace(",", ".") if comma and decimal_commas else text)
        except ValueError:
            pass
    shown = text if len(text) <= 30 else text[:27] + "..."
    raise ValueError(f"expected a number, got {shown!r}" + ("; write decimals with a point" if comma else ""))

"""Series in time as tasks are handed them: cut off, taken from arrays, and refused where a value cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recurra.data.timeseries.reader import TimeSeries
from recurra.errors import DataError
from recurra.series import to_numbers
from recurra.tasks.timeseries.covariates import MAX_SIZE

MAX_NAMES_SHOWN = 8


def refuse_large(series: TimeSeries, values: np.ndarray, names: Sequence[str]) -> None:
    """Raise `DataError` for the first value of the columns of these names, (T, N), that cannot be squared and summed in 64 bits."""
    expected = f"a finite number of a size up to {MAX_SIZE:g}"
    refuse_values(series, values, np.abs(values) > MAX_SIZE, expected, "write the values in a larger unit", names)


def truncate(series: TimeSeries, end: int) -> TimeSeries:
    """Give the steps before `end` of a series, and nothing of what is known ahead of them."""
    known = min(end, len(series))
    return replace(
        series,
        values=series.values[:end],
        times=series.times[:known],
        known=series.known[:known],
        past=series.past[:end],
    )


def rows_from_array(given: Any, names: Sequence[str]) -> np.ndarray:
    """Take an array (T,) or (T, C) as steps of the columns of these names, (T, C) float64.

    Raises `DataError` for what holds no numbers, or as many columns as there are names.

    >>> rows_from_array([1, 2], ["bar"]).shape, rows_from_array([], ["bar", "flow"]).shape
    ((2, 1), (0, 2))
    """
    rows = to_numbers(given)
    if rows.ndim == 1 and (len(names) == 1 or not len(rows)):
        rows = rows.reshape(len(rows), len(names))
    if rows.ndim != 2 or rows.shape[1] != len(names):
        got = f"{rows.shape[1]}" if rows.ndim == 2 else f"numbers in {rows.ndim} dimension{'s' * (rows.ndim > 1)}"
        raise DataError(
            f"expected series of {len(names)} columns ({', '.join(names[:MAX_NAMES_SHOWN])}), got {got}",
            hint="write [[1, 2, …], …], a list for each step",
        )
    return rows


def refuse_values(
    series: TimeSeries, values: np.ndarray, refused: np.ndarray, expected: str, hint: str, names: Sequence[str] = ()
) -> None:
    """Raise `DataError` for the first of a series' values that is refused, (T, C) both; names: of the columns, where it is to name one."""
    if not refused.any():
        return
    step, column = np.argwhere(refused)[0].tolist()
    where = f", {names[column]!r}" if names else ""
    raise DataError(
        f"series {series.name}, step {step + 1}{where}: expected {expected}; got {values[step, column]:g}",
        source=series.place,
        hint=hint,
    )

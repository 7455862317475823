"""One labelled series, as any reader yields it, and numbers that are checked as they are read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.errors import DataError
from recurra.text import Place

UNIVARIATE = ("value",)
MAX_EMPTY_DIMENSION = 100_000
_MAX_FLOAT32 = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Series:
    """A series (T, C) in float32, NaN where a value is missing; what the file says of it; and where it stands there.

    label: a string, a number, a list of them, or None where the file says nothing.  place: empty for a whole file.
    """

    values: np.ndarray
    label: Any
    place: Place
    channels: tuple[str, ...] = UNIVARIATE


def channel_names(count: int) -> tuple[str, ...]:
    """Name the channels of a series that does not say.

    >>> channel_names(1), channel_names(2)
    (('value',), ('channel 1', 'channel 2'))
    """
    return UNIVARIATE if count == 1 else tuple(f"channel {number}" for number in range(1, count + 1))


def empty_dimension_problem(shape: Sequence[int]) -> str | None:
    """Say what is wrong with the shape of an array without values that states series, steps or channels without end.

    Nothing in a file stands behind such a number, and numpy has no array of several that are large.

    >>> empty_dimension_problem((5, 0, 3)), empty_dimension_problem((2**31 - 1, 2**31 - 1, 0))
    (None, '2147483647 x 2147483647 x 0 values are none; a dimension of such an array is at most 100,000')
    """
    if math.prod(shape) or max(shape, default=0) <= MAX_EMPTY_DIMENSION:
        return None
    sizes = " x ".join(map(str, shape))
    return f"{sizes} values are none; a dimension of such an array is at most {MAX_EMPTY_DIMENSION:,}"


_UNNAMED = re.compile(r"(channel|column) \d+|value|pixel")  # names of channels in files that give them none
_MAX_CHANNELS_SHOWN = 8


def channel_order(channels: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """Give where each wanted channel stands among those there are; None where they stand in that order already.

    Channels without names of their own stand for the wanted ones, in their order. Raises `DataError` for another number of
    them, and for other names.

    >>> channel_order(["y", "x"], ["x", "y"]), channel_order(["channel 1", "channel 2"], ["x", "y"])
    ([1, 0], None)
    """
    if len(channels) == len(wanted):
        if list(channels) == list(wanted):
            return None
        if sorted(channels) == sorted(wanted):
            return [list(channels).index(name) for name in wanted]
        if any(map(_UNNAMED.fullmatch, [*channels, *wanted])):
            return None
    raise DataError(
        f"expected {len(wanted)} channels ({_preview(wanted)}), got {len(channels)} ({_preview(channels)})",
        hint="give the columns the same names, or name those with values when training (--columns)",
    )


def _preview(names: Sequence[str]) -> str:
    return ", ".join(names[:_MAX_CHANNELS_SHOWN]) + (", …" if len(names) > _MAX_CHANNELS_SHOWN else "")


def parse_numbers(
    cells: Sequence[str], source: str, place: Place, what: str = "value", *, float64: bool = False
) -> np.ndarray:
    """Read cells as float32 (n,), or `float64`: "?", "NaN" and nothing are values that are missing.

    Raises `DataError`, with the place and which of the cells it is, for what is no number, for infinity and for what is
    too large for float32.

    >>> parse_numbers(["1.5", "?", ""], "a.ts", {"line": 4})
    array([1.5, nan, nan], dtype=float32)
    >>> parse_numbers(["1.5", "x"], "a.ts", {"line": 4})
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: a.ts: line 4: value 2: expected a number, got 'x'
    """
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        values = np.array([_number(cell, source, place, f"{what} {at}") for at, cell in enumerate(cells, start=1)])
    return to_finite(values, source, place, what, float64=float64)


def to_finite(
    values: np.ndarray, source: str, place: Place, what: str = "value", *, float64: bool = False
) -> np.ndarray:
    """Turn checked numbers into float32, unless `float64`; raises `DataError` for infinity and what float32 cannot hold."""
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(np.isinf(values) if float64 else np.abs(values) > _MAX_FLOAT32)
    if wrong.size:
        value = values.flat[wrong[0]]
        problem = "is infinite" if np.isinf(value) else f"is {value:g}, too large for float32"
        hint = "leave the cell empty, or write NaN, where a value is missing"
        raise DataError(f"{what} {wrong[0] + 1} {problem}", source=source, hint=hint, **place)
    return values.astype(np.float64 if float64 else np.float32)


def _number(cell: str, source: str, place: Place, what: str) -> float:
    cell = cell.strip()
    if cell in ("", "?") or cell.lower() in ("na", "n/a", "null", "none"):
        return float("nan")
    try:
        return float(cell)
    except ValueError:
        shown = cell if len(cell) <= 20 else cell[:17] + "..."
        raise DataError(f"{what}: expected a number, got {shown!r}", source=source, **place) from None


def strip_padding(values: np.ndarray) -> np.ndarray:
    """Leave out the steps at the end of a series (T, C) that miss in all its channels: in a table, a shorter series.

    >>> strip_padding(np.array([[1.0], [np.nan], [3.0], [np.nan]], np.float32)).ravel().tolist()
    [1.0, nan, 3.0]
    """
    there = np.flatnonzero(~np.isnan(values).all(axis=1))
    return values[: there[-1] + 1 if there.size else 0]

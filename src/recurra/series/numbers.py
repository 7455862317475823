"""Numbers that a caller hands over in memory: lists, arrays and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from recurra.errors import DataError
from recurra.formatting import abbreviate

_READABLE = "biufUSO"
"""Kinds of arrays that hold real numbers, or texts of them: no complex ones, whose imaginary part would be lost, and no times."""


def to_numbers(given: Any, dtype: npt.DTypeLike = np.float64, *, hint: str | None = None) -> np.ndarray:
    """Give what a caller hands over as an array of real numbers, NaN where one is None or masked; too large ones are infinite.

    Raises `DataError` for what is none: complex numbers, times, records, rows of several lengths.

    >>> to_numbers([[1, None], [2, 3]]).tolist()
    [[1.0, nan], [2.0, 3.0]]
    >>> to_numbers([1 + 2j])
    Traceback (most recent call last):
    recurra.errors.DataError: expected a series of real numbers, got [(1+2j)]
    """
    if isinstance(given, np.ndarray) and given.dtype == dtype and type(given) is np.ndarray:
        return given
    try:
        array = _as_array(given)
        if array.dtype.kind == "O":
            array = np.array([None if _is_missing(one) else one for one in array.ravel()], object).reshape(array.shape)
        if array.dtype.kind not in _READABLE:
            raise TypeError
        with np.errstate(over="ignore"):
            numbers = array.astype(dtype)
            return numbers.filled(np.nan) if isinstance(numbers, np.ma.MaskedArray) else numbers
    except (TypeError, ValueError, OverflowError, RuntimeError, AttributeError):  # the last two are torch's
        raise DataError(f"expected a series of real numbers, got {abbreviate(given, 60)}", hint=hint) from None


def _is_missing(value: object) -> bool:
    """Tell whether a value is pandas' mark of what is missing, which cannot be compared with anything."""
    return type(value).__name__ in ("NAType", "NaTType")


def _as_array(given: Any) -> np.ndarray:
    """Give an array; a tensor of torch is taken from its device, without its gradient, and numpy has no bfloat16."""
    detach = getattr(given, "detach", None)
    if callable(detach):
        tensor: Any = detach().cpu()
        return (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    try:
        array = np.asanyarray(given)
    except MemoryError:
        raise DataError("the series is longer than the memory holds", hint="give it in parts") from None
    return array.astype(np.float32) if array.dtype.name.startswith(("bfloat", "float8")) else array

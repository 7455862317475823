"""A series from one line of text."""

from __future__ import annotations

import json

import numpy as np

from recurra.errors import DataError
from recurra.series.tables import is_missing


def parse_series(text: str) -> np.ndarray:
    """Read a series from a line: numbers, or a JSON list of numbers, or of steps that are lists of numbers.

    What is missing is an empty cell, ?, nan, NA or null, as in tables. Gives (T), or (T, C) where each step is a list.

    >>> parse_series("1.5, 2, 3").shape, parse_series("1,,NA").tolist(), parse_series("[[1, 2], [null, 4]]").shape
    ((3,), [1.0, nan, nan], (2, 2))
    """
    try:
        if text.lstrip().startswith("["):
            return np.array(json.loads(text), dtype=np.float64)
        cells = text.split(",") if "," in text else text.split()
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
    except (ValueError, TypeError, RecursionError, OverflowError):
        start = text.strip()[:40]
        raise DataError(
            f"expected a series in the line, got {start!r}",
            hint="write 1.5, 2, 3 or [[1, 2], [3, 4]]: a step has a value for each channel",
        ) from None

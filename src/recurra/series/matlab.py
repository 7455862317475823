"""`.mat`, MATLAB's format: a cell array of series, a vector of labels, and perhaps the names of the classes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from recurra.errors import DataError, require
from recurra.series.base import Series, channel_names, to_finite
from recurra.text import Source


def read_mat(source: Source) -> Iterator[Series]:
    """Yield the series of the one cell array of matrices in a MATLAB file, with the labels of a vector as long as it.

    A matrix is (C, T), as MATLAB users write it: the channels are the dimension that all of them share, and the rows where they
    share both. Labels 1 … K with a cell array of K strings are named by it. Raises `DataError` where no cell array, or
    more than one, holds matrices, `MissingExtraError` without SciPy.
    """
    scipy = require("scipy.io", "learn", "a MATLAB file")
    try:
        content = scipy.loadmat(io.BytesIO(source.data), squeeze_me=False)
    except NotImplementedError:
        hint = "save it in MATLAB with -v7"
        raise DataError("is a MATLAB 7.3 file, which is HDF5", source=source.name, hint=hint) from None
    except Exception as error:  # noqa: BLE001 (a damaged file may raise anything)
        raise DataError(f"is damaged, or no MATLAB file ({error})", source=source.name) from None
    cells = {name: list(value.ravel()) for name, value in content.items() if _is_cells(value)}
    series = {name: value for name, value in cells.items() if all(_is_matrix(cell) for cell in value)}
    if len(series) != 1:
        shown = ", ".join(name for name in content if not name.startswith("__")) or "nothing"
        problem = f"expected one cell array of matrices, got {len(series)}; the file holds {shown}"
        raise DataError(problem, source=source.name)
    ((name, matrices),) = series.items()
    labels = _labels(content, cells, name, len(matrices))
    across = _shared_axis(matrices, source)
    channels = channel_names(matrices[0].shape[across])
    for row, matrix in enumerate(matrices, start=1):
        values = matrix.T if across == 0 else matrix
        flat = to_finite(np.asarray(values, np.float64), source.name, {"row": row})
        yield Series(flat, labels[row - 1] if labels else None, {"row": row}, channels)


def _is_cells(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object and value.size > 0


def _is_matrix(cell: Any) -> bool:
    return isinstance(cell, np.ndarray) and cell.ndim == 2 and cell.dtype.kind in "fiu" and min(cell.shape) > 0


def _shared_axis(matrices: list[np.ndarray], source: Source) -> int:
    """Find which of the two dimensions is the channels."""
    for axis in (0, 1):
        if len({matrix.shape[axis] for matrix in matrices}) == 1:
            return axis
    raise DataError("the matrices share neither the count of their rows nor of their columns", source=source.name)


def _labels(content: dict[str, Any], cells: dict[str, list[Any]], series: str, count: int) -> list[str] | None:
    vectors = [
        value.ravel()
        for value in content.values()
        if isinstance(value, np.ndarray)
        and value.dtype.kind in "fiub"
        and value.size == count
        and max(value.shape) == count
    ]
    if len(vectors) != 1:
        return None
    values = [float(value) for value in vectors[0]]
    for name, words in cells.items():
        named = [str(word.item()) if isinstance(word, np.ndarray) and word.size == 1 else None for word in words]
        if name != series and all(named) and set(values) <= set(range(1, len(named) + 1)):
            return [str(named[int(value) - 1]) for value in values]
    return [str(int(value)) if value.is_integer() else str(value) for value in values]

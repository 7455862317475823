"""`.mat`, MATLAB's format: a cell array of series, a vector of labels, and perhaps the names of the classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np

from recurra.errors import DataError
from recurra.series.base import Series, channel_names, to_finite
from recurra.series.mat5 import MatValue, Unread, read_mat5
from recurra.text import Source


def read_mat(source: Source) -> Iterator[Series]:
    """Yield the series of the one cell array of matrices in a MATLAB file, with the labels of a vector as long as it.

    A matrix is (C, T), as MATLAB users write it: the channels are the dimension that all of them share, and the rows where they
    share both. Labels 1 … K with a cell array of K strings are named by it. Raises `DataError` where no cell array, or
    more than one, holds matrices, and as `read_mat5` does.
    """
    content = read_mat5(source)
    cells = {name: list(value.ravel()) for name, value in content.items() if _is_cells(value)}
    series = {name: value for name, value in cells.items() if all(_is_matrix(cell) for cell in value)}
    if len(series) != 1:
        shown = ", ".join(content) or "nothing"
        problem = f"expected one cell array of matrices, got {len(series)}; the file holds {shown}"
        raise DataError(problem, source=source.name, hint=_unread_hint(content))
    ((name, matrices),) = series.items()
    labels = _labels(content, cells, name, len(matrices))
    across = _shared_axis(matrices, source)
    channels = channel_names(matrices[0].shape[across])
    for row, matrix in enumerate(matrices, start=1):
        values = matrix.T if across == 0 else matrix
        flat = to_finite(np.asarray(values, np.float64), source.name, {"row": row})
        yield Series(flat, labels[row - 1] if labels else None, {"row": row}, channels)


def _unread_hint(content: Mapping[str, MatValue]) -> str | None:
    """Say how to save what is not read: a struct, a sparse or a complex matrix, by itself or in a cell."""
    for name, value in content.items():
        inner = [value, *(value.ravel() if _is_cells(value) else ())]
        unread = next((one for one in inner if isinstance(one, Unread)), None)
        if unread is not None:
            what = f"{name} is {unread.what}" if inner[0] is unread else f"a cell of {name} is {unread.what}"
            return f"{what}, which is not read: save a cell array of plain matrices, x, and a vector of labels, y: save('new.mat', 'x', 'y', '-v7')"
    return None


def _is_cells(value: Any) -> TypeGuard[np.ndarray]:
    return isinstance(value, np.ndarray) and value.dtype == object and value.size > 0


def _is_matrix(cell: Any) -> bool:
    return isinstance(cell, np.ndarray) and cell.ndim == 2 and cell.dtype.kind in "fiub" and min(cell.shape) > 0


def _shared_axis(matrices: list[np.ndarray], source: Source) -> int:
    """Find which of the two dimensions is the channels."""
    for axis in (0, 1):
        if len({matrix.shape[axis] for matrix in matrices}) == 1:
            return axis
    raise DataError("the matrices share neither the count of their rows nor of their columns", source=source.name)


def _labels(content: Mapping[str, MatValue], cells: dict[str, list[Any]], series: str, count: int) -> list[str] | None:
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
        named = [_class_name(word) for word in words]
        if name != series and all(named) and set(values) <= set(range(1, len(named) + 1)):
            return [str(named[int(value) - 1]) for value in values]
    return [str(int(value)) if value.is_integer() else str(value) for value in values]


def _class_name(word: Any) -> str | None:
    return word or None if isinstance(word, str) else str(word.item()) if _is_matrix(word) and word.size == 1 else None

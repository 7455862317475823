"""Tables of points: a row for each, with x, y and which stroke of which drawing it is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from recurra.data.drawings.options import DrawingOptions
from recurra.data.header import find_header
from recurra.data.transcripts.options import Label
from recurra.errors import DataError
from recurra.ink import Ink, make_ink
from recurra.text import Faults, Place, Source, first_rows, handled, iter_rows, resolve_column

_DRAWING = ("drawing", "drawing_id", "series", "sample", "key_id", "id")
_STROKE = ("stroke", "stroke_id", "stroke_number")
_LIFTED = ("lifted", "pen_lifted", "pen_up", "end_of_stroke", "eos")
_LABEL = ("label", "word", "class", "text", "character")
_AXES = ("x", "y")


def is_points(source: Source) -> bool:
    """Tell by its first row whether a table has columns x and y.

    >>> is_points(Source("a.csv", "csv", b"x,y,stroke\\n1,2,1\\n", False))
    True
    """
    try:
        first = [cell.strip().lower() for cell in next(iter(first_rows(source)), [])]
    except DataError:  # which reading it says better
        return False
    return set(_AXES) <= set(first)


def read_points(source: Source, options: DrawingOptions, faults: Faults) -> Iterator[tuple[Ink, Label]]:
    """Give the drawings of a table: the points of each in the order of its rows.

    A stroke ends where the column `stroke` changes, or where `lifted` is 1; without both a drawing is one stroke. Without a column
    `drawing` the table is one. Raises `DataError`, with the row, for what is no number.
    """
    table = find_header(source, options.header, _AXES, [])
    names = [cell.strip() for cell in next(iter(first_rows(source)))]
    columns = _Columns(names, options.label)
    drawings: dict[str, _Points] = {}
    for row in iter_rows(table, list(_AXES if set(_AXES) <= set(names) else (columns.x, columns.y)), faults):
        cells = row.cells if isinstance(row.cells, dict) else {}
        with handled(faults):
            key = "" if columns.drawing is None else str(cells.get(columns.drawing) or "")
            drawings.setdefault(key, _Points(row.place)).add(cells, columns, source.name, row.place)
    for points in drawings.values():
        with handled(faults):
            place = points.place
            yield make_ink(points.strokes(), source.name, **place), Label(points.label, source.name, place)


class _Columns:
    """Which column is what."""

    def __init__(self, names: list[str], label: str | None) -> None:
        by_word = {name.lower(): name for name in reversed(names)}

        def find(words: tuple[str, ...]) -> str | None:
            return next((by_word[word] for word in words if word in by_word), None)

        self.x, self.y = by_word["x"], by_word["y"]
        self.drawing, self.stroke, self.lifted = find(_DRAWING), find(_STROKE), find(_LIFTED)
        self.label = find(_LABEL) if label is None else resolve_column(label, names)


class _Points:
    """The points of one drawing."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.label: str | None = None
        self._strokes: list[list[list[float]]] = []
        self._stroke: Any = None
        self._lifted = True

    def add(self, cells: dict[str, Any], columns: _Columns, name: str, place: Place) -> None:
        """Take the next row."""
        point = [_number(cells.get(axis), axis, name, place) for axis in (columns.x, columns.y)]
        stroke = cells.get(columns.stroke) if columns.stroke is not None else None
        if self._lifted or stroke != self._stroke:
            self._strokes.append([])
        self._strokes[-1].append(point)
        self._stroke = stroke
        self._lifted = columns.lifted is not None and bool(_number(cells.get(columns.lifted), "lifted", name, place))
        if columns.label is not None and self.label is None:
            self.label = str(cells.get(columns.label) or "") or None

    def strokes(self) -> list[np.ndarray]:
        """Give all strokes."""
        return [np.array(stroke, np.float64) for stroke in self._strokes]


def _number(cell: Any, column: str, name: str, place: Place) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = float("nan")
    if not np.isfinite(value):
        raise DataError(f"column {column!r}: expected a number, got {str(cell)[:30]!r}", source=name, **place)
    return value

"""Ink as steps from one point to the next, each with what the pen does after it: the form in which drawings are learnt (Ha and Eck 2017, arXiv:1704.03477v4)."""

from __future__ import annotations

import numpy as np

from recurra.errors import DataError
from recurra.ink.ink import Ink, make_ink

DOWN, LIFTED, END = 0, 1, 2
"""What the pen does after a point: it goes on, it is lifted to begin another stroke, or the drawing is over."""
PENS = 3
_COLUMNS = 3
_FIVE = 5


def to_offsets(ink: Ink) -> tuple[np.ndarray, np.ndarray]:
    """Give the steps (N, 2) float32 from each point to the next, and what the pen does after each, (N) uint8.

    The first point is where a drawing is, and no step. A stroke of one point, a dot, has a step of no length.

    >>> steps, pens = to_offsets(Ink((np.array([[1, 1], [4, 5]], np.float32), np.array([[0, 0]], np.float32))))
    >>> steps.tolist(), pens.tolist()
    ([[3.0, 4.0], [-4.0, -5.0], [0.0, 0.0]], [1, 0, 2])
    """
    strokes = [np.repeat(stroke, 2, 0) if len(stroke) == 1 else stroke for stroke in ink.strokes]
    points = np.concatenate(strokes)
    pens = np.full(len(points), DOWN, np.uint8)
    pens[np.cumsum([len(stroke) for stroke in strokes]) - 1] = LIFTED
    pens[-1] = END
    return np.diff(points.astype(np.float64), axis=0).astype(np.float32), pens[1:]


def from_offsets(steps: np.ndarray, pens: np.ndarray) -> Ink:
    """Give the strokes of steps (N, 2) that begin at (0, 0); of nothing a dot. What is not lifted at the end is.

    >>> [stroke.tolist() for stroke in from_offsets(np.array([[3, 4], [-4, -5], [0, 1]]), np.array([1, 0, 2])).strokes]
    [[[0.0, 0.0], [3.0, 4.0]], [[-1.0, -1.0], [-1.0, 0.0]]]
    """
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(np.asarray(steps, np.float64), 0)]).astype(np.float32)
    cuts = np.flatnonzero(np.asarray(pens) != DOWN) + 2
    parts = [part for part in np.split(points, cuts[cuts < len(points)]) if len(part)]
    return Ink(tuple(parts))


def parse_offsets(values: np.ndarray, name: str, row: int) -> Ink:
    """Read a drawing as sketch-rnn writes it: rows of dx, dy and whether the pen is lifted after it, or of dx, dy and one of three pen states.

    Raises `DataError` for anything else.

    >>> parse_offsets(np.array([[3, 4, 1], [-4, -5, 0], [0, 1, 1]]), "a.npz", 1).points
    4
    """
    if values.ndim != 2 or values.shape[1] not in (_COLUMNS, _FIVE) or values.dtype.kind not in "fiub":
        sizes = " x ".join(map(str, values.shape)) or "one value"
        raise DataError(
            f"expected steps (N, 3): dx, dy, lifted, or (N, 5); got {sizes} of {values.dtype}", source=name, row=row
        )
    steps, states = values[:, :2].astype(np.float64), values[:, 2:]
    if not np.isin(states, (0, 1)).all():
        wrong = int(np.flatnonzero(~np.isin(states, (0, 1)).all(1))[0])
        raise DataError(
            f"expected pen states 0 and 1, got {states[wrong].tolist()} at point {wrong + 1}", source=name, row=row
        )
    pens = states[:, 0] if values.shape[1] == _COLUMNS else states.argmax(1)
    if values.shape[1] == _FIVE and (pens == END).any():  # the rest is padding
        last = int(np.flatnonzero(pens == END)[0])
        steps, pens = steps[:last], pens[:last]
    if not np.isfinite(steps).all():
        wrong = int(np.flatnonzero(~np.isfinite(steps).all(1))[0])
        raise DataError(
            f"expected finite steps, got {steps[wrong].tolist()} at point {wrong + 1}", source=name, row=row
        )
    if not len(steps):
        raise DataError("holds no points", source=name, row=row)
    return make_ink(from_offsets(steps, pens.astype(np.uint8)).strokes, name, row=row)

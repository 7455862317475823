"""Pen strokes, and how they are written in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np

from recurra.errors import DataError
from recurra.text import Place

MAX_POINTS = 200_000
"""Of one ink: half an hour of writing at 100 points a second."""
_MAX_COORDINATE = 1e9
_AXES = 2
_WRITTEN_DIGITS = 4
_MAX_VALUES = 16
"""Of a point: where it is, when, how hard the pen was pressed, and so on."""


@dataclass(frozen=True, eq=False)
class Ink:
    """What a pen wrote: for each stroke its points (n, 2) float32, x to the right and y downwards, and what there is to say of it."""

    strokes: tuple[np.ndarray, ...]
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        """Count the points of all strokes."""
        return sum(map(len, self.strokes))

    def to_json(self) -> dict[str, list[list[list[float]]]]:
        """Give the strokes as lists of points [x, y], as readers take them.

        >>> Ink((np.array([[0, 0.25]], np.float32),)).to_json()
        {'strokes': [[[0.0, 0.25]]]}
        """
        return {"strokes": [stroke.astype(float).round(_WRITTEN_DIGITS).tolist() for stroke in self.strokes]}


def make_ink(strokes: Sequence[np.ndarray], name: str, notes: Sequence[str] = (), **place: Unpack[Place]) -> Ink:
    """Make an ink of strokes, without those that have no points; raises `DataError` where none is left, or there are too many points.

    >>> make_ink([np.zeros((3, 2)), np.zeros((0, 2))], "a.json").points
    3
    """
    kept = [check_stroke(stroke, name, **place) for stroke in strokes if len(stroke)]
    if not kept:
        raise DataError("holds no points", source=name, **place)
    if (count := sum(map(len, kept))) > MAX_POINTS:
        raise DataError(f"expected an ink of at most {MAX_POINTS:,} points, got {count:,}", source=name, **place)
    return Ink(tuple(kept), tuple(notes))


def check_stroke(points: Any, name: str, **place: Unpack[Place]) -> np.ndarray:
    """Give points as (n, 2) float32; raises `DataError` for coordinates that are none."""
    values = np.asarray(points, np.float64)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(values) <= _MAX_COORDINATE)
    if wrong.any():
        number = int(np.flatnonzero(wrong.any(1))[0])
        raise DataError(
            f"expected coordinates within ±{_MAX_COORDINATE:g}, got {values[number].tolist()} as point {number + 1} of a stroke",
            source=name,
            **place,
        )
    return values.astype(np.float32)


def parse_stroke(value: Any, name: str, **place: Unpack[Place]) -> np.ndarray:
    """Read a stroke as JSON has it: points `[x, y, …]`, objects with `x` and `y`, or one object with a list of each; gives (n, 2) float32.

    Raises `DataError` for anything else.

    >>> parse_stroke([[0, 1], [2, 3]], "a.json").tolist() == parse_stroke({"x": [0, 2], "y": [1, 3]}, "a.json").tolist()
    True
    """
    if isinstance(value, dict) and isinstance(value.get("points"), list):
        value = value["points"]
    if isinstance(value, dict):
        return _parse_lists(value.get("x"), value.get("y"), name, place)
    if not isinstance(value, list):
        raise _no_stroke(value, name, place)
    points = []
    for point in value:
        pair: Any = [point.get("x"), point.get("y")] if isinstance(point, dict) else point
        if (
            not isinstance(pair, list)
            or not _AXES <= len(pair) <= _MAX_VALUES
            or not all(map(_is_number, pair[:_AXES]))
        ):
            raise DataError(f"expected a point [x, y], got {str(point)[:40]}", source=name, **place)
        points.append([float(number) for number in pair[:_AXES]])
    return check_stroke(np.array(points, np.float64).reshape(-1, _AXES), name, **place)


def parse_drawing(value: Any, name: str, **place: Unpack[Place]) -> np.ndarray:
    """Read a stroke of a `drawing` as Quick, Draw! writes it: a list of x and a list of y, and perhaps of times."""
    if not isinstance(value, list) or len(value) < _AXES:
        raise _no_stroke(value, name, place)
    return _parse_lists(value[0], value[1], name, place)


def _parse_lists(across: Any, down: Any, name: str, place: Place) -> np.ndarray:
    both = (across, down)
    if not all(isinstance(one, list) and all(map(_is_number, one)) for one in both) or len(across) != len(down):
        raise DataError("expected as many numbers x as y", source=name, **place)
    return check_stroke(
        np.array([[float(x), float(y)] for x, y in zip(across, down, strict=True)]).reshape(-1, _AXES), name, **place
    )


def _is_number(value: Any) -> bool:
    # A whole number of many digits becomes no float.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 10 * _MAX_COORDINATE


def _no_stroke(value: Any, name: str, place: Place) -> DataError:
    return DataError(f"expected a stroke, a list of points, got {type(value).__name__}", source=name, **place)

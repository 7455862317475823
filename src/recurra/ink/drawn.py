"""Ink as SVG: one drawing, several in a grid, or one that is drawn before one's eyes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from recurra.ink.ink import Ink

_MARGIN = 0.06
"""Of a drawing's longer side."""
_PEN = 0.012
"""Width of a line, of a drawing's longer side."""
_LONGER_SIDE = 600
"""Units of the longer side that a file is shown with."""
_POINTS_PER_SECOND = 60.0
_MIN_SECONDS = 0.02
_DIGITS = 4


def ink_box(ink: Ink) -> tuple[float, float, float, float]:
    """Give left, top, width and height of what is drawn.

    >>> ink_box(Ink((np.array([[1, 2], [4, 6]], np.float32),)))
    (1.0, 2.0, 3.0, 4.0)
    """
    points = np.concatenate(ink.strokes).astype(np.float64)
    (left, top), (width, height) = points.min(0), np.ptp(points, axis=0)
    return float(left), float(top), float(width), float(height)


def ink_paths(
    ink: Ink, *, pen: float, given: int = 0, move: tuple[float, float] = (0.0, 0.0), animate: bool = False
) -> str:
    """Give an SVG path for each stroke, in units of the drawing; those of the first `given` strokes are grey.

    pen: width of the line.  move: added to all points.  animate: each stroke appears as it is drawn.

    >>> ink_paths(Ink((np.array([[0, 0], [3, 4]], np.float32),)), pen=1)
    '<path d="M0 0L3 4" stroke-width="1"/>'
    """
    parts, start = [], 0.0
    for number, stroke in enumerate(ink.strokes):
        points = stroke.astype(np.float64) + move
        if len(points) == 1:
            points = np.repeat(points, 2, 0)  # with round ends, a dot
        places = "L".join(f"{_short(x)} {_short(y)}" for x, y in points.tolist())
        style = ' stroke="#888"' if number < given else ""
        shown = ""
        if animate and number >= given:
            seconds = max(_MIN_SECONDS, (len(points) - 1) / _POINTS_PER_SECOND)
            shown = _animation(points, start, seconds, pen)
            start += seconds + 1 / _POINTS_PER_SECOND
        head = f'<path d="M{places}" stroke-width="{_short(pen)}"{style}'
        parts.append(f"{head}>{shown}</path>" if shown else f"{head}/>")
    return "".join(parts)


def _animation(points: np.ndarray, start: float, seconds: float, pen: float) -> str:
    """Hide a line by a dash that is as long as it, and let the dash move away while it is drawn."""
    length = float(np.hypot(*np.diff(points, axis=0).T).sum()) + pen
    dash = f'<set attributeName="stroke-dasharray" to="{_short(length)} {_short(length)}" begin="0s"/>'
    hidden = f'<set attributeName="stroke-dashoffset" to="{_short(length)}" begin="0s" end="{start:.3f}s"/>'
    hidden += f'<set attributeName="opacity" to="0" begin="0s" end="{start:.3f}s"/>' if start else ""
    moving = f'<animate attributeName="stroke-dashoffset" from="{_short(length)}" to="0" begin="{start:.3f}s" dur="{seconds:.3f}s" fill="freeze"/>'
    return dash + hidden + moving


def to_svg(ink: Ink, *, given: int = 0, animate: bool = False) -> str:
    """Write a drawing as an SVG file, in its own units: read again, it is the same drawing.

    given: how many of its strokes were there before, which are grey.

    >>> to_svg(Ink((np.array([[0, 0], [100, 50]], np.float32),))).count("<path")
    1
    """
    left, top, width, height = ink_box(ink)
    side = max(width, height) or 1.0
    margin = _MARGIN * side
    box = (left - margin, top - margin, width + 2 * margin, height + 2 * margin)
    return _svg(box, ink_paths(ink, pen=_PEN * side, given=given, animate=animate))


def grid_svg(inks: Sequence[Ink], *, given: int = 0, animate: bool = False, columns: int | None = None) -> str:
    """Write several drawings as one SVG file, side by side, all in one unit.

    >>> grid_svg([Ink((np.array([[0, 0], [1, 5]], np.float32),))] * 4).count("<path")
    4
    """
    boxes = [ink_box(ink) for ink in inks]
    wide, high = max(box[2] for box in boxes) or 1.0, max(box[3] for box in boxes) or 1.0
    side = max(wide, high)
    gap, pen = 2 * _MARGIN * side, _PEN * side
    columns = columns or max(1, round(math.sqrt(len(inks) * high / wide)))
    parts = []
    for number, (ink, (left, top, width, height)) in enumerate(zip(inks, boxes, strict=True)):
        row, column = divmod(number, columns)
        x = column * (wide + gap) + (wide - width) / 2 - left
        y = row * (high + gap) + (high - height) / 2 - top
        parts.append(f"<g>{ink_paths(ink, pen=pen, given=given, move=(x, y), animate=animate)}</g>")
    rows = -(-len(inks) // columns)
    width, height = min(columns, len(inks)) * (wide + gap), rows * (high + gap)
    return _svg((-gap / 2, -gap / 2, width, height), "".join(parts))


def _svg(box: tuple[float, float, float, float], content: str) -> str:
    _, _, width, height = box
    shown = _LONGER_SIDE / max(width, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{" ".join(map(_short, box))}" '
        f'width="{width * shown:.0f}" height="{height * shown:.0f}" fill="none" stroke="#111" '
        f'stroke-linecap="round" stroke-linejoin="round">{content}</svg>\n'
    )


def _short(value: float) -> str:
    """Write a number with as many digits as a line needs.

    >>> _short(3.0), _short(0.123456), _short(-1e-9)
    ('3', '0.1235', '0')
    """
    text = f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def to_dots(ink: Ink, height: int, width: int) -> np.ndarray:
    """Draw ink as white dots on black, uint8 (H, W), as large as fits in.

    >>> to_dots(Ink((np.array([[0, 0], [2, 2]], np.float32),)), 3, 5).tolist()
    [[255, 0, 0, 0, 0], [0, 255, 0, 0, 0], [0, 0, 255, 0, 0]]
    """
    left, top, wide, high = ink_box(ink)
    scale = min((height - 1) / max(high, 1e-9), (width - 1) / max(wide, 1e-9))
    drawn = np.zeros((height, width), np.uint8)
    for stroke in ink.strokes:
        points = (stroke.astype(np.float64) - (left, top)) * scale
        places = [points[:1]]
        for start, end in pairwise(points):
            count = int(np.abs(end - start).max()) + 1
            places.append(start + np.linspace(0, 1, count + 1)[:, None] * (end - start))
        columns, rows = np.rint(np.concatenate(places)).astype(int).T
        drawn[rows, columns] = 255
    return drawn

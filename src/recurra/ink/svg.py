"""SVG drawings (W3C, SVG 1.1): what their lines and shapes are as the strokes of a pen."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

import numpy as np

from recurra.errors import DataError
from recurra.ink.ink import Ink, make_ink
from recurra.ink.svg_path import CURVE_POINTS, parse_path
from recurra.text import Source, local_name, parse_xml

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(?:px)?\s*")
_TRANSFORM = re.compile(r"\s*([a-zA-Z]+)\s*\(([^()]*)\)\s*,?")
_HIDDEN = ("defs", "clipPath", "mask", "marker", "pattern", "symbol", "metadata", "title", "desc", "style", "script")
_ROUND = 4 * CURVE_POINTS
_MAX_DEPTH = 64

Matrix = np.ndarray
"""(2, 3): how a point is moved."""


def read_svg(source: Source) -> Ink:
    """Give the strokes of a drawing, in the order in which they stand, moved as `transform` says; what is filled counts by its outline.

    Read are path, polyline, polygon, line, rect, circle and ellipse. Text and pictures are no strokes; they are noted.
    Raises `DataError` for what is no SVG, or holds no stroke.

    >>> data = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0 L3 4"/><circle cx="5" cy="5" r="1"/></svg>'
    >>> [len(stroke) for stroke in read_svg(Source("a.svg", "svg", data, False)).strokes]
    [2, 49]
    """
    root = parse_xml(source)
    if local_name(root) != "svg":
        raise DataError(f"expected SVG, got a document of <{local_name(root)}>", source=source.name)
    strokes: list[np.ndarray] = []
    others: set[str] = set()
    for number, (element, matrix) in enumerate(_shapes(root, np.eye(2, 3), 0, source.name), 1):
        kind = local_name(element)
        try:
            if kind in _SHAPES:
                strokes += [part @ matrix[:, :2].T + matrix[:, 2] for part in _SHAPES[kind](element)]
            elif kind in ("text", "image", "use", "foreignObject"):
                others.add(kind)
        except ValueError as error:
            raise DataError(f"<{kind}>: {error}", source=source.name, row=number) from None
    if not strokes:
        raise DataError("holds no lines: no path, polyline, polygon, line, rect, circle or ellipse", source=source.name)
    notes = [f"<{kind}> is no line, and left out" for kind in sorted(others)]
    return make_ink(strokes, source.name, notes)


def _shapes(element: ET.Element, matrix: Matrix, depth: int, name: str) -> Iterator[tuple[ET.Element, Matrix]]:
    """Give all elements that are shown, each with how its points are moved."""
    if depth > _MAX_DEPTH:
        raise DataError(f"expected elements at most {_MAX_DEPTH} deep in each other", source=name)
    if not isinstance(element.tag, str) or local_name(element) in _HIDDEN or element.get("display") == "none":
        return
    try:
        own = _compose(matrix, _transform(element.get("transform") or ""))
    except ValueError as error:
        raise DataError(f"<{local_name(element)}>: {error}", source=name) from None
    yield element, own
    for inner in element:
        yield from _shapes(inner, own, depth + 1, name)


def _compose(outer: Matrix, inner: Matrix) -> Matrix:
    return np.concatenate([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]], 1)


def _transform(text: str) -> Matrix:
    """Read a list of transformations; raises `ValueError` for others than SVG has."""
    matrix, place = np.eye(2, 3), 0
    while text[place:].strip():
        found = _TRANSFORM.match(text, place)
        if found is None:
            raise ValueError(f"expected a transform such as translate(10 5), got {text[place : place + 30]!r}")
        numbers = _numbers(found[2])
        matrix = _compose(matrix, _one_transform(found[1], numbers))
        place = found.end()
    return matrix


def _one_transform(kind: str, n: list[float]) -> Matrix:
    if kind == "matrix" and len(n) == 6:
        return np.array([[n[0], n[2], n[4]], [n[1], n[3], n[5]]])
    if kind == "translate" and len(n) in (1, 2):
        return np.array([[1.0, 0, n[0]], [0, 1, n[1] if len(n) > 1 else 0]])
    if kind == "scale" and len(n) in (1, 2):
        return np.array([[n[0], 0.0, 0], [0, n[-1], 0]])
    if kind == "rotate" and len(n) in (1, 3):
        cos, sin = math.cos(math.radians(n[0])), math.sin(math.radians(n[0]))
        turn = np.array([[cos, -sin, 0], [sin, cos, 0]])
        x, y = n[1:] or (0.0, 0.0)
        return _compose(_compose(np.array([[1.0, 0, x], [0, 1, y]]), turn), np.array([[1.0, 0, -x], [0, 1, -y]]))
    if kind in ("skewX", "skewY") and len(n) == 1:
        slope = math.tan(math.radians(n[0]))
        return np.array([[1.0, slope, 0], [0, 1, 0]] if kind == "skewX" else [[1.0, 0, 0], [slope, 1, 0]])
    raise ValueError(f"expected a transform such as translate(10 5), got {kind[:20]} of {len(n)} numbers")


def _numbers(text: str) -> list[float]:
    return [_number(part) for part in re.split(r"[\s,]+|(?<=\d)(?=[+-])", text.strip()) if part]


def _number(text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None or not abs(float(found[1])) < 1e9:
        raise ValueError(f"expected a number, got {text[:30]!r}")
    return float(found[1])


def _get(element: ET.Element, *names: str) -> list[float]:
    return [_number(element.get(name) or "0") for name in names]


def _path(element: ET.Element) -> list[np.ndarray]:
    return parse_path(element.get("d") or "")


def _points(element: ET.Element) -> list[np.ndarray]:
    numbers = _numbers(element.get("points") or "")
    if len(numbers) % 2:
        raise ValueError(f"expected pairs of numbers as points, got {len(numbers)} numbers")
    found = np.array(numbers, np.float64).reshape(-1, 2)
    closed = local_name(element) == "polygon" and len(found) > 2
    return [np.concatenate([found, found[:1]]) if closed else found] if len(found) else []


def _line(element: ET.Element) -> list[np.ndarray]:
    x1, y1, x2, y2 = _get(element, "x1", "y1", "x2", "y2")
    return [np.array([[x1, y1], [x2, y2]])]


def _rect(element: ET.Element) -> list[np.ndarray]:
    x, y, width, height = _get(element, "x", "y", "width", "height")
    return [np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]])]


def _round(element: ET.Element) -> list[np.ndarray]:
    x, y = _get(element, "cx", "cy")
    rx, ry = _get(element, "r", "r") if local_name(element) == "circle" else _get(element, "rx", "ry")
    turn = np.linspace(0, 2 * np.pi, _ROUND + 1)
    return [np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], 1)]


_SHAPES: dict[str, Callable[[ET.Element], list[np.ndarray]]] = {
    "path": _path,
    "polyline": _points,
    "polygon": _points,
    "line": _line,
    "rect": _rect,
    "circle": _round,
    "ellipse": _round,
}

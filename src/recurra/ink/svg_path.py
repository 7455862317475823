"""The paths of SVG (W3C, SVG 1.1, chapter 8): from the letters and numbers of `d` to points along lines and curves."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

MAX_PATH_POINTS = 200_000
"""Of one path, its curves cut into lines."""
CURVE_POINTS = 12
"""Lines that a curve is cut into."""
_TOKEN = re.compile(r"([MmZzLlHhVvCcSsQqTtAa])|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)|([\s,]+)|(.)", re.DOTALL)
_FLAG = re.compile(r"[\s,]*([01])")
_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_MAX_NUMBER = 1e9
_ARC_FLAGS = (3, 4)

Point = complex
"""x + i y."""


def parse_path(text: str) -> list[np.ndarray]:
    """Give the points (n, 2) of each part of a path that a pen draws without being lifted.

    Curves are cut into `CURVE_POINTS` lines each. Raises `ValueError` for what is no path.

    >>> [part.tolist() for part in parse_path("M0 0 L10 0 V5 z m20,0 h5")]
    [[[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [0.0, 0.0]], [[20.0, 0.0], [25.0, 0.0]]]
    """
    pen = _Pen()
    for letter, numbers in _commands(text):
        pen.draw(letter, numbers)
    return pen.parts()


def _commands(text: str) -> list[tuple[str, list[float]]]:
    """Cut a path into letters, each with the numbers of one step; a letter may stand before the numbers of several."""
    found: list[tuple[str, list[float]]] = []
    letter, numbers, place = "", list[float](), 0
    while place < len(text):
        if letter.upper() == "A" and len(numbers) % 7 in _ARC_FLAGS and (flag := _FLAG.match(text, place)):
            numbers.append(float(flag[1]))  # a flag is one digit, and what follows may touch it
            place = flag.end()
            continue
        token = _TOKEN.match(text, place)
        if token is None or token[4] is not None:
            raise ValueError(f"expected a path such as M10 10 L20 30, got {text[place : place + 20]!r}")
        place = token.end()
        if token[1] is not None:
            _finish(found, letter, numbers)
            letter, numbers = token[1], []
        elif token[2] is not None:
            if not letter or letter in "Zz":
                raise ValueError(f"expected a letter such as M or L, got {token[2]!r}")
            numbers.append(_number(token[2]))
    _finish(found, letter, numbers)
    return found


def _number(text: str) -> float:
    value = float(text)
    if not abs(value) <= _MAX_NUMBER:
        raise ValueError(f"expected numbers within ±{_MAX_NUMBER:g}, got {text[:20]}")
    return value


def _finish(found: list[tuple[str, list[float]]], letter: str, numbers: Sequence[float]) -> None:
    if not letter:
        return
    count = _COUNTS[letter.upper()]
    if (not numbers and count) or (count and len(numbers) % count):
        raise ValueError(f"expected {count} numbers after {letter}, or a multiple of these, got {len(numbers)}")
    if not found and letter not in "Mm":
        raise ValueError(f"expected a path to begin with M, got {letter}")
    if not count:
        found.append((letter, []))
    for start in range(0, len(numbers), count or 1):
        found.append((letter, list(numbers[start : start + count])))
        letter = {"M": "L", "m": "l"}.get(letter, letter)  # further pairs after a move are lines


class _Pen:
    """Goes where the commands say."""

    def __init__(self) -> None:
        self._place: Point = 0j
        self._start: Point = 0j
        self._control: Point | None = None
        self._before = ""
        self._parts: list[list[Point]] = []
        self._count = 0

    def parts(self) -> list[np.ndarray]:
        """Give what was drawn."""
        whole = [part for part in self._parts if len(part) > 1]
        return [np.array([[point.real, point.imag] for point in part], np.float64) for part in whole]

    def draw(self, letter: str, numbers: Sequence[float]) -> None:
        """Do one step."""
        kind = letter.upper()
        base = self._place if letter.islower() else 0j
        if kind == "M":
            self._place = self._start = base + complex(*numbers)
            self._parts.append([self._place])
        elif kind == "Z":
            self._line([self._start])
            self._parts.append([self._start])
        elif kind in ("H", "V"):
            along, across = (numbers[0] + base.real, self._place.imag), (self._place.real, numbers[0] + base.imag)
            self._line([complex(*(along if kind == "H" else across))])
        elif kind == "A":
            self._line(arc(self._place, numbers, base + complex(*numbers[5:])))
        else:
            points = [base + complex(*numbers[at : at + 2]) for at in range(0, len(numbers), 2)]
            self._curve(kind, points)
        self._before = kind
        if kind not in "CSQT":
            self._control = None

    def _curve(self, kind: str, points: list[Point]) -> None:
        if kind == "L":
            self._line(points)
            return
        if kind in ("S", "T"):  # the control point that is left out mirrors the last one's
            alike = self._control is not None and self._before in ("CS" if kind == "S" else "QT")
            points = [2 * self._place - self._control if alike and self._control is not None else self._place, *points]
        self._control = points[-2]
        self._line(bezier([self._place, *points]))

    def _line(self, points: Sequence[Point]) -> None:
        self._count += len(points)
        if self._count > MAX_PATH_POINTS:
            raise ValueError(f"expected a path of at most {MAX_PATH_POINTS:,} points")
        self._parts[-1] += points
        self._place = points[-1]


def bezier(points: Sequence[Point], lines: int = CURVE_POINTS) -> list[Point]:
    """Give the ends of the lines that a Bézier curve of 3 or 4 control points is cut into.

    >>> bezier([0j, 1 + 2j, 2 + 0j], 2)
    [(1+1j), (2+0j)]
    """
    degree = len(points) - 1
    found = []
    for number in range(1, lines + 1):
        t = number / lines
        weights = [math.comb(degree, k) * t**k * (1 - t) ** (degree - k) for k in range(degree + 1)]
        found.append(sum((w * p for w, p in zip(weights, points, strict=True)), 0j))
    return found


def arc(start: Point, numbers: Sequence[float], end: Point) -> list[Point]:
    """Give points along an elliptical arc, by its centre (SVG 1.1, appendix F.6).

    >>> [complex(round(p.real, 3), round(p.imag, 3)) for p in arc(0j, [1, 1, 0, 0, 1, 2, 0], 2 + 0j)][5]
    (1-1j)
    """
    rx, ry, turned = abs(numbers[0]), abs(numbers[1]), math.radians(numbers[2] % 360)
    if start == end:
        return [end]
    if not rx or not ry:
        return [end]
    turn = complex(math.cos(turned), math.sin(turned))
    half = (start - end) / 2 * turn.conjugate()
    x, y = half.real / rx, half.imag / ry
    grow = max(1.0, math.hypot(x, y))
    rx, ry, x, y = rx * grow, ry * grow, x / grow, y / grow
    squares = x * x + y * y
    if not 0 < squares < math.inf:
        return [end]
    side = math.sqrt(max(0.0, 1 / squares - 1)) * (-1 if numbers[3] == numbers[4] else 1)
    centre = complex(side * y, -side * x)  # of the unit circle
    first, last = complex(x, y) - centre, complex(-x, -y) - centre
    angle = math.atan2(first.imag, first.real)
    sweep = math.atan2(last.imag, last.real) - angle
    if numbers[4] and sweep < 0:
        sweep += 2 * math.pi
    elif not numbers[4] and sweep > 0:
        sweep -= 2 * math.pi
    found = []
    for number in range(1, CURVE_POINTS + 1):
        at = angle + sweep * number / CURVE_POINTS
        place = centre + complex(math.cos(at), math.sin(at))
        found.append(complex(rx * place.real, ry * place.imag) * turn + (start + end) / 2)
    return [*found[:-1], end]

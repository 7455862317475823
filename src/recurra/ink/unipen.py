"""UNIPEN 1.0: components of a pen that is down or up, and segments that say what some of them are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.errors import DataError
from recurra.ink.ink import MAX_POINTS, Ink, make_ink

_STATEMENT = re.compile(r"^\.([A-Z][A-Z_0-9]*)", re.MULTILINE)
_SEGMENT = re.compile(r'\s+(\S+)\s+(\S+)(?:\s+([^\s"]+))?(?:\s+"((?:[^"\\]|\\.)*)")?\s*', re.DOTALL)
_ENDS = re.compile(r"(\d{1,9})(?::(\d{1,9}))?(?:-(\d{1,9})(?::(\d{1,9}))?)?")
_DOWN, _UP = "PEN_DOWN", "PEN_UP"
_AXES = ("X", "Y")


@dataclass(frozen=True)
class Segment:
    """A part of the ink: on which level it is (WORD, say), which components, and what it says, if the file says that."""

    level: str
    components: str
    text: str | None
    line: int


Component = tuple[bool, np.ndarray]
"""Whether the pen is down, and its points (n, 2), x and y downwards."""


@dataclass
class Unipen:
    """A file: which others it includes, its components, whose numbers are not read yet, its segments, and who wrote it.

    columns: what the numbers of a point are, which one file may say for others.
    """

    name: str
    includes: list[tuple[str, int]] = field(default_factory=list)
    bodies: list[tuple[bool, str, int]] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    writer: str | None = None
    columns: tuple[str, ...] | None = None

    def components(self, columns: Sequence[str] = _AXES) -> list[Component]:
        """Give the components, as segments count them: those without a point are none.

        columns: what a point's numbers are where this file does not say.

        Raises `DataError`, with the line, for points that are no numbers.
        """
        own = self.columns or columns
        found = [(down, _points(body, own, self.name, line)) for down, body, line in self.bodies]
        return [(down, points) for down, points in found if len(points)]


def is_unipen(data: bytes) -> bool:
    """Tell by its beginning whether a file is UNIPEN: one of its words at the beginning of a line."""
    return (
        re.search(rb"^\.(VERSION|INCLUDE|SEGMENT|PEN_DOWN|COORD|HIERARCHY|DATA_SOURCE)\s", data[:65_536], re.M)
        is not None
    )


def parse_unipen(data: bytes, name: str) -> Unipen:
    """Read a file, but for the numbers of its points; raises `DataError`, with the line, for segments that are none.

    >>> parse_unipen(b'.SEGMENT WORD 0-1 OK "to"\\n.PEN_DOWN\\n1 2\\n3 4\\n', "a.dat").segments[0].text
    'to'
    """
    text = _decode(data).replace("\r\n", "\n").replace("\r", "\n")
    found = Unipen(name)
    line, counted = 1, 0
    for word, start, end in _statements(text):
        line, counted = line + text.count("\n", counted, start), start
        body = text[start:end]
        if word in (_DOWN, _UP):
            found.bodies.append((word == _DOWN, body, line))
        elif word == "SEGMENT":
            found.segments.append(_segment(body, name, line))
        elif word == "INCLUDE":
            found.includes.append((body.strip(), line))
        elif word == "COORD":
            found.columns = tuple(body.upper().split())
            if not set(_AXES) <= set(found.columns):
                raise DataError(f"expected X and Y among the coordinates, got {body.strip()!r}", source=name, line=line)
        elif word == "WRITER_ID":
            found.writer = body.strip() or None
    return found


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:  # of before there was UTF-8
        return data.decode("latin-1")


def _statements(text: str) -> Iterator[tuple[str, int, int]]:
    """Give each statement's word, and from where to where its body is."""
    marks = list(_STATEMENT.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        yield mark[1], mark.end(), following.start() if following else len(text)


def _points(body: str, columns: Sequence[str], name: str, line: int) -> np.ndarray:
    numbers = body.split()
    try:
        values = np.array(numbers, np.float64)
    except ValueError:
        raise DataError(f"expected the numbers of points, got {body.strip()[:40]!r}", source=name, line=line) from None
    if len(values) % len(columns):
        raise DataError(
            f"expected {len(columns)} numbers a point ({' '.join(columns)}), got {len(values)} in all",
            source=name,
            line=line,
        )
    if not np.isfinite(values).all() or len(values) > MAX_POINTS * len(columns):
        raise DataError("expected finite coordinates, and not too many", source=name, line=line)
    table = values.reshape(-1, len(columns))
    return np.stack([table[:, columns.index("X")], -table[:, columns.index("Y")]], 1)  # a tablet's y goes up


def _segment(body: str, name: str, line: int) -> Segment:
    found = _SEGMENT.fullmatch(body if body.startswith((" ", "\t")) else f" {body}")
    if found is None:
        problem = f'expected a segment such as WORD 4-7 OK "text", got {body.strip()[:40]!r}'
        raise DataError(problem, source=name, line=line)
    level, components, _, text = found.groups()
    return Segment(level.upper(), components, None if text is None else re.sub(r"\\(.)", r"\1", text), line)


def segment_ink(components: Sequence[Component], segment: Segment, name: str) -> Ink:
    """Give the strokes of a segment: `4-7`, `10`, `4-7:3` (up to point 3 of component 7), and several with commas.

    Raises `DataError` for a component that is not there.

    >>> file = parse_unipen(b".PEN_DOWN\\n1 2\\n3 4\\n.PEN_UP\\n3 5\\n.PEN_DOWN\\n5 6\\n", "a.dat")
    >>> len(segment_ink(file.components(), Segment("WORD", "0-2", "to", 1), "a.dat").strokes)
    2
    """
    strokes = []
    for part in segment.components.split(","):
        found = _ENDS.fullmatch(part)
        if found is None:
            problem = f"expected components such as 4-7 or 10, got {segment.components!r}"
            raise DataError(problem, source=name, line=segment.line)
        first, first_point, last, last_point = (None if one is None else int(one) for one in found.groups())
        start, end = int(found[1]), first if last is None else last
        if end is None or not start <= end < len(components):
            problem = f"component {max(start, end or 0)} is not there, of {len(components)}, or ends before it begins"
            raise DataError(problem, source=name, line=segment.line)
        for number in range(start, end + 1):
            down, points = components[number]
            from_point = first_point if number == start and first_point is not None else 0
            to_point = last_point + 1 if number == end and last_point is not None else len(points)
            if down:
                strokes.append(points[from_point:to_point])
    return make_ink(strokes, name, line=segment.line)

"""InkML (W3C, 2011): traces of a pen, and what is written of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recurra.errors import DataError
from recurra.ink.ink import Ink, make_ink
from recurra.text import Source, local_name, parse_xml

_TRUTHS = ("truth", "transcription", "transcript", "label", "text")
_WRITERS = ("writer", "writerid", "writer_id", "author")
_VALUE = re.compile(r"([!'\"]?)\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?|\*|[TF])")
_AXES = ("X", "Y")


@dataclass(frozen=True)
class Inked:
    """An ink, its text if there is one, and who wrote it, if the file says so; number: which of the file's, from 1."""

    ink: Ink
    text: str | None
    writer: str | None
    number: int


def read_inkml(source: Source) -> Iterator[Inked]:
    """Give the inks of a file: all of it where it has a text as a whole, else each group of traces that has one.

    Raises `DataError` for what is no InkML, and for traces that cannot be read.

    >>> data = b'<ink><annotation type="truth">to</annotation><trace id="0">1 2, 3 4</trace></ink>'
    >>> [(one.text, one.ink.points) for one in read_inkml(Source("a.inkml", "inkml", data, False))]
    [('to', 2)]
    """
    root = parse_xml(source)
    if local_name(root) != "ink":
        raise DataError(f"expected InkML, got a document of <{local_name(root)}>", source=source.name)
    columns = _columns(root, source.name)
    traces = [one for one in root.iter() if local_name(one) == "trace"]
    strokes = {
        at: _trace(one.text or "", columns, source.name, number)
        for number, (at, one) in enumerate(_identified(traces), 1)
    }
    writer = _annotation(root, _WRITERS)
    whole = _annotation(root, _TRUTHS)
    groups = [] if whole is not None else [one for one in root.iter() if local_name(one) == "traceGroup"]
    texts = [(one, text) for one in groups if (text := _annotation(one, _TRUTHS)) is not None]
    if not texts:
        yield Inked(make_ink(list(strokes.values()), source.name), whole, writer, 1)
    for number, (group, text) in enumerate(_outermost(texts), 1):
        chosen = [strokes[at] for at in _members(group, source.name, strokes)]
        yield Inked(make_ink(chosen, source.name, row=number), text, _annotation(group, _WRITERS) or writer, number)


def _identified(traces: list[ET.Element]) -> Iterator[tuple[str, ET.Element]]:
    """Give each trace with its identifier, or its number where it has none."""
    for number, one in enumerate(traces):
        yield _identifier(one) or f"#{number}", one


def _identifier(element: ET.Element) -> str | None:
    return element.get("{http://www.w3.org/XML/1998/namespace}id") or element.get("id")


def _annotation(element: ET.Element, kinds: tuple[str, ...]) -> str | None:
    """Give the annotation of an element itself that is of one of these kinds."""
    for one in element:
        if local_name(one) == "annotation" and (one.get("type") or "").lower() in kinds:
            return " ".join("".join(one.itertext()).split())
    return None


def _outermost(texts: list[tuple[ET.Element, str]]) -> Iterator[tuple[ET.Element, str]]:
    """Leave out groups that are within one that comes before."""
    inner: set[int] = set()
    for group, text in texts:
        if id(group) not in inner:
            inner.update(id(one) for one in group.iter())
            yield group, text


def _members(group: ET.Element, name: str, strokes: dict[str, np.ndarray]) -> Iterator[str]:
    """Give the identifiers of a group's traces: those in it, and those that its views point to."""
    for one in group.iter():
        kind = local_name(one)
        at = _identifier(one) if kind == "trace" else (one.get("traceDataRef") or "").lstrip("#")
        if kind not in ("trace", "traceView") or not at:
            continue
        if at not in strokes:
            raise DataError(f"a group has the trace {at}, which is not there", source=name)
        yield at


def _columns(root: ET.Element, name: str) -> tuple[str, ...]:
    """Give the channels of a point: those of the format, or x and y."""
    form = next((one for one in root.iter() if local_name(one) == "traceFormat"), None)
    named = [
        (one.get("name") or "").upper() for one in (form if form is not None else ()) if local_name(one) == "channel"
    ]
    if named and not set(_AXES) <= set(named):
        raise DataError(f"expected channels X and Y, got {', '.join(named)}", source=name)
    return tuple(named) or _AXES


def _trace(text: str, columns: tuple[str, ...], name: str, number: int) -> np.ndarray:
    """Read a trace: points with commas between, their values as they are, or as differences (') and differences of these (")."""
    state = [(0.0, 0.0)] * len(columns)  # the value before, and the difference before
    modes = ["!"] * len(columns)
    points = []
    for point in text.split(","):
        if not point.strip():
            continue
        found = list(_VALUE.finditer(point))
        if _VALUE.sub("", point).strip() or not len(_AXES) <= len(found):
            raise DataError(f"expected a point of numbers, got {point.strip()[:40]!r}", source=name, row=number)
        for at, one in enumerate(found[: len(columns)]):
            modes[at] = one[1] or modes[at]
            state[at] = _next(state[at], modes[at], one[2])
        points.append([state[columns.index(axis)][0] for axis in _AXES])
    if points and not np.isfinite(points).all():
        raise DataError("expected finite coordinates", source=name, row=number)
    return np.array(points, np.float64).reshape(-1, len(_AXES))


def _next(state: tuple[float, float], mode: str, value: str) -> tuple[float, float]:
    """Give a channel's next value and difference."""
    before, step = state
    if value == "*":
        return before, 0.0
    number = 1.0 if value == "T" else 0.0 if value == "F" else float(value)
    step = number - before if mode == "!" else number if mode == "'" else step + number
    return before + step if mode != "!" else number, step

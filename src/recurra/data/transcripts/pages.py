"""PAGE XML and ALTO: the lines of a page, where they are and what is written in them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np

from recurra.data.transcripts.options import Label
from recurra.data.transcripts.sidecars import one_line
from recurra.errors import DataError
from recurra.text import Source, local_name

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MIN_CORNERS = 2
_BOX = ("HPOS", "VPOS", "WIDTH", "HEIGHT")


def is_page(root: ET.Element) -> bool:
    """Tell whether a document is PAGE XML or ALTO."""
    return local_name(root) in ("PcGts", "alto")


def page_lines(root: ET.Element, source: Source) -> tuple[str, list[Label]]:
    """Give the name of a page's picture, and its lines that have a text; the page is their group.

    Raises `DataError` for a line without a place, and for an ALTO that counts in another unit than pixels.
    """
    group = PurePosixPath(source.name).stem
    read = _page if local_name(root) == "PcGts" else _alto
    picture, lines = read(root, source)
    labels = [
        Label(one_line(text), source.name, {"row": number}, group, polygon=_polygon(corners, source, number))
        for number, text, corners in lines
        if text.strip()
    ]
    return picture, labels


Line = tuple[int, str, list[float]]
"""Which of the page's lines, from 1, its text, and the corners around it, x and y in turn."""


def _page(root: ET.Element, source: Source) -> tuple[str, Iterator[Line]]:
    page = next((one for one in root.iter() if local_name(one) == "Page"), None)
    if page is None:
        raise DataError("expected a Page", source=source.name)

    def lines() -> Iterator[Line]:
        for number, line in enumerate((one for one in root.iter() if local_name(one) == "TextLine"), 1):
            coordinates = _child(line, "Coords")
            yield number, _page_text(line), [] if coordinates is None else _page_corners(coordinates)

    return page.get("imageFilename") or "", lines()


def _page_text(line: ET.Element) -> str:
    """Give the text of a line: of several readings the first."""
    readings = [one for one in line if local_name(one) == "TextEquiv"]
    readings.sort(key=lambda one: int(index) if (index := one.get("index") or "").isdecimal() and len(index) < 9 else 0)
    unicode = _child(readings[0], "Unicode") if readings else None
    return "" if unicode is None else unicode.text or ""


def _page_corners(coordinates: ET.Element) -> list[float]:
    if points := coordinates.get("points"):
        return _numbers(points)
    corners = [one for one in coordinates if local_name(one) == "Point"]
    return _numbers(" ".join(f"{one.get('x')} {one.get('y')}" for one in corners))


def _alto(root: ET.Element, source: Source) -> tuple[str, Iterator[Line]]:
    unit = next((one.text or "" for one in root.iter() if local_name(one) == "MeasurementUnit"), "pixel")
    if unit.strip().lower() not in ("pixel", ""):
        raise DataError(
            f"expected places in pixels, got {unit.strip()}", source=source.name, hint="export ALTO in pixels"
        )
    picture = next((one.text or "" for one in root.iter() if local_name(one) == "fileName"), "")

    def lines() -> Iterator[Line]:
        for number, line in enumerate((one for one in root.iter() if local_name(one) == "TextLine"), 1):
            shape = next((one for one in line.iter() if local_name(one) == "Polygon"), None)
            corners = _numbers(shape.get("POINTS") or "") if shape is not None else _box(line)
            yield number, _alto_text(line), corners

    return picture.strip(), lines()


def _alto_text(line: ET.Element) -> str:
    marks = {
        "String": lambda one: one.get("CONTENT") or "",
        "SP": lambda _: " ",
        "HYP": lambda one: one.get("CONTENT") or "",
    }
    return "".join(marks[kind](one) for one in line if (kind := local_name(one)) in marks)


def _box(line: ET.Element) -> list[float]:
    sides = [_numbers(line.get(name) or "") for name in _BOX]
    if not all(sides):
        return []
    left, top, width, height = (side[0] for side in sides)
    return [left, top, left + width, top, left + width, top + height, left, top + height]


def _child(element: ET.Element, name: str) -> ET.Element | None:
    return next((one for one in element if local_name(one) == name), None)


def _numbers(text: str) -> list[float]:
    return [float(one) for one in _NUMBER.findall(text) if len(one) < 12]


def _polygon(corners: list[float], source: Source, number: int) -> np.ndarray:
    if len(corners) % 2 or len(corners) < 2 * _MIN_CORNERS:
        raise DataError("expected the corners of the line, x and y in turn", source=source.name, row=number)
    points = np.array(corners, np.float64).reshape(-1, 2)
    if len(points) == _MIN_CORNERS:  # two corners of a box
        (left, top), (right, bottom) = points
        points = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return points

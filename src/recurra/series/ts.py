"""`.ts`, the text format of the UCR and UEA archives: a header of @-lines, then a case a line, dimension:dimension:label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from recurra.errors import DataError
from recurra.series.base import Series, channel_names, parse_numbers
from recurra.series.cases import read_cases
from recurra.text import Faults, Place, Source, whole_number

_PAIR = re.compile(r"\(([^()]*),([^(),]*)\)")  # (time, value), in files with time stamps


@dataclass
class _Header:
    """What the header says that reading needs."""

    classes: list[str] | None = None  # declared labels; None: cases have none
    timed: bool = False
    dimensions: int | None = None
    seen: list[str] = field(default_factory=list)


def read_ts(source: Source, faults: Faults) -> Iterator[Series]:
    """Yield every case of a `.ts` file, with its label where the header says that there is one.

    Dimensions are the channels; "?" is a value that is missing; series may differ in length. Of pairs (time, value) the
    values are taken, in the order of the file. Raises `DataError`, with the line, for a header that is not finished, a
    label it does not declare, dimensions that differ in number or (within a case) in length, and for broken numbers.

    >>> data = b"@univariate false\\n@classLabel true up down\\n@data\\n1,2,3:0,0,?:up\\n"
    >>> next(read_ts(Source("a.ts", "ts", data, False), Faults("stop")))
    Series(values=array([[ 1.,  0.],
           [ 2.,  0.],
           [ 3., nan]], dtype=float32), label='up', place={'line': 4}, channels=('channel 1', 'channel 2'))
    """
    header = _Header()
    return read_cases(source, faults, ".ts", "#%", partial(_heading, header, source), partial(_case, header, source))


def _heading(header: _Header, source: Source, line: str, number: int) -> bool:
    """Take in a line of the header; True for the one that ends it."""
    if not line.startswith("@"):
        hint = "the header of a .ts file is lines that begin with @, and ends with @data"
        raise DataError(
            f"expected a line such as @classLabel, got {line[:30]!r}", source=source.name, line=number, hint=hint
        )
    word, *values = line.split()
    match word.lower():
        case "@data":
            return True
        case "@classlabel":
            header.classes = values[1:] if values and values[0].lower() == "true" else None
        case "@targetlabel" if values and values[0].lower() == "true":
            problem = "the cases have a number to predict (@targetLabel), not a class"
            raise DataError(problem, source=source.name, line=number)
        case "@timestamps":
            header.timed = bool(values) and values[0].lower() == "true"
        case "@dimensions" | "@dimension" if values and (dimensions := whole_number(values[0])) is not None:
            header.dimensions = dimensions
    return False


def _case(header: _Header, source: Source, line: str, place: Place) -> Series:
    *parts, last = _parts(line, header.timed)
    label = None
    if header.classes is None:
        parts.append(last)
    else:
        label = last.strip()
        if not parts or label == "" or (header.classes and label not in header.classes):
            shown = f"one of {', '.join(header.classes[:10])}" if header.classes else "a label"
            problem = f"expected {shown} after the last colon, got {label[:30]!r}"
            raise DataError(problem, source=source.name, **place)
    if header.dimensions is None:
        header.dimensions = len(parts)
    if len(parts) != header.dimensions:
        problem = f"expected {header.dimensions} dimensions, got {len(parts)}"
        raise DataError(problem, source=source.name, hint="dimensions are parted by colons", **place)
    rows = [_values(part, header.timed, source, place, number) for number, part in enumerate(parts, start=1)]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            problem = f"dimension {number} has {len(row)} values, the first {len(rows[0])}"
            raise DataError(problem, source=source.name, **place)
    return Series(np.stack(rows, axis=1), label, place, channel_names(len(rows)))


def _parts(line: str, timed: bool) -> list[str]:
    """Cut a case at its colons; those within a pair are part of a time of day."""
    return re.split(r":(?![^(]*\))", line) if timed else line.split(":")


def _values(part: str, timed: bool, source: Source, place: Place, dimension: int) -> np.ndarray:
    what = f"dimension {dimension}, value"
    if not timed:
        return parse_numbers(part.split(",") if part.strip() else [], source.name, place, what)
    pairs = _PAIR.findall(part)
    if not pairs and part.strip() not in ("", "?"):
        problem = f"dimension {dimension}: expected pairs (time,value), got {part[:30]!r}"
        raise DataError(problem, source=source.name, **place)
    return parse_numbers([value for _, value in pairs], source.name, place, what)

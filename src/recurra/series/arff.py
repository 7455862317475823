"""`.arff`, the format of Weka and the UEA archive: a header of attributes, then a case a line, the class last."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from recurra.errors import DataError
from recurra.series.base import Series, channel_names, parse_numbers, strip_padding
from recurra.series.cases import read_cases
from recurra.text import Faults, Place, Source

_ATTRIBUTE = re.compile(r"@attribute\s+(?:'([^']*)'|\"([^\"]*)\"|(\S+))\s+(.+)", re.IGNORECASE)


@dataclass
class _Header:
    """The attributes of a case, in their order; those within a relation do not count."""

    kinds: list[str] = field(default_factory=list)  # "numeric", "relational" or "label"
    classes: list[str] | None = None
    within: bool = False


def read_arff(source: Source, faults: Faults) -> Iterator[Series]:
    r"""Yield every case, with its label where the last attribute is nominal or a string.

    A series is what a relational attribute holds, a line (written \n) a channel, or all numeric attributes of a case. "?" is
    a value that is missing; those at the end of a series, in all its channels, are padding. Raises `DataError`, with the
    line, for a header that is not finished, other attributes, a label it does not declare and broken numbers.

    >>> data = b"@attribute x relational\n@attribute t1 numeric\n@end x\n@attribute y {a,b}\n@data\n'1,2\\n3,?',b\n"
    >>> next(read_arff(Source("a.arff", "arff", data, False), Faults("stop")))
    Series(values=array([[ 1.,  3.],
           [ 2., nan]], dtype=float32), label='b', place={'line': 6}, channels=('channel 1', 'channel 2'))
    """
    header = _Header()
    return read_cases(source, faults, "ARFF", "%", partial(_heading, header, source), partial(_case, header, source))


def _heading(header: _Header, source: Source, line: str, number: int) -> bool:
    """Take in a line of the header; True for the one that ends it."""
    word = line.split(None, 1)[0].lower()
    if word == "@data":
        if header.kinds and header.classes is None and header.kinds[-1] == "label":
            header.classes = []
        return True
    if word == "@end":
        header.within = False
    elif word == "@attribute":
        found = _ATTRIBUTE.match(line)
        if found is None:
            raise DataError(f"expected @attribute NAME TYPE, got {line[:40]!r}", source=source.name, line=number)
        if not header.within:
            _attribute(found[4].strip(), header, source, number)
    elif word != "@relation":
        raise DataError(f"expected a line such as @attribute, got {line[:40]!r}", source=source.name, line=number)
    return False


def _attribute(kind: str, header: _Header, source: Source, number: int) -> None:
    lower = kind.lower()
    if lower == "relational":
        header.kinds.append("relational")
        header.within = True
    elif lower.split()[0] in ("numeric", "real", "integer"):
        header.kinds.append("numeric")
    elif lower == "string" or (kind.startswith("{") and kind.endswith("}")):
        header.kinds.append("label")
        cells = (
            next(csv.reader([kind.strip("{}")], quotechar="'", skipinitialspace=True)) if kind.startswith("{") else []
        )
        header.classes = [cell.strip().strip('"') for cell in cells]
    else:
        problem = f"expected a numeric, relational or nominal attribute, got {kind[:30]!r}"
        raise DataError(problem, source=source.name, line=number)


def _case(header: _Header, source: Source, line: str, place: Place) -> Series:
    quote = "'" if "'" in line or '"' not in line else '"'
    cells = [cell.strip() for cell in next(csv.reader([line], quotechar=quote, skipinitialspace=True))]
    if len(cells) != len(header.kinds):
        problem = f"the case has {len(cells)} values, the header {len(header.kinds)} attributes"
        raise DataError(problem, source=source.name, **place)
    labelled = bool(header.kinds) and header.kinds[-1] == "label"
    if "label" in header.kinds[:-1]:
        raise DataError("expected numeric attributes before the class, got a nominal one", source=source.name, **place)
    label = cells[-1] if labelled else None
    if labelled and (label in ("", "?") or (header.classes and label not in header.classes)):
        shown = ", ".join((header.classes or ["a label"])[:10])
        raise DataError(f"expected one of {shown}, got {label!r}", source=source.name, **place)
    series = cells[:-1] if labelled else cells
    if header.kinds.count("relational"):
        rows = [row.split(",") for cell in series for row in cell.split("\\n") if row]
    else:
        rows = [series]
    channels = [parse_numbers(row, source.name, place, f"channel {at}, value") for at, row in enumerate(rows, start=1)]
    if len({len(channel) for channel in channels}) > 1:
        lengths = ", ".join(str(len(channel)) for channel in channels)
        raise DataError(f"the channels differ in length: {lengths}", source=source.name, **place)
    values = strip_padding(np.stack(channels, axis=1)) if channels else np.zeros((0, 1), np.float32)
    return Series(values, label, place, channel_names(values.shape[1]))

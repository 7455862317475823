"""Tables of numbers alone: a series a line, the label first (UCR archive), or one series a file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recurra.errors import DataError
from recurra.series.base import UNIVARIATE, Series, parse_numbers, strip_padding
from recurra.series.tables import is_missing, is_number
from recurra.text import Faults, Place, Source, decode


def read_headerless(source: Source, faults: Faults, *, labelled: bool = True) -> Iterator[Series]:
    """Yield a series (T, 1) for every line of numbers, parted by tabs, commas or blanks, the label first (UCR archive).

    Values at the end of a line that are missing are no steps. Raises `DataError`, with the line, for what is no number.

    >>> list(read_headerless(Source("a.txt", "text", b"1 0.5 2\\n2 0.25 NaN\\n", False), Faults("stop")))[1]
    Series(values=array([[0.25]], dtype=float32), label='2', place={'line': 2}, channels=('value',))
    """
    for number, line in enumerate(decode(source.data, source.name).split("\n"), start=1):
        cells = split_cells(line)
        place: Place = {"line": number}
        if not cells:
            continue
        try:
            label = _parse_label(cells.pop(0), source, place) if labelled else None
            values = parse_numbers(cells, source.name, place)
        except DataError as error:
            faults.handle(error)
        else:
            yield Series(strip_padding(values[:, None]), label, place, UNIVARIATE)


def split_cells(line: str) -> list[str]:
    """Cut a line of numbers at its commas or tabs or, where it has neither, at its blanks."""
    line = line.strip("\r\n ")
    for separator in (",", "\t", ";"):
        if separator in line:
            return [cell.strip() for cell in line.split(separator)]
    return line.split()


def is_headerless(text: str, min_cells: int = 3) -> bool:
    """Say whether a text is lines of numbers alone, by its first lines: at least so many each.

    >>> is_headerless("1 0.5 2\\n2 0.25 NaN\\n"), is_headerless("x,y,label\\n1,2,3\\n"), is_headerless("12\\n13\\n")
    (True, False, False)
    """
    lines = [line for line in text[:100_000].split("\n", 6)[:5] if line.strip()]
    cut = [split_cells(line) for line in lines]
    return bool(cut) and all(
        len(cells) >= min_cells and all(is_number(cell) or is_missing(cell) for cell in cells) for cells in cut
    )


def starts_with_label(text: str) -> bool:
    """Say whether lines of numbers look like the UCR archive's, a label first: a whole number, and then some that are not.

    >>> starts_with_label("1 0.5 2\\n2 0.25 NaN\\n"), starts_with_label("1 2 3\\n4 5 6\\n")
    (True, False)
    """
    lines = [cells for cells in map(split_cells, text[:100_000].split("\n")[:-1] or [text]) if cells]
    try:
        firsts = all(float(cells[0]).is_integer() for cells in lines)
        return firsts and any(
            not float(cell).is_integer() for cells in lines for cell in cells[1:] if not is_missing(cell)
        )
    except ValueError:
        return False


def _parse_label(cell: str, source: Source, place: Place) -> str:
    try:
        value = float(cell)
    except ValueError:
        raise DataError(
            f"expected the label as a number first, got {cell[:30]!r}", source=source.name, **place
        ) from None
    return str(int(value)) if value.is_integer() else cell


def read_matrix(source: Source) -> np.ndarray:
    """Read a file of numbers as one series (T, C): a line a step; a first line without any number is a header.

    Raises `DataError`, with the line, for what is no number and for lines that differ in length.
    """
    rows: list[np.ndarray] = []
    for number, line in enumerate(decode(source.data, source.name).split("\n"), start=1):
        cells = split_cells(line)
        if not cells or (not rows and number == 1 and not any(map(is_number, cells))):
            continue
        place: Place = {"line": number}
        rows.append(parse_numbers(cells, source.name, place))
        if len(rows[-1]) != len(rows[0]):
            problem = f"the line has {len(rows[-1])} values, the first {len(rows[0])}"
            raise DataError(problem, source=source.name, **place)
    return np.stack(rows) if rows else np.zeros((0, 1), np.float32)

"""Tables of numbers alone: a series a line, the label first (UCR archive), or one series a file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recurra.errors import DataError
from recurra.series.base import UNIVARIATE, Series, parse_numbers, strip_padding
from recurra.series.tables import is_missing, is_number
from recurra.text import Faults, Place, Source, decode, iter_lines

_MIN_EXAMPLES_PER_LABEL = 2  # on average, of labels that nobody names


def read_headerless(source: Source, faults: Faults, *, label_at: int | None = 0) -> Iterator[Series]:
    r"""Yield a series (T, 1) for every line of numbers, parted by tabs, commas or blanks, the label first (UCR archive).

    label_at: where else in a line the label stands, as of a list, -1 the last; None: nowhere.  Values at the end of a line that
    are missing are no steps. Raises `DataError`, with the line, for what is no number.

    >>> list(read_headerless(Source("a.txt", "text", b"1 0.5 2\n2 0.25 NaN\n", False), Faults("stop")))[1]
    Series(values=array([[0.25]], dtype=float32), label='2', place={'line': 2}, channels=('value',))
    """
    for number, line in enumerate(iter_lines(decode(source.data, source.name)), start=1):
        cells = split_cells(line)
        place: Place = {"line": number}
        if not cells:
            continue
        try:
            label = None if label_at is None else _parse_label(_take(cells, label_at, source, place), source, place)
            values = parse_numbers(cells, source.name, place)
        except DataError as error:
            faults.handle(error)
        else:
            yield Series(strip_padding(values[:, None]), label, place, UNIVARIATE)


def _take(cells: list[str], at: int, source: Source, place: Place) -> str:
    if at >= len(cells):
        problem = f"expected the label in column {at + 1}, got {len(cells)} columns"
        raise DataError(problem, source=source.name, **place)
    return cells.pop(at)


def split_cells(line: str) -> list[str]:
    """Cut a line of numbers at its commas or tabs or, where it has neither, at its blanks."""
    line = line.strip("\r\n ")
    for separator in (",", "\t", ";"):
        if separator in line:
            return [cell.strip() for cell in line.split(separator)]
    return line.split()


def is_headerless(text: str, min_cells: int = 3) -> bool:
    r"""Say whether a text is lines of numbers alone, by its first lines: at least so many each.

    >>> is_headerless("1 0.5 2\n2 0.25 NaN\n"), is_headerless("x,y,label\n1,2,3\n"), is_headerless("12\n13\n")
    (True, False, False)
    """
    lines = [line for line in text[:100_000].split("\n", 6)[:5] if line.strip()]
    cut = [split_cells(line) for line in lines]
    return bool(cut) and all(
        len(cells) >= min_cells and all(is_number(cell) or is_missing(cell) for cell in cells) for cells in cut
    )


def find_label(text: str, *, needed: bool = True) -> int | None:
    r"""Give where the label stands in lines of numbers: first, 0, as in the UCR archive, or last, -1; None where it stands nowhere.

    It is last where the first numbers are measurements, all the same, or of each line its own, and the last are few whole
    numbers. Not needed: there may be none; then one is first where the first numbers are whole and others are not.

    >>> find_label("1 0.5 2\n2 0.25 NaN\n"), find_label("0.5 2.5 1\n0.25 3 0\n0.75 1 1\n0.1 2 0\n")
    (0, -1)
    >>> find_label("1 0.5 2\n2 0.25 NaN\n", needed=False), find_label("1 2 3\n4 5 6\n", needed=False)
    (0, None)
    """
    lines = [line for line in text.split("\n") if line.strip()]
    firsts, lasts = ([cell_number(line, at) for line in lines] for at in (0, -1))
    least = _MIN_EXAMPLES_PER_LABEL * len(set(lasts))
    if _are_labels(lasts) and least <= len(lines) and not (_are_labels(firsts) and len(set(firsts)) * 2 <= len(lines)):
        return -1
    if needed or (all(map(float.is_integer, firsts)) and any(map(_has_fraction, lines))):
        return 0
    return None


def _are_labels(numbers: list[float]) -> bool:
    return all(map(float.is_integer, numbers)) and len(set(numbers)) > 1


def _has_fraction(line: str) -> bool:
    return any(
        is_number(cell) and not is_missing(cell) and not float(cell).is_integer() for cell in split_cells(line)[1:]
    )


def cell_number(line: str, at: int) -> float:
    """Give the first number of a line (at 0) or the last (-1); NaN where it is none.

    >>> cell_number("1 0.5 2", -1), cell_number("x,2,", -1)
    (2.0, nan)
    """
    line = line.strip("\r\n ")
    separator = next((mark for mark in (",", "\t", ";") if mark in line), None)
    try:
        return float((line.rsplit(separator, 1) if at else line.split(separator, 1))[at])
    except (ValueError, IndexError):
        return float("nan")


def _parse_label(cell: str, source: Source, place: Place) -> str:
    try:
        value = float(cell)
    except ValueError:
        raise DataError(f"expected the label as a number, got {cell[:30]!r}", source=source.name, **place) from None
    return str(int(value)) if value.is_integer() else cell


def read_matrix(source: Source) -> np.ndarray:
    """Read a file of numbers as one series (T, C): a line a step; a first line without any number is a header.

    Raises `DataError`, with the line, for what is no number and for lines that differ in length.
    """
    rows: list[np.ndarray] = []
    for number, line in enumerate(iter_lines(decode(source.data, source.name)), start=1):
        cells = split_cells(line)
        if not cells or (not rows and number == 1 and not any(map(is_number, cells))):
            continue
        place: Place = {"line": number}
        rows.append(parse_numbers(cells, source.name, place))
        if len(rows[-1]) != len(rows[0]):
            problem = f"the line has {len(rows[-1])} values, the first {len(rows[0])}"
            raise DataError(problem, source=source.name, **place)
    return np.stack(rows) if rows else np.zeros((0, 1), np.float32)

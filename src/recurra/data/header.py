"""Whether the first row of a table names its columns, or is data like the rows below: the one rule for all readers of tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath
from statistics import median
from typing import Literal

from recurra.data.timeseries.timestamps import is_time_of_day, is_timestamp
from recurra.series import is_headerless, is_missing, is_number
from recurra.text import LABEL_NAMES, LAST_COLUMN, TEXT_NAMES, Source, first_rows, whole_number

Header = Literal["auto", "yes", "no"]

_MIN_SHARE = 0.9  # of the cells of a column, from which on it is of their kind
_MIN_TEXT_WORDS = 4  # of a cell, from which on it is no name but a text
_MIN_LENGTH = 0.5  # of the length that the cells below have, from which on a text is one like them
_MIN_NUMBERED = 3  # columns whose numbers go up evenly, which are names then, and not values
_MIN_ALL_NUMBERED = 5  # the same, where rows hold numbers alone
_YEARS = range(1900, 2101)
_USUAL_NAMES = {
    "series",
    "series_id",
    "unique_id",
    "item_id",
    "id",
    "index",
    "time",
    "timestamp",
    "date",
    "datetime",
    "ds",
}
_USUAL_NAMES |= {"value", "values", "target", "name", "title", "words", "tokens", "year", "month", "day", "hour"}
_USUAL_NAMES |= {"序列", "时间", "日期", "時間", "年", "月", "日"} | TEXT_NAMES | set[str]().union(*LABEL_NAMES)


def find_header(source: Source, header: Header, named: Iterable[str | None], notes: list[str]) -> Source:
    """Give a table with `Source.header` as it is: as is asked for, or as the first rows show; any other file as it came.

    named: columns that the user names; where one stands in the first row, that is a header.  notes: gets one for a table
    that is found to have none, or where nothing tells.
    """
    if source.kind not in ("csv", "tsv"):
        return source
    if header != "auto":
        return replace(source, header=header == "yes")
    rows = first_rows(source)
    if not rows:
        return source  # a table that is broken, of which its reader says how
    numbers = is_headerless(first_text(source), 1)  # parted by blanks too
    found, name = _find_names(rows, [name for name in named if name is not None]), PurePath(source.name).name
    if found is not False and not (numbers and len(rows[0]) == 1):
        if found is None:
            notes.append(
                f"{name}: the first row is read as the names of the columns, though nothing shows that it is (--header no: "
                "it is data)"
            )
        return source
    notes.append(
        f"{name}: no header, since the first row is like those below it: columns are named by their "
        "numbers (--header yes: the first row is their names)"
    )
    return replace(source, header=False)


def first_text(source: Source) -> str:
    """Give the beginning of a file of text, for a look at its first lines."""
    return source.data[:100_000].decode("utf-8", "replace").lstrip("\ufeff").replace("\r\n", "\n")


def has_header(rows: Sequence[Sequence[str]], named: Sequence[str] = ()) -> bool:
    """Tell whether the first row of a table names its columns.

    It does where it has a name that the user gives or that is usual, or a word above a column of numbers, times or texts. It
    does not where it has a number above numbers, a time above times, a text above texts about as long, or a word that stands
    in the rows below too; numbers that count the columns, or are years, are names nevertheless. Where nothing tells, it does.

    >>> has_header([["id", "text"], ["1", "good"]]), has_header([["0", "a mess"], ["4", "good"]]), has_header([["y", "2019"], ["a", "3"]])
    (True, False, True)
    """
    return _find_names(rows, named) is not False


def _find_names(rows: Sequence[Sequence[str]], named: Sequence[str]) -> bool | None:
    """Tell what `has_header` does; None where nothing tells."""
    if not rows:
        return True
    if rows[0][0].lstrip().startswith("#") and len({len(row) for row in rows[:2]}) > 1:
        return True  # a comment, which a reader refuses
    first, below = rows[0], [row for row in rows[1:] if len(row) >= len(rows[0])]
    if all(is_number(cell) or is_missing(cell) for cell in first) and any(map(is_number, first)):
        return bool(below) and _numbers_are_names(first, below)
    if not below:
        return not any(_kind(cell) for cell in first)
    columns = [[row[at] for row in below if not is_missing(row[at])] for at in range(len(first))]
    pairs = [(cell, cells, _column_kind(cells)) for cell, cells in zip(first, columns, strict=True) if cells]
    if any(_is_name(cell, cells, named) for cell, cells, _ in pairs):
        return True
    if any(not is_missing(cell) and kind and _kind(cell) != kind for cell, _, kind in pairs):
        return True  # a word above numbers
    if _numbers_go_up(first, below) or _are_years(pairs):
        return True
    same = any(kind and _kind(cell) == kind for cell, _, kind in pairs)
    if same or any(not _kind(cell) and cell.strip() and cell in cells for cell, cells, _ in pairs):
        return False
    texts = [(cell, cells) for cell, cells, kind in pairs if not kind and median(map(_words, cells)) >= _MIN_TEXT_WORDS]
    if any(_words(cell) >= _MIN_TEXT_WORDS and _is_as_long(cell, cells) for cell, cells in texts):
        return False
    if any(0 < _words(cell) < 2 <= min(map(_words, cells)) for cell, cells in texts):
        return True  # a word above texts
    return None if any(cell.strip() for cell in first) else True


def _kind(cell: str) -> str:
    """Name what a cell is: "number", "time", or "" for a word."""
    return (
        "number"
        if is_number(cell, decimal_commas=True)
        else "time"
        if is_timestamp(cell) or is_time_of_day(cell)
        else ""
    )


def _words(cell: str) -> float:
    """Count the words of a cell; of a script that does not part them, a character is half a word."""
    unparted = sum(character > "\u2e7f" for character in cell)
    return unparted / 2 + len("".join(" " if character > "\u2e7f" else character for character in cell).split())


def _is_as_long(cell: str, cells: Sequence[str]) -> bool:
    """Say whether a cell is about as long as those below it: at least half as long."""
    return len(cell) >= _MIN_LENGTH * median(map(len, cells))


def _column_kind(cells: Sequence[str]) -> str:
    kinds = list(map(_kind, cells))
    return next((kind for kind in ("number", "time") if kinds.count(kind) >= _MIN_SHARE * len(kinds)), "")


def _is_name(cell: str, cells: Sequence[str], named: Sequence[str]) -> bool:
    """Say whether a cell is the name of its column: one that is asked for, or a usual one that is no value of it."""
    if cell in named and not cell.isdecimal() and cell != LAST_COLUMN:
        return True
    return cell.strip().lower() in _USUAL_NAMES and cell not in cells


def _numbers_are_names(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Say whether a row of numbers alone only counts the columns, from 0 or 1, above other numbers or words, or is years."""
    if not first[0].strip() and list(first[1:]) == [str(number) for number in range(len(first) - 1)]:
        return True  # a frame of pandas, with its index
    counted = all(is_number(cell) for cell in first) and list(map(float, first)) in (
        list(range(len(first))),
        list(range(1, len(first) + 1)),
    )
    words = any(_column_kind([row[at] for row in below]) == "" for at in range(len(first)))
    if _are_rising_years(first) and not any(map(_are_rising_years, below)):
        return True
    return counted and (words or len(first) >= _MIN_ALL_NUMBERED) and not _go_up(below[0], range(len(first)))


def _numbers_go_up(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Say whether the numbers of the first row go up evenly, as in `place,1990,2000,2010`, and those below do not."""
    at = [place for place, cell in enumerate(first) if is_number(cell)]
    return len(at) >= _MIN_NUMBERED and _go_up(first, at) and not any(_go_up(row, at) for row in below[:5])


def _go_up(row: Sequence[str], places: Sequence[int]) -> bool:
    cells = [row[at] for at in places]
    if not all(is_number(cell) and not is_missing(cell) for cell in cells):
        return False
    numbers = list(map(float, cells))
    steps = {after - before for before, after in pairwise(numbers)}
    return len(steps) == 1 and steps.pop() > 0


def _are_years(pairs: Sequence[tuple[str, Sequence[str], str]]) -> bool:
    """Say whether all numbers of the first row are years, above numbers that are none."""
    numbers = [(cell, cells) for cell, cells, _ in pairs if is_number(cell)]
    return bool(numbers) and all(_is_year(cell) and not all(map(_is_year, cells)) for cell, cells in numbers)


def _are_rising_years(row: Sequence[str]) -> bool:
    """Say whether a row is years alone, each after the one before, but for a first cell that is empty, above an index."""
    cells = row if row[0].strip() else row[1:]
    years = [int(cell) if _is_year(cell) else 0 for cell in cells]
    return len(years) >= _MIN_NUMBERED and all(years) and all(before < after for before, after in pairwise(years))


def _is_year(cell: str) -> bool:
    return whole_number(cell.strip()) in _YEARS

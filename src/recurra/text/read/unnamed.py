"""Which column of a table without a header is the text, and which the label: by what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recurra.errors import UsageError
from recurra.text.read.faults import Faults
from recurra.text.read.records import join_strings, table_columns
from recurra.text.read.sources import Source

_CELLS_INSPECTED = 500  # spread over the table, for what needs a look at each character
_MIN_LETTERS = 0.5  # of the characters of a text; dates and codes have less
_MAX_LABEL_LENGTH = 50.0  # characters, on average
_TIMES_LONGER = 2  # than any other text the one is that is taken
_MAX_COLUMNS_SHOWN = 10


@dataclass(frozen=True)
class _Column:
    """What decides: how many cells there are, how many differ, how long they are, and whether they are words of a language."""

    name: str
    cells: int
    different: int
    length: float
    words: bool

    @property
    def may_be_text(self) -> bool:
        return self.words and self.different * 2 > self.cells

    @property
    def may_be_label(self) -> bool:
        return 2 <= self.different <= max(2, self.cells // 2) and self.length <= _MAX_LABEL_LENGTH


def guess_unnamed(source: Source, text: str | None, label: str | None, need_label: bool) -> tuple[str, str | None]:
    r"""Give the columns with the text and with the label, those that are named as they are.

    A text is of several words, mostly letters, and differs from row to row; of several such columns it is the one that is
    more than twice as long as any other. A label is one of a few. Raises `UsageError`, with the columns that could be it,
    where that leaves it open.

    >>> rows = b"0,17,NO_QUERY,what a mess\n0,18,NO_QUERY,never again\n4,19,NO_QUERY,so good\n4,20,NO_QUERY,warm and quick\n"
    >>> guess_unnamed(Source("a.csv", "csv", rows, False, header=False), None, None, True)
    ('4', '1')
    """
    columns = [_inspect(name, cells) for name, cells in table_columns(source, Faults("skip"))[0].items()]
    if text is None:
        text = _text_column(source, [column for column in columns if column.name != label])
    if label is None:
        others = [column for column in columns if column.name != text]
        found = [column for column in others if column.may_be_label] or (others if len(others) == 1 else [])
        if len(found) != 1 and need_label:
            named = "; ".join(map(_describe, found[:_MAX_COLUMNS_SHOWN])) or "none has few different values"
            hint = f"--label {found[0].name if found else 'NUMBER'}"
            raise UsageError(f"{source.name}: cannot tell which column is the label ({named}); name it: {hint}")
        label = found[0].name if len(found) == 1 else None
    return text, label


def may_be_label(cells: Sequence[object]) -> bool:
    """Say whether the cells of a column can be labels: they are short, and of few different values.

    >>> may_be_label(["a", "b", "a", "b"]), may_be_label(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"])
    (True, False)
    """
    return _inspect("", cells).may_be_label


def _text_column(source: Source, columns: list[_Column]) -> str:
    found = [column for column in columns if column.may_be_text] or [column for column in columns if column.words]
    found = sorted(found or columns, key=lambda column: -column.length)
    if found and (len(found) == 1 or found[0].length > _TIMES_LONGER * found[1].length):
        return found[0].name
    named = "; ".join(map(_describe, found[:_MAX_COLUMNS_SHOWN]))
    hint = f"--text {found[0].name if found else 'NUMBER'}"
    raise UsageError(f"{source.name}: cannot tell which column is the text ({named}); name it: {hint}")


def _describe(column: _Column) -> str:
    return f"column {column.name}: {column.different:,} different values, {column.length:.0f} characters each"


def _inspect(name: str, cells: Sequence[object]) -> _Column:
    strings = [join_strings(cell) or "" for cell in cells]
    some = [one for one in strings[:: max(1, len(strings) // _CELLS_INSPECTED)] if one.strip()]
    letters = sum(map(_is_text, some))
    several = sum(_has_words(one) for one in some)
    length = sum(map(len, strings)) / max(1, len(strings))
    return _Column(name, len(strings), len(set(strings)), length, min(letters, several) * 2 > len(some))


def _is_text(cell: str) -> bool:
    marks = [character for character in cell if not character.isspace()]
    return sum(map(str.isalpha, marks)) >= _MIN_LETTERS * len(marks)


def _has_words(cell: str) -> bool:
    """Say whether a cell has several words: parted by blanks, or of a script that does not part them."""
    return len(cell.split()) > 1 or sum(character > "\u2e7f" for character in cell) > 1

"""The confusion matrix as a picture that can be read for 2 to 60 classes, and the commonest confusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.formatting import count
from recurra.report.blocks.base import Block
from recurra.report.blocks.table import Column, Table

MAX_CLASSES_DRAWN = 60
"""Classes that a picture has room for; of more, the commonest confusions alone are listed."""
MIN_CLASSES_LISTED = 4
"""From so many classes on the commonest confusions are listed: fewer are seen at once."""
NEVER_SEEN = "never in training"
_MAX_CLASSES_NUMBERED = 12
"""Up to so many classes there is a number in every cell."""
_MAX_NAME_LETTERS = 24
_LETTER_WIDTH = 7.2  # at 13 pixels; Chinese letters take two
_NOTE = "A row is a class, a column what its examples were predicted as; the stronger the colour, the larger their share of the row."
_COLUMNS = (
    Column("true"),
    Column("predicted as"),
    Column("times", "count"),
    Column("of the class", "share"),
)


@dataclass(frozen=True)
class Matrix(Block):
    """How often each class (row) was predicted as each class (column).

    names: of the C classes.  counts: (C, C), or (C + 1, C) where the last row is of labels that training never saw.
    """

    kind: ClassVar[str] = "matrix"

    names: Sequence[str]
    counts: Sequence[Sequence[int]]

    def draw(self) -> str:
        if not self.names:
            return ""
        drawn = ""
        if len(self.names) <= MAX_CLASSES_DRAWN:
            drawn = f'<p class="note">{_NOTE}</p><div class="scroll">{picture(self.counts, self.names)}</div>'
        found = confusions(self.counts, self.names)
        if len(self.names) < MIN_CLASSES_LISTED or not found:
            return drawn
        caption = f"The {len(found)} commonest confusions." if len(found) > 1 else ""
        return drawn + Table("", _COLUMNS, found, caption).draw()


def picture(table: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """Draw how often each class (row) was predicted as each class (column); darker is a larger share of the row.

    What is right lies on the diagonal and has a colour of its own. Cells without an example are not drawn. Up to 12 classes each
    cell has its count, and on hover every cell says what it is. Lengths are pixels, so that names stay readable; a
    picture that is wider than the page can be scrolled.

    Args:
        table: (C, C), or (C + 1, C) where the last row is of labels that training never saw.
        names: of the C classes, 1 to 60.
    """
    rows = [*names, *([NEVER_SEEN] if len(table) > len(names) else [])]
    size = _cell_size(len(names))
    small = 10 if size < 13 else 11 if size < 16 else 13
    slanted = max(map(_width, names)) > size - 4
    left = max(54.0, max(map(_width, rows)) * small / 13 + 14)  # "true ↓" stands there too
    top = (max(map(_width, names)) * small / 13 if slanted else 18.0) + 34
    across, down = left + size * len(names) + 2, top + size * len(rows) + 2
    parts = [
        f'<svg class="matrix" width="{across:.0f}" height="{down:.0f}" viewBox="0 0 {across:.0f} {down:.0f}" role="img"'
        f' aria-label="Confusion matrix: true classes in rows, predicted ones in columns" font-size="{small}">',
        f'<text class="axis-name" x="{left:.1f}" y="13">predicted</text>',
        f'<text class="axis-name" x="{left - 10:.1f}" y="13" text-anchor="end">true ↓</text>',
        f'<rect class="ground" x="{left:.1f}" y="{top:.1f}" width="{size * len(names)}" height="{size * len(rows)}"/>',
    ]
    for place, name in enumerate(names):
        x = left + size * (place + 0.5)
        if slanted:
            turned = f'transform="translate({x + small / 3:.1f} {top - 7:.1f}) rotate(-90)"'
            parts.append(f"<text {turned}>{_label(name)}</text>")
        else:
            parts.append(f'<text x="{x:.1f}" y="{top - 9:.1f}" text-anchor="middle">{_label(name)}</text>')
    for place, (name, row) in enumerate(zip(rows, table, strict=True)):
        y = top + size * (place + 0.5)
        parts.append(f'<text x="{left - 8:.1f}" y="{y + small / 3:.1f}" text-anchor="end">{_label(name)}</text>')
        parts += _row(row, place, name, names, left, top, size)
    return "".join([*parts, "</svg>"])


def confusions(
    table: Sequence[Sequence[int]], names: Sequence[str], limit: int = 10
) -> list[tuple[str, str, int, float]]:
    """List what is most often predicted as what: (true, predicted, how often, share of the true class), the commonest first.

    >>> confusions([[5, 3], [1, 9]], ["cat", "dog"])
    [('cat', 'dog', 3, 0.375), ('dog', 'cat', 1, 0.1)]
    """
    rows = [*names, *([NEVER_SEEN] if len(table) > len(names) else [])]
    found = [
        (rows[true], names[predicted], cell, cell / sum(row))
        for true, row in enumerate(table)
        for predicted, cell in enumerate(row)
        if cell and true != predicted
    ]
    return sorted(found, key=lambda each: -each[2])[:limit]


def shorten(name: str) -> str:
    """Cut a long name in its middle, so that both its ends tell it from others.

    >>> shorten("short"), shorten("a name that is far too long for its place")
    ('short', 'a name that …r its place')
    """
    return (
        name
        if len(name) <= _MAX_NAME_LETTERS
        else f"{name[: _MAX_NAME_LETTERS // 2]}…{name[-(_MAX_NAME_LETTERS // 2 - 1) :]}"
    )


def _width(name: str) -> float:
    return sum(_LETTER_WIDTH * (2 if ord(letter) > 0x2E7F else 1) for letter in shorten(name))


def _cell_size(classes: int) -> int:
    """Give the side of a cell, pixels: as large as the page's width and the classes allow."""
    return min(84, 560 // classes) if classes <= _MAX_CLASSES_NUMBERED else max(11, 620 // classes)


def _label(name: str) -> str:
    return f"{escape(shorten(name))}<title>{escape(name)}</title>"


def _row(
    row: Sequence[int], place: int, name: str, names: Sequence[str], left: float, top: float, size: int
) -> list[str]:
    total = sum(row)
    parts = []
    for column, cell in enumerate(row):
        if not cell:
            continue
        share, x, y = cell / total, left + size * column, top + size * place
        kind = "right" if column == place else "wrong"
        hover = f"{name}, predicted as {names[column]}: {count(cell)} of {count(total)} ({100 * share:.1f}\u00a0%)"
        gap = 1 if size > 16 else 0.5
        parts.append(
            f'<rect class="{kind}" x="{x + gap:.1f}" y="{y + gap:.1f}" width="{size - 2 * gap}" height="{size - 2 * gap}"'
            # The square root lets rare mistakes be seen beside a full diagonal.
            f' fill-opacity="{0.08 + 0.92 * share**0.5:.2f}"><title>{escape(hover)}</title></rect>'
        )
        if len(names) <= _MAX_CLASSES_NUMBERED:
            strong = " strong" if share**0.5 > 0.62 else ""
            centre = f'x="{x + size / 2:.1f}" text-anchor="middle"'
            digits = count(cell)
            fits = 13 if _LETTER_WIDTH * len(digits) < size - 6 else 10
            two_lines = size >= 56
            parts.append(
                f'<text class="number{strong}" {centre} y="{y + size / 2 + (-1 if two_lines else 4):.1f}"'
                f' font-size="{fits}">{digits}</text>'
            )
            if two_lines:
                parts.append(
                    f'<text class="number{strong}" {centre} y="{y + size / 2 + 15:.1f}" font-size="11">'
                    f"{100 * share:.{0 if share >= 0.095 else 1}f}\u00a0%</text>"
                )
    return parts

"""Tables: columns that say how their cells are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar, Literal

from recurra.formatting import count, decimal, finite, per_cent
from recurra.report.blocks.base import Block

MAX_PASSAGE_CHARACTERS = 300
"""What is shown of a longer passage."""


@dataclass(frozen=True)
class Column:
    """One column.

    form: how its cells are written. "name" heads the row; "text"; "count": a whole number; "share": of one, in per cent;
    "number": with two decimals; "passage": a pair of a longer text, and of where it is from, in small print.
    """

    title: str
    form: Literal["name", "text", "count", "share", "number", "passage"] = "text"

    @property
    def is_numeric(self) -> bool:
        return self.form in ("count", "share", "number")

    def head(self) -> str:
        return f"<th{_NUMBER if self.is_numeric else ''}>{escape(self.title)}</th>"

    def cell(self, value: Any) -> str:
        match self.form:
            case "name":
                return f'<th scope="row">{escape(str(value))}</th>'
            case "count":
                return f"<td{_NUMBER}>{count(value)}</td>"
            case "share":
                return f"<td{_NUMBER}>{per_cent(value)}</td>"
            case "number":
                number = finite(value)
                return f"<td{_NUMBER}>{'–' if number is None else decimal(number, 2)}</td>"
            case "passage":
                text, place = map(str, value)
                cut = text[:MAX_PASSAGE_CHARACTERS] + ("…" if len(text) > MAX_PASSAGE_CHARACTERS else "")
                return f'<td dir="auto" class="passage">{escape(cut)}<small dir="ltr">{escape(place)}</small></td>'
        return f"<td>{escape(str(value))}</td>"


_NUMBER = ' class="number"'


@dataclass(frozen=True)
class Table(Block):
    """Rows of as many cells as there are columns.

    caption: a sentence above it.  all_rows: more than `rows`, which a click shows; none where `rows` are all there are.

    >>> Table("Classes", [Column("class", "name"), Column("recall", "share")], [("a", 0.5)]).draw().count("<td")
    1
    """

    kind: ClassVar[str] = "table"

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    all_rows: Sequence[Sequence[Any]] = ()

    def draw(self) -> str:
        if not self.rows:
            return ""
        note = f'<p class="note">{escape(self.caption)}</p>' if self.caption else ""
        more = (
            f"<details><summary>All {len(self.all_rows)}</summary>{self._table(self.all_rows)}</details>"
            if self.all_rows
            else ""
        )
        return note + self._table(self.rows) + more

    def _table(self, rows: Sequence[Sequence[Any]]) -> str:
        style = ' class="passages"' if any(column.form == "passage" for column in self.columns) else ""
        head = "".join(column.head() for column in self.columns)
        lines = "".join(
            f"<tr>{''.join(column.cell(value) for column, value in zip(self.columns, row, strict=True))}</tr>"
            for row in rows
        )
        return f'<div class="scroll"><table{style}><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'

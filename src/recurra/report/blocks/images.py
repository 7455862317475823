"""Rows of small pictures, each row under a name: what was written, or a picture and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar, Literal

from recurra.report.blocks.base import Block, is_base64


@dataclass(frozen=True)
class ImageRow:
    """pngs: PNG files in base64."""

    caption: str
    pngs: Sequence[str]


@dataclass(frozen=True)
class Images(Block):
    """Small pictures in rows, those of one column belonging together; what is no base64 is left out.

    note: a sentence above them.  width: small, all alike; own, of drawings such as those of signals; page, of maps of which a row holds one.

    >>> Images("Samples", [ImageRow("drawn", ["iVBO"])]).draw()
    '<div class="scroll"><table class="images"><tbody><tr><th scope="row">drawn</th><td><img alt="drawn 1" src="data:image/png;base64,iVBO"></td></tr></tbody></table></div>'
    """

    kind: ClassVar[str] = "images"

    rows: Sequence[ImageRow]
    note: str = ""
    width: Literal["small", "own", "page"] = "small"

    def draw(self) -> str:
        lines = []
        for row in self.rows:
            caption = escape(row.caption)
            cells = "".join(
                f'<td><img alt="{caption} {number}" src="data:image/png;base64,{png}"></td>'
                for number, png in enumerate(row.pngs, 1)
                if is_base64(png)
            )
            if cells:
                lines.append(f'<tr><th scope="row">{caption}</th>{cells}</tr>')
        if not lines:
            return ""
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        style = "images" if self.width == "small" else f"images {self.width}"
        return f'{note}<div class="scroll"><table class="{style}"><tbody>{"".join(lines)}</tbody></table></div>'

"""Rows of small pictures, each row under a name: what was written, or a picture and what became of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.report.blocks.base import Block

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class ImageRow:
    """pngs: PNG files in base64."""

    caption: str
    pngs: Sequence[str]


@dataclass(frozen=True)
class Images(Block):
    """Small pictures in rows, those of one column belonging together; what is no base64 is left out.

    note: a sentence above them.  wide: each as wide as the page, for maps of which a row holds one.

    >>> Images("Samples", [ImageRow("drawn", ["iVBO"])]).draw()
    '<div class="scroll"><table class="images"><tbody><tr><th scope="row">drawn</th><td><img alt="drawn 1" src="data:image/png;base64,iVBO"></td></tr></tbody></table></div>'
    """

    kind: ClassVar[str] = "images"

    rows: Sequence[ImageRow]
    note: str = ""
    wide: bool = False

    def draw(self) -> str:
        lines = []
        for row in self.rows:
            caption = escape(row.caption)
            cells = "".join(
                f'<td><img alt="{caption} {number}" src="data:image/png;base64,{png}"></td>'
                for number, png in enumerate(row.pngs, 1)
                if _BASE64.fullmatch(png)
            )
            if cells:
                lines.append(f'<tr><th scope="row">{caption}</th>{cells}</tr>')
        if not lines:
            return ""
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        style = "images wide" if self.wide else "images"
        return f'{note}<div class="scroll"><table class="{style}"><tbody>{"".join(lines)}</tbody></table></div>'

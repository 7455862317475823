"""Sounds to be heard, each under a name and beside its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.report.blocks.base import Block, is_base64


@dataclass(frozen=True)
class SoundRow:
    """wav: a WAV file in base64.  length: how long it is, in words.  png: a PNG file that shows it, likewise; "" for none."""

    caption: str
    wav: str
    length: str = ""
    png: str = ""


@dataclass(frozen=True)
class Sounds(Block):
    """Sounds in rows, which are loaded once they are played; what is no base64 is left out.

    note: a sentence above them.

    >>> Sounds("Samples", [SoundRow("seven", "UklG", "0.5 s")]).draw()
    '<div class="scroll"><table class="images wide"><tbody><tr><th scope="row">seven<small>0.5 s</small></th><td><audio controls preload="none" aria-label="seven, 0.5 s" src="data:audio/wav;base64,UklG">a sound, which this program does not play</audio></td></tr></tbody></table></div>'
    """

    kind: ClassVar[str] = "sounds"

    rows: Sequence[SoundRow]
    note: str = ""

    def draw(self) -> str:
        lines = [_row(row) for row in self.rows if is_base64(row.wav)]
        if not lines:
            return ""
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return f'{note}<div class="scroll"><table class="images wide"><tbody>{"".join(lines)}</tbody></table></div>'


def _row(row: SoundRow) -> str:
    caption, length = escape(row.caption), escape(row.length)
    small = f"<small>{length}</small>" if length else ""
    label = ", ".join(filter(None, (caption, length)))
    sound = (
        f'<audio controls preload="none" aria-label="{label}" src="data:audio/wav;base64,{row.wav}">'
        "a sound, which this program does not play</audio>"
    )
    picture = f'<img alt="picture of {caption}" src="data:image/png;base64,{row.png}">' if is_base64(row.png) else ""
    return f'<tr><th scope="row">{caption}{small}</th><td>{sound}{picture}</td></tr>'

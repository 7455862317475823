"""A text whose parts are shaded by what each added to an output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.report.blocks.base import Block

MAX_SHADE = 70
"""Per cent of the colour that the part of the largest share has."""


@dataclass(frozen=True)
class SharedText(Block):
    """parts: (text, share), the share None for what is between two parts.  more, less: what a positive, and a negative share says.

    >>> SharedText("", [("so", -0.5), (" ", None), ("good", 1.0)], "for it", "against it").draw().count("<span")
    4
    """

    kind: ClassVar[str] = "shares"

    parts: Sequence[tuple[str, float | None]]
    more: str
    less: str

    def draw(self) -> str:
        top = max((abs(share) for _, share in self.parts if share is not None), default=0.0) or 1.0
        shaded = "".join(self._part(text, share, top) for text, share in self.parts)
        legend = f'<span class="held">{escape(self.more)}</span><span class="train">{escape(self.less)}</span>'
        return f'<p class="legend">{legend}</p><p class="shares" dir="auto">{shaded}</p>'

    @staticmethod
    def _part(text: str, share: float | None, top: float) -> str:
        if share is None:
            return escape(text)
        colour, strength = "held" if share > 0 else "train", MAX_SHADE * abs(share) / top
        style = f"background: color-mix(in srgb, var(--{colour}) {strength:.0f}%, transparent)"
        return f'<span style="{style}" title="{share:+.4g}">{escape(text)}</span>'

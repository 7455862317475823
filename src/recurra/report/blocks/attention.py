"""What of a source each unit written was made from, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.report.blocks.base import Block

MAX_UNITS_DRAWN = 60
"""Of either side; what is longer is left out."""
_CELL = 18
_LETTER_WIDTH = 7.4  # at 12 pixels; Chinese letters take two
_NOTE = "A row is a unit that was written, a column one of the source; the stronger the colour, the more it counted."


@dataclass(frozen=True)
class AttentionMap(Block):
    """How much each of S units of a source (columns) counted for each of T units written (rows): weights (T, S), each row of sum 1."""

    kind: ClassVar[str] = "attention"

    source: Sequence[str]
    target: Sequence[str]
    weights: Sequence[Sequence[float]]

    def draw(self) -> str:
        if not self.source or not self.target or max(len(self.source), len(self.target)) > MAX_UNITS_DRAWN:
            return ""
        left, top = (max(map(_width, side)) + 12 for side in (self.target, self.source))
        across, down = left + _CELL * len(self.source) + 2, top + _CELL * len(self.target) + 2
        size = f'width="{across:.0f}" height="{down:.0f}" viewBox="0 0 {across:.0f} {down:.0f}"'
        parts = [
            f'<svg class="matrix" {size} role="img" aria-label="Attention: units written in rows, of the source in columns" font-size="12">',
            f'<rect class="ground" x="{left:.1f}" y="{top:.1f}" width="{_CELL * len(self.source)}" height="{_CELL * len(self.target)}"/>',
        ]
        for place, unit in enumerate(self.source):
            x = left + _CELL * (place + 0.5) + 4
            parts.append(
                f'<text transform="translate({x:.1f} {top - 6:.1f}) rotate(-90)">{escape(_shown(unit))}</text>'
            )
        for row, (unit, weights) in enumerate(zip(self.target, self.weights, strict=True)):
            y = top + _CELL * row
            parts.append(f'<text x="{left - 8:.1f}" y="{y + 13:.1f}" text-anchor="end">{escape(_shown(unit))}</text>')
            parts += [
                f'<rect class="right" x="{left + _CELL * column + 0.5:.1f}" y="{y + 0.5:.1f}" width="{_CELL - 1}" height="{_CELL - 1}"'
                f' fill-opacity="{min(1.0, weight):.2f}"><title>{escape(f"{unit} ← {self.source[column]}: {100 * weight:.0f}")}\u00a0%</title></rect>'
                for column, weight in enumerate(weights)
                if weight >= 0.01
            ]
        return f'<p class="note">{_NOTE}</p><div class="scroll">{"".join([*parts, "</svg>"])}</div>'


def _shown(unit: str) -> str:
    """Show a unit of blanks alone as such.

    >>> _shown(" cat"), _shown(" ")
    ('cat', '␣')
    """
    return unit.strip() or "␣" * len(unit)


def _width(unit: str) -> float:
    return sum(_LETTER_WIDTH * (2 if ord(letter) > 0x2E7F else 1) for letter in _shown(unit))

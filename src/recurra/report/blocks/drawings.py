"""Drawings of a pen in rows, each row under a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar

import numpy as np

from recurra.formatting import finite
from recurra.ink import Ink, ink_box, ink_paths
from recurra.report.blocks.base import Block

_HEIGHT, _MAX_WIDTH = 90, 420
_MARGIN, _PEN = 0.08, 0.016
_MAX_POINTS = 5_000


@dataclass(frozen=True)
class DrawingRow:
    """inks: drawings as JSON has them, lists of strokes, which are lists of points [x, y]."""

    caption: str
    inks: Sequence[Any]


@dataclass(frozen=True)
class Drawings(Block):
    """Drawings in rows, those of one column belonging together; what is no drawing is left out.

    captions: what stands above each column, or none.  note: a sentence above all.

    >>> drawn = Drawings("New", [DrawingRow("drawn", [[[[0, 0], [3, 4]]]])]).draw()
    >>> drawn.count("<svg"), drawn.count("<path")
    (1, 1)
    """

    kind: ClassVar[str] = "drawings"

    rows: Sequence[DrawingRow]
    captions: Sequence[str] = ()
    note: str = ""

    def draw(self) -> str:
        lines = []
        for row in self.rows:
            cells = [_draw(ink, f"{row.caption} {number}") for number, ink in enumerate(row.inks, 1)]
            if any(cells):
                inside = "".join(f"<td>{cell}</td>" for cell in cells)
                lines.append(f'<tr><th scope="row">{escape(row.caption)}</th>{inside}</tr>')
        if not lines:
            return ""
        heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in self.captions)
        head = f"<thead><tr><td></td>{heads}</tr></thead>" if heads else ""
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return (
            f'{note}<div class="scroll"><table class="images own">{head}<tbody>{"".join(lines)}</tbody></table></div>'
        )


def _draw(value: Any, name: str) -> str:
    """Draw one as SVG; "" for what is no drawing."""
    strokes = [stroke for one in value if (stroke := _stroke(one)) is not None] if isinstance(value, list) else []
    if not strokes or sum(map(len, strokes)) > _MAX_POINTS:
        return ""
    ink = Ink(tuple(strokes))
    left, top, width, height = ink_box(ink)
    side = max(width, height) or 1.0
    gap = _MARGIN * side
    wide, high = width + 2 * gap, height + 2 * gap
    scale = min(_HEIGHT / high, _MAX_WIDTH / wide)
    paths = ink_paths(ink, pen=_PEN * side * max(1.0, _HEIGHT / (scale * side)), move=(gap - left, gap - top))
    return (
        f'<svg role="img" aria-label="{escape(name)}" viewBox="0 0 {wide:.4g} {high:.4g}" width="{wide * scale:.0f}" '
        f'height="{high * scale:.0f}" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round">{paths}</svg>'
    )


def _stroke(value: Any) -> np.ndarray | None:
    points = value if isinstance(value, list) else []
    pairs = [[finite(number) for number in point] for point in points if isinstance(point, list) and len(point) == 2]
    if not pairs or len(pairs) < len(points) or any(None in pair for pair in pairs):
        return None
    return np.array(pairs, np.float32)

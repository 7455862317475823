"""Pictures, and for each word that was written of one where in it was looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.report.blocks.base import Block, is_base64

_WORD_SIDE, _PICTURE_SIDE = 84, 168
_VEIL = 0.8
"""How dark it is where nothing was looked at."""
_NOTE = "For each word the picture is bright where the decoder looked when it wrote it."


@dataclass(frozen=True)
class Overlay:
    """A picture, as the base64 of a JPEG file, what was written of it, what people wrote, and (T, rows, columns) of its T words."""

    picture: str
    name: str
    caption: str
    references: Sequence[str]
    words: Sequence[str]
    weights: Sequence[Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Overlays(Block):
    """Several of them, one below the other."""

    kind: ClassVar[str] = "overlays"

    pictures: Sequence[Overlay]

    def draw(self) -> str:
        shown = [one for one in self.pictures if is_base64(one.picture)]
        looked = any(one.words for one in shown)
        note = f'<p class="note">{_NOTE}</p>' if looked else ""
        return note + "".join(draw_overlay(one) for one in shown)


def draw_overlay(one: Overlay) -> str:
    """Draw a picture with its captions, and small copies of it for the words.

    >>> drawn = draw_overlay(Overlay("AAAA", "dog.jpg", "a dog", ["the dog"], ["a", "dog"], [[[0.5]], [[1.0]]]))
    >>> drawn.count("<svg"), drawn.count("<image")
    (3, 3)
    """
    address = f"data:image/jpeg;base64,{one.picture}"
    references = "".join(f"<li>{escape(each)}</li>" for each in one.references)
    head = (
        f'<div style="display:flex;gap:1em;align-items:flex-start;margin:1em 0 0.4em">{_svg(address, _PICTURE_SIDE, [])}'
        f'<div><p style="margin:0"><strong>{escape(one.caption)}</strong></p><p class="note" style="margin:0.2em 0">{escape(one.name)}</p>'
        f'<ul style="margin:0.2em 0">{references}</ul></div></div>'
    )
    words = "".join(
        f'<figure style="margin:0;text-align:center">{_svg(address, _WORD_SIDE, weights)}<figcaption>{escape(word)}</figcaption></figure>'
        for word, weights in zip(one.words, one.weights, strict=False)
    )
    return head + (f'<div style="display:flex;flex-wrap:wrap;gap:0.5em">{words}</div>' if words else "")


def _svg(address: str, side: int, weights: Sequence[Sequence[float]]) -> str:
    most = max((value for row in weights for value in row), default=0.0) or 1.0
    cells = []
    for y, row in enumerate(weights):
        height, width = side / len(weights), side / max(1, len(row))
        cells += [
            f'<rect x="{x * width:.1f}" y="{y * height:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="#000" fill-opacity="{_VEIL * (1 - value / most):.2f}"/>'
            for x, value in enumerate(row)
        ]
    return (
        f'<svg width="{side}" height="{side}" viewBox="0 0 {side} {side}" role="img" style="flex:none">'
        f'<image href="{address}" width="{side}" height="{side}" preserveAspectRatio="none"/>{"".join(cells)}</svg>'
    )

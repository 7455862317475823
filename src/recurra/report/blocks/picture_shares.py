"""A picture whose parts are shaded by what each added to an output."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

import numpy as np

from recurra.images import encode_png
from recurra.report.blocks.base import Block, is_base64

MIN_STRENGTH, MAX_STRENGTH = 0.02, 0.75
"""Below the first, of the largest share, a part has no colour; the largest has the second as its opacity."""
DRAWN_WIDTH, DRAWN_HEIGHT = 640, 280
"""Pixels of the page up to which small pictures are enlarged."""


@dataclass(frozen=True)
class SharedPicture(Block):
    """png: the picture, in base64, with its height and width.  parts: (name, share, outline), the outline an SVG path in units of the grid.

    grid: rows and columns of these.  focus: the outline of what the shares are of; "" where it is no place.  more, less: what a positive, and a negative share says.
    """

    kind: ClassVar[str] = "picture_shares"

    png: str
    size: tuple[int, int]
    grid: tuple[int, int]
    parts: Sequence[tuple[str, float, str]]
    focus: str
    more: str
    less: str

    @classmethod
    def of(
        cls,
        pixels: np.ndarray,
        owner: np.ndarray,
        parts: Sequence[tuple[str, float]],
        more: str,
        less: str,
        focus: np.ndarray | None = None,
    ) -> SharedPicture:
        """Make it of a picture, uint8 (H, W) or (H, W, 3), and the part of each place of a grid over it (h, w), −1 of none.

        >>> parts = [("left", 1.0), ("right", -0.5)]
        >>> shown = SharedPicture.of(np.zeros((2, 2), np.uint8), np.array([[0, 1]]), parts, "for", "against")
        >>> [outline for _, _, outline in shown.parts], shown.draw().count("<path")
        (['M0 0h1v1h-1z', 'M1 0h1v1h-1z'], 2)
        """
        png = base64.b64encode(encode_png(pixels)).decode("ascii")
        drawn = [(name, share, outline(owner == number)) for number, (name, share) in enumerate(parts)]
        height, width = pixels.shape[:2]
        return cls(
            "",
            png,
            (height, width),
            (owner.shape[0], owner.shape[1]),
            drawn,
            "" if focus is None else outline(focus),
            more,
            less,
        )

    def draw(self) -> str:
        if not is_base64(self.png):
            return ""
        (height, width), (rows, columns) = self.size, self.grid
        top = max((abs(share) for _, share, _ in self.parts), default=0.0) or 1.0
        shaded = "".join(self._part(name, share, path, top) for name, share, path in self.parts)
        legend = f'<span class="held">{escape(self.more)}</span><span class="train">{escape(self.less)}</span>'
        scale = max(1.0, min(DRAWN_WIDTH / width, DRAWN_HEIGHT / height))
        framed = f'<path class="focus" d="{self.focus}"/>' if self.focus else ""
        label = f"A picture, its parts shaded: {self.more} in one colour, {self.less} in the other"
        return (
            f'<p class="legend">{legend}</p><svg class="shaded" viewBox="0 0 {width} {height}" '
            f'style="max-width: {round(scale * width)}px" role="img" aria-label="{escape(label)}">'
            f'<image href="data:image/png;base64,{self.png}" width="{width}" height="{height}"/>'
            f'<g transform="scale({width / columns:.6g} {height / rows:.6g})">{shaded}{framed}</g></svg>'
        )

    @staticmethod
    def _part(name: str, share: float, path: str, top: float) -> str:
        strength = abs(share) / top
        colour = "held" if share > 0 else "train"
        opacity = MAX_STRENGTH * strength if strength >= MIN_STRENGTH else 0.0
        title = f"<title>{escape(f'{name}: {share:+.4g}')}</title>"
        return f'<path class="{colour}" d="{path}" fill-opacity="{opacity:.2f}">{title}</path>' if path else ""


def outline(there: np.ndarray) -> str:
    """Give an SVG path that covers the places of a grid where something is there, (h, w) bool: runs of them, equal ones of neighbouring rows as one.

    >>> outline(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], bool))
    'M0 0h2v2h-2zM2 2h1v1h-1z'
    """
    open_runs: dict[tuple[int, int], int] = {}  # where a run begins and ends → the first row that has it
    pieces: list[str] = []
    for row in range(len(there) + 1):
        runs = set(_runs(there[row])) if row < len(there) else set()
        for first, last in [one for one in open_runs if one not in runs]:
            top = open_runs.pop((first, last))
            pieces.append(f"M{first} {top}h{last - first}v{row - top}h{first - last}z")
        for one in sorted(runs):
            open_runs.setdefault(one, row)
    return "".join(pieces)


def _runs(row: np.ndarray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]]))).reshape(-1, 2)
    yield from ((int(first), int(last)) for first, last in edges)

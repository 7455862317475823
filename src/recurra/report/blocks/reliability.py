"""The reliability plot: how often predictions of some confidence are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.formatting import count
from recurra.report.blocks.base import Block

CALIBRATED = 0.01
"""Where mean confidence and accuracy differ by less than this, a model is well calibrated on the whole."""
Bin = tuple[float, float, float, float, float]
"""from, to, mean confidence, accuracy, count: the last more than 0."""
# Pixels: of the plot, of the names beside it, of the counts below it.
_SIDE, _LEFT, _TOP, _BELOW = 300.0, 46.0, 8.0, 64.0


@dataclass(frozen=True)
class Reliability(Block):
    """How often predictions are right, by their confidence."""

    kind: ClassVar[str] = "reliability"

    bins: Sequence[Bin]

    def draw(self) -> str:
        if not self.bins:
            return ""
        note = (
            f"{verdict(self.bins)} Bars: how many were right; the dashed line: as many as the confidence says; shaded: the gap. "
            "Below: how many predictions."
        )
        return f'<p class="note">{escape(note)}</p><div class="scroll">{picture(self.bins)}</div>'


def picture(bins: Sequence[Bin]) -> str:
    """Draw the accuracy of each bin of confidence as a bar, and the diagonal of a model that is calibrated.

    What is missing to the mean confidence, or goes beyond it, is shaded. Below: how many examples lie in each bin.
    """
    right, bottom = _LEFT + _SIDE, _TOP + _SIDE
    height = bottom + 14 + _BELOW + 40
    parts = [
        f'<svg class="reliability" width="{right + 24:.0f}" height="{height:.0f}" viewBox="0 0 {right + 24:.0f} {height:.0f}"'
        ' role="img" aria-label="Reliability: accuracy by confidence" font-size="12">'
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, x = bottom - _SIDE * tick, _LEFT + _SIDE * tick
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{y + 4}" text-anchor="end">{100 * tick:.0f}\u00a0%</text>')
        parts.append(
            f'<text class="tick" x="{x}" y="{bottom + 14 + _BELOW + 16}" text-anchor="middle">{100 * tick:.0f}\u00a0%</text>'
        )
    largest = max(size for *_, size in bins)
    for low, high, confidence, accuracy, size in bins:
        x, width = _LEFT + _SIDE * low + 0.75, _SIDE * (high - low) - 1.5
        hover = f"<title>{count(size)} predictions of {100 * confidence:.1f}\u00a0% on average: {100 * accuracy:.1f}\u00a0% were right</title>"
        parts.append(_bar("accuracy", x, bottom - _SIDE * accuracy, width, _SIDE * accuracy, hover))
        gap = abs(confidence - accuracy)
        style = "gap" if confidence > accuracy else "gap more"
        parts.append(_bar(style, x, bottom - _SIDE * max(confidence, accuracy), width, _SIDE * gap, hover))
        tall = max(1.0, _BELOW * size / largest)
        parts.append(_bar("size", x, bottom + 14 + _BELOW - tall, width, tall, hover))
    parts.append(f'<line class="diagonal" x1="{_LEFT}" y1="{bottom}" x2="{right}" y2="{_TOP}"/>')
    for y in (bottom, bottom + 14 + _BELOW):
        parts.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
    parts.append(
        f'<text class="tick" x="{_LEFT - 7}" y="{bottom + 14 + 10}" text-anchor="end">{count(largest)}</text>'
        f'<text class="label" x="{right}" y="{height - 6}" text-anchor="end">confidence: the probability of its prediction</text>'
    )
    return "".join([*parts, "</svg>"])


def _bar(style: str, x: float, y: float, width: float, height: float, inside: str) -> str:
    return f'<rect class="{style}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{max(0.0, height):.2f}">{inside}</rect>'


def verdict(bins: Sequence[Bin]) -> str:
    """Say in a sentence whether the model is too confident.

    >>> verdict([(0.8, 1.0, 0.9, 0.75, 20)])
    'It is too confident: its confidence is 90.0 % on average, and 75.0 % of its predictions are right.'
    """
    total = sum(size for *_, size in bins)
    confidence = sum(each * size for _, _, each, _, size in bins) / total
    accuracy = sum(each * size for _, _, _, each, size in bins) / total
    means = f"its confidence is {100 * confidence:.1f} % on average, and {100 * accuracy:.1f} % of its predictions are right."
    if abs(confidence - accuracy) < CALIBRATED:
        return f"On the whole it is well calibrated: {means}"
    return f"It is {'too' if confidence > accuracy else 'not'} confident{'' if confidence > accuracy else ' enough'}: {means}"

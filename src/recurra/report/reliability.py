"""The reliability plot: what the model promises, and what it keeps."""

from __future__ import annotations

from collections.abc import Sequence

from recurra.report.numbers import count

Bin = tuple[float, float, float, float, float]
"""from, to, mean confidence, accuracy, count."""
_SIDE, _LEFT, _TOP, _BELOW = (
    300.0,
    46.0,
    8.0,
    64.0,
)  # pixels: of the plot, of the names beside it, of the counts below it


def picture(bins: Sequence[Bin]) -> str:
    """Draw the accuracy of each bin of confidence as a bar, beside the diagonal of a model that keeps its word.

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
    most = max(size for *_, size in bins)
    for low, high, confidence, accuracy, size in bins:
        x, width = _LEFT + _SIDE * low + 0.75, _SIDE * (high - low) - 1.5
        said = f"<title>{count(size)} answers of {100 * confidence:.1f}\u00a0% on average: {100 * accuracy:.1f}\u00a0% were right</title>"
        parts.append(_bar("kept", x, bottom - _SIDE * accuracy, width, _SIDE * accuracy, said))
        gap = abs(confidence - accuracy)
        style = "gap" if confidence > accuracy else "gap more"
        parts.append(_bar(style, x, bottom - _SIDE * max(confidence, accuracy), width, _SIDE * gap, said))
        tall = max(1.0, _BELOW * size / most)
        parts.append(_bar("size", x, bottom + 14 + _BELOW - tall, width, tall, said))
    parts.append(f'<line class="promise" x1="{_LEFT}" y1="{bottom}" x2="{right}" y2="{_TOP}"/>')
    for y in (bottom, bottom + 14 + _BELOW):
        parts.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
    parts.append(
        f'<text class="tick" x="{_LEFT - 7}" y="{bottom + 14 + 10}" text-anchor="end">{count(most)}</text>'
        f'<text class="label" x="{right}" y="{height - 6}" text-anchor="end">probability that it gave its answer</text>'
    )
    return "".join([*parts, "</svg>"])


def _bar(style: str, x: float, y: float, width: float, height: float, inside: str) -> str:
    return f'<rect class="{style}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{max(0.0, height):.2f}">{inside}</rect>'


def verdict(bins: Sequence[Bin]) -> str:
    """Say in a sentence whether the model is too sure.

    >>> verdict([(0.8, 1.0, 0.9, 0.75, 20)])
    'It is too sure: it gives its answers 90.0 % on average, and 75.0 % of them are right.'
    """
    whole = sum(size for *_, size in bins)
    promised = sum(confidence * size for _, _, confidence, _, size in bins) / whole
    kept = sum(accuracy * size for _, _, _, accuracy, size in bins) / whole
    means = f"it gives its answers {100 * promised:.1f} % on average, and {100 * kept:.1f} % of them are right."
    if abs(promised - kept) < 0.01:
        return f"On the whole it means what it says: {means}"
    return f"It is too {'sure' if promised > kept else 'modest'}: {means}"

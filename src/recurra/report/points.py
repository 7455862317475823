"""The points of a curve, made fewer or smoother."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

Point = tuple[float, float]
"""(x, y); a y that is not finite is a gap."""


def thin(points: Sequence[Point], limit: int = 600) -> list[Point]:
    """Keep about `limit` points: the first, lowest, highest and last of each stretch, so that no extreme is lost.

    Points that are not finite are kept as one gap for each stretch of them.
    """
    if len(points) <= limit:
        return list(points)
    width = math.ceil(len(points) / max(1, limit // 4))
    kept: list[Point] = []
    for start in range(0, len(points), width):
        stretch = points[start : start + width]
        real = [index for index, (_, y) in enumerate(stretch) if math.isfinite(y)]
        chosen = {real[0], real[-1]} if real else {0}
        if real:
            chosen |= {min(real, key=lambda i: stretch[i][1]), max(real, key=lambda i: stretch[i][1])}
            chosen |= set([i for i in range(len(stretch)) if not math.isfinite(stretch[i][1])][:1])
        kept.extend(stretch[index] for index in sorted(chosen))
    return kept


def smooth(points: Sequence[Point], span: float) -> list[Point]:
    """Average over about `span` points around each, fewer towards both ends, so that the curve lags nowhere.

    Gaps stay gaps.

    >>> smooth([(0, 5.0), (1, 1.0), (2, 3.0), (3, 2.0)], span=3)
    [(0, 5.0), (1, 3.0), (2, 2.0), (3, 2.0)]
    """
    real = [math.isfinite(y) for _, y in points]
    totals = list(accumulate((y if ok else 0.0 for (_, y), ok in zip(points, real, strict=True)), initial=0.0))
    counts = list(accumulate(real, initial=0))
    result: list[Point] = []
    wide = int(span) // 2
    for index, (x, y) in enumerate(points):
        # A fifth of the window is kept even at an end, where a single measurement would say little.
        half = max(min(wide, index, len(points) - 1 - index), wide // 5)
        low, high = max(0, index - half), min(len(points), index + half + 1)
        result.append((x, (totals[high] - totals[low]) / (counts[high] - counts[low]) if real[index] else y))
    return result

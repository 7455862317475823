"""Fewer points for the same drawing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.ink.ink import Ink


def thin_ink(ink: Ink, every: int) -> Ink:
    """Keep of each stroke the first point, each `every`-th after it, and the last.

    >>> thin_ink(Ink((np.arange(20, dtype=np.float32).reshape(10, 2),)), 4).strokes[0][:, 0].tolist()
    [0.0, 8.0, 16.0, 18.0]
    """
    if every == 1:
        return ink
    kept = [sorted({*range(0, len(stroke), every), len(stroke) - 1}) for stroke in ink.strokes]
    return replace(ink, strokes=tuple(stroke[some] for stroke, some in zip(ink.strokes, kept, strict=True)))


def simplify_ink(ink: Ink, share: float) -> Ink:
    """Leave out points that lie near enough to the line between others: at most `share` of the drawing's longer side away.

    By Ramer (1972) and Douglas and Peucker (1973).

    >>> bent = Ink((np.array([[0, 0], [5, 0.1], [10, 0], [10, 8]], np.float32),))
    >>> simplify_ink(bent, 0.02).strokes[0].tolist()
    [[0.0, 0.0], [10.0, 0.0], [10.0, 8.0]]
    """
    if not share:
        return ink
    points = np.concatenate(ink.strokes)
    distance = share * float(np.ptp(points, axis=0).max())
    return replace(ink, strokes=tuple(stroke[_needed(stroke.astype(np.float64), distance)] for stroke in ink.strokes))


def _needed(points: np.ndarray, distance: float) -> np.ndarray:
    """Tell of each point (n, 2) whether it is needed."""
    needed = np.zeros(len(points), bool)
    needed[[0, -1]] = True
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        away = _distances(points[first + 1 : last], points[first], points[last])
        furthest = int(away.argmax())
        if away[furthest] > distance:
            middle = first + 1 + furthest
            needed[middle] = True
            waiting += [(first, middle), (middle, last)]
    return needed


def _distances(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Give how far points (n, 2) are from the line between two others, its ends included."""
    along = end - start
    length = float(along @ along)
    share = np.clip((points - start) @ along / length, 0, 1) if length else np.zeros(len(points))
    return np.hypot(*(points - start - share[:, None] * along).T)

"""Ink as a sequence of steps of equal length, whatever its size and the pen's speed; whole, or stroke by stroke with the same bits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recurra.ink.ink import Ink

FEATURES = 4
"""Of a step: dx, dy, whether the pen came from the air, and its height."""
SPACING = 0.15
"""Of the size of the writing: how far one step is from the next."""
_MIN_SIZE = 0.05
"""Of the longest stroke's extent: writing that is flatter has no size of its own, as a dash."""
_MAX_STEPS = 4_000
"""Of a stroke: what is longer gets longer steps."""


def pen_features(ink: Ink, *, spacing: float = SPACING, causal: bool = False) -> np.ndarray:
    """Give the steps of an ink (steps, 4) float32: dx, dy, 1 where the pen came from the air, and the height above the middle.

    All are in units of the size of the writing: with d the heights of its upward and downward movements, Σ d² / Σ d, which is about
    that of a small letter, on a slope too. Points lie at equal distances along each stroke.

    Args:
        ink: the strokes.
        spacing: from one step to the next, in that unit.
        causal: each stroke by the size and the middle of it and those before it, as `PenStream` has to; else by those of all.

    >>> line = Ink((np.array([[0, 0], [0, 10]], np.float32),))
    >>> pen_features(line, spacing=0.5)[:, :3].tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.5, 0.0], [0.0, 0.5, 0.0]]
    """
    stream = PenStream(spacing)
    if not causal:
        for stroke in ink.strokes:
            stream.measure(stroke)
        stream.fixed = True
    steps = [stream.push(stroke) for stroke in ink.strokes]
    return np.concatenate(steps) if steps else np.zeros((0, FEATURES), np.float32)


@dataclass
class PenStream:
    """Makes steps of strokes as they end: those that `pen_features` makes of all with `causal`, bit by bit.

    fixed: the size and the middle are known, and what comes does not change them.

    >>> PenStream().push(np.array([[0, 0], [0, 10]], np.float32)).shape
    (8, 4)
    """

    spacing: float = SPACING
    fixed: bool = False
    _squares: float = field(init=False, default=0.0)
    _heights: float = field(init=False, default=0.0)
    _extent: float = field(init=False, default=0.0)
    _length: float = field(init=False, default=0.0)
    _moment: float = field(init=False, default=0.0)
    _last: np.ndarray | None = field(init=False, default=None, repr=False)

    def measure(self, stroke: np.ndarray) -> None:
        """Let a stroke (n, 2) count for the size and the middle."""
        points = stroke.astype(np.float64)
        heights = _movements(points[:, 1])
        self._squares += float((heights**2).sum())
        self._heights += float(heights.sum())
        self._extent = max(self._extent, float(np.ptp(points, 0).max()))
        lengths = np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.zeros(0)
        middles = (points[1:, 1] + points[:-1, 1]) / 2
        self._length += float(lengths.sum())
        self._moment += float((lengths * middles).sum())

    @property
    def size(self) -> float:
        """About the height of a small letter, of what was measured; 1 of dots alone."""
        size = self._squares / self._heights if self._heights else 0.0
        return max(size, _MIN_SIZE * self._extent) or 1.0

    def push(self, stroke: np.ndarray) -> np.ndarray:
        """Take a stroke (n, 2) that has ended, and give its steps (m, 4) float32, the first of them the way through the air to it."""
        if not len(stroke):
            return np.zeros((0, FEATURES), np.float32)
        if not self.fixed:
            self.measure(stroke)
        points = _equally_spaced(stroke.astype(np.float64), self.spacing * self.size)
        before = points[0] if self._last is None else self._last
        self._last = points[-1]
        middle = self._moment / self._length if self._length else points[0, 1]
        steps = np.zeros((len(points), FEATURES))
        steps[:, :2] = np.diff(np.concatenate([before[None], points]), axis=0)
        steps[:, 3] = middle - points[:, 1]
        steps /= self.size
        steps[0, 2] = 1
        return steps.astype(np.float32)


def _movements(heights: np.ndarray) -> np.ndarray:
    """Give how far each movement up or down goes, from one turn to the next."""
    steps = np.diff(heights)
    steps = steps[steps != 0]
    if not len(steps):
        return np.zeros(0)
    turns = np.flatnonzero(np.diff(np.sign(steps))) + 1
    return np.abs(np.add.reduceat(steps, np.concatenate([[0], turns])))


def _equally_spaced(points: np.ndarray, distance: float) -> np.ndarray:
    """Give points (m, 2) along a stroke, the first where it begins, each so far along from the one before, the last where it ends."""
    lengths = np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.zeros(0)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    if along[-1] == 0:
        return points[:1]
    count = min(max(1, round(along[-1] / distance)), _MAX_STEPS)
    wanted = np.linspace(0, along[-1], count + 1)
    return np.stack([np.interp(wanted, along, points[:, axis]) for axis in (0, 1)], 1)

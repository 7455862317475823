"""What a pen wrote: steps of equal length along its strokes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.errors import DataError
from recurra.ink import FEATURES, Ink, PenStream, make_ink, parse_stroke, pen_features, vary_ink
from recurra.tasks.base.explanation import Segment
from recurra.tasks.transcribe.config import Data
from recurra.tasks.transcribe.signals import MAX_PIECES, Facts, SignalKind, register_signal

PEN_DOWN = 2
"""The feature of a step that says that the pen came from the air."""
GAP_SIZE = (1.5, 3.0)
"""How wide the way through the air is between what is joined, in sizes of the writing."""
SIZE = 0.15
"""By how much a writing is larger or smaller than its measure says, in natural logarithms."""
DRAWN_HEIGHT, DRAWN_WIDTH = 48, 1_200


@register_signal
class PenKind(SignalKind):
    """Steps of a pen; what is kept are its strokes. live: each stroke is measured by itself and those before it, as a stream has to."""

    kind, is_spatial, streams = "ink", True, True

    def __init__(self, *, live: bool) -> None:
        self._live = live

    @classmethod
    def of(cls, signals: Sequence[Ink], data: Data, *, live: bool) -> PenKind:  # noqa: ARG003
        return cls(live=live)

    @classmethod
    def from_facts(cls, facts: Facts) -> PenKind:
        return cls(live=bool(facts["live"]))

    @property
    def facts(self) -> Facts:
        return {"live": int(self._live)}

    @property
    def size(self) -> int:
        return FEATURES

    def prepare(self, signal: Ink, name: str) -> Ink:
        if not signal.points:
            raise DataError("holds no points", source=name or None)
        return signal

    def frames(self, kept: Ink) -> np.ndarray:
        return pen_features(kept, causal=self._live)

    def vary(self, kept: Ink, chance: np.random.Generator) -> np.ndarray:
        frames = self.frames(vary_ink(kept, chance))
        frames[:, [0, 1, 3]] *= np.float32(np.exp(chance.uniform(-SIZE, SIZE)))
        return frames

    def gap(self, frames: np.ndarray, chance: np.random.Generator) -> np.ndarray:  # noqa: ARG002
        return np.array([[chance.uniform(*GAP_SIZE), 0, 1, 0]], np.float32)

    def is_one(self, item: Any) -> bool:
        return isinstance(item, Ink)

    def holds(self, name: str) -> bool:  # noqa: ARG002
        return True

    def parse(self, line: str) -> Ink | None:
        if not line.startswith(("[", "{")):
            return None
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise DataError("expected strokes as JSON") from None
        strokes = value.get("strokes") if isinstance(value, dict) else value
        if not isinstance(strokes, list):
            raise DataError("expected a list of strokes")
        return make_ink([parse_stroke(stroke, "the line") for stroke in strokes], "the line")

    def pieces(self, frames: np.ndarray, step_frames: int) -> tuple[list[Segment], np.ndarray]:
        """Cut into strokes, and long ones of a few into parts of like length."""
        starts = np.flatnonzero(frames[:, PEN_DOWN] > 0).tolist()
        if starts[:1] != [0]:
            starts.insert(0, 0)
        size = max(step_frames, -(-len(frames) // MAX_PIECES))
        pieces: list[Segment] = []
        for number, (first, last) in enumerate(itertools.pairwise([*starts, len(frames)]), 1):
            parts = max(1, (last - first) // size) if len(starts) < MAX_PIECES else 1
            edges = np.linspace(first, last, parts + 1).round().astype(int).tolist()
            for part, (start, end) in enumerate(itertools.pairwise(edges), 1):
                name = f"stroke {number}" if parts == 1 else f"stroke {number}, part {part} of {parts}"
                pieces.append(Segment(name, start, end))
        return pieces, np.repeat(np.arange(len(pieces)), [piece.end - piece.start for piece in pieces])

    def picture(self, frames: np.ndarray) -> np.ndarray:
        return np.where(self._drawn(frames) > 0, 0, 255).astype(np.uint8)

    def places(self, frames: np.ndarray, owner: np.ndarray) -> np.ndarray:
        return np.append(-1, owner)[self._drawn(frames, thick=True)]

    def _drawn(self, frames: np.ndarray, *, thick: bool = False) -> np.ndarray:
        """Draw the way of the pen, and through the air: the number of the step that leads to each pixel, from 1; 0 where it never was."""
        places = np.cumsum(frames[:, :2], axis=0)
        places -= places.min(0)
        scale = min(
            DRAWN_HEIGHT / max(1e-6, float(places[:, 1].max())), DRAWN_WIDTH / max(1e-6, float(places[:, 0].max()))
        )
        drawn = np.zeros((DRAWN_HEIGHT + 2, int(places[:, 0].max() * scale) + 2), np.int64)
        around = int(thick)
        for step, (before, after) in enumerate(itertools.pairwise(places), 2):
            for share in np.linspace(0, 1, 8):
                x, y = (before + share * (after - before)) * scale
                drawn[max(0, int(y) - around) : int(y) + 2 + around, max(0, int(x) - around) : int(x) + 2 + around] = (
                    step
                )
        return drawn

    def stream(self, rate: int | None) -> StrokeStream:  # noqa: ARG002
        return StrokeStream()


class StrokeStream:
    """Makes steps of strokes (n, 2) as they end."""

    def __init__(self) -> None:
        self._pen = PenStream()

    def push(self, piece: np.ndarray) -> np.ndarray:
        return self._pen.push(piece)

    def finish(self) -> np.ndarray:
        self._pen = PenStream()  # the next writing has a size and a place of its own
        return np.zeros((0, FEATURES), np.float32)

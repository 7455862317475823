"""Pictures of lines of writing: their columns, from left to right, at one height."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.errors import DataError
from recurra.images import line_image
from recurra.tasks.transcribe.config import Data
from recurra.tasks.transcribe.signals import Facts, SignalKind, at_places, register_signal, stretched

STRETCH, SLANT, SCALE = 0.15, 0.35, 0.12
"""By how much writing is wider or narrower, how many pixels it leans for each of its height, and by how much it is higher or lower."""
WAVES, WAVE_PIXELS = 24, 1.5
"""Elastic: columns and rows from one random shift to the next, and how far these go, in pixels."""
CONTRAST, NOISE = 0.3, 0.05
GAP_COLUMNS = (8, 40)


@register_signal
class PictureKind(SignalKind):
    """Columns of a line (H,), 0 the paper and 1 the ink."""

    kind, has_convolutions, is_spatial, scaled = "picture", True, True, False

    def __init__(self, height: int) -> None:
        self.height = height

    @classmethod
    def of(cls, signals: Sequence[np.ndarray], data: Data) -> PictureKind:  # noqa: ARG003
        return cls(data.height)

    @classmethod
    def from_facts(cls, facts: Facts) -> PictureKind:
        return cls(facts["height"])

    @property
    def facts(self) -> Facts:
        return {"height": self.height}

    @property
    def size(self) -> int:
        return self.height

    def frames(self, signal: np.ndarray, name: str) -> np.ndarray:
        try:
            return np.ascontiguousarray(line_image(signal, self.height).T)
        except DataError as error:
            raise DataError(error.problem, source=name or None) from None

    def vary(self, frames: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        found = stretched(frames, 1 + STRETCH * chance.uniform(-1, 1))
        middle = (self.height - 1) / 2
        scale, shift = 1 + SCALE * chance.uniform(-1, 1), chance.uniform(-1, 1) * self.height / 16
        rows = (np.arange(self.height) - middle) * scale + middle + shift
        across = SLANT * chance.uniform(-1, 1) * (np.arange(self.height) - middle)
        wave = _wave(len(found), chance)
        places = np.arange(len(found))
        found = _sampled(found, places[:, None] + across + _wave(self.height, chance), rows + wave[:, None])
        found = found ** np.float32(np.exp(CONTRAST * chance.uniform(-1, 1)))  # thicker or thinner
        found = found * (1 - CONTRAST * chance.random()) + NOISE * chance.standard_normal(found.shape)
        return found.clip(0, 1).astype(np.float32)

    def gap(self, frames: np.ndarray, chance: np.random.Generator) -> np.ndarray:  # noqa: ARG002
        return np.zeros((int(chance.integers(*GAP_COLUMNS)), self.height), np.float32)

    def is_one(self, item: Any) -> bool:
        return isinstance(item, np.ndarray) and item.dtype == np.uint8 and item.ndim in (2, 3)

    def picture(self, frames: np.ndarray) -> np.ndarray:
        return (255 - 255 * frames.T).astype(np.uint8)


def _wave(count: int, chance: np.random.Generator) -> np.ndarray:
    """Give shifts (count,) that change slowly."""
    knots = chance.uniform(-WAVE_PIXELS, WAVE_PIXELS, (max(2, count // WAVES + 2), 1)).astype(np.float32)
    return at_places(knots, np.linspace(0, len(knots) - 1, count))[:, 0]


def _sampled(frames: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Give what lies at columns (W, H) and rows (W, H) of frames (W, H), by straight lines; beyond them is paper."""
    padded = np.pad(frames, 1)
    x = np.clip(columns + 1, 0, padded.shape[0] - 1.001)
    y = np.clip(rows + 1, 0, padded.shape[1] - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    upper = padded[left, top] * (1 - right) + padded[left + 1, top] * right
    lower = padded[left, top + 1] * (1 - right) + padded[left + 1, top + 1] * right
    return upper * (1 - down) + lower * down

"""Pictures of lines of writing: their columns, from left to right, at one height."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.errors import DataError
from recurra.images import is_picture, line_image, vary_line
from recurra.tasks.transcribe.config import Data
from recurra.tasks.transcribe.signals import Facts, SignalKind, register_signal

GAP_COLUMNS = (8, 40)


@register_signal
class PictureKind(SignalKind):
    """Columns of a line (H,), 0 the paper and 1 the ink; what is kept is the line (H, W)."""

    kind, has_convolutions, is_spatial, scaled = "picture", True, True, False

    def __init__(self, height: int) -> None:
        self.height = height

    @classmethod
    def of(cls, signals: Sequence[np.ndarray], data: Data, *, live: bool) -> PictureKind:  # noqa: ARG003
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

    def prepare(self, signal: np.ndarray, name: str) -> np.ndarray:
        try:
            return line_image(signal, self.height)
        except DataError as error:
            raise DataError(error.problem, source=name or None) from None

    def frames(self, kept: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(kept.T)

    def vary(self, kept: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        return self.frames(vary_line(kept, chance))

    def gap(self, frames: np.ndarray, chance: np.random.Generator) -> np.ndarray:  # noqa: ARG002
        return np.zeros((int(chance.integers(*GAP_COLUMNS)), self.height), np.float32)

    def is_one(self, item: Any) -> bool:
        return isinstance(item, np.ndarray) and item.dtype == np.uint8 and item.ndim in (2, 3)

    def holds(self, name: str) -> bool:
        return is_picture(name)

    blank_name = "the paper"

    def picture(self, frames: np.ndarray) -> np.ndarray:
        return (255 - 255 * frames.T).astype(np.uint8)

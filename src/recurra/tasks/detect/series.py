"""A series as numbers, and what of it is carried from step to step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.tasks.detect.holes import NEVER


@dataclass(frozen=True)
class Encoded:
    """One series as numbers: features (T, F), the scaled values (T, C), NaN where missing, and those before them, (T, C).

    fresh: (T) bool, the steps that nothing foretells: the first, and those behind a hole.
    """

    features: np.ndarray
    values: np.ndarray
    before: np.ndarray
    fresh: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def until(self, step: int) -> Encoded:
        """Give the steps before one."""
        return Encoded(self.features[:step], self.values[:step], self.before[:step], self.fresh[:step])


@dataclass(frozen=True)
class Past:
    """What of a series is carried from step to step: its last value and the one before it, (C) each, NaN where none was yet;
    which values were missing just now, (C) bool; the last of each covariate, (P); how many steps were read; the time of the last
    one, in microseconds, `NEVER` where it had none; and whether it was fresh."""

    last: np.ndarray
    second: np.ndarray
    missing: np.ndarray
    beside: np.ndarray
    count: int
    time: int = NEVER
    fresh: bool = False

"""Even spacing in time: what it is, how it goes on, and what the calendar says of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Unit = Literal["s", "min", "h", "d", "w", "m", "q", "y"]


@dataclass(frozen=True)
class Step:
    """The spacing of a series: so many units; months, quarters and years are those of the calendar.

    >>> str(Step(10, "min")), str(Step(1, "m"))
    ('10min', '1m')
    """

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def later(last: np.datetime64 | int, step: Step | None, count: int) -> np.ndarray:
    """Give the next `count` times after one, (count): datetime64[us], or int64 where steps are only counted."""
    raise NotImplementedError


def season(step: Step | None) -> int:
    """Give the steps of the season that is usual for a spacing: 24 of hours, 7 of days, 12 of months, 1 where none is."""
    raise NotImplementedError


def calendar(times: np.ndarray, step: Step | None) -> tuple[np.ndarray, list[str]]:
    """Give what the calendar says of times, (T, K) float32 in −1 … 1, and a name for each: only what can differ at this spacing."""
    raise NotImplementedError

"""The record: whether an error is higher, or a value farther out, than all that was seen before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from recurra.thresholds.base import Decision

MARGIN = 1.2
"""How many times the highest error so far one must be to count as much as a value at the edge of the range."""
ALARM_SCORE = 1.05
"""Score from which on a step is an alarm: a value beyond the range by a twentieth of it (as Numenta's detector has it)."""


class RecordThreshold:
    """Scores a step by how far it goes beyond all before it, in its error or in its values.

        score = max(error / (1.2 · highest error so far), 1 + max_c (how far x_c is outside its range so far) / (width of the range))

    After a record the next one has to go beyond it: an event is reported when it begins, and a series that has found a new level
    is not flagged for ever. Memory is one number, and two for each channel.

    history: scores of normal steps, (N,).  low, high: of the values of each channel so far, (C,).

    >>> records = RecordThreshold(np.array([1.0, 2.0]), np.array([0.0]), np.array([10.0]))
    >>> [round(records.step(*step).score, 2) for step in ((1.2, [5.0]), (6.0, [9.0]), (6.0, [9.0]), (1.0, [15.0]))]
    [0.5, 2.5, 0.83, 1.5]
    """

    def __init__(self, history: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        self.highest = float(history.max(initial=0.0))
        self.low, self.high = np.array(low, np.float64), np.array(high, np.float64)
        self.outside = np.zeros(len(self.low))

    def step(self, score: float, values: np.ndarray | None = None) -> Decision:
        """Judge a step by its error and its values (C), NaN where one is missing, and learn from them."""
        ratio = score / max(MARGIN * self.highest, 1e-6)
        self.highest = max(self.highest, score)
        if values is not None:
            known = np.where(np.isnan(values), self.low, np.asarray(values, np.float64))
            width = np.maximum(self.high - self.low, 1e-6)
            self.outside = np.maximum(known - self.high, self.low - known) / width
            outside = 1.0 + float(self.outside.max())
            self.low, self.high = np.minimum(self.low, known), np.maximum(self.high, known)
            ratio = max(ratio, outside if outside > 1.0 else 0.0)
        return Decision(ratio, ALARM_SCORE, ratio > ALARM_SCORE)

    def state(self) -> dict[str, np.ndarray]:
        """Give what the next step needs, as arrays."""
        return {"highest": np.array([self.highest]), "low": self.low.copy(), "high": self.high.copy()}

    def resume(self, state: Mapping[str, np.ndarray]) -> Self:
        """Go on where `state` was taken."""
        self.highest = float(state["highest"][0])
        self.low, self.high = np.array(state["low"], np.float64), np.array(state["high"], np.float64)
        return self

"""A series as numbers, what of it is carried from step to step, and where its gaps in time are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NO_TIME = np.iinfo(np.int64).min
"""Stands for the time of a step that has none."""
GAP_FACTOR = 1.5
"""How many times as long as almost all others the time between two steps is where there is a gap."""
GAP_QUANTILE = 0.99
"""What share of them almost all is."""


@dataclass(frozen=True)
class EncodedSeries:
    """One series as numbers: features (T, F), the scaled values (T, C), NaN where missing, and those before them, (T, C).

    starts: (T) bool, the steps that nothing predicts: the first, and those after a gap.
    """

    features: np.ndarray
    values: np.ndarray
    previous: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def until(self, step: int) -> EncodedSeries:
        """Give the steps before one."""
        return EncodedSeries(self.features[:step], self.values[:step], self.previous[:step], self.starts[:step])


@dataclass(frozen=True)
class StreamState:
    """What of a series is carried from step to step.

    last, second_last: its values, (C) each, NaN where none was yet.  missing: (C) bool, which were missing just now.
    covariates: (P), the last of each.  count: steps read.  time: of the last one, in microseconds, `NO_TIME` where it had none.
    started: whether it was one that nothing predicts.
    """

    last: np.ndarray
    second_last: np.ndarray
    missing: np.ndarray
    covariates: np.ndarray
    count: int
    time: int = NO_TIME
    started: bool = False


def gap_threshold(times: Sequence[np.ndarray]) -> int | None:
    """Give the microseconds between two steps beyond which there is a gap: half as much again as 99 % of them are apart.

    times: of each series, (T) datetime64, or numbers of steps, of which none is a gap: None then.  So a few gaps in even steps
    are gaps, and steps that are uneven by nature are not.

    >>> even = np.arange("2024-05-31", "2024-06-03", dtype="M8[h]")
    >>> gap_threshold([even]) / 3.6e9, gap_threshold([np.arange(9)])
    (1.5, None)
    """
    distances = [np.diff(one.astype("M8[us]").astype(np.int64)) for one in times if one.dtype.kind == "M"]
    forward = np.concatenate([each[each > 0] for each in distances]) if distances else np.zeros(0)
    return int(GAP_FACTOR * np.quantile(forward, GAP_QUANTILE)) if len(forward) else None


def after_gap(times: np.ndarray, previous: int, threshold: int | None) -> tuple[np.ndarray, int]:
    """Say which steps come after a gap, (T) bool, and when the last of them was, in microseconds or `NO_TIME`.

    previous: when the step before the first was.  threshold: as `gap_threshold` gives it.

    >>> times = np.array(["2024-05-31T13:00", "2024-05-31T14:00", "2024-05-31T19:00"], "M8[us]")
    >>> after_gap(times, NO_TIME, int(5.4e9))[0].tolist()
    [False, False, True]
    """
    if not len(times):
        return np.zeros(0, bool), previous
    if threshold is None or times.dtype.kind != "M":
        return np.zeros(len(times), bool), NO_TIME
    stamps = np.append(previous, times.astype("M8[us]").astype(np.int64))
    distances = np.diff(np.where(stamps == NO_TIME, stamps[1], stamps))
    return distances > threshold, int(stamps[-1])

"""Holes between the steps of a series: where the time that has passed is so long that nothing was foretold for what comes then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

NEVER = np.iinfo(np.int64).min
"""Stands for the time of a step that has none."""
LONGER = 1.5
"""How many times as long as almost all others the time between two steps is where there is a hole."""
ALMOST = 0.99


def hole_of(times: Sequence[np.ndarray]) -> int | None:
    """Give the microseconds between two steps beyond which there is a hole: half as much again as 99 % of them are apart.

    times: of each series, (T) datetime64, or numbers of steps, of which none is a hole: None then.  So a few holes in even steps
    are holes, and steps that are uneven by nature are not.

    >>> even = np.arange("2024-05-31", "2024-06-03", dtype="M8[h]")
    >>> hole_of([even]) / 3.6e9, hole_of([np.arange(9)])
    (1.5, None)
    """
    apart = [np.diff(one.astype("M8[us]").astype(np.int64)) for one in times if one.dtype.kind == "M"]
    forth = np.concatenate([each[each > 0] for each in apart]) if apart else np.zeros(0)
    return int(LONGER * np.quantile(forth, ALMOST)) if len(forth) else None


def behind_holes(times: np.ndarray, before: int, hole: int | None) -> tuple[np.ndarray, int]:
    """Say which steps stand behind a hole, (T) bool, and when the last of them was, in microseconds or `NEVER`.

    before: when the step before the first was.

    >>> times = np.array(["2024-05-31T13:00", "2024-05-31T14:00", "2024-05-31T19:00"], "M8[us]")
    >>> behind_holes(times, NEVER, int(5.4e9))[0].tolist()
    [False, False, True]
    """
    if not len(times):
        return np.zeros(0, bool), before
    if hole is None or times.dtype.kind != "M":
        return np.zeros(len(times), bool), NEVER
    moments = np.append(before, times.astype("M8[us]").astype(np.int64))
    apart = np.diff(np.where(moments == NEVER, moments[1], moments))
    return apart > hole, int(moments[-1])

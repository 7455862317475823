"""From scores to decisions: what every adaptive threshold can do, and events of steps that are flagged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol, Self

import numpy as np

from recurra.errors import UsageError

MAX_SCORE = 1e150
"""A score from here on has a square that is no number, and is as good as infinite."""


class Decision(NamedTuple):
    """What a threshold decides of one step.

    score: what was compared with the threshold; some thresholds smooth or rescale what they are given.  threshold: infinite
    while too little was seen to judge by.  unusual: the score is above the threshold.
    """

    score: float
    threshold: float
    unusual: bool


class Threshold(Protocol):
    """An adaptive threshold on a stream of scores: the higher a score, the less usual the step.

    Its state is a dictionary of arrays. A stream that is cut anywhere, saved and resumed from its state has the same
    decisions as one that is not. A missing score (NaN) is never unusual and changes nothing; an infinite one is unusual as
    soon as steps are judged at all, and is not learnt from.
    """

    def step(self, score: float) -> Decision: ...

    def state(self) -> dict[str, np.ndarray]: ...

    def resume(self, state: Mapping[str, np.ndarray]) -> Self: ...


def decide(threshold: Threshold, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Judge scores (T,) step by step: the scores that were compared, the thresholds (both float64) and the flags, (T,) each.

    >>> from recurra.thresholds import PeaksOverThreshold
    >>> _, thresholds, flags = decide(PeaksOverThreshold(warmup=100), np.append(np.linspace(0, 1, 200) % 0.1, 9.0))
    >>> int(np.isinf(thresholds).sum()), np.flatnonzero(flags).tolist()
    (100, [200])
    """
    rows = [threshold.step(score) for score in np.asarray(scores, np.float64).tolist()]
    table = np.array(rows, np.float64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2] > 0


def events(
    scores: np.ndarray, threshold: float | np.ndarray | None = None, *, merge: int = 0, shortest: int = 1
) -> list[tuple[int, int]]:
    """Join steps that are flagged into events: (first step, step behind the last), in order.

    Args:
        scores: (T,), flags; or, with a threshold, scores: a step is flagged where its score is above it.
        threshold: one for all steps, or one for each, (T,).
        merge: events with so many unflagged steps or fewer between them are one.
        shortest: events of fewer flagged and joined steps are left out.

    Raises:
        UsageError: other shapes than these, or a negative number.

    >>> events(np.array([0, 1, 1, 0, 1, 0, 0, 0, 1]), merge=1)
    [(1, 5), (8, 9)]
    >>> events(np.array([0.1, 0.9, 0.2]), 0.5)
    [(1, 2)]
    """
    values, limits = np.asarray(scores), np.asarray(0.0 if threshold is None else threshold)
    if values.ndim != 1 or limits.shape not in ((), values.shape):
        raise UsageError(f"scores: expected (T,) and a threshold for all or each, got {values.shape}, {limits.shape}")
    if merge < 0 or shortest < 0:
        raise UsageError(f"merge and shortest: expected numbers of steps from 0, got {merge} and {shortest}")
    flags = values.astype(bool) if threshold is None else values > limits
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    starts, stops = edges[::2], edges[1::2]
    separate = np.append(True, starts[1:] - stops[:-1] > merge)[: len(starts)]
    firsts = np.flatnonzero(separate)
    lasts = np.append(firsts[1:], len(starts))[: len(firsts)] - 1
    pairs = zip(starts[firsts].tolist(), stops[lasts].tolist(), strict=True)
    return [(start, stop) for start, stop in pairs if stop - start >= shortest]


def decide_nonfinite(score: float, threshold: float) -> Decision | None:
    """Decide on a score that nothing can be learnt from: missing, or infinite; None for all others.

    `MAX_SCORE` and beyond is as good as infinite.
    """
    if abs(score) < MAX_SCORE:
        return None
    return Decision(score, threshold, score > 0 and math.isfinite(threshold))

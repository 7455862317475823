"""Where in the frames each label of a text is: the likeliest path that spells it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from recurra.decoding.ctc import BLANK
from recurra.errors import DataError


class Alignment(NamedTuple):
    """Of each of N labels its first frame and the one behind its last, (N,) int64 both, and its highest probability there, (N,)."""

    starts: np.ndarray
    ends: np.ndarray
    peaks: np.ndarray


def align(log_probs: np.ndarray, ids: np.ndarray) -> Alignment:
    """Find the likeliest path (Viterbi 1967) through frames (T, V) that spells a text (N,).

    Raises `DataError` where no path does.

    >>> frames = np.log([[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    >>> found = align(frames, np.array([1, 2]))
    >>> found.starts.tolist(), found.ends.tolist(), found.peaks.round(2).tolist()
    ([0, 3], [2, 4], [0.8, 0.8])
    """
    values, ids = np.asarray(log_probs, np.float64), np.asarray(ids, np.int64)
    count = len(ids)
    if not count:
        return Alignment(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    states = np.full(2 * count + 1, BLANK, np.int64)  # a blank before, between and behind the labels
    states[1::2] = ids
    may_skip = np.zeros(len(states), bool)  # the blank between two labels, unless they are equal
    may_skip[3::2] = ids[1:] != ids[:-1]
    from_where = np.zeros((len(values), len(states)), np.int8)
    best = np.full(len(states), -math.inf)
    best[0] = 0.0
    for frame, row in enumerate(values):
        steps = np.full((3, len(states)), -math.inf)
        steps[0], steps[1, 1:] = best, best[:-1]
        steps[2, 2:] = np.where(may_skip[2:], best[:-2], -math.inf)
        from_where[frame] = steps.argmax(0)
        best = steps.max(0) + row[states]
    at = len(states) - 1 if best[-1] >= best[-2] else len(states) - 2
    if best[at] == -math.inf:
        raise DataError(f"no path through {len(values)} frames spells these {count} labels")
    path = np.empty(len(values), np.int64)
    for frame in reversed(range(len(values))):
        path[frame] = at
        at -= int(from_where[frame, at])
    numbers = np.where(path % 2 == 1, path // 2, -1)
    starts = np.array([int(np.argmax(numbers == number)) for number in range(count)])
    ends = np.array([len(values) - int(np.argmax(numbers[::-1] == number)) for number in range(count)])
    peaks = np.array([math.exp(values[a:b, id].max()) for a, b, id in zip(starts, ends, ids, strict=True)])
    return Alignment(starts, ends, peaks)

"""Batches for truncated back-propagation through time over series: B lanes that read on, window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import torch
from torch import Tensor

from recurra.data.tbptt import Windows
from recurra.tasks.detect.series import EncodedSeries


@dataclass(frozen=True)
class Batch:
    """What one training step reads.

    features (T, B, F); previous (T, B, C), the values of the step before; targets (T, B, A, C), the values to be predicted, and
    present, (T, B, A, C) bool, where there is one; elsewhere a target is 0.  reset (B,) bool: lanes that begin a piece here, with
    a state of zeros.  lengths (B,): steps of each lane.
    """

    features: Tensor
    previous: Tensor
    targets: Tensor
    present: Tensor
    reset: Tensor
    lengths: Tensor


class SegmentWindows(Windows[Batch]):
    """Series cut into pieces, which lanes read one after another with the state carried on; each piece begins in zeros.

    A series is one piece where it is short beside what a lane has to read, else cut at other places each epoch, so that
    all lanes have as much to do, and the gradient is cut elsewhere each time. The same seed and epoch give the same batches.

    lanes: B.  steps: T at most.  horizon: A.
    """

    def __init__(self, series: Sequence[EncodedSeries], *, lanes: int, steps: int, horizon: int, seed: int) -> None:
        self.series, self.steps, self.horizon, self.seed = series, steps, horizon, seed
        lanes = self.lanes = max(1, min(lanes, sum(map(len, series))))  # more would read nothing
        # Pieces of a few windows at least: a state that is zeros every few steps is none.
        self.piece = max(4 * steps, -(-sum(map(len, series)) // lanes))
        self._counts: dict[int, int] = {}

    def _pieces(self, epoch: int) -> list[tuple[int, int, int]]:
        """Give (series, first step, step behind the last) of each piece of an epoch, in the order they are read in."""
        rng = np.random.default_rng([self.seed, epoch])
        pieces = []
        for number, one in enumerate(self.series):
            cuts = [0, len(one)]
            if len(one) > self.piece:
                cuts[1:1] = range(int(rng.integers(1, self.piece + 1)), len(one), self.piece)
            cuts = sorted({*cuts, *np.flatnonzero(one.starts).tolist()})
            pieces += [(number, first, last) for first, last in pairwise(cuts) if last > first]
        return [pieces[index] for index in rng.permutation(len(pieces))]

    def _plan(self, epoch: int) -> Iterator[list[tuple[int, int, int, bool] | None]]:
        """Give for each window what each lane reads: series, first step, behind the last, and whether a piece begins there."""
        queue = iter(self._pieces(epoch))
        lanes: list[tuple[int, int, int, bool] | None] = [None] * self.lanes
        while True:
            lanes = [lane or (None if (one := next(queue, None)) is None else (*one, True)) for lane in lanes]
            if not any(lanes):
                return
            yield [lane and (lane[0], lane[1], self._cut(lane[1], lane[2]), lane[3]) for lane in lanes]
            lanes = [
                (lane[0], cut, lane[2], False) if lane and (cut := self._cut(lane[1], lane[2])) < lane[2] else None
                for lane in lanes
            ]

    def _cut(self, first: int, last: int) -> int:
        """Give where a window ends: what is left is cut evenly, so that no window is of a few steps."""
        windows = -(-(last - first) // self.steps)
        return first + -(-(last - first) // windows)

    def count(self, epoch: int) -> int:
        if epoch not in self._counts:
            self._counts[epoch] = sum(1 for _ in self._plan(epoch))
        return self._counts[epoch]

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        for plan in islice(self._plan(epoch), start, None):
            reset = torch.tensor([lane is not None and lane[3] for lane in plan])
            yield collate([lane and (self.series[lane[0]], lane[1], lane[2]) for lane in plan], self.horizon, reset)


def collate(rows: Sequence[tuple[EncodedSeries, int, int] | None], horizon: int, reset: Tensor | None = None) -> Batch:
    """Put parts of series side by side, each (series, first step, step behind the last); None is a row of nothing.

    A step that starts, such as the first of a series, is no target, and none is predicted across one.
    """
    some = next(row[0] for row in rows if row is not None)
    steps = max(row[2] - row[1] for row in rows if row is not None)
    features = np.zeros((steps, len(rows), some.features.shape[1]), np.float32)
    previous = np.zeros((steps, len(rows), some.values.shape[1]), np.float32)
    targets = np.full((steps, len(rows), horizon, some.values.shape[1]), np.nan, np.float32)
    lengths = torch.zeros(len(rows), dtype=torch.int64)
    for number, row in enumerate(rows):
        if row is None:
            continue
        one, first, last = row
        lengths[number] = last - first
        features[: last - first, number] = one.features[first:last]
        previous[: last - first, number] = one.previous[first:last]
        for lead in range(horizon):
            values = one.values[first + lead : last + lead]
            if not len(values):
                break
            known = predictable(one.starts[first : first + lead + len(values)], lead)
            targets[: len(values), number, lead] = np.where(known[:, None], values, np.nan)
    present = np.isfinite(targets)
    return Batch(
        torch.from_numpy(features),
        torch.from_numpy(previous),
        torch.from_numpy(np.where(present, targets, np.float32(0))),
        torch.from_numpy(present),
        torch.ones(len(rows), dtype=torch.bool) if reset is None else reset,
        lengths,
    )


def predictable(starts: np.ndarray, lead: int) -> np.ndarray:
    """Say of each step, (T − lead), whether what is `lead` steps on can be predicted there: no step from it on is a start.

    >>> predictable(np.array([True, False, False, True, False]), 1).tolist()
    [False, True, False, False]
    """
    passed = np.cumsum(starts)
    return (passed[lead:] == passed[: len(starts) - lead]) & ~starts[: len(starts) - lead]

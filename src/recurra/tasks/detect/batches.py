"""Batches for truncated back-propagation through time over series: B lanes that read on, window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import torch
from torch import Tensor

from recurra.data.tbptt import Windows
from recurra.tasks.detect.series import Encoded


@dataclass(frozen=True)
class Batch:
    """What one training step reads.

    features (T, B, F); before (T, B, C), the values of the step before; values (T, B, A, C), those to be foretold, and there,
    (T, B, A, C) bool, where there is one; elsewhere a value is 0.  fresh (B,) bool: lanes that begin a piece here, with a state of zeros.  lengths (B,): steps of each lane.
    """

    features: Tensor
    before: Tensor
    values: Tensor
    there: Tensor
    fresh: Tensor
    lengths: Tensor


class Lanes(Windows[Batch]):
    """Series cut into pieces, which lanes read one after another with the state carried on; each piece begins in zeros.

    A series is one piece where it is short beside what a lane has to read, else cut at other places each epoch, so that
    all lanes have as much to do, and the gradient is cut elsewhere each time. The same seed and epoch give the same batches.
    """

    def __init__(self, series: Sequence[Encoded], *, lanes: int, steps: int, ahead: int, seed: int) -> None:
        self.series, self.lanes, self.steps, self.ahead, self.seed = series, lanes, steps, ahead, seed
        # Pieces of a few windows at least: a state that is zeros every few steps is none.
        self.piece = max(4 * steps, -(-sum(map(len, series)) // lanes))
        self._counts: dict[int, int] = {}

    def _pieces(self, epoch: int) -> list[tuple[int, int, int]]:
        """Give (series, first step, step behind the last) of each piece of an epoch, in the order they are read in."""
        chance = np.random.default_rng([self.seed, epoch])
        pieces = []
        for number, one in enumerate(self.series):
            cuts = [0, len(one)]
            if len(one) > self.piece:
                cuts[1:1] = range(int(chance.integers(1, self.piece + 1)), len(one), self.piece)
            cuts = sorted({*cuts, *np.flatnonzero(one.fresh).tolist()})
            pieces += [(number, first, last) for first, last in pairwise(cuts) if last > first]
        return [pieces[index] for index in chance.permutation(len(pieces))]

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
            fresh = torch.tensor([lane is not None and lane[3] for lane in plan])
            yield collate([lane and (self.series[lane[0]], lane[1], lane[2]) for lane in plan], self.ahead, fresh)


def collate(rows: Sequence[tuple[Encoded, int, int] | None], ahead: int, fresh: Tensor | None = None) -> Batch:
    """Put stretches of series side by side, each (series, first step, step behind the last); None is a row of nothing.

    A fresh step, such as the first of a series, has no value to be foretold, and none is foretold across one.
    """
    some = next(row[0] for row in rows if row is not None)
    steps = max(row[2] - row[1] for row in rows if row is not None)
    features = np.zeros((steps, len(rows), some.features.shape[1]), np.float32)
    before = np.zeros((steps, len(rows), some.values.shape[1]), np.float32)
    values = np.full((steps, len(rows), ahead, some.values.shape[1]), np.nan, np.float32)
    lengths = torch.zeros(len(rows), dtype=torch.int64)
    for number, row in enumerate(rows):
        if row is None:
            continue
        one, first, last = row
        lengths[number] = last - first
        features[: last - first, number] = one.features[first:last]
        before[: last - first, number] = one.before[first:last]
        for far in range(ahead):
            there = one.values[first + far : last + far]
            if not len(there):
                break
            known = foretellable(one.fresh[first : first + far + len(there)], far)
            values[: len(there), number, far] = np.where(known[:, None], there, np.nan)
    there = np.isfinite(values)
    return Batch(
        torch.from_numpy(features),
        torch.from_numpy(before),
        torch.from_numpy(np.where(there, values, np.float32(0))),
        torch.from_numpy(there),
        torch.ones(len(rows), dtype=torch.bool) if fresh is None else fresh,
        lengths,
    )


def foretellable(fresh: np.ndarray, far: int) -> np.ndarray:
    """Say of each step, (T − far), whether what is `far` steps on can be foretold there: no step from it on is fresh, (T) bool.

    >>> foretellable(np.array([True, False, False, True, False]), 1).tolist()
    [False, True, False, False]
    """
    begun = np.cumsum(fresh)
    return (begun[far:] == begun[: len(fresh) - far]) & ~fresh[: len(fresh) - far]

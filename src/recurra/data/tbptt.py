"""Batches for truncated back-propagation through time: B lanes that read on, window by window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from recurra.errors import DataError

PADDING = -100
"""The target of a step that stands for nothing: what `cross_entropy` ignores."""


@dataclass(frozen=True)
class TBPTTBatch:
    """What one training step reads.

    inputs, targets: (T, B) int64, the targets `PADDING` where a lane has nothing to predict.
    reset: (B,) bool, the lanes that begin a new sequence here, so that their state has to be zero.
    """

    inputs: Tensor
    targets: Tensor
    reset: Tensor


BatchT = TypeVar("BatchT")


class Windows(ABC, Generic[BatchT]):
    """Training data cut into windows; the same seed and epoch always give the same windows."""

    @abstractmethod
    def count(self, epoch: int) -> int:
        """Count the windows of an epoch."""

    @abstractmethod
    def epoch(self, epoch: int, start: int = 0) -> Iterator[BatchT]:
        """Give the windows of an epoch from window `start` on."""


class TextWindows(Windows[TBPTTBatch]):
    """One long text as B lanes, each a contiguous part of it, T units at a time.

    ids: (N,).  bos_id: the id that stands before a text that begins.  Every lane begins an epoch with it instead of with
    the unit before its own, since it knows nothing of that one's past either: so a model learns to begin.  `random_offset`
    begins every epoch at another place of the text, which is read round, so that the cuts between windows and lanes fall
    elsewhere each time.

    >>> windows = TextWindows(np.arange(8), bos_id=9, lanes=2, steps=3, seed=0)
    >>> [w.inputs.T.tolist() for w in windows.epoch(0)]
    [[[9, 0, 1], [9, 4, 5]], [[2], [6]]]
    """

    def __init__(
        self, ids: np.ndarray, *, bos_id: int, lanes: int, steps: int, seed: int, random_offset: bool = False
    ) -> None:
        if len(ids) < 2:
            raise DataError(f"the training text has {len(ids)} units; give at least a few thousand")
        self.ids = ids
        self.bos_id, self.steps, self.seed = bos_id, steps, seed
        # A short text in many lanes would give windows of a few steps: fewer lanes keep the windows whole.
        self.lanes = max(1, min(lanes, len(ids) // steps))
        self.random_offset = random_offset

    def count(self, epoch: int) -> int:  # noqa: ARG002  every epoch of a text is as long
        return -(-(len(self.ids) // self.lanes) // self.steps)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[TBPTTBatch]:
        length = len(self.ids) // self.lanes
        rng = np.random.default_rng([self.seed, epoch])
        offset = int(rng.integers(len(self.ids))) if self.random_offset else 0
        lanes = offset + length * np.arange(self.lanes)
        for index in range(start, self.count(epoch)):
            first, last = index * self.steps, min((index + 1) * self.steps, length)
            # Only what is read now is taken from the text, which may be large: every step, and the one before it.
            places = lanes + np.arange(first - 1, last)[:, None]  # (steps + 1, B)
            ids = torch.from_numpy(self.ids.take(places, mode="wrap").astype(np.int64))
            if index == 0:
                ids[0] = self.bos_id
            yield TBPTTBatch(ids[:-1].clone(), ids[1:].clone(), torch.full((self.lanes,), index == 0))


class DocumentWindows(Windows[TBPTTBatch]):
    """Documents in B lanes: a lane that has finished one begins the next, with a state of zeros and in a new window.

    documents: id arrays without marks; each is read as begin, d₁ … dₙ, and d₁ … dₙ, end is predicted. Documents of like length
    are read side by side, in an order that is drawn again each epoch; a window is no longer than its longest lane needs.

    >>> windows = DocumentWindows([np.array([5, 6, 7]), np.array([8])], bos_id=0, eos_id=1, lanes=2, steps=3, seed=0)
    >>> [sorted(w.targets.T.tolist()) for w in windows.epoch(0)]
    [[[5, 6, 7], [8, 1, -100]], [[-100], [1]]]
    """

    GROUPS_PER_POOL = (
        50  # groups of B documents that are sorted by length together: little padding, and still a random order
    )

    def __init__(
        self, documents: Sequence[np.ndarray], *, bos_id: int, eos_id: int, lanes: int, steps: int, seed: int
    ) -> None:
        if not documents:
            raise DataError("there is no document to train on")
        self.documents, self.steps, self.seed = documents, steps, seed
        self.bos_id, self.eos_id = bos_id, eos_id
        self.lengths = np.array([len(document) + 1 for document in documents])
        self.lanes = min(lanes, len(documents))
        self._counts: dict[int, int] = {}

    def _order(self, epoch: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.documents))
        groups: list[np.ndarray] = []
        for first in range(0, len(order), self.lanes * self.GROUPS_PER_POOL):
            pool = order[first : first + self.lanes * self.GROUPS_PER_POOL]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            groups += [pool[i : i + self.lanes] for i in range(0, len(pool), self.lanes)]
        rng.shuffle(groups)  # type: ignore[arg-type]
        return np.concatenate(groups)

    def _plan(self, epoch: int) -> Iterator[list[tuple[int, int, int] | None]]:
        """Give for each window what each lane reads: document, first step, and how many steps; None for an idle lane."""
        queue = iter(self._order(epoch).tolist())
        lanes: list[tuple[int, int] | None] = [(document, 0) for document in islice(queue, self.lanes)]
        while any(lane is not None for lane in lanes):
            left = [0 if lane is None else int(self.lengths[lane[0]]) - lane[1] for lane in lanes]
            steps = min(self.steps, max(left))
            window: list[tuple[int, int, int] | None] = []
            for index, lane in enumerate(lanes):
                if lane is None:
                    window.append(None)
                    continue
                document, first = lane
                window.append((document, first, min(steps, left[index])))
                if left[index] > steps:
                    lanes[index] = (document, first + steps)
                else:
                    following = next(queue, None)
                    lanes[index] = None if following is None else (following, 0)
            yield window

    def count(self, epoch: int) -> int:
        if epoch not in self._counts:
            self._counts[epoch] = sum(1 for _ in self._plan(epoch))
        return self._counts[epoch]

    def epoch(self, epoch: int, start: int = 0) -> Iterator[TBPTTBatch]:
        for plan in islice(self._plan(epoch), start, None):
            steps = max(entry[2] for entry in plan if entry is not None)
            inputs = np.full((len(plan), steps), self.eos_id, dtype=np.int64)
            targets = np.full((len(plan), steps), PADDING, dtype=np.int64)
            reset = np.zeros(len(plan), dtype=bool)
            for lane, entry in enumerate(plan):
                if entry is None:
                    continue
                document, first, count = entry
                ids = self.documents[document]
                reset[lane] = first == 0
                # The sequence begin, d₁ … dₙ, end, of which step t reads the element t and predicts t + 1.
                padded = np.concatenate(([self.bos_id], ids[max(0, first - 1) : first + count], [self.eos_id]))
                at = 1 if first > 0 else 0
                inputs[lane, :count] = padded[at : at + count]
                targets[lane, :count] = padded[at + 1 : at + 1 + count]
            yield TBPTTBatch(
                torch.from_numpy(inputs.T.copy()), torch.from_numpy(targets.T.copy()), torch.from_numpy(reset)
            )

"""The plain ways to a vector that stand beside an embedder: the mean of what is read, and the raw series."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.baselines.neighbour import same_length, scaled
from recurra.tasks.embed.clustering import k_means
from recurra.tasks.embed.data import Part
from recurra.tasks.embed.targets import NONE, NOTHING, Targets

COMMONEST = 2000
"""Units of a text that have a place in the mean of what is read."""


class Plain(ABC):
    """A vector for each sequence without any network, and what can be said of its elements by it."""

    name: str

    @abstractmethod
    def vectors(self, part: Part) -> np.ndarray:
        """Give the vector of each sequence, (N, D)."""

    @abstractmethod
    def error(self, part: Part) -> float:
        """Give the figure that the network is learnt by, of what this says."""


class MeanValues(Plain):
    """The mean of each channel: each step is given back as that, or foretold as the mean of those before it."""

    name = "mean-of-inputs"

    def __init__(self, targets: Targets, channels: int, *, new: bool) -> None:
        self._targets, self._channels, self._new = targets, channels, new

    def vectors(self, part: Part) -> np.ndarray:
        return np.stack([_mean(self._of(part, index)) for index in range(len(part))])

    def error(self, part: Part) -> float:
        total, count = 0.0, 0
        for index in range(len(part)):
            values = self._of(part, index)  # (T, W, C)
            if not len(values):
                continue
            said = _running_mean(values) if self._new else _mean(values)[None]
            wrong = values - said[:, None, :]
            total, count = total + float(np.nansum(wrong**2)), count + int((~np.isnan(values)).sum())
        return self._targets.mean(total, count)

    def _of(self, part: Part, index: int) -> np.ndarray:
        given = self._targets.of(part.sequences[index], part.encoded[index])
        values = np.where(given == NOTHING, np.nan, given.astype(np.float64))
        return values.reshape(len(given), -1, self._channels)


class MeanUnits(Plain):
    """How often each unit comes in a text; of the text's units as often as in all training texts together."""

    name = "mean-of-inputs"

    def __init__(self, targets: Targets, train: Part) -> None:
        self._targets = targets
        self._counts = np.ones(targets.size)  # each as if it had come once more
        for index in range(len(train)):
            np.add.at(self._counts, self._of(train, index), 1)
        self._common = np.argsort(-self._counts, kind="stable")[:COMMONEST]

    def vectors(self, part: Part) -> np.ndarray:
        rows = np.zeros((len(part), len(self._common)), np.float32)
        for index in range(len(part)):
            given = self._of(part, index)
            rows[index] = np.bincount(given, minlength=self._targets.size)[self._common] / max(1, len(given))
        return rows

    def error(self, part: Part) -> float:
        costs = -np.log(self._counts / self._counts.sum())
        each = [costs[self._of(part, index)] for index in range(len(part))]
        return self._targets.mean(float(sum(one.sum() for one in each)), sum(map(len, each)))

    def _of(self, part: Part, index: int) -> np.ndarray:
        given = self._targets.of(part.sequences[index], part.encoded[index])
        return given[given != NONE]


class RawSeries(Plain):
    """The series themselves, resampled to the median length of the training series, each channel scaled by the training data.

    k-means finds centres among the training series. A series is given back as the nearest one; each step is foretold by the one
    that is nearest so far.
    """

    name = "k-means-raw"

    def __init__(self, targets: Targets, train: Part, groups: int, *, new: bool) -> None:
        self._targets, self._new = targets, new
        self._length = max(1, int(np.median([len(one) for one in train.sequences])))
        raw = same_length(train.sequences, self._length)
        self._scale = raw.mean((0, 1), dtype=np.float64), raw.std((0, 1), dtype=np.float64)
        own = scaled(raw, self._scale).astype(np.float64)
        found = k_means(own, min(groups, len(own)))
        self._centres = np.stack([own[found == group].mean(0) for group in np.unique(found)])

    def vectors(self, part: Part) -> np.ndarray:
        return self._scaled(part.sequences).reshape(len(part), -1)

    def error(self, part: Part) -> float:
        own = self._scaled(part.sequences).astype(np.float64)
        total = 0.0
        for one in own:
            wrong = ((one - self._centres) ** 2).sum(2)  # (K, T)
            far = wrong.cumsum(1) if self._new else wrong.sum(1, keepdims=True).repeat(self._length, 1)
            if self._new:  # by what there was before
                far = np.concatenate([np.zeros((len(far), 1)), far[:, :-1]], 1)
            total += float(wrong[far.argmin(0), np.arange(self._length)].sum())
        return self._targets.mean(total, own.size)

    def _scaled(self, sequences: Sequence[Any]) -> np.ndarray:
        return scaled(same_length(sequences, self._length), self._scale)


def _mean(values: np.ndarray) -> np.ndarray:
    """Give the mean over all there is of values (T, W, C), NaN where there is none: (C), 0 where there is nothing."""
    there = ~np.isnan(values)
    return np.nansum(values, (0, 1)) / np.maximum(1, there.sum((0, 1)))


def _running_mean(values: np.ndarray) -> np.ndarray:
    """Give the mean over all before each step of values (T, W, C): (T, C), 0 at the first."""
    there, total = (~np.isnan(values)).sum(1), np.nansum(values, 1)
    before = np.concatenate([np.zeros((1, there.shape[1])), total.cumsum(0)[:-1]])
    count = np.concatenate([np.zeros((1, there.shape[1])), there.cumsum(0)[:-1]])
    return before / np.maximum(1, count)

"""The plain ways to a vector that an embedder is compared with: the mean of what is read, and the raw series."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from recurra.baselines import register_baseline
from recurra.baselines.neighbour import same_length, scaled
from recurra.tasks.embed.clustering import k_means
from recurra.tasks.embed.data import Split
from recurra.tasks.embed.targets import NO_TOKEN, NO_VALUE, Targets

MAX_TOKENS = 2000
"""Tokens of a text that have a place in the mean of what is read, the commonest."""


class VectorBaseline(ABC):
    """A vector for each sequence without any network, and what its elements are predicted to be by it."""

    name: str
    title: str

    @abstractmethod
    def vectors(self, split: Split) -> np.ndarray:
        """Give the vector of each sequence, (N, D)."""

    @abstractmethod
    def error(self, split: Split) -> float:
        """Give the metric that the network is trained by, of these predictions."""


@register_baseline
class MeanValues(VectorBaseline):
    """The mean of each channel: each step is given back as that, or with `next_step` predicted as the mean of those before it."""

    name = "mean-of-inputs"
    title = "mean of inputs"

    def __init__(self, targets: Targets, channels: int, *, next_step: bool) -> None:
        self._targets, self._channels, self._next_step = targets, channels, next_step

    def vectors(self, split: Split) -> np.ndarray:
        return np.stack([_mean(self._values(split, index)) for index in range(len(split))])

    def error(self, split: Split) -> float:
        total, count = 0.0, 0
        for index in range(len(split)):
            values = self._values(split, index)  # (T, W, C)
            if not len(values):
                continue
            predicted = _running_mean(values) if self._next_step else _mean(values)[None]
            wrong = values - predicted[:, None, :]
            total, count = total + float(np.nansum(wrong**2)), count + int((~np.isnan(values)).sum())
        return self._targets.mean_error(total, count)

    def _values(self, split: Split, index: int) -> np.ndarray:
        wanted = self._targets.of(split.sequences[index], split.encoded[index])
        values = np.where(wanted == NO_VALUE, np.nan, wanted.astype(np.float64))
        return values.reshape(len(wanted), -1, self._channels)


@register_baseline
class MeanTokens(VectorBaseline):
    """How often each token comes in a text; each token of a text is predicted as often as it comes in all training texts together."""

    name = "mean-of-inputs"
    title = "mean of inputs"

    def __init__(self, targets: Targets, train: Split) -> None:
        self._targets = targets
        self._counts = np.ones(targets.size)  # each as if it had come once more
        for index in range(len(train)):
            np.add.at(self._counts, self._tokens(train, index), 1)
        self._common = np.argsort(-self._counts, kind="stable")[:MAX_TOKENS]

    def vectors(self, split: Split) -> np.ndarray:
        rows = np.zeros((len(split), len(self._common)), np.float32)
        for index in range(len(split)):
            tokens = self._tokens(split, index)
            rows[index] = np.bincount(tokens, minlength=self._targets.size)[self._common] / max(1, len(tokens))
        return rows

    def error(self, split: Split) -> float:
        costs = -np.log(self._counts / self._counts.sum())
        each = [costs[self._tokens(split, index)] for index in range(len(split))]
        return self._targets.mean_error(float(sum(one.sum() for one in each)), sum(map(len, each)))

    def _tokens(self, split: Split, index: int) -> np.ndarray:
        tokens = self._targets.of(split.sequences[index], split.encoded[index])
        return tokens[tokens != NO_TOKEN]


@register_baseline
class RawSeries(VectorBaseline):
    """The series themselves, resampled to the median length of the training series, each channel scaled by the training data.

    k-means finds centres among the training series. A series is given back as the nearest one; with `next_step` each step is
    predicted by the one that is nearest so far.
    """

    name = "k-means-raw"
    title = "k-means on the raw series"

    def __init__(self, targets: Targets, train: Split, clusters: int, *, next_step: bool) -> None:
        self._targets, self._next_step = targets, next_step
        self._length = max(1, int(np.median([len(one) for one in train.sequences])))
        raw = same_length(train.sequences, self._length)
        self._scale = raw.mean((0, 1), dtype=np.float64), raw.std((0, 1), dtype=np.float64)
        own = scaled(raw, self._scale).astype(np.float64)
        found = k_means(own, min(clusters, len(own)))
        self._centres = np.stack([own[found == number].mean(0) for number in np.unique(found)])

    def vectors(self, split: Split) -> np.ndarray:
        return self._scaled(split.sequences).reshape(len(split), -1)

    def error(self, split: Split) -> float:
        own = self._scaled(split.sequences).astype(np.float64)
        total = 0.0
        for one in own:
            wrong = ((one - self._centres) ** 2).sum(2)  # (K, T)
            far = wrong.cumsum(1) if self._next_step else wrong.sum(1, keepdims=True).repeat(self._length, 1)
            if self._next_step:  # by what there was before
                far = np.concatenate([np.zeros((len(far), 1)), far[:, :-1]], 1)
            total += float(wrong[far.argmin(0), np.arange(self._length)].sum())
        return self._targets.mean_error(total, own.size)

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

"""Random convolutions: how often each is above a threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import Self

import numpy as np

from recurra.linear.blocks import SERIES_MULTIPLE
from recurra.linear.checks import expect_array, expect_range

TAPS = 9
KERNELS = np.array(list(combinations(range(TAPS), 3)))
"""The 84 kernels: the three taps of each that have the weight 2; the others have −1."""
_FIRST, _SECOND, _THIRD = KERNELS.T
GOLDEN = (5**0.5 - 1) / 2
MAX_DILATIONS = 32
MAX_STEPS_BETWEEN_TAPS = 2**20
"""Of a saved convolution: a stream keeps eight times as many."""
MAX_CHANNELS_TOGETHER = 9
ADDITIONS_PER_BYTE = 255
WORDS_PER_ROW = 32


class Convolutions:
    """Shares of steps at which convolutions are above thresholds: MiniRocket, Dempster, Schmidt and Webb 2021 (arXiv:2012.08791).

        o_t = Σ_k w_k · s_(t − (8 − k)·d)      w: three of nine taps 2, the others −1      feature: mean of [o_t > b] over t

    s is a channel, or the sum of some; d, the dilation, is 1 to an eighth of the median length; b are quantiles of o of training
    series. Weights sum to 0: only changes count. Before its start a series has its first value, and nothing is padded at the
    end: what is counted up to a step does not depend on later ones. (The paper pads both ends with zeros for every other
    kernel.)

    Args:
        features: about so many are made.
        seed: for sums of channels, and for the series whose quantiles are thresholds.

    Attributes:
        dilations: (P,), of each sum of channels.
        channels: (P, K), the channels of each sum, ascending; −1 stands for none.
        thresholds: list of (84, m), one for each sum.
    """

    def __init__(self, features: int, seed: int = 0) -> None:
        self.features, self.seed = features, seed
        self.dilations = np.zeros(0, np.int64)
        self.channels = np.zeros((0, 1), np.int64)
        self.thresholds: list[np.ndarray] = []

    @property
    def count(self) -> int:
        """How many features there are."""
        return sum(each.size for each in self.thresholds)

    def fit(self, views: Sequence[np.ndarray], length: int) -> Self:
        """Choose dilations by the median length, sums of channels by chance, and thresholds on views of training series (C, T, 1)."""
        chance = np.random.default_rng(self.seed)
        channels = views[0].shape[0]
        dilations, repeats = dilations_of(length)
        per_kernel = max(1, self.features // len(KERNELS))
        if channels == 1:
            counts = np.maximum(1, np.round(per_kernel * repeats / repeats.sum()).astype(int))
            self.dilations, self.channels = dilations, np.zeros((len(dilations), 1), np.int64)
        else:
            # One threshold a kernel: rather more sums of channels than more thresholds.
            sums = max(len(dilations), per_kernel)
            counts = np.ones(sums, np.int64)
            self.dilations = dilations[np.arange(sums) % len(dilations)]
            self.channels = np.stack([_some_channels(chance, channels) for _ in range(sums)])
        made = 0
        for place, count in enumerate(counts.tolist()):
            owner = chance.integers(len(views), size=len(KERNELS))
            found = np.empty((len(KERNELS), count), np.float32)
            for example in np.unique(owner):
                rows = np.flatnonzero(owner == example)
                outputs = _kernel_outputs(*self._taps(views[example], place), rows)
                for row, output in zip(rows.tolist(), np.sort(outputs.reshape(len(rows), -1), 1), strict=True):
                    shares = (made + row * count + np.arange(1, count + 1)) * GOLDEN % 1
                    found[row] = np.interp(shares * (len(output) - 1), np.arange(len(output)), output)
            made += found.size
            self.thresholds.append(found)
        return self

    def counts(self, view: np.ndarray) -> np.ndarray:
        """Count at how many steps of each series of a block (C, T, n) each feature is above its threshold: (F, n)."""
        few = view.shape[2] % SERIES_MULTIPLE
        parts = [
            (_count_at_once if few else _count_one_by_one)(*self._taps(view, place), thresholds)
            for place, thresholds in enumerate(self.thresholds)
        ]
        return np.concatenate(parts)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give what was chosen: thresholds one after the other, and how many each sum of channels has."""
        counts = np.array([each.shape[1] for each in self.thresholds], np.int64)
        flat = np.concatenate([each.ravel() for each in self.thresholds]).astype(np.float32)
        return {"dilations": self.dilations, "channels": self.channels, "per_kernel": counts, "thresholds": flat}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], channels: int) -> Self:
        """Make the convolutions again from their `arrays()`, over so many channels; raises `ValueError` for those that do not fit."""
        thresholds = expect_array(arrays, "thresholds", np.float32, None)
        found = cls(len(thresholds))
        found.dilations = expect_range(
            expect_array(arrays, "dilations", np.int64, None), "dilations", 1, MAX_STEPS_BETWEEN_TAPS
        )
        sums = len(found.dilations)
        found.channels = expect_range(
            expect_array(arrays, "channels", np.int64, sums, None), "channels", -1, channels - 1
        )
        each_sum = expect_range(
            expect_array(arrays, "per_kernel", np.int64, sums), "per_kernel", 1, max(1, len(thresholds))
        )
        if not sums or (found.channels < 0).all(1).any() or int(each_sum.sum()) * len(KERNELS) != len(thresholds):
            raise ValueError("expected as many thresholds as there are kernels for each sum of channels")
        ends = np.cumsum(each_sum * len(KERNELS))[:-1]
        found.thresholds = [each.reshape(len(KERNELS), -1) for each in np.split(thresholds, ends)]
        return found

    def history_length(self) -> int:
        """How many steps, the newest included, a stream has to keep."""
        return (TAPS - 1) * int(self.dilations.max(initial=1)) + 1

    def above(self, history: np.ndarray, step: int) -> np.ndarray:
        """Say which features are above their thresholds at a step: bool (F,).

        history: a ring (H, C), H = `history_length()`, where the step t stands in the row t mod H; at the first step all rows hold
        its values.  step: t, of the newest.
        """
        delays = np.arange(TAPS - 1, -1, -1)[:, None] * self.dilations
        rows = history[(step - delays) % len(history)]  # (9, P, C)
        sums = np.zeros(delays.shape, np.float32)
        for number, own in enumerate(self.channels.T):
            if (own < 0).all():
                break
            values = rows[:, np.arange(len(own)), np.maximum(own, 0)]
            sums = values if number == 0 else np.where(own >= 0, sums + values, sums)
        outputs = _kernel_outputs(sums, _centred(sums), np.arange(len(KERNELS)))  # (84, P)
        owners, levels = self._flat
        return outputs.ravel()[owners] > levels

    @cached_property
    def _flat(self) -> tuple[np.ndarray, np.ndarray]:
        """Give for each feature the place of its output among (84, P), and its threshold."""
        places = np.arange(len(KERNELS) * len(self.dilations)).reshape(len(KERNELS), -1)
        owners = [np.repeat(places[:, number], each.shape[1]) for number, each in enumerate(self.thresholds)]
        return np.concatenate(owners), np.concatenate([each.ravel() for each in self.thresholds])

    def _taps(self, view: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
        """Give what each tap sees at each step (9, T, n), and the same less a third of all taps' sum."""
        first, *others = self.channels[place][self.channels[place] >= 0]
        values = view[first]
        for channel in others:
            values = values + view[channel]
        dilation, steps = int(self.dilations[place]), len(values)
        padded = np.concatenate([np.repeat(values[:1], (TAPS - 1) * dilation, 0), values])
        taps = np.stack([padded[number * dilation : number * dilation + steps] for number in range(TAPS)])
        return taps, _centred(taps)


def dilations_of(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the dilations for series of a length, ascending, and how many of the 32 exponents each stands for.

    >>> dilations_of(33)[0].tolist()
    [1, 2, 3, 4]
    """
    top = np.log2(max(1.0, (length - 1) / (TAPS - 1)))
    return np.unique((2 ** np.linspace(0, top, MAX_DILATIONS) + 1e-9).astype(np.int64), return_counts=True)


def _some_channels(chance: np.random.Generator, channels: int) -> np.ndarray:
    """Draw 1 to 9 channels, fewer rather than more; −1 fills the rest."""
    count = min(channels, int(2 ** chance.uniform(0, np.log2(min(channels, MAX_CHANNELS_TOGETHER) + 1))))
    found = np.full(MAX_CHANNELS_TOGETHER, -1, np.int64)
    found[:count] = np.sort(chance.choice(channels, count, replace=False))
    return found


def _centred(taps: np.ndarray) -> np.ndarray:
    """Give taps less a third of their sum: two taps and a third one's centred value are a third of a kernel's output."""
    total = taps[0]
    for tap in taps[1:]:  # in this order for a stream and for a block, whose bits must agree
        total = total + tap
    return taps - total * np.float32(1 / 3)


def _kernel_outputs(taps: np.ndarray, centred: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Give a third of the outputs of some kernels: (kernels, …)."""
    found = taps[_FIRST[kernels]] + taps[_SECOND[kernels]]
    found += centred[_THIRD[kernels]]
    return found


def _count_at_once(taps: np.ndarray, centred: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    outputs = _kernel_outputs(taps, centred, np.arange(len(KERNELS)))
    found = np.empty((*thresholds.shape, taps.shape[2]), np.int32)
    for number in range(thresholds.shape[1]):
        found[:, number] = (outputs > thresholds[:, number, None, None]).sum(1, dtype=np.int32)
    return found.reshape(-1, taps.shape[2])


def _count_one_by_one(taps: np.ndarray, centred: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    steps, width = taps.shape[1:]
    together = max(
        1, WORDS_PER_ROW * 8 // width
    )  # steps that are one row, so that a row is wide enough to be added fast
    rows = -(-steps // together)
    marks = np.zeros((rows * together, width), bool)
    words = marks.view(np.uint64).reshape(rows, -1)
    pair, output = np.empty((steps, width), np.float32), np.empty((steps, width), np.float32)
    found = np.zeros((thresholds.size, width), np.int32)
    before, feature = (-1, -1), 0
    for (first, second, third), levels in zip(KERNELS.tolist(), thresholds, strict=True):
        if (first, second) != before:
            np.add(taps[first], taps[second], out=pair)
            before = (first, second)
        np.add(pair, centred[third], out=output)
        for level in levels:
            np.greater(output, level, out=marks[:steps])
            # A byte holds 0 or 1: 255 rows of words are added before one can overflow.
            for row in range(0, rows, ADDITIONS_PER_BYTE):
                sums = np.add.reduce(words[row : row + ADDITIONS_PER_BYTE], 0).view(np.uint8)
                found[feature] += sums.reshape(together, width).sum(0, dtype=np.int32)
            feature += 1
    return found

"""Summaries of series: moments, how values are distributed, and means of stretches, all from sums that grow with each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from recurra.linear.blocks import differences
from recurra.linear.checks import expect_array, expect_range

LEVELS = 8
"""Quantiles of the training steps; what counts is the share of a series' steps above each."""
MAX_STRETCHES, MIN_STRETCHES = 32, 4
STRETCHES_OF_ALL_CHANNELS = 1024
MAX_STEPS_FOR_LEVELS = 200_000
_SUM, _SQUARES, _BY_TIME, _MINIMUM, _MAXIMUM, _FIRST, _LAST, _MOVES, _SQUARED_MOVES = range(9)
MOMENTS = 9
"""Sums and extremes that are kept of a channel."""


class Summaries:
    """Plain statistics of a series, of which each channel has its own; the same for a stream after each of its steps.

    "moments": mean, standard deviation and its logarithm, least, most, first, last, slope, mean |Δ| and its logarithm, deviation
    of Δ; and the length and its logarithm.  "levels": shares of steps with a value, or a difference Δ to the step before, above
    quantiles of the training part.  "stretches": means over the first, second, … 32nd part of the median length (fewer where
    there are many channels); a stretch that a series does not reach has the mean of the last that it does.

    Args:
        limit: of features; of more channels than that allows, some that are spread evenly count.

    Attributes:
        channels: (C,), the channels that count.
        edges: (S + 1,), where stretches begin and the last one ends, in steps.
        levels: (2, 8, C), quantiles of values and of differences.

    >>> block = np.array([[[1.0], [2.0], [3.0]]], np.float32)
    >>> found = Summaries(100).fit([np.array([[1.0], [2.0], [3.0]])], 3).features(block, np.array([3]))
    >>> found["stretches"].tolist(), found["moments"][0, :1].tolist()
    ([[1.0, 2.0, 3.0]], [2.0])
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.channels = np.zeros(0, np.int64)
        self.edges = np.zeros(1, np.int64)
        self.levels = np.zeros((2, LEVELS, 0), np.float32)

    def fit(self, sequences: Sequence[np.ndarray], length: int) -> Self:
        """Choose stretches by the median length, and levels by the quantiles of training series (T, C) without gaps."""
        there = sequences[0].shape[1]
        channels = int(np.clip(self.limit // features_per_channel(there), 1, there))
        self.channels = np.unique(np.linspace(0, there - 1, channels).astype(np.int64))
        stretches = stretches_of(channels)
        self.edges = np.unique(np.round(np.linspace(0, length, min(stretches, length) + 1)).astype(np.int64))
        every = max(1, sum(map(len, sequences)) // MAX_STEPS_FOR_LEVELS)
        some = [each[:, self.channels] for each in sequences[::every]]
        moves = [np.diff(each, axis=0) for each in some]
        shares = np.arange(1, LEVELS + 1) / (LEVELS + 1)
        self.levels = np.zeros((2, LEVELS, channels), np.float32)
        for place, parts in enumerate((some, moves)):
            values = np.concatenate(parts)
            if len(values):
                self.levels[place] = np.quantile(values, shares, axis=0)
        return self

    def restore(self, arrays: Mapping[str, np.ndarray], channels: int) -> None:
        """Take what was chosen for so many channels from a file; raises `ValueError` for what does not fit."""
        self.channels = expect_range(expect_array(arrays, "channels", np.int64, None), "channels", 0, channels - 1)
        self.edges = expect_array(arrays, "edges", np.int64, None)
        self.levels = expect_array(arrays, "levels", np.float32, 2, LEVELS, len(self.channels))
        if not len(self.channels) or not len(self.edges) or self.edges[0] < 0 or (np.diff(self.edges) <= 0).any():
            raise ValueError("edges: expected steps in ascending order, and at least one channel")

    def start(self) -> np.ndarray:
        """Give what is accumulated before the first step, float64 (A, C)."""
        found = np.zeros((MOMENTS + len(self.edges) - 1 + 2 * LEVELS, len(self.channels)))
        found[_MINIMUM], found[_MAXIMUM] = np.inf, -np.inf
        return found

    def add(self, kept: np.ndarray, values: np.ndarray, step: int) -> np.ndarray:
        """Give what is accumulated (A, C) after one more step, values of all channels without gaps; step: its number, from 0."""
        values = values[self.channels]
        found, exact = kept.copy(), values.astype(np.float64)
        move = exact - kept[_LAST] if step else np.zeros_like(exact)
        found[_SUM] += exact
        found[_SQUARES] += exact * exact
        found[_BY_TIME] += step * exact
        found[_MINIMUM] = np.minimum(kept[_MINIMUM], exact)
        found[_MAXIMUM] = np.maximum(kept[_MAXIMUM], exact)
        found[_FIRST] = exact if step == 0 else kept[_FIRST]
        found[_LAST] = exact
        found[_MOVES] += np.abs(move)
        found[_SQUARED_MOVES] += move * move
        stretch = int(np.searchsorted(self.edges, step, "right")) - 1
        if stretch < len(self.edges) - 1:
            found[MOMENTS + stretch] += exact
        marks = np.concatenate([values > self.levels[0], move.astype(np.float32) > self.levels[1]])
        found[-2 * LEVELS :] += marks
        return found

    def accumulate(self, block: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Give what is accumulated of each series of a block (C, T, n), NaN after its end: float64 (A, C, n)."""
        block = block[self.channels]
        channels, _, width = block.shape
        kept = np.repeat(self.start()[:, :, None], width, 2)
        there = ~np.isnan(block)
        exact = np.where(there, block, 0).astype(np.float64)
        moves = np.zeros_like(exact)
        moves[:, 1:] = np.where(there[:, 1:], exact[:, 1:] - exact[:, :-1], 0)
        kept[_SUM], kept[_SQUARES] = exact.sum(1), (exact * exact).sum(1)
        kept[_BY_TIME] = (exact * np.arange(block.shape[1], dtype=np.float64)[:, None]).sum(1)
        kept[_MINIMUM] = np.where(there, exact, np.inf).min(1)
        kept[_MAXIMUM] = np.where(there, exact, -np.inf).max(1)
        kept[_FIRST] = exact[:, 0]
        kept[_LAST] = np.take_along_axis(exact, np.maximum(lengths - 1, 0)[None, None, :].repeat(channels, 0), 1)[:, 0]
        kept[_MOVES], kept[_SQUARED_MOVES] = np.abs(moves).sum(1), (moves * moves).sum(1)
        for number in range(len(self.edges) - 1):
            kept[MOMENTS + number] = exact[:, self.edges[number] : self.edges[number + 1]].sum(1)
        for place, view in enumerate((block, differences(block))):
            for number, level in enumerate(self.levels[place]):
                row = MOMENTS + len(self.edges) - 1 + place * LEVELS + number
                kept[row] = (view > level[:, None, None]).sum(1)
        return kept

    def features(self, block: np.ndarray, lengths: np.ndarray) -> dict[str, np.ndarray]:
        """Give the features of each series of a block (C, T, n), by their group, float32 (n, F)."""
        return self.finish(self.accumulate(block, lengths), lengths)

    def finish(self, kept: np.ndarray, lengths: np.ndarray) -> dict[str, np.ndarray]:
        """Give features (n, F) by their group from what was accumulated (A, C, n) over so many steps (n,), 1 or more each."""
        steps = np.maximum(lengths, 1).astype(np.float64)
        means = kept[_SUM] / steps
        deviation = np.sqrt(np.maximum(kept[_SQUARES] / steps - means * means, 0))
        spread = steps * (steps * steps - 1) / 12  # Σ (t − mean of t)²
        slope = (kept[_BY_TIME] - (steps - 1) / 2 * kept[_SUM]) / np.maximum(spread, 0.5) * steps  # 0.5: of two steps
        moves = np.maximum(steps - 1, 1)
        speed = kept[_MOVES] / moves
        drift = (kept[_LAST] - kept[_FIRST]) / moves
        roughness = np.sqrt(np.maximum(kept[_SQUARED_MOVES] / moves - drift * drift, 0))
        rows = [means, deviation, np.log(deviation + 1e-3), kept[_MINIMUM], kept[_MAXIMUM], kept[_FIRST], kept[_LAST]]
        rows += [slope, speed, np.log(speed + 1e-4), roughness]
        moments = np.concatenate([*rows, steps[None], np.log(steps)[None]])
        groups = {
            "moments": moments,
            "levels": kept[-2 * LEVELS :] / steps,
            "stretches": self._stretches(kept, lengths),
        }
        return {name: each.reshape(-1, len(lengths)).T.astype(np.float32) for name, each in groups.items()}

    def _stretches(self, kept: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Give the mean of each stretch, (S, C, n)."""
        starts, ends = self.edges[:-1, None], self.edges[1:, None]
        steps = np.clip(lengths - starts, 0, ends - starts)
        means = kept[MOMENTS : MOMENTS + len(starts)] / np.maximum(steps, 1)[:, None]
        reached = np.minimum(np.arange(len(starts))[:, None], (starts < lengths).sum(0) - 1)
        return np.take_along_axis(means, reached[:, None].repeat(means.shape[1], 1), 0)


def stretches_of(channels: int) -> int:
    """Give how many stretches each of so many channels has at most.

    >>> stretches_of(1), stretches_of(60), stretches_of(1000)
    (32, 17, 4)
    """
    return int(np.clip(STRETCHES_OF_ALL_CHANNELS // channels, MIN_STRETCHES, MAX_STRETCHES))


def features_per_channel(channels: int) -> int:
    """Give how many features each of so many channels has at most: 11 moments, 8 levels of values and of differences, stretches."""
    return 11 + 2 * LEVELS + stretches_of(channels)

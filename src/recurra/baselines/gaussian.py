"""Plain detectors of what is unusual in a stream: how far the newest value lies from the recent ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Self

import numpy as np

from recurra.baselines.titles import register_baseline
from recurra.errors import UsageError

_ERFC = (-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277)  # fmt: skip

MAX_VALUE = 1e150
"""A value from here on has a square that is no number, and is as good as infinite."""

MIN_SQUARES_SHARE = 1e-6
"""Where so little is left of the largest sum of squares that there was, it may be what rounding left."""


def log_tail(deviations: np.ndarray) -> np.ndarray:
    """Give −log₁₀ of the probability that a normal value lies farther from the mean than this, on either side.

    Args:
        deviations: in units of the spread, any shape; their sign does not matter.

    Exact to 10⁻⁷ at any size, where the probability itself would be too small for a number: Press et al. 1992,
    Numerical Recipes, section 6.2, erfcc.

    >>> log_tail(np.array([0.0, 1.959964, 40.0])).round(3).tolist()
    [0.0, 1.301, 349.136]
    """
    x = np.abs(deviations) / math.sqrt(2)
    t = 1 / (1 + x / 2)
    with np.errstate(over="ignore"):  # beyond 10¹⁵⁰ the logarithm too is infinite
        log = -np.log1p(x / 2) - x * x + np.polynomial.polynomial.polyval(t, _ERFC)
    return np.maximum(-log / math.log(10), 0.0)


@register_baseline
class RollingGaussian:
    """How unlikely each value is, were it drawn from a normal distribution with the mean and spread of the last ones.

        score_c = −log₁₀ P(|N(0, 1)| > |x_c − mean_c| / spread_c)      score = max over the channels c

    The value itself belongs to the next step's window, not to its own. A missing value (NaN) has the score 0 and enters no
    window; an infinite one has an infinite score. The first `warmup` values of a channel have the score 0.

    Args:
        window: steps that mean and spread are taken over, those that are missing not counted.
        warmup: values that a channel must have seen before it is judged, 2 or more.
        min_spread_share: the least spread, as a share of the mean's absolute value: a flat channel is not surprised by the rounding of
            its values, but by anything beyond it.

    >>> model = RollingGaussian(window=100)
    >>> scores = model.scores(np.concatenate([np.tile([0.0, 1.0], 50), [9.0]])[:, None])
    >>> bool(scores[:-1].max() < 1 < scores[-1])
    True
    """

    name = "rolling-gaussian"
    title = "rolling Gaussian"

    def __init__(self, window: int = 1000, warmup: int = 10, min_spread_share: float = 1e-6) -> None:
        if window < 2:
            raise UsageError(f"window: expected 2 steps or more, got {window}")
        if not 2 <= warmup <= window:
            raise UsageError(f"warmup: expected from 2 to {window} steps (the window), got {warmup}")
        if not min_spread_share > 0:
            raise UsageError(f"min_spread_share: expected a share above 0, got {min_spread_share}")
        self.window, self.warmup, self.min_spread_share = window, warmup, min_spread_share
        self._kept = np.zeros((window, 0))
        self._seen = np.zeros(0, np.int64)
        # What is taken from each value; the sums of what is left, and of its square, and the largest that this was.
        self._sums = np.zeros((4, 0))

    def step(self, values: np.ndarray) -> np.ndarray:
        """Score one step, values (C,), and take it into the window.

        Returns:
            The score of each channel, (C,).

        Raises:
            UsageError: another number of channels than before.
        """
        new = np.asarray(values, np.float64)
        if not self._kept.shape[1]:
            self._kept = np.zeros((self.window, len(new)))
            self._seen = np.zeros(len(new), np.int64)
            self._sums = np.zeros((4, len(new)))
        if new.shape != self._seen.shape:
            raise UsageError(f"values: expected a value for each of {len(self._seen)} channels, got {new.shape}")
        scores = np.zeros(len(new))
        ready = (self._seen >= self.warmup) & ~np.isnan(new)
        if ready.any():
            mean, spread = self._moments(ready)
            scores[ready] = log_tail((new[ready] - mean) / spread)
        self._replace_oldest(new)
        return scores

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Score the steps of a series, values (T, C), one after the other: the largest score of each step, (T,)."""
        rows = np.asarray(values, np.float64)
        if rows.ndim != 2 or not rows.shape[1]:
            raise UsageError(f"values: expected steps and channels, (T, C), got {rows.shape}")
        return np.array([self.step(row).max() for row in rows], np.float64)

    def state(self) -> dict[str, np.ndarray]:
        """Give what the next step needs, as arrays: "kept" (window, C), "seen" (C,) and "sums" (4, C)."""
        return {"kept": self._kept.copy(), "seen": self._seen.copy(), "sums": self._sums.copy()}

    def resume(self, state: Mapping[str, np.ndarray]) -> Self:
        """Go on where `state` was taken."""
        self._kept, self._seen = np.array(state["kept"], np.float64), np.array(state["seen"], np.int64)
        self._sums = np.array(state["sums"], np.float64)
        return self

    def _moments(self, ready: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the mean and the spread of the channels that are ready."""
        count = np.minimum(self._seen, self.window)
        for _ in range(2):
            shift, first, second, most = self._sums[:, ready]
            centre = first / count[ready]
            square = second - centre * first
            stale = square < MIN_SQUARES_SHARE * most
            if not stale.any():
                break
            self._sum_again(np.flatnonzero(ready)[stale])
        mean = shift + centre
        spread = np.sqrt(np.maximum(square, 0) / count[ready])
        return mean, np.maximum(spread, self.min_spread_share * np.maximum(np.abs(mean), 1e-12))

    def _replace_oldest(self, new: np.ndarray) -> None:
        """Put the values (C,) that can be learnt from in the places of the oldest."""
        usable = np.abs(new) < MAX_VALUE
        self._sums[0, usable & (self._seen == 0)] = new[usable & (self._seen == 0)]
        place = self._seen % self.window
        self._sum_again(np.flatnonzero(usable & (place == 0) & (self._seen > 0)))
        columns = np.flatnonzero(usable)
        place, shift = place[columns], self._sums[0, columns]
        old = np.where(self._seen[columns] >= self.window, self._kept[place, columns] - shift, 0.0)
        added = new[columns] - shift
        self._sums[1, columns] += added - old
        self._sums[2, columns] += added * added - old * old
        self._sums[3] = np.maximum(self._sums[3], self._sums[2])
        self._kept[place, columns] = new[columns]
        self._seen[columns] += 1

    def _sum_again(self, channels: np.ndarray) -> None:
        """Take the sums of some channels from their windows, as rounding piles up."""
        for channel in channels.tolist():
            kept = self._kept[: min(int(self._seen[channel]), self.window), channel]
            shift = kept.mean()
            left = kept - shift
            square = (left * left).sum()
            self._sums[:, channel] = shift, left.sum(), square, square


def windowed_gaussian(values: np.ndarray, window: int = 6400, step: int = 100) -> np.ndarray:
    """Score a series as NAB's Windowed Gaussian detector does, values (T,) → (T,) from ½ to 1, the first 0.

        score = 1 − Q(|x − mean| / spread), over the window of the values before; Q: the tail of one side

    Mean and spread are taken again at each value until the window is full, then at each `step` values. Their window of 6400
    was chosen on NAB itself.

    Source: numenta/NAB, nab/detectors/gaussian/windowedGaussian_detector.py.

    >>> windowed_gaussian(np.array([1.0, 1.0, 2.0, 1.5])).round(3).tolist()
    [0.0, 0.5, 1.0, 0.638]
    """
    rows = np.asarray(values, np.float64)
    scores = np.zeros(len(rows))
    mean, spread, start, filled = 0.0, 1.0, 0, 0
    for number, value in enumerate(rows.tolist()):
        if filled:
            scores[number] = 1 - 0.5 * math.erfc(abs(value - mean) / spread / math.sqrt(2))
        if filled < window:
            filled += 1
        elif (number + 1 - window) % step:
            continue
        else:
            start += step
        kept = rows[start : start + filled]
        mean, spread = float(kept.mean()), float(kept.std()) or 1e-6
    return scores

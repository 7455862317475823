"""The anomaly likelihood: whether the last few scores are higher than the many before them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Self

import numpy as np

from recurra.errors import UsageError
from recurra.thresholds.base import Decision, decide_nonfinite

MIN_SQUARES_SHARE = 1e-6
"""Where so little is left of the largest sum of squares that there was, it may be what rounding left."""


class AnomalyLikelihood:
    """How unlikely the mean of the last few scores is, by the mean and the standard deviation of the many last ones.

        score = −log₁₀ Q((m̃ − μ) / σ)      μ, σ: of the last `long` scores,   m̃: mean of the last `short`

    Q is the normal distribution's upper tail. A step is unusual where Q is below `risk`. The paper's likelihood is L = 1 − Q
    (flagged from 1 − 10⁻⁵ on); Numenta's logarithmic score is nearly min(1, score / 10).

    Memory and work for a step are O(long) and O(1).

    Source: Lavin and Ahmad 2015, arXiv:1510.03336, section III; Ahmad et al. 2017, doi:10.1016/j.neucom.2017.04.070.

    Args:
        long, short: lengths of the two windows.
        risk: the probability below which a step is unusual.
        warmup: scores that must have been seen before a step is judged; until then score and flag are 0.
        min_std: the least σ, in units of the scores.
        averaged: take μ and σ of the short means instead of the scores, as Numenta's code does and the paper does not.

    >>> threshold = AnomalyLikelihood(long=500, short=5, warmup=100)
    >>> chance = np.random.default_rng(0)
    >>> any(threshold.step(score).unusual for score in chance.uniform(size=400))
    False
    >>> [threshold.step(3.0).unusual for _ in range(4)]
    [False, False, False, True]
    """

    def __init__(
        self,
        long: int = 8000,
        short: int = 10,
        risk: float = 1e-5,
        warmup: int = 300,
        min_std: float = 1e-12,
        averaged: bool = False,
    ) -> None:
        if not 1 <= short < long:
            raise UsageError(
                f"short and long: expected windows of 1 step or more, the second longer, got {short}, {long}"
            )
        if not 0 < risk < 1 or not min_std > 0:
            raise UsageError(f"risk and min_std: expected a probability and a number above 0, got {risk} and {min_std}")
        if warmup < 2:
            raise UsageError(f"warmup: expected 2 scores or more, got {warmup}")
        self.long, self.short, self.averaged = long, short, averaged
        self.risk, self.warmup, self.min_std = risk, warmup, min_std
        self._kept = np.zeros(long)
        self._last: list[float] = []
        self._seen = 0
        # What is taken from each score; the sums of what is left, and of its square, and the largest that this was.
        self._sums = [0.0, 0.0, 0.0, 0.0]

    @property
    def threshold(self) -> float:
        """What the next score is compared with; infinite before there are enough."""
        return math.inf if self._seen + 1 < self.warmup else -math.log10(self.risk)

    def step(self, score: float) -> Decision:
        """Judge one score, and learn from it; the decision's score is the logarithmic one."""
        threshold = self.threshold
        nonfinite = decide_nonfinite(score, threshold)
        if nonfinite is not None:
            return nonfinite
        self._last = [*self._last[-self.short + 1 :], score] if self.short > 1 else [score]
        mean = math.fsum(self._last) / len(self._last)
        self._replace_oldest(mean if self.averaged else score)
        if math.isinf(threshold):
            return Decision(0.0, threshold, False)
        count = min(self._seen, self.long)
        if self._sums[2] - self._sums[1] ** 2 / count < MIN_SQUARES_SHARE * self._sums[3]:
            self._sum_again()
        shift, first, second, _ = self._sums
        centre = first / count
        std = math.sqrt(max(second / count - centre * centre, 0.0))
        surprise = upper_tail((mean - shift - centre) / max(std, self.min_std))
        return Decision(surprise, threshold, surprise > threshold)

    def state(self) -> dict[str, np.ndarray]:
        """Give all that the next step needs, as arrays."""
        return {
            "kept": self._kept.copy(),
            "last": np.array(self._last, np.float64),
            "seen": np.array([self._seen], np.int64),
            "sums": np.array(self._sums, np.float64),
        }

    def resume(self, state: Mapping[str, np.ndarray]) -> Self:
        """Go on where `state` was taken; the settings must be the same."""
        self._kept, self._last = np.array(state["kept"], np.float64), state["last"].tolist()
        self._seen, self._sums = int(state["seen"][0]), state["sums"].tolist()
        return self

    def _replace_oldest(self, value: float) -> None:
        """Put a value in the place of the oldest."""
        place = self._seen % self.long
        if not self._seen:
            self._sums[0] = value
        elif place == 0:
            self._sum_again()
        shift = self._sums[0]
        if self._seen >= self.long:
            old = float(self._kept[place]) - shift
            self._sums[1] -= old
            self._sums[2] -= old * old
        self._sums[1] += value - shift
        self._sums[2] += (value - shift) ** 2
        self._sums[3] = max(self._sums[3], self._sums[2])
        self._kept[place] = value
        self._seen += 1

    def _sum_again(self) -> None:
        """Take the sums from the window, once a round and where little is left of them, as rounding piles up."""
        kept = self._kept[: min(self._seen, self.long)]
        shift = float(kept.mean())
        left = kept - shift
        square = float((left * left).sum())
        self._sums = [shift, float(left.sum()), square, square]


def upper_tail(deviation: float) -> float:
    """Give −log₁₀ of the probability that a standard normal value is above this.

    >>> [round(upper_tail(value), 3) for value in (-40.0, -1.0, 0.0, 1.0, 40.0)]
    [0.0, 0.075, 0.301, 0.8, 349.437]
    """
    tail = 0.5 * math.erfc(deviation / math.sqrt(2))
    if tail > 1e-300:
        return -math.log10(tail) + 0.0  # no negative zero
    # Beyond 37 the tail is e^{−d²/2} / (d·√2π) · (1 − 1/d² + …), to 10⁻⁶.
    square = deviation * deviation
    return (square / 2 + math.log(deviation * math.sqrt(2 * math.pi)) - math.log1p(-1 / square)) / math.log(10)

"""The threshold that extreme value theory gives: peaks over a high level follow a generalised Pareto distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Self

import numpy as np

from recurra.errors import UsageError
from recurra.thresholds.base import Decision, decide_nonfinite

MIN_PEAKS = 10
"""Peaks: from fewer the shape of the tail cannot be told, and it is taken to be exponential."""


def fit_tail(excesses: np.ndarray, observed: np.ndarray | None = None) -> tuple[float, float]:
    """Fit a generalised Pareto distribution to how far peaks are over a level, excesses (N,), all above 0.

        P(Y > y) = (1 + γ·y / σ)^{−1/γ},   e^{−y/σ} where γ = 0

    By Zhang and Stephens 2009 (doi:10.1198/tech.2009.08017): with θ = −γ/σ the likelihood has one unknown, and θ is its mean over
    a grid, weighted by the likelihood. It needs no iteration, always exists, and is about as efficient as the greatest
    likelihood (Grimshaw 1993), which Siffer et al. search for. With fewer than `MIN_PEAKS` peaks: γ = 0, σ their mean.

    Where `observed` (N,) is false, the excess was at least this (it is censored). With S and U the sums of log(1 − θ·y) over all
    peaks and over the d observed ones, the likelihood is greatest at γ = S/d for each θ, and its logarithm d·log(−θ/γ) − d − U.

    Returns:
        (γ, σ): shape and scale.

    Raises:
        UsageError: no excesses, or one that is not above 0.

    >>> shape, scale = fit_tail(-np.log(1 - np.linspace(0, 1, 1000, endpoint=False)[1:]))  # exponential
    >>> abs(shape) < 0.01, abs(scale - 1) < 0.01
    (True, True)
    """
    y = np.asarray(excesses, np.float64)
    order = np.argsort(y)
    y, known = y[order], np.ones(len(y), bool) if observed is None else np.asarray(observed, bool)[order]
    if not len(y) or not y[0] > 0 or not math.isfinite(y[-1]):
        raise UsageError(f"excesses: expected finite numbers above 0, got {len(y)}, from {y.min(initial=0)}")
    count = max(int(known.sum()), 1)
    if count < MIN_PEAKS:
        return 0.0, float(y.sum()) / count
    size = y[-1]  # the largest is 1 below, so that no size can overflow
    y = y / size
    points = 20 + int(math.sqrt(len(y)))
    quartile = y[int(len(y) / 4 + 0.5) - 1]
    grid = 1 + (1 - np.sqrt(points / (np.arange(points) + 0.5))) / (3 * quartile)
    grid = grid[grid != 0]
    logs = np.log1p(-np.outer(grid, y))
    shapes = logs.sum(1) / count
    likelihood = count * (np.log(-grid / shapes) - 1) - logs[:, known].sum(1)
    weights = np.exp(likelihood - likelihood.max())
    theta = float(grid @ weights / weights.sum())
    if abs(theta) < 1e-9:
        return 0.0, float(y.sum() * size) / count
    shape = float(np.log1p(-theta * y).sum()) / count
    return shape, -shape / theta * float(size)


class PeaksOverThreshold:
    """SPOT: the score that is exceeded with a probability `risk`, learnt from the peaks of the stream itself.

        z = t + σ/γ·((risk·n / N)^{−γ} − 1)        z = t − σ·log(risk·n / N) where γ = 0

    t is the quantile `level` of the first scores; of n scores N lay above it, by excesses that γ and σ fit (`fit_tail`). A
    score above z is unusual and is forgotten; one between t and z is a peak, and the tail is fitted again. As the largest
    usual scores are forgotten too, the tail looks shorter and shorter, and over tens of thousands of scores three to five
    times as many are flagged as the risk says. With `forget=False` a score above z counts as a peak that was at least z: then
    the share is right, but an anomaly that lasts raises the threshold.

    With `drift` (DSPOT) all this holds for a score's difference to the mean of the last `drift` scores that were not unusual.

    The theory is of independent peaks, and those of one event are not: a fault that begins beneath z would raise it by each of its
    steps, and hide itself and all after it. With `merge_gap` those that belong together are a run, which counts once, by its highest,
    when it is over (runs declustering: Coles 2001, section 5.3.2), and is forgotten whole where one of it was unusual; the risk is
    then that a run of usual scores reaches z. With `prior` the shape is drawn to 0 as if by so many more peaks, γ·N / (N + prior),
    since a few peaks do not tell it (as Vehtari et al. do, arXiv:1507.02646, towards ½).

    Source: Siffer, Fouque, Termier and Largouet 2017, doi:10.1145/3097983.3098144, algorithms 1 to 3.

    Args:
        risk: the probability that a usual score is flagged.
        level: the share of scores below t; 1 − level must be above the risk.
        warmup: scores that t and the first tail are taken from; none of them is judged. `fit` gives them at once instead.
        drift: how many scores the mean is taken over; 0: none.
        max_peaks: the latest peaks, which the tail is fitted to; older ones are only counted.
        forget: learn nothing from unusual scores, as published.
        merge_gap: peaks that are at most so many scores apart are one run; 0: each by itself, as published.
        prior: peaks that the shape 0 counts as much as; 0: none, as published.

    >>> chance = np.random.default_rng(0)
    >>> threshold = PeaksOverThreshold(risk=1e-3).fit(chance.exponential(size=5000))
    >>> 6 < threshold.threshold < 8  # −log(10⁻³) = 6.9
    True
    >>> threshold.step(50.0).unusual, threshold.step(1.0).unusual
    (True, False)
    """

    def __init__(
        self,
        risk: float = 1e-4,
        level: float = 0.98,
        warmup: int = 1000,
        drift: int = 0,
        max_peaks: int = 1000,
        forget: bool = True,
        merge_gap: int = 0,
        prior: float = 0.0,
    ) -> None:
        if not 0 < risk < 1 - level < 1:
            raise UsageError(f"risk: expected a probability from 0 to 1 − level = {1 - level:.4g}, got {risk}")
        if warmup < 2 or drift < 0 or max_peaks < MIN_PEAKS:
            raise UsageError(
                f"warmup, drift and max_peaks: expected from 2, 0 and {MIN_PEAKS} scores, got {warmup}, {drift} and {max_peaks}"
            )
        if merge_gap < 0 or not 0 <= prior < math.inf:
            raise UsageError(f"merge_gap and prior: expected numbers from 0, got {merge_gap} and {prior}")
        self.risk, self.level, self.warmup, self.drift, self.max_peaks = risk, level, warmup, drift, max_peaks
        self.forget, self.merge_gap, self.prior = forget, merge_gap, prior
        self._head: list[float] = []  # until there are enough for a threshold
        self._recent: list[float] = []  # the scores that the mean is taken over
        self._peaks: list[float] = []
        self._observed: list[float] = []  # 1 where a peak is known, 0 where it was at least this
        self._run = (0.0, 0, False)  # the highest excess of a run, how long ago its last was, whether one was unusual
        self._seen, self._above = 0, 0
        self._base, self._limit = math.inf, math.inf  # t and z, of differences where there is drift

    @property
    def threshold(self) -> float:
        """What the next score is compared with; infinite before there are enough."""
        return self._limit + self._mean()

    def fit(self, scores: np.ndarray) -> Self:
        """Start again, with scores (N,) that are usual, or nearly all are; missing and infinite ones are left out.

        Raises:
            UsageError: fewer than 2 scores, or with drift not more than it needs.
        """
        given = np.asarray(scores, np.float64)
        given = given[np.isfinite(given)]
        if len(given) < self.drift + 2:
            raise UsageError(f"scores: expected {self.drift + 2} finite ones or more to begin with, got {len(given)}")
        self._head, self._recent = [], given[len(given) - self.drift :].tolist()
        if self.drift:
            sums = np.concatenate([[0.0], given.cumsum()])
            given = given[self.drift :] - (sums[self.drift : -1] - sums[: -self.drift - 1]) / self.drift
        self._base = float(np.quantile(given, self.level))
        peaks = _highest_of_runs(given - self._base, self.merge_gap)
        self._run = (0.0, 0, False)
        self._seen, self._above = len(given), len(peaks)
        self._peaks = peaks[-self.max_peaks :].tolist()
        self._observed = [1.0] * len(self._peaks)
        self._limit = self._solve()
        return self

    def step(self, score: float) -> Decision:
        """Judge one score, and learn from it."""
        threshold = self.threshold
        nonfinite = decide_nonfinite(score, threshold)
        if nonfinite is not None:
            return nonfinite
        if math.isinf(threshold):
            self._head.append(score)
            if len(self._head) >= self.warmup + self.drift:
                self.fit(np.array(self._head))
            return Decision(score, threshold, False)
        unusual = score > threshold
        self._seen += not (unusual and self.forget)
        self._learn(min(score, threshold) - self._mean() - self._base, unusual)
        if self.drift and not unusual:
            self._recent = [*self._recent[1:], score]
        return Decision(score, threshold, unusual)

    def _learn(self, excess: float, unusual: bool) -> None:
        """Go on with a run, and learn it when it is over."""
        high, since, has_unusual = self._run
        if excess > 0:
            high, since, has_unusual = max(high, excess), 0, has_unusual or unusual
        elif high > 0:
            since += 1
        if high > 0 and since >= self.merge_gap:
            if not (has_unusual and self.forget):
                self._above += 1
                self._peaks = [*self._peaks[-self.max_peaks + 1 :], high]
                self._observed = [*self._observed[-self.max_peaks + 1 :], float(not has_unusual)]
                self._limit = self._solve()
            high, since, has_unusual = 0.0, 0, False
        self._run = (high, since, has_unusual)

    def state(self) -> dict[str, np.ndarray]:
        """Give all that the next step needs, as arrays of (…,) float64."""
        found = {"head": self._head, "recent": self._recent, "peaks": self._peaks, "observed": self._observed}
        found["counts"] = [self._seen, self._above, self._base, self._limit]
        found["run"] = [float(each) for each in self._run]
        return {name: np.array(values, np.float64) for name, values in found.items()}

    def resume(self, state: Mapping[str, np.ndarray]) -> Self:
        """Go on where `state` was taken; the settings must be the same."""
        lists = (state[name].tolist() for name in ("head", "recent", "peaks", "observed"))
        self._head, self._recent, self._peaks, self._observed = lists
        seen, above, self._base, self._limit = state["counts"].tolist()
        self._seen, self._above = int(seen), int(above)
        high, since, has_unusual = state["run"].tolist()
        self._run = (high, int(since), bool(has_unusual))
        return self

    def _mean(self) -> float:
        return math.fsum(self._recent) / len(self._recent) if self._recent else 0.0

    def _solve(self) -> float:
        """Give z. Without a single peak the tail is unknown, and t itself is all that there is."""
        if not self._peaks:
            return self._base
        shape, scale = fit_tail(np.array(self._peaks), np.array(self._observed))
        if self.prior:
            shape *= sum(self._observed) / (sum(self._observed) + self.prior)
        log = math.log(self.risk * self._seen / self._above)
        far = -log if shape == 0 else math.expm1(-shape * log) / shape
        return max(self._base, self._base + scale * far)


def _highest_of_runs(excesses: np.ndarray, merge_gap: int) -> np.ndarray:
    """Give the highest of each run of excesses above 0, (T,), those at most so many steps apart being one.

    >>> excesses = np.array([1.0, 3.0, -1.0, 2.0, -1.0, -1.0, 5.0])
    >>> _highest_of_runs(excesses, 0).tolist(), _highest_of_runs(excesses, 2).tolist()
    ([1.0, 3.0, 2.0, 5.0], [3.0, 5.0])
    """
    places = np.flatnonzero(excesses > 0)
    if not len(places):
        return np.zeros(0)
    starts = np.flatnonzero(np.diff(places, prepend=-merge_gap - 1) > merge_gap)
    return np.maximum.reduceat(excesses[places], starts)

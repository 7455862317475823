"""From errors to a score, from scores to alarms: the part of a detector that is no network."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np

from recurra.decoding import AnomalyLikelihood, DynamicThreshold, PeaksOverThreshold, Threshold
from recurra.tasks.detect.config import Scoring
from recurra.tasks.detect.network import DetectorNetwork
from recurra.thresholds.records import Records

POOLINGS = ("mean", "quantile", "max")
"""How the scores of the steps of a whole series make one: their mean, their 95 % quantile, the largest."""
PRIOR = 10.0
"""Peaks that an exponential tail counts as much as: a short history has a dozen, which do not tell the tail's shape."""


class Verdict(NamedTuple):
    """What is said of one step.  score, threshold: None where there is nothing to judge.  channel: the one that is to blame."""

    score: float | None
    threshold: float | None
    anomaly: bool
    channel: int | None


class Smoother:
    """Averages each channel's error over about the last n steps, and takes the channel that is farthest off.

        s_t = Σ_k (1 − α)^k e_{t−k} / Σ_k (1 − α)^k,  α = 2 / (n + 1)      score_t = max_c s_{t,c}

    A missing error (NaN) leaves its channel as it was, and has no part in the score of its step.
    """

    def __init__(self, channels: int, steps: float) -> None:
        self.keep = 1.0 - 2.0 / (max(1.0, steps) + 1.0)
        self.sums, self.weights = np.zeros(channels), np.zeros(channels)

    def step(self, errors: np.ndarray) -> tuple[float | None, int | None]:
        """Take the errors of a step, (C); gives its score and the channel that has it, None where no channel has an error."""
        there = ~np.isnan(errors)
        if not there.any():
            return None, None
        self.sums = np.where(there, self.keep * self.sums + np.where(there, errors, 0.0), self.sums)
        self.weights = np.where(there, self.keep * self.weights + 1.0, self.weights)
        means = np.where(there, self.sums / np.maximum(self.weights, 1.0), -1.0)
        worst = int(means.argmax())
        return float(means[worst]), worst


def pooled(scores: np.ndarray, kind: str) -> float:
    """Make one score of those of the steps of a whole series, (T); 0 of none.

    >>> pooled(np.array([1.0, 2.0, 6.0]), "mean"), pooled(np.array([1.0, 2.0, 6.0]), "max")
    (3.0, 6.0)
    """
    if not len(scores):
        return 0.0
    if kind == "mean":
        return float(scores.mean())
    return float(np.quantile(scores, 0.95) if kind == "quantile" else scores.max())


class Judge:
    """Smooths errors, makes a score of them, and holds it to a threshold that goes on learning; see `Scoring`.

    The threshold begins with the scores of normal steps that the network remembers; so the first step can be judged.
    whole: they are of whole series, which do not follow from each other.
    """

    def __init__(self, network: DetectorNetwork, scoring: Scoring, *, whole: bool = False) -> None:
        self._smoother = Smoother(network.channels, scoring.smoothing)
        history = network.scores_held.double().cpu().numpy()
        self._threshold: Threshold | Records
        if scoring.threshold == "record":
            low, high = (network.get_buffer(name).double().cpu().numpy() for name in ("low", "high"))
            self._threshold = Records(history, low, high)
        else:
            self._threshold = make_threshold(scoring, history, whole=whole)

    def score(self, errors: np.ndarray) -> tuple[float | None, int | None]:
        """Give the score of a step from its errors, (C), and the channel that has it."""
        return self._smoother.step(errors)

    def decide(self, score: float, channel: int | None, values: np.ndarray | None = None) -> Verdict:
        """Hold a score to the threshold, which learns from it; records look at the values (C) too."""
        if isinstance(self._threshold, Records):
            decision = self._threshold.step(score, values)
            if values is not None and 1.0 + self._threshold.outside.max() >= decision.score:
                channel = int(self._threshold.outside.argmax())
        else:
            decision = self._threshold.step(score)
        threshold = decision.threshold if math.isfinite(decision.threshold) else None
        return Verdict(decision.score, threshold, decision.unusual, channel)

    def step(self, errors: np.ndarray, values: np.ndarray) -> Verdict:
        """Judge a step by its errors and its scaled values, (C); NaN where a channel has none."""
        score, channel = self.score(errors)
        return Verdict(None, None, False, None) if score is None else self.decide(score, channel, values)

    def state(self) -> dict[str, np.ndarray]:
        """Give all that the next step needs, as arrays."""
        smoothed = {"sums": self._smoother.sums, "weights": self._smoother.weights}
        threshold = {f"threshold {name}": value for name, value in self._threshold.state().items()}
        return {name: value.copy() for name, value in (smoothed | threshold).items()}

    def resume(self, state: Mapping[str, np.ndarray]) -> Self:
        """Go on where `state` was taken."""
        self._smoother.sums, self._smoother.weights = state["sums"].copy(), state["weights"].copy()
        begin = "threshold "
        self._threshold.resume({name.removeprefix(begin): v for name, v in state.items() if name.startswith(begin)})
        return self

    def fork(self) -> Self:
        """Give a second judge with the same past."""
        return copy.deepcopy(self)


def make_threshold(scoring: Scoring, history: np.ndarray, *, whole: bool) -> Threshold | Records:
    """Make a threshold that has seen the scores of normal steps, (N,) in their order, or of whole series.

    A score that is telemanom's has to be above the usual error, whatever the window: 1 in units of held-out errors.
    """
    kind, risk = scoring.threshold, scoring.risk
    if kind == "record":
        return Records(history, np.zeros(0), np.zeros(0))
    if kind == "pot":
        risk = 1e-4 if risk is None else risk
        level, apart = min(0.98, 1 - 2 * risk), 0 if whole else scoring.join
        peaks = PeaksOverThreshold(risk=risk, level=level, apart=apart, prior=PRIOR)
        return peaks.fit(history) if len(history) > 1 else peaks
    if kind == "telemanom":
        threshold: Threshold = DynamicThreshold(least=1.0)
    else:
        threshold = AnomalyLikelihood() if risk is None else AnomalyLikelihood(risk=risk)
    for score in history.tolist():
        threshold.step(score)
    return threshold

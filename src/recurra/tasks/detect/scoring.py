"""From errors to a score, from scores to alarms and events: the part of a detector that is no network."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, cast

import numpy as np
from torch import nn

from recurra.tasks.detect.config import Scoring
from recurra.tasks.detect.data import Segment
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.residuals import Predictions, predict_errors
from recurra.tasks.detect.threshold import make_threshold
from recurra.thresholds import RecordThreshold

AGGREGATIONS = ("mean", "quantile", "max")
"""How the scores of the steps of a whole series make one: their mean, their 95 % quantile, the largest."""
STATE_PREFIX = "threshold "
"""Before the names of a threshold's arrays in the state of a scorer."""


class StepResult(NamedTuple):
    """What a step is found to be.  score, threshold: None where there is no value to score.  channel: the responsible one."""

    score: float | None
    threshold: float | None
    anomaly: bool
    channel: int | None


@dataclass(frozen=True)
class Event:
    """Alarms that belong together: first step, the step behind the last, the highest score, and the channel that has it."""

    first: int
    last: int
    peak: float
    channel: int


@dataclass(frozen=True)
class ScoredSegment:
    """A segment with the results of its steps.  whole: of all of them, where series are scored as a whole."""

    segment: Segment
    predictions: Predictions
    steps: list[StepResult]
    events: list[Event]
    whole: StepResult | None = None


@dataclass(frozen=True)
class Detections:
    """What the detector, or a baseline, finds in each segment: scores (T), flags (T), events; and −log p per value."""

    scores: list[np.ndarray]
    flags: list[np.ndarray]
    events: list[list[tuple[int, int]]]
    nll: float


class ErrorSmoother:
    """Averages each channel's error over about the last n steps, and takes the channel that is farthest off.

        s_t = Σ_k (1 − α)^k e_{t−k} / Σ_k (1 − α)^k,  α = 2 / (n + 1)      score_t = max_c s_{t,c}

    A missing error (NaN) leaves its channel as it was, and has no part in the score of its step.
    """

    def __init__(self, channels: int, steps: float) -> None:
        self.keep = 1.0 - 2.0 / (max(1.0, steps) + 1.0)
        self.sums, self.weights = np.zeros(channels), np.zeros(channels)

    def step(self, errors: np.ndarray) -> tuple[float | None, int | None]:
        """Take the errors of a step, (C); gives its score and the channel that has it, None where no channel has an error."""
        present = ~np.isnan(errors)
        if not present.any():
            return None, None
        self.sums = np.where(present, self.keep * self.sums + np.where(present, errors, 0.0), self.sums)
        self.weights = np.where(present, self.keep * self.weights + 1.0, self.weights)
        means = np.where(present, self.sums / np.maximum(self.weights, 1.0), -1.0)
        worst = int(means.argmax())
        return float(means[worst]), worst


def score_errors(errors: np.ndarray, smoothing: float) -> np.ndarray:
    """Give the scores of the steps that have one, from the errors of all steps (T, C).

    >>> score_errors(np.array([[np.nan, np.nan], [1.0, 3.0], [2.0, np.nan]]), 0.0).tolist()
    [3.0, 2.0]
    """
    smoother = ErrorSmoother(errors.shape[1], smoothing)
    scores = [smoother.step(row)[0] for row in errors]
    return np.array([score for score in scores if score is not None])


def aggregate_scores(scores: np.ndarray, kind: str) -> float:
    """Make one score of those of the steps of a whole series, (T); 0 of none.

    >>> aggregate_scores(np.array([1.0, 2.0, 6.0]), "mean"), aggregate_scores(np.array([1.0, 2.0, 6.0]), "max")
    (3.0, 6.0)
    """
    if not len(scores):
        return 0.0
    if kind == "mean":
        return float(scores.mean())
    return float(np.quantile(scores, 0.95) if kind == "quantile" else scores.max())


class OnlineScorer:
    """Smooths errors, makes a score of them, and compares it with a threshold that goes on learning; see `Scoring`.

    The threshold begins with the scores of normal steps that the network remembers; so the first step can be scored.
    per_series: they are of whole series, which do not follow from each other.
    """

    def __init__(self, network: DetectorNetwork, scoring: Scoring, *, per_series: bool = False) -> None:
        self._smoother = ErrorSmoother(network.channels, scoring.error_smoothing)
        history = network.score_history.double().cpu().numpy()
        low, high = (network.get_buffer(name).double().cpu().numpy() for name in ("low", "high"))
        self._threshold = make_threshold(scoring, history, per_series=per_series, seen=(low, high))

    def score(self, errors: np.ndarray) -> tuple[float | None, int | None]:
        """Give the score of a step from its errors, (C), and the channel that has it."""
        return self._smoother.step(errors)

    def compare(self, score: float, channel: int | None, values: np.ndarray | None = None) -> StepResult:
        """Compare a score with the threshold, which learns from it; records look at the values (C) too."""
        if isinstance(self._threshold, RecordThreshold):
            decision = self._threshold.step(score, values)
            if values is not None and 1.0 + self._threshold.outside.max() >= decision.score:
                channel = int(self._threshold.outside.argmax())
        else:
            decision = self._threshold.step(score)
        threshold = decision.threshold if math.isfinite(decision.threshold) else None
        return StepResult(decision.score, threshold, decision.unusual, channel)

    def step(self, errors: np.ndarray, values: np.ndarray) -> StepResult:
        """Score a step by its errors and its scaled values, (C); NaN where a channel has none."""
        score, channel = self.score(errors)
        return StepResult(None, None, False, None) if score is None else self.compare(score, channel, values)

    def state(self) -> dict[str, np.ndarray]:
        """Give all that the next step needs, as arrays."""
        smoothed = {"sums": self._smoother.sums, "weights": self._smoother.weights}
        threshold = {f"{STATE_PREFIX}{name}": value for name, value in self._threshold.state().items()}
        return {name: value.copy() for name, value in (smoothed | threshold).items()}

    def resume(self, state: Mapping[str, np.ndarray]) -> Self:
        """Go on where `state` was taken; raises `ValueError` for one of other channels."""
        sums, weights = state["sums"].copy(), state["weights"].copy()
        if (sums.shape, weights.shape) != (self._smoother.sums.shape, self._smoother.weights.shape):
            raise ValueError(f"expected sums {self._smoother.sums.shape}, got {sums.shape}")
        self._smoother.sums, self._smoother.weights = sums, weights
        own = {name.removeprefix(STATE_PREFIX): each for name, each in state.items() if name.startswith(STATE_PREFIX)}
        self._threshold.resume(own)
        return self

    def fork(self) -> Self:
        """Give a second scorer with the same past."""
        return copy.deepcopy(self)


def score_segments(
    network: nn.Module, segments: Sequence[Segment], scoring: Scoring, *, per_series: bool
) -> list[ScoredSegment]:
    """Score segments, each by itself, as a stream would; per_series: each also as a whole."""
    detector = cast(DetectorNetwork, network)
    scored, initial = [], OnlineScorer(detector, scoring, per_series=per_series)
    kind = AGGREGATIONS[int(detector.get_buffer("pooling"))]
    for segment, one in zip(segments, predict_errors(network, segments), strict=True):
        scorer = initial.fork()
        if per_series:
            steps = [StepResult(score, None, False, channel) for score, channel in map(scorer.score, one.errors)]
            scored.append(ScoredSegment(segment, one, steps, [], _score_whole(scorer, steps, kind)))
        else:
            steps = [scorer.step(*each) for each in zip(one.errors, segment.values, strict=True)]
            scored.append(ScoredSegment(segment, one, steps, merge_alarms(steps, scoring.merge_gap)))
    return scored


def _score_whole(scorer: OnlineScorer, steps: Sequence[StepResult], kind: str) -> StepResult:
    """Score a whole series by the scores of its steps; the responsible channel is that of the highest."""
    known = [(each.score, each.channel) for each in steps if each.score is not None]
    if not known:
        return StepResult(None, None, False, None)
    worst = max(known, key=lambda each: each[0])
    return scorer.compare(aggregate_scores(np.array([score for score, _ in known]), kind), worst[1])


def merge_alarms(steps: Sequence[StepResult], gap: int) -> list[Event]:
    """Make events of alarms: those at most `gap` steps apart are one.

    >>> alarm = lambda score: StepResult(score, 5.0, score > 5, 0)
    >>> [(e.first, e.last, e.peak) for e in merge_alarms([alarm(s) for s in (1, 7, 9, 1, 8, 1, 1, 1, 6)], 2)]
    [(1, 5, 9), (8, 9, 6)]
    """
    events: list[Event] = []
    for number, step in enumerate(steps):
        if not step.anomaly or step.score is None or step.channel is None:
            continue
        if events and number - events[-1].last < gap:
            last = events[-1]
            peak, channel = (step.score, step.channel) if step.score > last.peak else (last.peak, last.channel)
            events[-1] = Event(last.first, number + 1, peak, channel)
        else:
            events.append(Event(number, number + 1, step.score, step.channel))
    return events

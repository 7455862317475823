"""The rolling Gaussian that a detector is compared with."""

from __future__ import annotations

import numpy as np

from recurra.baselines import RollingGaussian, log_tail
from recurra.tasks.detect.config import Scoring
from recurra.tasks.detect.data import Segment, Split
from recurra.tasks.detect.network import MIN_SCALE
from recurra.tasks.detect.scoring import (
    AGGREGATIONS,
    Detections,
    StepResult,
    aggregate_scores,
    merge_alarms,
)
from recurra.tasks.detect.threshold import make_threshold

NAME = RollingGaussian.name
WINDOW = 1000
"""Steps that its mean and spread are taken over."""
MIN_VALUES = 10
"""Values of a channel from which on it is scored."""
MAX_SCORE = 1e6


def rolling_gaussian(split: Split, normal: Split, scoring: Scoring, *, per_series: bool) -> Detections:
    """Score a split by the mean and spread of the values before each step, with a threshold that is made like the detector's.

    normal: what the threshold begins with.
    """
    before = [score_rolling(one)[0] for one in normal.segments]
    kind = AGGREGATIONS[0] if scoring.aggregation == "auto" else scoring.aggregation
    history = np.array([aggregate_scores(own, kind) for own in before]) if per_series else np.concatenate(before)
    scores, flags, events, total_nll, count = [], [], [], 0.0, 0
    for one in split.segments:
        own, nll, known = score_rolling(one)
        total_nll, count = total_nll + nll, count + known
        own = np.array([aggregate_scores(own, kind)]) if per_series else own
        threshold = make_threshold(scoring, history, per_series=per_series)
        decisions = [threshold.step(score) for score in own.tolist()]
        steps = [StepResult(each.score, each.threshold, each.unusual, 0) for each in decisions]
        scores.append(np.array([each.score for each in decisions]))
        flags.append(np.array([each.unusual for each in decisions], bool))
        events.append([(event.first, event.last) for event in merge_alarms(steps, scoring.merge_gap)])
    return Detections(scores, flags, events, total_nll / max(1, count))


def score_rolling(one: Segment) -> tuple[np.ndarray, float, int]:
    """Give the scores of a segment by the rolling Gaussian, (T), the sum of −log p of its scaled values, and how many they are.

    As `RollingGaussian` scores a stream, for all steps at once: −log₁₀ of the tail beyond each value, by the mean and spread
    of those before it, the highest of all channels. Of fewer than ten values nothing is known but what the training data are like.
    """
    start = max(0, one.first - WINDOW)
    values = one.encoded.values[start : one.last].astype(np.float64)
    present = np.isfinite(values)
    filled = np.where(present, values, 0.0)
    sums, squares, counts = (
        np.vstack([np.zeros((1, values.shape[1])), part.cumsum(0)])[:-1] for part in (filled, filled**2, present)
    )
    # Of the last `WINDOW` steps: what was summed until now less what was summed until then.
    oldest = np.maximum(0, np.arange(len(values)) - WINDOW)
    sums, squares, counts = (part - part[oldest] for part in (sums, squares, counts))
    few, counts = counts < MIN_VALUES, np.maximum(1, counts)
    mean = np.where(few, 0.0, sums / counts)
    std = np.where(few, 1.0, np.sqrt(np.maximum(squares / counts - mean**2, MIN_SCALE**2)))
    deviations = (filled - mean) / std
    nll = 0.5 * deviations**2 + np.log(std) + 0.5 * np.log(2 * np.pi)
    known = present & (np.arange(start, one.last) >= max(1, one.first))[:, None]
    scores = np.where(known & ~few, np.minimum(log_tail(deviations), MAX_SCORE), 0.0).max(1)
    return scores[one.first - start :], float(nll[known].sum()), int(known.sum())

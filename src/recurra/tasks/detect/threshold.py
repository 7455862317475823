"""How an anomaly threshold is set, by `--threshold`: which of the ways in `recurra.thresholds`, with what risk, and what it has seen.

Each learns from scores of steps that are held to be normal. By default it is `PeaksOverThreshold`: it fits a generalised Pareto distribution
to the tail of the scores, and gives the score that a normal step exceeds with the probability `--risk`. The scores that it begins with are those of
the validation part, which `calibrate.py` keeps in the network's buffer `history`; it goes on learning while the detector is used.
"""

from __future__ import annotations

import numpy as np

from recurra.tasks.detect.config import Scoring
from recurra.thresholds import AnomalyLikelihood, DynamicThreshold, PeaksOverThreshold, RecordThreshold, Threshold

TAIL_PRIOR = 10.0
"""Peaks that an exponential tail counts as much as: a short history has a dozen, which do not tell the tail's shape."""


def make_threshold(
    scoring: Scoring, history: np.ndarray, *, per_series: bool, seen: tuple[np.ndarray, np.ndarray] | None = None
) -> Threshold:
    """Make a threshold that has seen the scores of normal steps, (N,) in their order, or of whole series.

    A score that is telemanom's has to be above the usual error, whatever the window: 1 in units of held-out errors.
    seen: the least and the largest values (C) of the training data, beyond which a record is set; None: values set none.
    """
    kind, risk = scoring.threshold, scoring.risk
    if kind == "record":
        return RecordThreshold(history, *(seen or (np.zeros(0), np.zeros(0))))
    if kind == "pot":
        risk = 1e-4 if risk is None else risk
        level, merge_gap = min(0.98, 1 - 2 * risk), 0 if per_series else scoring.merge_gap
        peaks = PeaksOverThreshold(risk=risk, level=level, merge_gap=merge_gap, prior=TAIL_PRIOR)
        return peaks.fit(history) if len(history) > 1 else peaks
    if kind == "telemanom":
        threshold: Threshold = DynamicThreshold(min_error=1.0)
    else:
        threshold = AnomalyLikelihood() if risk is None else AnomalyLikelihood(risk=risk)
    for score in history.tolist():
        threshold.step(score)
    return threshold

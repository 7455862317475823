"""Whether probabilities mean what they say: how far off they are, a picture of it, and one number that mends it."""

from __future__ import annotations

import math

import numpy as np

from recurra.errors import DivergedError, UsageError
from recurra.metrics.base import Metric, register_metric
from recurra.metrics.checks import class_marks, class_numbers, probability_rows

BINS = 15
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
_PRECISION = 1e-9


register_metric(
    Metric(
        "calibration_error",
        "calibration error",
        rank=350,
        lower_is_better=True,
        percent=True,
        versus="difference",
        gloss="How far its confidence is from how often it is right, on average.",
    )
)


def top_label_gap(probabilities: np.ndarray, targets: np.ndarray, bins: int = BINS) -> float:
    """Give the expected calibration error of the predicted class: mean |confidence − accuracy|, weighted by the bins' counts.

    Confidence is the probability of the predicted class. Bins are of equal width, ((m − 1)/M, m/M], as in Guo et al. 2017
    (arXiv:1706.04599, equation 3).

    >>> top_label_gap(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1]))
    0.4
    """
    return _gap(*_top(probabilities, targets), bins)


def label_gap(probabilities: np.ndarray, targets: np.ndarray, bins: int = BINS) -> float:
    """Give the expected calibration error over all N·C decisions of a model that gives any number of labels.

    Confidence is the probability of a label, right or not, and accuracy the share of examples that have it.

    >>> label_gap(np.array([[0.25, 0.75]]), np.array([[0, 1]]))
    0.25
    """
    return _gap(*_each(probabilities, targets), bins)


def reliability(probabilities: np.ndarray, targets: np.ndarray, bins: int = BINS) -> list[dict[str, float]]:
    """List what was promised and what was kept, in bins of equal width (those of `top_label_gap`) that hold something.

    Args:
        probabilities: (N, C).
        targets: (N,), classes (−1 is always wrong); or (N, C), which labels each example has, and then every decision
            counts (`label_gap`).

    Returns:
        For each bin "from", "to", the mean "confidence" and "accuracy", and the "count", by ascending confidence.

    Raises:
        DivergedError, UsageError: as `classification`.

    >>> reliability(np.array([[0.75, 0.25], [0.0, 1.0]]), np.array([0, 0]), bins=2)
    [{'from': 0.5, 'to': 1.0, 'confidence': 0.875, 'accuracy': 0.5, 'count': 2}]
    """
    confidence, right = (_each if np.ndim(targets) == 2 else _top)(probabilities, targets)
    place = _bins(confidence, bins)
    size = np.bincount(place, minlength=bins)
    promised = np.bincount(place, confidence, bins)
    kept = np.bincount(place, right, bins)
    return [
        {
            "from": number / bins,
            "to": (number + 1) / bins,
            "confidence": float(promised[number] / size[number]),
            "accuracy": float(kept[number] / size[number]),
            "count": int(size[number]),
        }
        for number in np.flatnonzero(size).tolist()
    ]


def _top(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = probability_rows(probabilities, one=True)
    return rows.max(1), rows.argmax(1) == class_numbers(targets, *rows.shape)


def _each(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = probability_rows(probabilities, one=False)
    return rows.ravel(), class_marks(targets, rows.shape).ravel()


def _bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    if bins < 1:
        raise UsageError(f"bins: expected 1 or more, got {bins}")
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def _gap(confidence: np.ndarray, right: np.ndarray, bins: int) -> float:
    gaps = np.bincount(_bins(confidence, bins), confidence - right, bins)
    return float(np.abs(gaps).sum() / len(confidence))


def fit_temperature(logits: np.ndarray, targets: np.ndarray, multi: bool = False) -> float:
    """Find the temperature T that makes softmax(logits / T) the likeliest, Guo et al. 2017 (arXiv:1706.04599, section 4.2).

    The nll is convex in 1 / T, so its slope has one zero at most: that is bracketed and found by Newton's method, exact to
    better than 1e-6. It is kept within 0.05 … 20. Where nothing says how unsure the model should be, T is 1: no examples, or
    none of them predicted wrongly, which would make the best T 0 (the sign of the few, not of certainty).

    Args:
        logits: (N, C), from examples that were not trained on.
        targets: (N,), classes; those of −1 (a label that training never saw) are left out. With `multi` (N, C), which labels
            each example has, and the probabilities are σ(logits / T).

    Raises:
        DivergedError: a logit is infinite or not a number.
        UsageError: shapes and values other than above.

    >>> logits = np.array([[2.0, 0.0]] * 4)
    >>> round(2 / fit_temperature(logits, np.array([0, 0, 0, 1])), 6) == round(math.log(3), 6)
    True
    """
    scores = np.asarray(logits, np.float64)
    if scores.ndim != 2 or scores.shape[1] < 1:
        raise UsageError(f"logits: expected a table (examples, classes), got {scores.shape}")
    if not np.isfinite(scores).all():
        raise DivergedError("expected finite logits to fit a temperature to, got some that are not")
    if multi:
        # Each decision is one between two classes, whose logits are z and 0.
        marks = class_marks(targets, scores.shape).ravel()
        scores = np.stack([np.zeros(scores.size), scores.ravel()], 1)
        numbers = marks.astype(np.int64)
    else:
        numbers = class_numbers(targets, *scores.shape)
    scores, numbers = scores[numbers >= 0], numbers[numbers >= 0]
    scores = scores - scores[np.arange(len(scores)), numbers][:, None]  # of the true class: 0
    if not len(scores) or scores.max() <= 0:
        return 1.0
    return 1 / _zero(scores, 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE)


def _zero(scores: np.ndarray, low: float, high: float) -> float:
    """Find where the slope of the nll in the inverse temperature is zero, or the end of the range that is nearest to it."""
    if _slope(scores, low)[0] >= 0:
        return low
    if _slope(scores, high)[0] <= 0:
        return high
    at = math.sqrt(low * high)
    while high - low > _PRECISION * low:
        slope, bend = _slope(scores, at)
        low, high = (at, high) if slope < 0 else (low, at)
        step = at - slope / bend if bend > 0 else low
        if abs(step - at) <= 0.5 * _PRECISION * at:
            return at
        at = step if low < step < high else (low + high) / 2
    return at


def _slope(scores: np.ndarray, inverse: float) -> tuple[float, float]:
    """Give the first and second derivative of Σ log Σ exp(β·scores) with respect to β: sums of means and of variances."""
    weights = np.exp(inverse * (scores - scores.max(1, keepdims=True)))
    weights /= weights.sum(1, keepdims=True)
    means = (weights * scores).sum(1)
    return float(means.sum()), float(((weights * scores**2).sum(1) - means**2).sum())

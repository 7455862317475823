"""How well scores put what is unusual above what is not, whatever the threshold."""

from __future__ import annotations

import numpy as np

from recurra.errors import DivergedError, UsageError
from recurra.metrics.base import Metric, register_metric
from recurra.metrics.classes import ranking

register_metric(Metric("average_precision", "average precision", rank=140, lower_is_better=False, versus="difference"))


def detection(scores: np.ndarray, unusual: np.ndarray) -> dict[str, float]:
    """Measure scores of sequences, or of steps, without a threshold.

        auroc = share of the pairs (an unusual one, a usual one) that are put in the right order, ties by half
        average_precision = Σ_k (recall_k − recall_{k−1}) · precision_k over the distinct scores, the highest first

    Args:
        scores: (N,), the higher, the less usual.
        unusual: (N,), true where it is.

    Returns:
        Both metrics; none of them where all or none are unusual, since nothing can be put in order.

    Raises:
        DivergedError: a score is infinite or not a number.
        UsageError: other shapes, or no scores.

    >>> metrics = detection(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    >>> {name: round(value, 3) for name, value in metrics.items()}
    {'auroc': 0.75, 'average_precision': 0.833}
    """
    values, marks = np.asarray(scores, np.float64), np.asarray(unusual, bool)
    if values.ndim != 1 or not len(values) or marks.shape != values.shape:
        raise UsageError(
            f"unusual: expected a mark for each of one score or more, got {marks.shape} for {values.shape}"
        )
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DivergedError(f"expected finite scores, got {values[row]} in row {row}")
    area = ranking(values, marks)
    if area is None:
        return {}
    return {"auroc": area, "average_precision": average_precision(values, marks)}


def average_precision(scores: np.ndarray, unusual: np.ndarray) -> float:
    """Give Σ_k (recall_k − recall_{k−1}) · precision_k over the distinct scores, the highest first; 0 where none is unusual.

    >>> average_precision(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]))
    0.8333333333333333
    """
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(unusual[order])
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # of each distinct score
    if not found[-1]:
        return 0.0
    precision = found[last] / (last + 1)
    return float((np.diff(found[last], prepend=0) * precision).sum() / found[-1])

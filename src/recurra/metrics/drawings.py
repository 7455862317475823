"""How likely drawings are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recurra.metrics.base import Metric, register_metric, share_metric

register_metric(
    Metric(
        "nats_per_drawing",
        "nats per drawing",
        lower_is_better=True,
        digits=1,
        unit="nats",
        versus="difference",
    ),
    Metric("step_nll", "nats per point, of where it is", lower_is_better=True, unit="nats", versus="difference"),
    Metric("pen_nll", "nats per point, of the pen", lower_is_better=True, unit="nats", versus="difference"),
    share_metric("window_reached", "texts written to their end", 49),
)


def drawing_scores(log_probs: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Give how likely drawings are, by log p of the steps (N) and the pen states (N) of each, nats.

    `nll` is of a point, its step and its pen state; steps are densities, so it may be below zero.

    >>> scores = drawing_scores([(np.array([-1.0, -3.0]), np.array([-0.5, -0.5]))])
    >>> scores["nll"], scores["step_nll"], scores["nats_per_drawing"]
    (2.5, 2.0, 5.0)
    """
    points = sum(len(pens) for _, pens in log_probs)
    steps = -sum(float(found.sum()) for found, _ in log_probs)
    pens = -sum(float(found.sum()) for _, found in log_probs)
    return {
        "nll": (steps + pens) / points,
        "step_nll": steps / points,
        "pen_nll": pens / points,
        "nats_per_drawing": (steps + pens) / len(log_probs),
    }

"""How likely music is, and how much of it is right."""

from __future__ import annotations

import numpy as np

from recurra.metrics.base import Metric, register_metric, share_metric

register_metric(
    Metric(
        "clean_nll",
        "nll of pieces unlike those of training",
        rank=341,
        lower_is_better=True,
        unit="nats",
        versus="difference",
    ),
    Metric("velocity_mae", "mean error of velocities", rank=347, lower_is_better=True),
    Metric("offset_mae", "mean error of offsets, in steps", rank=348, lower_is_better=True),
    share_metric("decision_accuracy", "decisions that are right", 343),
    share_metric("step_accuracy", "whole steps that are right", 345),
)


def music_scores(table: np.ndarray, leaks: np.ndarray | None = None) -> dict[str, float]:
    """Give the metrics of pieces by their sums, (N, 5): nats, steps, decisions, decisions that are right, whole steps that are.

    leaks: which pieces resemble the training data, bool (N,): without them nats a step are given too.

    >>> music_scores(np.array([[8.0, 4, 8, 6, 2]]))
    {'nll': 2.0, 'decision_accuracy': 0.75, 'step_accuracy': 0.5}
    """
    nats, steps, decisions, right, whole = table.sum(0)
    steps = max(steps, 1.0)
    found = {"nll": nats / steps, "decision_accuracy": right / max(decisions, 1.0), "step_accuracy": whole / steps}
    if leaks is not None and leaks.any() and table[~leaks, 1].sum():
        found["clean_nll"] = table[~leaks, 0].sum() / table[~leaks, 1].sum()
    return {name: float(value) for name, value in found.items()}

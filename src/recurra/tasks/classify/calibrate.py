"""How sure a trained classifier may be, and how much its network and its linear classifier count, by the validation examples."""

from __future__ import annotations

import numpy as np

from recurra.metrics.calibration import fit_temperature
from recurra.tasks.classify.results import class_probabilities

NETWORK_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
"""What the network's logits may count beside 1 for the linear classifier's, before both are divided by a temperature."""
UNVALIDATED_SHARES = (0.25, 1.0)
"""What the network's and the linear classifier's logits count where nothing was held out: a few examples tell a network little."""
MIN_STANDARD_ERRORS = 1.0
"""By how many standard errors the network must make the validation examples likelier, to count at all."""


def fit_shares(network: np.ndarray, linear: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Give what the logits of the network and of the linear classifier, (N, C) each, count in their sum.

    The sum that makes the targets likeliest: classes (N,), or which labels each has (N, C). The linear classifier alone, unless the network makes
    them likelier by more than chance: 0.0 for the network.

    >>> linear, targets = np.tile([0.2, -0.2], (40, 1)), np.arange(40) % 2
    >>> fit_shares(np.eye(2)[targets] * 4, linear, targets)[0] > 0, fit_shares(0 * linear, linear, targets)[0]
    (True, 0.0)
    """
    multi = targets.ndim == 2
    found = []
    for share in NETWORK_SHARES:
        logits = share * network + linear
        temperature = fit_temperature(logits, targets, multi=multi)
        found.append((share / temperature, 1 / temperature, log_losses(logits / temperature, targets)))
    alone = found[0][2]
    best = min(found, key=lambda each: each[2].mean())
    gain = alone - best[2]
    error = gain.std() / np.sqrt(len(gain))
    return best[:2] if gain.mean() > MIN_STANDARD_ERRORS * error else found[0][:2]


def log_losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Give −log p of each example's targets, (N,)."""
    multi = targets.ndim == 2
    likely = class_probabilities(logits, multi_label=multi)
    likely = np.where(targets > 0, likely, 1 - likely) if multi else likely[np.arange(len(targets)), targets]
    losses = -np.log(np.maximum(likely, np.finfo(np.float64).tiny))
    return losses.sum(1) if multi else losses

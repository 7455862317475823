"""How sure a trained classifier may be, and how much its network and its linear classifier count, by the validation examples."""

from __future__ import annotations

import numpy as np

from recurra.metrics.calibration import fit_temperature
from recurra.tasks.classify.results import class_probabilities

DEFAULT_SHARE = 0.1
"""What the network's logits count for each 1 of the linear classifier's, where nothing is held out of few examples. On thirteen small sets of
series it made the test series likelier on average (log-loss 0.151 instead of 0.178), with 0.1 points more right; on seven sets of 800 texts 0.8 points."""
MANY_EXAMPLES, SHARE_OF_MANY = 1000, 0.25
"""Training examples from which on the network counts so much where nothing is held out: of 0.03 to 1 it is among the best on the average of six
sets of 2,500 and of 6,000 texts, by log-loss and by what is right, and on twelve sets of proteins."""
SHARES = (0.0, DEFAULT_SHARE, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
STANDARD_ERRORS = 1.0
"""How many standard errors behind the best a smaller share of the network may be, and is taken: the validation examples have chosen the
network's weights too, and flatter it. On 26 draws of 1,000 or 2,500 texts
(`benchmarks/shares.py`) one loses nothing that the linear classifier alone has, and gains more on average than two, three, or a fixed share."""


def fit_shares(network: np.ndarray, linear: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Give what the logits of the network and of the linear classifier, (N, C) each, count in their sum.

    The sum with the smallest share of the network under which the targets, classes (N,) or which labels each has (N, C), are as likely as under the best one, but for
    chance (the rule of one standard error: Breiman et al. 1984). That may be none: 0.0.

    >>> linear, targets = np.tile([0.2, -0.2], (40, 1)), np.arange(40) % 2
    >>> right, wrong = np.eye(2)[targets] * 4, np.eye(2)[1 - targets] * 4
    >>> fit_shares(right, linear, targets)[0] > 0, fit_shares(wrong, linear, targets)[0]
    (True, 0.0)
    """
    multi = targets.ndim == 2
    found = []
    for share in SHARES:
        logits = share * network + linear
        temperature = fit_temperature(logits, targets, multi=multi)
        found.append((share / temperature, 1 / temperature, log_losses(logits / temperature, targets)))
    best = min(found, key=lambda each: each[2].mean())
    behind = (each[2] - best[2] for each in found)
    level = [loss.mean() <= STANDARD_ERRORS * loss.std() / np.sqrt(len(loss)) for loss in behind]
    return found[level.index(True)][:2]


def default_share(examples: int) -> float:
    """Give what the network counts for each 1 of the linear classifier where nothing is held out, by how many examples it has learnt from.

    >>> default_share(60), default_share(9000)
    (0.1, 0.25)
    """
    return SHARE_OF_MANY if examples >= MANY_EXAMPLES else DEFAULT_SHARE


def log_losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Give −log p of each example's targets, (N,)."""
    multi = targets.ndim == 2
    likely = class_probabilities(logits, multi_label=multi)
    likely = np.where(targets > 0, likely, 1 - likely) if multi else likely[np.arange(len(targets)), targets]
    losses = -np.log(np.maximum(likely, np.finfo(np.float64).tiny))
    return losses.sum(1) if multi else losses

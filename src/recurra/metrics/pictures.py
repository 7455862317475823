"""How likely pictures are."""

from __future__ import annotations

import math

import numpy as np

from recurra.metrics.base import Metric, register_metric, share_metric

register_metric(
    Metric(
        "nats_per_picture",
        "nats per picture",
        rank=9,
        lower_is_better=True,
        digits=2,
        unit="nats",
        versus="difference",
        gloss="A held-out picture, all of its pixels, has on average the probability e to the power of −{value}.",
    ),
    Metric("bits_per_pixel", "bits per pixel", rank=325, lower_is_better=True, unit="bits", versus="difference"),
    share_metric("completed_pixels", "completed pixels that are right", 46),
    share_metric("judged_accuracy", "judged as their label", 48),
)


def picture_scores(log_probs: np.ndarray, pixels: int) -> dict[str, float]:
    """Give how likely pictures of so many pixels are, by their log-probabilities, nats (N,): nats for a pixel and a picture, bits for a pixel.

    >>> picture_scores(np.log([0.25, 0.25]), 2)["bits_per_pixel"]
    1.0
    """
    per_picture = -float(np.mean(log_probs))
    per_pixel = per_picture / pixels
    return {"nll": per_pixel, "nats_per_picture": per_picture, "bits_per_pixel": per_pixel / math.log(2)}

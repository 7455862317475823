"""How large a network, how much dropout and how many passes pictures deserve."""

from __future__ import annotations

from recurra.tasks.caption.config import Model

PICTURES_TO_LEARN_FROM = 150_000
"""Pictures looked at after which a captioner has most of what it will get, each with some of its captions."""
PICTURES_TO_SEE = 200_000
"""Likewise of the convolutions, when they learn to find words."""
MIN_MEDIUM, MIN_LARGE = 500, 3_000
"""Pictures from which on a network is of medium size, and large."""
MIN_PICTURES_TO_PRETRAIN = 200
"""Pictures below which the convolutions are not taught words first: they would know them by heart."""


def choose_size(model: Model, pictures: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    >>> model = Model()
    >>> choose_size(model, 6_000), model.hidden, model.embedding, model.channels, model.dropout
    (25.0, 512, 256, 32, 0.4)
    """
    if model.hidden is None:
        model.hidden = 512 if pictures >= MIN_LARGE else 256 if pictures >= MIN_MEDIUM else 128
    if model.embedding is None:
        model.embedding = min(256, model.hidden)
    if model.channels is None:
        model.channels = 32 if pictures >= MIN_MEDIUM else 16
    if model.label_smoothing is None:
        model.label_smoothing = 0.1
    if model.dropout is None:
        model.dropout = 0.4 if pictures < 10 * MIN_LARGE else 0.2
    return epochs_for(pictures, PICTURES_TO_LEARN_FROM)


def epochs_for(pictures: int, wanted: int) -> float:
    """Give the passes over so many pictures in which so many are looked at.

    >>> epochs_for(6_000, 200_000), epochs_for(20, 200_000)
    (33.3, 60.0)
    """
    return min(60.0, max(3.0, round(wanted / max(1, pictures), 1)))

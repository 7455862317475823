"""How large a network, how much dropout and how many passes pictures deserve."""

from __future__ import annotations

from recurra.tasks.pixels.config import Model

PICTURES_TO_LEARN_FROM = 1_000_000
"""Pictures read after which a model has most of what it will get."""


def choose_size(model: Model, pictures: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    >>> model = Model()
    >>> choose_size(model, 50_000), model.hidden, model.head, model.dropout
    (20.0, 512, 512, 0.1)
    """
    if model.hidden is None:
        model.hidden = 512 if pictures >= 10_000 else 256 if pictures >= 1_000 else 128
    if model.head is None:
        model.head = model.hidden
    if model.dropout is None:
        model.dropout = 0.1 if pictures >= 10_000 else 0.3
    if model.input_dropout is None:
        model.input_dropout = 0.0
    return min(200.0, max(3.0, round(PICTURES_TO_LEARN_FROM / max(1, pictures), 1)))

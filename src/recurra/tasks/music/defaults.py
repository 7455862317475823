"""How large a network, how much dropout and how many passes music deserves."""

from __future__ import annotations

from recurra.tasks.music.config import Model

STEPS_TO_LEARN_FROM = 1_500_000
"""Steps read after which a model has most of what it will get."""


def choose_size(model: Model, steps: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    >>> model = Model()
    >>> choose_size(model, 14_000), model.hidden, model.head_units, model.dropout
    (107.1, 256, 256, 0.2)
    """
    if model.hidden is None:
        model.hidden = 256 if steps >= 5_000 else 128
    if model.head_units is None:
        model.head_units = model.hidden
    if model.dropout is None:
        model.dropout = 0.2
    if model.input_dropout is None:
        model.input_dropout = 0.05
    return min(250.0, max(3.0, round(STEPS_TO_LEARN_FROM / max(1, steps), 1)))

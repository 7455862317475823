"""How large a network, how much dropout and how many passes music deserves."""

from __future__ import annotations

from recurra.tasks.music.config import Model

STEPS_TO_LEARN_FROM = 1_500_000
"""Steps read after which a model has most of what it will get."""
MAX_EPOCHS, UPDATES_OF_FEW_PIECES = 250.0, 1_200
"""A dozen pieces are two or three batches: 250 passes over them are too few updates for any learning rate."""


def choose_size(model: Model, steps: int, batches: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    steps: of all training pieces.  batches: of an epoch.

    >>> model = Model()
    >>> choose_size(model, 14_000, 24), model.hidden, model.head_units, model.dropout
    (107.1, 256, 256, 0.2)
    >>> choose_size(model, 700, 2)
    600.0
    """
    if model.hidden is None:
        model.hidden = 256 if steps >= 5_000 else 128
    if model.head_units is None:
        model.head_units = model.hidden
    if model.dropout is None:
        model.dropout = 0.2
    if model.input_dropout is None:
        model.input_dropout = 0.05
    passes = min(MAX_EPOCHS, max(3.0, round(STEPS_TO_LEARN_FROM / max(1, steps), 1)))
    return max(passes, round(UPDATES_OF_FEW_PIECES / max(1, batches), 1))

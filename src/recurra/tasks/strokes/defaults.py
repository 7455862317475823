"""How large a network, how much dropout and how many passes drawings deserve."""

from __future__ import annotations

from recurra.tasks.strokes.config import Model

POINTS_TO_LEARN_FROM = 10_000_000
"""Points read after which a model has most of what it will get."""
MANY_DRAWINGS, SOME_DRAWINGS = 5_000, 500


def choose_size(model: Model, drawings: int, points: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    >>> model = Model()
    >>> choose_size(model, 10_000, 310_000), model.hidden, model.dropout
    (32.3, 512, 0.1)
    """
    if model.hidden is None:
        model.hidden = 512 if drawings >= MANY_DRAWINGS else 256 if drawings >= SOME_DRAWINGS else 128
    if model.dropout is None:
        model.dropout = 0.1 if drawings >= MANY_DRAWINGS else 0.2
    if model.input_dropout is None:
        model.input_dropout = 0.0  # what is read are two numbers and a pen's state
    return min(300.0, max(3.0, round(POINTS_TO_LEARN_FROM / max(1, points), 1)))

"""How large a network, and how many passes, forecasting deserves."""

from __future__ import annotations

from recurra.tasks.forecast.config import Model

STEPS_TO_LEARN = 10_000_000
"""Steps read after which a forecaster has most of what it will get."""
FEW = 1_000
"""Steps of training below which a small network, taught slowly, forecasts better."""


def choose_size(model: Model, steps: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training; steps: of the training part.

    >>> model = Model()
    >>> choose_size(model, 350_000), model.hidden, model.dropout
    (28.571428571428573, 128, 0.1)
    """
    if model.hidden is None:
        model.hidden = 16 if steps < FEW else 64 if steps < 20_000 else 128
    if model.dropout is None:
        model.dropout = 0.3 if steps < 2_000 else 0.1
    if model.input_dropout is None:
        model.input_dropout = 0.0  # a window whose values are missing now and then has another level
    return min(200.0, max(3.0, STEPS_TO_LEARN / max(1, steps)))


def choose_rate(steps: int) -> float:
    """Choose AdamW's learning rate.

    >>> choose_rate(144), choose_rate(350_000)
    (0.0007, 0.002)
    """
    return 0.0007 if steps < FEW else 0.002

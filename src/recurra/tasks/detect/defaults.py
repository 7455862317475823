"""How large a network, how long a window and how many passes series in time deserve."""

from __future__ import annotations

from recurra.tasks.detect.config import Data, Model

STEPS_TO_LEARN_FROM = 400_000
"""Steps read, over all passes, after which a detector has most of what it will get."""


def choose_size(model: Model, data: Data, steps: int, longest: int) -> float:
    """Fill in what is open, and give the number of epochs worth training.  steps: of training; longest: series.

    >>> model, data = Model(), Data()
    >>> choose_size(model, data, 3000, 3000), model.hidden, data.window
    (100.0, 32, 32)
    """
    if model.hidden is None:
        model.hidden = 32 if steps < 20_000 else 64 if steps < 1_000_000 else 128
    if model.dropout is None:
        model.dropout = 0.1 if steps < 1_000_000 else 0.0
    if model.input_dropout is None:
        model.input_dropout = 0.0  # a value that is missing now and then is missing, and no noise
    if data.window is None:
        window = 32
        while window < 256 and window < longest and steps > 256 * window:
            window *= 2
        data.window = window
    return min(100.0, max(4.0, STEPS_TO_LEARN_FROM / max(1, steps)))


def choose_batch_size(steps: int) -> int:
    """Choose how many lanes read side by side: few for few steps, so that there are enough windows.

    >>> choose_batch_size(600), choose_batch_size(10_000), choose_batch_size(300_000)
    (4, 16, 64)
    """
    lanes = 4
    while lanes < 64 and steps > 800 * lanes:
        lanes *= 2
    return lanes

"""How large a network, how much dropout and how many passes a text of some length deserves."""

from __future__ import annotations

from collections.abc import Callable

from recurra.tasks.lm.config import Model
from recurra.tasks.lm.network import LOGITS

SIZES = (128, 256, 512)
# Training units from which on a size is worth its time (from trainings on 0.1, 1 and 5 million characters).
WORTH = {128: 0, 256: 60_000, 512: 400_000}
STEPS_PER_PASS = 25  # a pass over a text should be so many steps at least
UNITS_TO_LEARN = 8e6  # after so many units read a model of 512 units has most of what it will get
UNITS_TO_MASTER = 4e7  # and after so many a well regularised one gets no better


def choose_size(model: Model, units: int, seconds: float | None, measure: Callable[[], float]) -> float:
    """Fill in the hidden size and the dropout that are open, and give the number of epochs worth training."""
    if model.dropout is None:
        model.dropout = _dropout(units, seconds)
    few, many = (max(1.0, min(most, limit / units)) for limit, most in ((UNITS_TO_LEARN, 60), (UNITS_TO_MASTER, 200)))
    if model.hidden is None:
        allowed = [size for size in SIZES if WORTH[size] <= units]
        model.hidden = allowed[-1] if seconds is None else _largest(model, allowed, seconds, few, measure)
    return few if seconds is None else many


def choose_batch(units: int, window: int, seconds: float | None, vocabulary: int) -> int:
    """Choose the lanes: many make good use of the machine, few give more steps, of which a short training needs enough.

    A large vocabulary has fewer lanes, since the memory of a step grows with lanes × window × vocabulary.

    >>> choose_batch(1_000_000, 128, None, 90), choose_batch(500_000, 128, 60.0, 90), choose_batch(3_000, 128, None, 90)
    (64, 16, 8)
    >>> choose_batch(1_000_000, 128, None, 10_000), choose_batch(1_000_000, 128, None, 100_000)
    (32, 8)
    """
    most = 64 if seconds is None or seconds > 300 else 32 if seconds > 120 else 16
    while most > 8 and (units < most * window * STEPS_PER_PASS or most * window * vocabulary > LOGITS):
        most //= 2
    return most


def _largest(model: Model, allowed: list[int], seconds: float, passes: float, measure: Callable[[], float]) -> int:
    """Find the largest size that can be trained for enough passes, going up while there is time to spare."""
    best = allowed[0]
    for size in allowed:
        model.hidden = size
        fitting = seconds / measure()
        if fitting < passes and size != allowed[0]:
            break
        best = size
        if fitting < 2 * passes:  # the next size costs two to three times as much: no need to measure it
            break
    return best


def _dropout(units: int, seconds: float | None) -> float:
    """The more often a text will be read, the more has to be dropped."""
    if units > 50_000_000:
        return 0.0
    if units > 5_000_000:
        return 0.1
    if seconds is None:
        return 0.3
    return 0.2 if seconds < 180 else 0.3 if seconds < 900 else 0.4

"""How large a network, how much dropout and how many passes over it a text of some length deserves."""

from __future__ import annotations

from collections.abc import Callable

from recurra.tasks.base.defaults import largest_in_time
from recurra.tasks.lm.config import Model

MIN_UNITS_FOR_SIZE = {128: 0, 256: 60_000, 512: 400_000}
"""Training units from which on a hidden size is worth its time (from trainings on 0.1, 1 and 5 million characters)."""
MIN_STEPS_PER_EPOCH = 25
UNITS_TO_LEARN = 8e6
"""Units read after which a model of 512 hidden units has most of what it will get."""
UNITS_TO_MASTER = 4e7
"""Units read after which a well regularised one gets no better."""
MAX_LOGITS_TRAINING = 45_000_000
"""Most logits that a loss makes at once, 180 MB in float32: more are made piece by piece, and once more for the gradient."""


def choose_size(model: Model, units: int, seconds: float | None, measure_seconds: Callable[[], float]) -> float:
    """Fill in the hidden size and the dropout that are open, and give the number of epochs worth training."""
    if model.dropout is None:
        model.dropout = _dropout(units, seconds)
    few, many = (max(1.0, min(most, read / units)) for read, most in ((UNITS_TO_LEARN, 60), (UNITS_TO_MASTER, 200)))
    if model.hidden is None:
        allowed = [size for size, fewest in MIN_UNITS_FOR_SIZE.items() if fewest <= units]

        def measure(size: int) -> float:
            model.hidden = size
            return measure_seconds()

        model.hidden = allowed[-1] if seconds is None else largest_in_time(allowed, seconds, few, measure)
    return few if seconds is None else many


def choose_batch(units: int, bptt: int, seconds: float | None, vocabulary: int) -> int:
    """Choose the lanes: many make good use of the machine, few give more steps, of which a short training needs enough.

    A large vocabulary has fewer lanes, since the memory of a step grows with lanes × bptt × vocabulary.

    >>> choose_batch(1_000_000, 128, None, 90), choose_batch(500_000, 128, 60.0, 90), choose_batch(3_000, 128, None, 90)
    (64, 16, 8)
    >>> choose_batch(1_000_000, 128, None, 10_000), choose_batch(1_000_000, 128, None, 100_000)
    (32, 8)
    """
    most = 64 if seconds is None or seconds > 300 else 32 if seconds > 120 else 16
    while most > 8 and (units < most * bptt * MIN_STEPS_PER_EPOCH or most * bptt * vocabulary > MAX_LOGITS_TRAINING):
        most //= 2
    return most


def _dropout(units: int, seconds: float | None) -> float:
    """The more often a text will be read, the more has to be dropped."""
    if units > 50_000_000:
        return 0.0
    if units > 5_000_000:
        return 0.1
    if seconds is None:
        return 0.3
    return 0.2 if seconds < 180 else 0.3 if seconds < 900 else 0.4

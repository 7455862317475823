"""How large a network, how much dropout and how many passes signals deserve."""

from __future__ import annotations

from collections.abc import Callable

from recurra.tasks.base.defaults import largest_in_time
from recurra.tasks.transcribe.config import Model
from recurra.tasks.transcribe.signals import SignalKind

STEPS_TO_LEARN = 6_000_000
"""Steps read after which a transcriber has most of what it will get."""
STEPS_TO_MASTER = 20_000_000
"""Steps read after which a well regularised one gets no better."""
MIN_EPOCHS, MAX_EPOCHS = 10.0, 100.0
MEDIUM_STEPS, LARGE_STEPS = 100_000, 2_000_000
"""Steps of the training part from which on a network is of medium size, and large."""
SHARE_OF_PASSES = 0.4
SIZES = (64, 96, 128, 200, 256, 320)


def choose_size(
    model: Model, signals: SignalKind, steps: int, seconds: float | None, measure_seconds: Callable[[], float]
) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    steps: of all training signals.  seconds: that there are; None: as many as it takes.

    >>> from recurra.tasks.transcribe.sound import SoundKind
    >>> model = Model()
    >>> choose_size(model, SoundKind(8_000, 40), 38_000, None, lambda: 1.0), model.hidden, model.dropout, model.stack
    (100.0, 128, 0.3, 3)
    >>> live = Model(bidirectional=False)
    >>> choose_size(live, SoundKind(8_000, 40), 38_000, None, lambda: 1.0), live.hidden
    (100.0, 200)
    """
    if model.stack is None:
        model.stack = 1 if signals.has_convolutions else signals.frame_stack
    if model.channels is None:
        model.channels = 16
    if model.dropout is None:
        model.dropout = 0.3 if steps < LARGE_STEPS else 0.2
    few, many = (
        min(MAX_EPOCHS, max(MIN_EPOCHS, round(read / max(1, steps), 1))) for read in (STEPS_TO_LEARN, STEPS_TO_MASTER)
    )
    if model.hidden is None:
        largest = 320 if steps >= LARGE_STEPS else 200 if steps >= MEDIUM_STEPS else 128
        if not model.bidirectional and largest < SIZES[-1]:
            largest = SIZES[SIZES.index(largest) + 1]  # one direction has to know alone what two share

        def measure(size: int) -> float:
            model.hidden = size
            return measure_seconds()

        allowed = [size for size in SIZES if size <= largest]
        model.hidden = largest if seconds is None else largest_in_time(allowed, seconds, SHARE_OF_PASSES * few, measure)
    return few if seconds is None else many

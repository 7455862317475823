"""How large a network, how much dropout and how many passes pairs deserve."""

from __future__ import annotations

from collections.abc import Callable

from recurra.tasks.base.defaults import largest_in_time
from recurra.tasks.translate.config import Model

UNITS_TO_LEARN = 8_000_000
"""Units of targets read after which a translator has most of what it will get."""
UNITS_TO_MASTER = 20_000_000
"""Units read after which a well regularised one gets no better."""
SHARE_OF_PASSES = 0.4
"""Of those that give most, below which a smaller network learns more in the same time."""
MANY_UNITS = 2_000_000
SIZES = (64, 128, 256, 320, 512)


def choose_size(
    model: Model,
    units: int,
    pairs: int,
    seconds: float | None,
    measure_seconds: Callable[[], float],
    *,
    sentences: bool,
) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    units: of all training targets.  seconds: that there are; None: as many as it takes.  sentences: whether targets are written by
    words or pieces of words, of which many will do.

    >>> model = Model()
    >>> epochs = choose_size(model, 450_000, 29_000, None, lambda: 60.0, sentences=True)
    >>> epochs, model.hidden, model.embedding, model.dropout, model.label_smoothing
    (17.8, 320, 256, 0.3, 0.1)
    >>> short = Model()
    >>> _ = choose_size(short, 450_000, 29_000, 100.0, lambda: 0.1 * (short.hidden or 0), sentences=True)
    >>> short.hidden
    128
    """
    if model.label_smoothing is None:
        model.label_smoothing = 0.1 if sentences else 0.0
    if model.dropout is None:
        model.dropout = 0.1 if not sentences or units >= 10 * MANY_UNITS else 0.2 if units >= MANY_UNITS else 0.3
    few, many = (
        min(most, max(3.0, round(read / max(1, units), 1)))
        for read, most in ((UNITS_TO_LEARN, 60.0), (UNITS_TO_MASTER, 150.0))
    )
    if model.hidden is None:
        largest = 512 if units >= MANY_UNITS else 320 if units >= 200_000 else 256 if pairs >= 2_000 else 128
        own_embedding = model.embedding

        def measure(size: int) -> float:
            model.hidden, model.embedding = size, own_embedding or _embedding(size)
            return measure_seconds()

        allowed = [size for size in SIZES if size <= largest]
        model.hidden = largest if seconds is None else largest_in_time(allowed, seconds, SHARE_OF_PASSES * few, measure)
        model.embedding = own_embedding
    model.embedding = model.embedding or _embedding(model.hidden)
    return few if seconds is None else many


def _embedding(hidden: int) -> int:
    return min(256, hidden)

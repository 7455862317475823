"""How large a network, how much dropout and how many passes pairs deserve."""

from __future__ import annotations

from recurra.tasks.translate.config import Model

UNITS_TO_LEARN_FROM = 8_000_000
"""Units of targets read after which a translator has most of what it will get."""
MANY_UNITS = 2_000_000
BPE_DROPOUT = 0.1


def choose_size(model: Model, units: int, pairs: int, *, sentences: bool, byte_pairs: bool) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    units: of all training targets.  sentences: whether these are written by words or pieces of words, of which many will do.  byte_pairs: whether a side is.

    >>> model = Model()
    >>> choose_size(model, 450_000, 29_000, sentences=True, byte_pairs=True), model.hidden, model.embedding, model.dropout, model.label_smoothing
    (17.8, 320, 256, 0.3, 0.1)
    """
    if model.hidden is None:
        model.hidden = 512 if units >= MANY_UNITS else 320 if units >= 200_000 else 256 if pairs >= 2_000 else 128
    if model.embedding is None:
        model.embedding = min(256, model.hidden)
    if model.label_smoothing is None:
        model.label_smoothing = 0.1 if sentences else 0.0
    if model.bpe_dropout is None:
        model.bpe_dropout = BPE_DROPOUT if byte_pairs and units < MANY_UNITS else 0.0
    if model.dropout is None:
        model.dropout = 0.1 if not sentences or units >= 10 * MANY_UNITS else 0.2 if units >= MANY_UNITS else 0.3
    return min(60.0, max(3.0, round(UNITS_TO_LEARN_FROM / max(1, units), 1)))

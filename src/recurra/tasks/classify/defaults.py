"""How large a network, how much dropout and how many passes labelled sequences deserve."""

from __future__ import annotations

from recurra.tasks.classify.config import Model

TEXTS_TO_LEARN_FROM = 100_000
"""Texts read after which a classifier of text has most of what it will get."""
SERIES_TO_LEARN_FROM = 200_000


def choose_size(model: Model, examples: int, *, text: bool, words: bool = False) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    >>> model = Model()
    >>> choose_size(model, 10_000, text=True), model.hidden, model.pooling, model.dropout
    (10.0, 128, 'max', 0.5)
    """
    if model.pooling is None:
        model.pooling = "max" if text else "attention"
    if model.dropout is None:
        model.dropout = 0.5 if text else 0.3 if examples < 20_000 else 0.1
    if model.input_dropout is None and words:
        model.input_dropout = model.dropout  # words that are missing now and then teach it to read the others
    if model.noise is None:
        model.noise = 0.1 if not text and examples < 20_000 else 0.0
    if model.hidden is None:
        model.hidden = 128 if text or examples >= 1_000 else 96
    fewest, most = (3.0, 30.0) if text else (5.0, 300.0)
    return min(most, max(fewest, (TEXTS_TO_LEARN_FROM if text else SERIES_TO_LEARN_FROM) / max(1, examples)))

"""How large a network, how much dropout and how many passes labelled sequences deserve."""

from __future__ import annotations

from recurra.tasks.classify.config import Model

TEXT_TO_LEARN = 100_000  # texts read after which a classifier of text has most of what it will get
SERIES_TO_LEARN = 200_000


def choose_size(model: Model, kind: str, examples: int, *, words: bool = False) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    >>> model = Model()
    >>> choose_size(model, "text", 10_000), model.hidden, model.pooling, model.dropout
    (10.0, 128, 'max', 0.5)
    """
    text = kind == "text"
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
    few, most = (3.0, 30.0) if text else (5.0, 300.0)
    return min(most, max(few, (TEXT_TO_LEARN if text else SERIES_TO_LEARN) / max(1, examples)))

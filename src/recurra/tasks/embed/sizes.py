"""How large a network, how small a vector and how many passes sequences deserve."""

from __future__ import annotations

from recurra.tasks.embed.config import Model

TEXT_TO_LEARN = 100_000  # texts read
SERIES_TO_LEARN = 100_000


def choose_size(model: Model, kind: str, examples: int) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    >>> model = Model()
    >>> choose_size(model, "series", 1_000), model.hidden, model.size, model.pooling
    (100.0, 96, 32, 'mean')
    """
    text, narrow = kind == "text", model.method == "autoencoder"
    if model.pooling is None:
        model.pooling = "mean"
    if model.dropout is None:
        model.dropout = 0.3 if text else 0.0
    if model.noise is None:
        model.noise = 0.1 if not text and examples < 20_000 else 0.0
    if model.hidden is None:
        model.hidden = 128 if text else 96
    if model.size is None and narrow:
        model.size = 32
    if model.blind is None and narrow:
        model.blind = 0.5 if text else 1.0
    few, most = (3.0, 30.0) if text else (5.0, 300.0)
    return min(most, max(few, (TEXT_TO_LEARN if text else SERIES_TO_LEARN) / max(1, examples)))

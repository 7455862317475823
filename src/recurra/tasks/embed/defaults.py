"""How large a network, how small a vector and how many passes sequences deserve."""

from __future__ import annotations

from recurra.tasks.embed.config import Model

TEXTS_TO_LEARN_FROM = 100_000
SERIES_TO_LEARN_FROM = 60_000
"""Sequences read after which a network has most of what it will get; of series it then learns them by heart."""


def choose_size(model: Model, examples: int, *, text: bool) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    A small vector leaves out what is of one sequence alone, which is what clusters should not be made of.

    >>> model = Model()
    >>> choose_size(model, 1_000, text=False), model.hidden, model.vector_size, model.pooling, model.decoder_input_dropout
    (60.0, 96, 16, 'mean', 1.0)
    """
    autoencoder = model.objective == "autoencoder"
    if model.pooling is None:
        model.pooling = "mean"
    if model.dropout is None:
        model.dropout = 0.3 if text else 0.0
    if model.noise is None:
        model.noise = 0.1 if not text and examples < 20_000 else 0.0
    if model.hidden is None:
        model.hidden = 128 if text else 96
    if model.vector_size is None and autoencoder:
        model.vector_size = 64 if text else 16
    if model.decoder_input_dropout is None and autoencoder:
        model.decoder_input_dropout = 0.5 if text else 1.0
    fewest, most = (3.0, 20.0) if text else (5.0, 66.7)
    return min(most, max(fewest, (TEXTS_TO_LEARN_FROM if text else SERIES_TO_LEARN_FROM) / max(1, examples)))

"""How large a network, how much dropout and how many passes tagged sequences deserve."""

from __future__ import annotations

from recurra.tasks.tag.config import Model

STEPS_TO_LEARN_FROM = 3_000_000
"""Words or steps read after which a tagger has most of what it will get."""


def choose_size(model: Model, steps: int, *, text: bool, spans: bool) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    steps: words or steps of the training data.  spans: whether the tags mark spans, which are chosen together.

    >>> model = Model()
    >>> choose_size(model, 200_000, text=True, spans=True), model.hidden, model.head, model.dropout
    (15.0, 128, 'crf', 0.5)
    """
    if model.head is None:
        model.head = "crf" if spans else "softmax"
    if model.dropout is None:
        model.dropout = 0.5 if text else 0.2
    if model.input_dropout is None and text:
        model.input_dropout = model.dropout  # words that are missing now and then teach it to read the others
    if model.hidden is None:
        model.hidden = 128
    return min(40.0, max(4.0, STEPS_TO_LEARN_FROM / max(1, steps)))

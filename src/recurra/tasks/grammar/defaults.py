"""How large a network and how many passes strings deserve."""

from __future__ import annotations

import math

from recurra.tasks.grammar.config import Model

STEPS_OF_A_GRAMMAR = 2_500
"""Steps in which small networks learn the grammars here or do not; most have learnt by then."""
SYMBOLS_OF_STRINGS = 3_000_000
"""Symbols read after which a model of strings of one's own has most of what it will get."""
UNITS_OF_A_GRAMMAR = 16


def choose_size(model: Model, symbols: int, longest: int, batches: int, *, known: bool) -> float:
    """Fill in what of the network is open, and give the number of epochs worth training.

    symbols: of the training strings, and of the longest.  batches: of an epoch.  known: whether strings are drawn from a grammar.

    >>> model = Model()
    >>> choose_size(model, 2_000, 30, 32, known=True), model.hidden, model.dropout, model.forget_bias
    (78.0, 16, 0.0, 3.4)
    """
    if model.forget_bias is None:
        # A forget gate with a bias b begins with a memory of about exp(b) steps: of a whole string here (Tallec & Ollivier 2018, arXiv:1804.11188v1).
        model.forget_bias = round(math.log(max(math.e, longest)), 2) if known else 1.0
    if model.hidden is None:
        model.hidden = UNITS_OF_A_GRAMMAR if known else 64 if symbols < 50_000 else 128
    if model.dropout is None:
        model.dropout = 0.0 if known else 0.2
    if known:
        return float(max(1, round(STEPS_OF_A_GRAMMAR / max(1, batches))))
    return min(150.0, max(3.0, float(round(SYMBOLS_OF_STRINGS / max(1, symbols)))))

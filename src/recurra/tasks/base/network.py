"""The stack of cells that a task's settings describe."""

from __future__ import annotations

from collections.abc import Sequence

from recurra.nn import Stack
from recurra.tasks.base.config import RecurrentModel


def build_stack(
    model: RecurrentModel, size: int, *, bidirectional: bool = False, dilations: Sequence[int] = ()
) -> Stack:
    """Build the stack of cells that the settings describe, over so many features; raises `ValueError` while `hidden` is open."""
    if model.hidden is None:
        raise ValueError("hidden has to be chosen before the network is built")
    stack = Stack(
        model.cell,
        size,
        [model.hidden] * model.layers,
        dropout=model.dropouts[1],
        variational=model.variational,
        weight_dropout=model.recurrent_dropout,
        residual=model.residual,
        layer_norm=model.layer_norm,
        bidirectional=bidirectional,
        dilations=dilations,
    )
    stack.reset_parameters(model.init, model.init_gain, model.forget_bias)
    return stack

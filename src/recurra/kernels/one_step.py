"""A single step of a few rows, as an agent learns from them, with gradients: torch's own functions for one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.kernels.interface import LayerOutput

MAX_ROWS = 16
"""Rows up to which reading the weights as they lie costs less than the panels that the engine makes of them first."""
MIN_WEIGHTS = 1 << 17
"""Numbers in the weights of a cell with gates from which that holds; below, the nodes of torch's graph cost more."""

_STEPS: dict[str, Callable[..., Any]] = {
    "lstm": torch.lstm_cell,
    "gru": torch.gru_cell,
    "rnn_tanh": torch.rnn_tanh_cell,
    "rnn_relu": torch.rnn_relu_cell,
}
"""`Cell.torch_mode` → torch's function for one step."""


def one_step(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    lengths: Tensor | None,
    reverse: bool,  # noqa: ARG001  one step has no direction
    return_gates: bool,
) -> LayerOutput | None:
    """Run a cell for one step by torch's function for it, with gradients; a `Kernel`, which gives None where others are faster."""
    steps, rows = x.shape[:2]
    if steps != 1 or not 0 < rows <= MAX_ROWS or lengths is not None or return_gates or x.device.type != "cpu":
        return None
    if cell.torch_mode is None or "weight_hr" in weights or torch.is_autocast_enabled("cpu"):
        return None
    weight_ih, weight_hh = weights["weight_ih"], weights["weight_hh"]
    if len(cell.gates) > 1 and weight_ih.numel() + weight_hh.numel() < MIN_WEIGHTS:
        return None
    # Without gradients the engine's sums are worth more than speed: a row's do not depend on the rows beside it.
    if not torch.is_grad_enabled() or not any(value.requires_grad for value in (x, *state, *weights.values())):
        return None
    hx = state if len(state) > 1 else state[0]
    after = _STEPS[cell.torch_mode](
        x.select(0, 0), hx, weight_ih, weight_hh, weights.get("bias_ih"), weights.get("bias_hh")
    )
    after = tuple(after) if len(state) > 1 else (after,)
    return LayerOutput(torch.stack(after[:1]), after)  # a copy: the outputs and the state are no views of each other

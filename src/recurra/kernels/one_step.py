"""A single step of a few rows, as a stream and an agent take them, by torch's own functions for one step."""

from __future__ import annotations

import torch
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.kernels.face import LayerOutput

FEW_ROWS = 16
"""Rows up to which reading the weights as they lie costs less than the panels that the engine makes of them first."""
MANY_WEIGHTS = 1 << 17
"""Numbers in the weights from which that holds for the gradients too; below, the nodes of torch's graph cost more."""


def one_step(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    lengths: Tensor | None,
    reverse: bool,  # noqa: ARG001  one step has no direction
    return_gates: bool,
) -> LayerOutput | None:
    """Run a cell for one step by the function of `torch._VF` for it; a `Kernel`, which gives None where others are faster."""
    steps, rows = x.shape[:2]
    if steps != 1 or not 0 < rows <= FEW_ROWS or lengths is not None or return_gates or x.device.type != "cpu":
        return None
    if cell.torch_mode is None or "weight_hr" in weights or torch.is_autocast_enabled("cpu"):
        return None
    weight_ih, weight_hh = weights["weight_ih"], weights["weight_hh"]
    if torch.is_grad_enabled() and len(cell.gates) > 1 and weight_ih.numel() + weight_hh.numel() < MANY_WEIGHTS:
        tensors = (x, *state, *weights.values())
        if any(tensor.requires_grad for tensor in tensors):
            return None
    function = getattr(torch._VF, f"{cell.torch_mode}_cell")
    hx = state if len(state) > 1 else state[0]
    after = function(x[0], hx, weight_ih, weight_hh, weights.get("bias_ih"), weights.get("bias_hh"))
    after = after if len(state) > 1 else (after,)
    return LayerOutput(after[0].unsqueeze(0), after)

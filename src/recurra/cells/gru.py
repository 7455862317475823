"""The gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.cells.base import Cell, CellState, OnnxOp, register


@register
class GRU(Cell):
    """Gated recurrent unit, Cho et al. 2014 (arXiv:1406.1078v1: reset applied after the matrix product, as in cuDNN and torch).

        r = σ(W_r x + b_r + R_r h + c_r)      z = σ(W_z x + b_z + R_z h + c_z)
        n = tanh(W_n x + b_n + r ∘ (R_n h + c_n))        h' = (1 − z) ∘ n + z ∘ h

    >>> GRU.shapes(2, 3)["bias_hh"]
    (9,)
    """

    name = "gru"
    title = "GRU"
    gates = ("reset", "update", "candidate")
    symbols = ("r", "z", "n")
    activations = ("sigmoid", "sigmoid", "tanh")
    states = ("h",)
    torch_mode = "gru"
    onnx = OnnxOp("GRU", gates=("update", "reset", "candidate"), attributes={"linear_before_reset": 1})

    @staticmethod
    def step(
        xw: Sequence[Tensor], hr: Sequence[Tensor], state: CellState, peephole: Sequence[Tensor]
    ) -> tuple[CellState, tuple[Tensor, ...]]:
        (h,) = state
        r = torch.sigmoid(xw[0] + hr[0])
        z = torch.sigmoid(xw[1] + hr[1])
        n = torch.tanh(xw[2] + r * hr[2])
        return (n + z * (h - n),), (r, z, n)

    @classmethod
    def addends(
        cls,
        xw: Sequence[Tensor],
        hr: Sequence[Tensor],
        state: CellState,
        peephole: Sequence[Tensor],
        gates: Sequence[Tensor],
        after: CellState,
    ) -> tuple[dict[str, Tensor], ...]:
        *others, candidate = super().addends(xw, hr, state, peephole, gates, after)
        return (*others, {**candidate, "h": gates[0] * hr[2]})

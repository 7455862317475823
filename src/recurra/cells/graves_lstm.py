"""Long short-term memory with peepholes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.cells.base import Cell, CellState, OnnxOp, register


@register
class GravesLSTM(Cell):
    """LSTM whose gates see the memory through peepholes, Graves 2013 (arXiv:1308.0850, equations 7–11).

        i = σ(W_i x + b_i + R_i h + c_i + p_i ∘ c)    f = σ(W_f x + b_f + R_f h + c_f + p_f ∘ c)
        g = tanh(W_g x + b_g + R_g h + c_g)           c' = f ∘ c + i ∘ g
        o = σ(W_o x + b_o + R_o h + c_o + p_o ∘ c')   h' = o ∘ tanh(c')

    The output gate looks at the new memory, the other two at the old one.

    >>> GravesLSTM.shapes(2, 3)["peephole"]
    (3, 3)
    """

    name = "graves-lstm"
    title = "Graves LSTM (peepholes)"
    gates = ("input", "forget", "candidate", "output")
    symbols = ("i", "f", "g", "o")
    activations = ("sigmoid", "sigmoid", "tanh", "sigmoid")
    states = ("h", "c")
    projectable = True
    peepholes = ("input", "forget", "output")
    onnx = OnnxOp("LSTM", gates=("input", "output", "forget", "candidate"), attributes={"peepholes": True})

    @staticmethod
    def step(
        xw: Sequence[Tensor], hr: Sequence[Tensor], state: CellState, peephole: Sequence[Tensor]
    ) -> tuple[CellState, tuple[Tensor, ...]]:
        _, c = state
        p_i, p_f, p_o = peephole
        i = torch.sigmoid(xw[0] + hr[0] + p_i * c)
        f = torch.sigmoid(xw[1] + hr[1] + p_f * c)
        g = torch.tanh(xw[2] + hr[2])
        c = f * c + i * g
        o = torch.sigmoid(xw[3] + hr[3] + p_o * c)
        return (o * torch.tanh(c), c), (i, f, g, o)

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
        i, f, g, o = super().addends(xw, hr, state, peephole, gates, after)
        p_i, p_f, p_o = peephole
        i, f, o = (
            {**i, "peephole": p_i * state[1]},
            {**f, "peephole": p_f * state[1]},
            {**o, "peephole": p_o * after[1]},
        )
        return i, f, g, o

"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.cells.base import Cell, CellState, OnnxOp, register


@register
class LSTM(Cell):
    """Long short-term memory with a forget gate, Hochreiter & Schmidhuber 1997 and Gers et al. 2000, as in torch and cuDNN.

        i = σ(W_i x + b_i + R_i h + c_i)      f = σ(W_f x + b_f + R_f h + c_f)
        g = tanh(W_g x + b_g + R_g h + c_g)   o = σ(W_o x + b_o + R_o h + c_o)
        c' = f ∘ c + i ∘ g                    h' = o ∘ tanh(c')

    >>> LSTM.gate_rows("forget", hidden_size=4)
    slice(4, 8, None)
    """

    name = "lstm"
    title = "LSTM"
    gates = ("input", "forget", "candidate", "output")
    symbols = ("i", "f", "g", "o")
    activations = ("sigmoid", "sigmoid", "tanh", "sigmoid")
    states = ("h", "c")
    projectable = True
    torch_mode = "lstm"
    onnx = OnnxOp("LSTM", gates=("input", "output", "forget", "candidate"))

    @staticmethod
    def step(
        xw: Sequence[Tensor], hr: Sequence[Tensor], state: CellState, peephole: Sequence[Tensor]
    ) -> tuple[CellState, tuple[Tensor, ...]]:
        _, c = state
        i = torch.sigmoid(xw[0] + hr[0])
        f = torch.sigmoid(xw[1] + hr[1])
        g = torch.tanh(xw[2] + hr[2])
        o = torch.sigmoid(xw[3] + hr[3])
        c = f * c + i * g
        return (o * torch.tanh(c), c), (i, f, g, o)

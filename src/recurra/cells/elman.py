"""The simple recurrent network of Elman (1990), with tanh or with the rectifier."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.cells.base import Cell, CellState, OnnxOp, register


@register
class RNN(Cell):
    """Simple recurrent network, Elman 1990 (Cognitive Science 14:179–211), with tanh.

        h' = tanh(W x + b + R h + c)

    >>> RNN.shapes(2, 3)["weight_hh"]
    (3, 3)
    """

    name = "rnn"
    title = "Elman RNN (tanh)"
    gates = ("candidate",)
    symbols = ("h'",)
    activations = ("tanh",)
    states = ("h",)
    torch_mode = "rnn_tanh"
    onnx = OnnxOp("RNN", gates=("candidate",), attributes={"activations": ["Tanh"]})

    @staticmethod
    def step(
        xw: Sequence[Tensor], hr: Sequence[Tensor], state: CellState, peephole: Sequence[Tensor]
    ) -> tuple[CellState, tuple[Tensor, ...]]:
        h = torch.tanh(xw[0] + hr[0])
        return (h,), (h,)


@register
class ReluRNN(Cell):
    """Simple recurrent network with the rectifier; with R set to the identity it is the IRNN of Le et al. 2015 (arXiv:1504.00941).

        h' = max(0, W x + b + R h + c)

    >>> ReluRNN.torch_mode
    'rnn_relu'
    """

    name = "rnn-relu"
    title = "Elman RNN (relu)"
    gates = ("candidate",)
    symbols = ("h'",)
    activations = ("relu",)
    states = ("h",)
    torch_mode = "rnn_relu"
    onnx = OnnxOp("RNN", gates=("candidate",), attributes={"activations": ["Relu"]})

    @staticmethod
    def step(
        xw: Sequence[Tensor], hr: Sequence[Tensor], state: CellState, peephole: Sequence[Tensor]
    ) -> tuple[CellState, tuple[Tensor, ...]]:
        h = torch.relu(xw[0] + hr[0])
        return (h,), (h,)

"""What the ONNX exporters are given of a module: one node of ONNX's own RNN, LSTM or GRU for each layer, its steps and rows left open."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.onnx import ops

from recurra.cells import CellState

OPSET = 14
"""The version of the operators: the newest that all runtimes know."""


class _Node(NamedTuple):
    """How ONNX has a cell: its operator, the order of its gates by ours, that of its peepholes, and its further attributes."""

    operator: str
    gates: tuple[int, ...]
    attributes: dict[str, int | list[str]]
    peepholes: tuple[int, ...] = ()


_NODES = {
    "rnn": _Node("RNN", (0,), {"activations": ["Tanh"]}),
    "rnn-relu": _Node("RNN", (0,), {"activations": ["Relu"]}),
    "lstm": _Node("LSTM", (0, 3, 1, 2), {}),
    "graves-lstm": _Node("LSTM", (0, 3, 1, 2), {}, (0, 2, 1)),
    "gru": _Node("GRU", (1, 0, 2), {"linear_before_reset": 1}),
}


def has_node(cell: str, weights: dict[str, Tensor]) -> bool:
    """Tell whether ONNX has a layer of a cell with such weights: it has no projection."""
    return cell in _NODES and "weight_hr" not in weights


def layer_node(
    cell: str,
    x: Tensor,
    initial: list[CellState],
    weights: list[dict[str, Tensor]],
    lengths: Tensor | None,
) -> tuple[Tensor, list[CellState]]:
    """Put the node of a layer into the graph that is being exported.

    x: (T, B, I).  initial, weights: those of its directions, one or two, as `run_layer` takes them.
    lengths: (B), int64.  Returns y (T, B, D·H), zeros behind a row's end, and the state of each direction.
    """
    node, directions = _NODES[cell], len(weights)
    hidden, (steps, rows) = weights[0]["weight_hh"].shape[1], x.shape[:2]
    inputs: list[Tensor | None] = [
        x,
        torch.stack([_reordered(one["weight_ih"], node.gates) for one in weights]),
        torch.stack([_reordered(one["weight_hh"], node.gates) for one in weights]),
    ]
    biases = [_biases(one, node.gates) for one in weights]
    inputs.append(torch.stack([bias for bias in biases if bias is not None]) if biases[0] is not None else None)
    inputs.append(None if lengths is None else lengths.to(torch.int32))
    inputs += [torch.stack(values) for values in zip(*initial, strict=True)]
    if node.peepholes:
        inputs.append(torch.stack([one["peephole"][list(node.peepholes)].flatten() for one in weights]))
    states = len(initial[0])
    found = ops.symbolic_multi_out(
        node.operator,
        inputs,
        {
            "hidden_size": hidden,
            "direction": "bidirectional" if directions > 1 else "forward",
            **{key: value * directions if isinstance(value, list) else value for key, value in node.attributes.items()},
        },
        dtypes=[x.dtype] * (1 + states),
        shapes=[(steps, directions, rows, hidden), *[(directions, rows, hidden)] * states],
        version=OPSET,
    )
    y, *after = found
    ends = [tuple(value[side] for value in after) for side in range(directions)]
    return y.transpose(1, 2).reshape(steps, rows, directions * hidden), ends


def _reordered(weight: Tensor, gates: tuple[int, ...]) -> Tensor:
    """Give a weight (G·H, …) with its gates in the order of ONNX."""
    hidden = weight.shape[0] // len(gates)
    return torch.cat([weight[gate * hidden : (gate + 1) * hidden] for gate in gates])


def _biases(weights: dict[str, Tensor], gates: tuple[int, ...]) -> Tensor | None:
    if "bias_ih" not in weights:
        return None
    return torch.cat([_reordered(weights["bias_ih"], gates), _reordered(weights["bias_hh"], gates)])

"""One layer over time: torch's own kernel where it computes the cell, the cell's step scanned where it does not."""

from __future__ import annotations

import warnings

import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.kernels.checks import check_layer

# Weights that pass through DropConnect can never lie in cuDNN's own buffer; it copies them, which is what we want.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")


def run_layer(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> tuple[Tensor, CellState]:
    """Run a cell over time, differentiably.

    x: (T, B, I).  state: one (B, H) for each state of the cell.  weights: as `Cell.shapes` lists them.
    Returns the outputs (T, B, H) and the state after the last step, which has the type of the state that came in; under
    autocast the outputs may be in the lower precision, which is what the next layer reads.
    Raises `UsageError` where shapes, types or devices do not fit.

    >>> import torch
    >>> from recurra.cells import GRU
    >>> weights = {name: torch.zeros(shape) for name, shape in GRU.shapes(3, 5).items()}
    >>> y, (h,) = run_layer(GRU, torch.ones(7, 2, 3), (torch.zeros(2, 5),), weights)
    >>> y.shape, h.shape
    (torch.Size([7, 2, 5]), torch.Size([2, 5]))
    """
    check_layer(cell, x, state, weights)
    if cell.torch_mode is None or x.shape[0] == 0 or x.shape[1] == 0:
        return _scan(cell, x, state, weights)
    return _torch_layer(cell.torch_mode, x, state, weights)


def _torch_layer(mode: str, x: Tensor, state: CellState, weights: dict[str, Tensor]) -> tuple[Tensor, CellState]:
    flat = [weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    stacked = [value.unsqueeze(0) for value in state]  # torch wants (layers, B, H)
    hx = stacked if len(stacked) > 1 else stacked[0]
    # has_biases, num_layers, dropout, train, bidirectional, batch_first
    y, *new = getattr(torch._VF, mode)(x, hx, flat, True, 1, 0.0, torch.is_grad_enabled(), False, False)
    return y, tuple(value.squeeze(0).to(old.dtype) for value, old in zip(new, state, strict=True))


def scan_layer(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> tuple[Tensor, CellState]:
    """Run a cell over time by its own `step`; the same face as `run_layer`, for any cell, device and floating type.

    Under autocast the two matrix products are made in the lower precision, everything pointwise in the state's.
    Raises `UsageError` where shapes, types or devices do not fit.
    """
    check_layer(cell, x, state, weights)
    return _scan(cell, x, state, weights)


def _scan(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> tuple[Tensor, CellState]:
    hidden_size, gates = weights["weight_hh"].shape[1], len(cell.gates)
    dtype = state[0].dtype
    peephole = tuple(weights["peephole"].unbind(0)) if cell.peepholes else ()
    xw = F.linear(x, weights["weight_ih"], weights["bias_ih"])  # (T, B, G·H): all steps at once
    outputs = []
    for t in range(x.shape[0]):
        hr = F.linear(state[0], weights["weight_hh"], weights["bias_hh"])  # (B, G·H)
        state, _ = cell.step(
            xw[t].to(dtype).unflatten(-1, (gates, hidden_size)).unbind(-2),
            hr.to(dtype).unflatten(-1, (gates, hidden_size)).unbind(-2),
            state,
            peephole,
        )
        outputs.append(state[0])
    y = torch.stack(outputs) if outputs else x.new_zeros(0, x.shape[1], hidden_size, dtype=dtype)
    return y, state

"""One layer over time: the fastest kernel that computes it here, and the cell's own step where none does."""

from __future__ import annotations

import torch
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.kernels.checks import check_layer
from recurra.kernels.interface import Kernel, LayerOutput
from recurra.kernels.native_layer import native_layer
from recurra.kernels.one_step import one_step
from recurra.kernels.operator import operator_layer
from recurra.kernels.scan import scan
from recurra.kernels.torch_layer import torch_layer

KERNELS: list[Kernel] = [operator_layer, one_step, native_layer, torch_layer]
"""The kernels, in the order in which they are asked; the scan computes what none of them does."""


def run_layer(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    return_gates: bool = False,
) -> LayerOutput:
    """Run a cell over time, differentiably.

    x: (T, B, I).  state: one (B, H) for each state of the cell.  weights: as `Cell.shapes` lists them; both biases may be left
    out, which are zeros then; with a projection `weight_hr` (O, H) the first state, which is the output, is (B, O).
    lengths: (B), int64 on the CPU, each from 0 to T: a row's steps past its length do not exist. Its outputs there are zeros,
    its state is the one after its own last step; a row without steps keeps the state that came in. Padding is never read.
    reverse: each row is run from its own last step to its first; outputs stand at their own time.
    return_gates: the values of the gates, (T, B, G, H), come too.

    Returns y (T, B, O), the state, which has the type of the state that came in, and the gates or None; under autocast
    y may be in the lower precision, which is what the next layer reads.
    Raises `TensorError`, a `UsageError`, where ranks, shapes, types, devices or lengths do not fit.

    >>> import torch
    >>> from recurra.cells import GRU
    >>> weights = {name: torch.zeros(shape) for name, shape in GRU.shapes(3, 5).items()}
    >>> y, (h,), _ = run_layer(GRU, torch.ones(7, 2, 3), (torch.zeros(2, 5),), weights, lengths=torch.tensor([7, 4]))
    >>> y.shape, h.shape
    (torch.Size([7, 2, 5]), torch.Size([2, 5]))
    """
    if not torch.compiler.is_compiling():  # which has no numbers to check, and would guard every shape that is compared
        check_layer(cell, x, state, weights, lengths)
        lengths = _unless_full(x, lengths)
    for kernel in KERNELS:
        if (output := kernel(cell, x, state, weights, lengths, reverse, return_gates)) is not None:
            return output
    return scan(cell, x, state, weights, lengths, reverse, return_gates)


def scan_layer(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    *,
    lengths: Tensor | None = None,
    reverse: bool = False,
    return_gates: bool = False,
) -> LayerOutput:
    """Run a cell over time by its own `step`; the same face as `run_layer`, for any cell, device and floating type.

    Under autocast the matrix products are made in the lower precision, everything pointwise in the state's.
    It can be differentiated as often as wanted. Raises `UsageError` as `run_layer` does.
    """
    check_layer(cell, x, state, weights, lengths)
    return scan(cell, x, state, weights, _unless_full(x, lengths), reverse, return_gates)


def _unless_full(x: Tensor, lengths: Tensor | None) -> Tensor | None:
    """A batch whose rows all have T steps is not ragged."""
    return None if lengths is None or bool((lengths == x.shape[0]).all()) else lengths

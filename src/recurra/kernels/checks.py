"""The one gate in front of every kernel: rank, size, type and device are right, or the error says what is not."""

from __future__ import annotations

from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.errors import UsageError


def check_layer(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> None:
    """Check the arguments of one layer's run over time; raises `UsageError`.

    x: (T, B, I), floating.  state: one (B, H) for each state of the cell.  weights: as `Cell.shapes` lists them.
    """
    if x.dim() != 3:
        raise UsageError(f"x: expected 3 dimensions (T, B, I), got {x.dim()} of shape {tuple(x.shape)}")
    if not x.is_floating_point():
        raise UsageError(f"x: expected a floating type, got {x.dtype}; embed integer ids first")
    hidden_size = weights["weight_hh"].shape[1]
    expected = cell.shapes(weights["weight_ih"].shape[1], hidden_size)
    for name, shape in expected.items():
        if name not in weights:
            raise UsageError(f"weights: {cell.name} needs {name}, which is not there")
        if tuple(weights[name].shape) != shape:
            raise UsageError(f"{name}: expected shape {shape}, got {tuple(weights[name].shape)}")
        if weights[name].device != x.device:
            raise UsageError(f"{name}: is on {weights[name].device} but x on {x.device}; move one of them")
    if x.shape[2] != weights["weight_ih"].shape[1]:
        raise UsageError(f"x: expected {weights['weight_ih'].shape[1]} features, got {x.shape[2]}")
    if len(state) != len(cell.states):
        raise UsageError(f"state: {cell.name} carries {', '.join(cell.states)}; got {len(state)} tensors")
    for name, value in zip(cell.states, state, strict=True):
        if tuple(value.shape) != (x.shape[1], hidden_size):
            raise UsageError(f"state {name}: expected (B, H) = {(x.shape[1], hidden_size)}, got {tuple(value.shape)}")
        if value.device != x.device:
            raise UsageError(f"state {name}: is on {value.device} but x on {x.device}; move one of them")

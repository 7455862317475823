"""The one gate in front of every kernel: rank, size, type and device are right, or the error says what is not."""

from __future__ import annotations

import torch
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.errors import UsageError


def check_layer(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> None:
    """Check the arguments of one layer's run over time; raises `UsageError`.

    x: (T, B, I), floating.  state: one (B, H) for each state of the cell.  weights: as `Cell.shapes` lists them.
    All are of one type and on one device; autocast alone may mix floating types.
    """
    if x.dim() != 3:
        raise UsageError(f"x: expected 3 dimensions (T, B, I), got {x.dim()} of shape {tuple(x.shape)}")
    if not x.is_floating_point():
        raise UsageError(f"x: expected a floating type, got {x.dtype}; embed integer ids first")
    for name in cell.shapes(1, 1):
        if name not in weights:
            raise UsageError(f"weights: {cell.name} needs {name}, which is not there")
    for name in ("weight_ih", "weight_hh"):
        if weights[name].dim() != 2:
            raise UsageError(f"{name}: expected 2 dimensions, got shape {tuple(weights[name].shape)}")
    input_size, hidden_size = weights["weight_ih"].shape[1], weights["weight_hh"].shape[1]
    for name, shape in cell.shapes(input_size, hidden_size).items():
        if tuple(weights[name].shape) != shape:
            raise UsageError(f"{name}: expected shape {shape}, got {tuple(weights[name].shape)}")
        _check_kind(name, weights[name], x)
    if x.shape[2] != input_size:
        raise UsageError(f"x: expected {input_size} features, got {x.shape[2]}")
    if len(state) != len(cell.states):
        raise UsageError(f"state: {cell.name} carries {', '.join(cell.states)}; got {len(state)} tensors")
    for name, value in zip(cell.states, state, strict=True):
        if tuple(value.shape) != (x.shape[1], hidden_size):
            raise UsageError(f"state {name}: expected (B, H) = {(x.shape[1], hidden_size)}, got {tuple(value.shape)}")
        _check_kind(f"state {name}", value, x)


def _check_kind(name: str, value: Tensor, x: Tensor) -> None:
    if value.device != x.device:
        raise UsageError(f"{name}: is on {value.device} but x on {x.device}; move one of them")
    if value.dtype != x.dtype and not (value.is_floating_point() and _mixes(x.device.type)):
        raise UsageError(f"{name}: is {value.dtype} but x {x.dtype}; convert one of them, or use torch.autocast")


def _mixes(device: str) -> bool:
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)

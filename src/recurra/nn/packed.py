"""What a stream packs of a recurrent module."""

from __future__ import annotations

from torch import nn

from recurra.cells import Cell, cell_names, get_cell
from recurra.errors import UsageError
from recurra.kernels import PackedLayer
from recurra.nn.stack import Stack


def packed_layers(module: nn.Module) -> list[PackedLayer]:
    """Give the layers of a `Stack`, or of an RNN, LSTM, GravesLSTM or GRU of `recurra.nn` or `torch.nn`, to be packed.

    Raises `UsageError` for another module, one that runs in both directions, and one with a projection.
    """
    if isinstance(module, Stack):
        return module.packed_layers()
    if not isinstance(module, nn.RNNBase):
        raise UsageError(f"module: expected a Stack, RNN, LSTM, GravesLSTM or GRU, got {type(module).__name__}")
    if module.bidirectional:
        raise UsageError("module: a stream goes in one direction, and this module in both")
    if module.proj_size:
        raise UsageError("module: a stream of packed weights has no projections (proj_size)")
    cell, names = _cell(module.mode), module._all_weights
    return [PackedLayer(cell, {name.rsplit("_l", 1)[0]: getattr(module, name) for name in layer}) for layer in names]


def _cell(mode: str) -> type[Cell]:
    """Find the cell that torch, or a module of ours, calls by this mode."""
    cells = [get_cell(name) for name in cell_names()]
    return next(cell for cell in cells if mode.lower() in (cell.torch_mode, cell.name.replace("-", "_")))

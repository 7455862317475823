"""What a stream packs of a recurrent module."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

import torch
from torch import nn

from recurra.arguments import explained
from recurra.cells import Cell, cell_names, get_cell
from recurra.errors import UsageError
from recurra.kernels import PackedLayer, PackedModel
from recurra.kernels.native import engine
from recurra.kernels.native_call import CELL_KINDS
from recurra.kernels.packed import checksum
from recurra.nn.stack import Stack

_kept: WeakKeyDictionary[nn.Module, tuple[Hashable, PackedModel]] = WeakKeyDictionary()


@explained
def can_be_packed(stack: Stack) -> bool:
    """Tell whether the engine can step through a stack: float32, on the CPU, in one direction, of cells that it has.

    >>> can_be_packed(Stack("gru", 3, [5], bidirectional=True)), can_be_packed(Stack("gru", 3, [5]).double())
    (False, False)
    """
    plain = not stack.bidirectional and all(layer.dilation == 1 for layer in stack)
    return (
        engine() is not None
        and plain
        and {layer.cell.name for layer in stack} <= set(CELL_KINDS)
        and all(weight.device.type == "cpu" and weight.dtype == torch.float32 for weight in stack.parameters())
    )


@explained
def pack_once(network: nn.Module, stack: Stack, options: Hashable, pack: Callable[[], PackedModel]) -> PackedModel:
    """Give what `pack` makes of a network, or made the last time where the network is still as it was then, to the last bit.

    options: all that, beside the network, decides how it is packed.
    """
    layers = stack.packed_layers()
    norms = [layer.norm for layer in layers if layer.norm is not None]
    # Of another type are counts and what is chosen after training, none of which is ever packed.
    tensors = [each for each in (*network.parameters(), *network.buffers()) if each.dtype == torch.float32]
    structure = [(layer.cell, layer.residual, [*layer.weights]) for layer in layers], [norm[2] for norm in norms]
    key = options, repr(structure), tuple(tensor.shape for tensor in tensors), checksum(tensors)
    kept = _kept.get(network)
    if kept is None or kept[0] != key:
        kept = _kept[network] = key, pack()
    return kept[1]


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

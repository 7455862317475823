"""torch's own kernels, for the cells that they compute."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.kernels.interface import LayerOutput
from recurra.kernels.ragged import Packing

# Weights that pass through DropConnect can never lie in cuDNN's own buffer; it copies them, which is what we want.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")


def torch_layer(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    lengths: Tensor | None,
    reverse: bool,
    return_gates: bool,
) -> LayerOutput | None:
    """Run a cell by the function of `torch._VF` that it names.

    torch has none that says the gates, that runs over nothing, or that `torch.vmap` knows how to batch.
    """
    if cell.torch_mode is None or return_gates or x.shape[0] == 0 or x.shape[1] == 0 or _is_vmapped():
        return None
    if lengths is None:
        y, end = _call(cell.torch_mode, x.flip(0) if reverse else x, None, state, weights)
        return LayerOutput(y.flip(0) if reverse else y, end)
    packing = Packing.of(x, lengths, reverse=reverse)
    if not packing.sizes:
        return None
    running, first = packing.sizes[0], packing.sort(state)
    sizes = torch.tensor(packing.sizes)
    y, end = _call(cell.torch_mode, packing.pack(x), sizes, tuple(value[:running] for value in first), weights)
    if running < len(packing.order):  # torch packs no rows without steps; they end as they began
        end = tuple(torch.cat((new, old[running:])) for new, old in zip(end, first, strict=True))
    return LayerOutput(packing.unpack(y), packing.unsort(end))


def _call(
    mode: str, x: Tensor, sizes: Tensor | None, state: CellState, weights: dict[str, Tensor]
) -> tuple[Tensor, CellState]:
    flat = [weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr") if name in weights]
    stacked = [value.unsqueeze(0) for value in state]  # torch wants (layers, B, H)
    hx = stacked if len(stacked) > 1 else stacked[0]
    # has_biases, num_layers, dropout, train, bidirectional
    options = ("bias_ih" in weights, 1, 0.0, torch.is_grad_enabled(), False)
    function = getattr(torch._VF, mode)
    with _without_projection_warning() if "weight_hr" in weights else nullcontext():
        y, *new = function(x, hx, flat, *options, False) if sizes is None else function(x, sizes, hx, flat, *options)
    return y, tuple(value.squeeze(0).to(old.dtype) for value, old in zip(new, state, strict=True))


def _is_vmapped() -> bool:
    if not torch._C._are_functorch_transforms_active():
        return False
    interpreters = torch._C._functorch.get_interpreter_stack() or []
    return any(interpreter.key() == torch._C._functorch.TransformType.Vmap for interpreter in interpreters)


@contextmanager
def _without_projection_warning() -> Generator[None]:
    """That oneDNN has no projections is no news to a caller who cannot change it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="LSTM with projections is not supported with oneDNN")
        yield

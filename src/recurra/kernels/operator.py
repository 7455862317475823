"""The engine's layer as one operator of torch's, `recurra::layer`: for the compiler and torch.export, which follow shapes without numbers.

What it keeps for its derivative are outputs of its own, for a graph has no other place. An output that there is not is an empty tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, TypeVar

import torch
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.kernels.interface import LayerOutput
from recurra.kernels.native import engine
from recurra.kernels.native_call import NAMES, run_backward, run_forward, shape_kept
from recurra.kernels.native_layer import is_of_engine

T = TypeVar("T")
Maybe = Optional[Tensor]  # noqa: UP045  the operators' schemas are read from it


def operator_layer(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    lengths: Tensor | None,
    reverse: bool,
    return_gates: bool,
) -> LayerOutput | None:
    """Put the operator into the graph that is being made; a `Kernel`, which gives None where none is, and for gates."""
    if not torch.compiler.is_compiling() or return_gates or not _has_engine():
        return None
    if not is_of_engine(cell, x, state, weights):
        return None
    mixed = torch.is_autocast_enabled("cpu")
    learns = torch.is_grad_enabled() and any(value.requires_grad for value in (x, *state, *weights.values()))
    first = [value.float() for value in state]
    given = [weights[name] for name in NAMES if name in weights]
    y, h, c, *_ = torch.ops.recurra.layer(
        x, first[0], first[1] if len(first) > 1 else None, given, lengths, cell.name, mixed, reverse, learns
    )
    return LayerOutput(y, tuple(new.to(old.dtype) for new, old in zip((h, c), state, strict=False)))


@torch.compiler.assume_constant_result
def _has_engine() -> bool:
    return engine() is not None


@torch.library.custom_op("recurra::layer", mutates_args=())
def _layer(
    x: Tensor,
    h0: Tensor,
    c0: Maybe,
    weights: Sequence[Tensor],
    lengths: Maybe,
    cell: str,
    mixed: bool,
    reverse: bool,
    learns: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Give y, h and c after the layer, and the gates and the memory that are kept for its derivative where it `learns`."""
    with torch.no_grad():
        kept = _kept(x, h0, c0, cell, mixed, learns)
        gates, memory = kept
        given = (gates if learns else None, memory if learns and c0 is not None else None)
        y, h, c, _ = run_forward((cell, mixed, reverse), lengths, x, h0, c0, _at_places(weights), given, learns=learns)
    return y, h, x.new_empty(0) if c is None else c, *kept


@_layer.register_fake
def _(
    x: Tensor,
    h0: Tensor,
    c0: Tensor | None,
    weights: Sequence[Tensor],  # noqa: ARG001
    lengths: Tensor | None,  # noqa: ARG001
    cell: str,
    mixed: bool,
    reverse: bool,  # noqa: ARG001
    learns: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    y = x.new_empty((x.shape[0], x.shape[1], h0.shape[1]), dtype=torch.bfloat16 if mixed else torch.float32)
    h, c = torch.empty_like(h0), x.new_empty(0) if c0 is None else torch.empty_like(c0)
    return y, h, c, *_kept(x, h0, c0, cell, mixed, learns)


def _at_places(given: Sequence[T]) -> list[T | None]:
    """Put what there is of each weight of a layer in the order of `NAMES`: there are both biases or none, and peepholes come last."""
    bare, peepholes = len(NAMES) - 3, len(given) % 2
    biases = [*given[bare : bare + 2]] if len(given) > 3 else [None, None]
    return [*given[:bare], *biases, given[-1] if peepholes else None]


def _kept(x: Tensor, h0: Tensor, c0: Tensor | None, cell: str, mixed: bool, learns: bool) -> tuple[Tensor, Tensor]:
    if not learns:
        return x.new_empty(0), x.new_empty(0)
    shape, kind = shape_kept(cell, mixed, x.shape, h0.shape[1])
    memory = (0,) if c0 is None else (x.shape[0], x.shape[1], h0.shape[1])
    return x.new_empty(shape, dtype=kind), x.new_empty(memory, dtype=torch.float32)


@torch.library.custom_op("recurra::layer_backward", mutates_args=())
def _layer_backward(
    dy: Maybe,
    dh: Maybe,
    dc: Maybe,
    x: Tensor,
    h0: Tensor,
    c0: Maybe,
    weights: Sequence[Tensor],
    lengths: Maybe,
    y: Tensor,
    gates: Tensor,
    memory: Tensor,
    cell: str,
    mixed: bool,
    reverse: bool,
    needs: Sequence[bool],
) -> list[Tensor]:
    """Give the gradients of x, h0, c0 and the weights, empty where none is needed. needs: for each of these."""
    own, wanted = (c0.contiguous() if c0 is not None else None), _at_places(needs[3:])
    places = _at_places([weight.contiguous() for weight in weights])
    saved = (x.contiguous(), h0.contiguous(), own, lengths, y, gates, memory if memory.numel() else None, *places)
    with torch.no_grad():
        found = run_backward((cell, mixed, reverse), saved, (dy, dh, dc), (*needs[:3], *map(bool, wanted)))
    there = [True, True, True, *(place is not None for place in places)]
    return [
        x.new_empty(0) if value is None else value for value, is_there in zip(found, there, strict=True) if is_there
    ]


@_layer_backward.register_fake
def _(*given: Any) -> list[Tensor]:
    x, h0, c0, weights, needs = *given[3:7], given[-1]
    inputs = (x, h0, c0, *weights)
    return [
        value.new_empty(value.shape) if need and value is not None else x.new_empty(0)
        for value, need in zip(inputs, needs, strict=True)
    ]


def _set_up(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, h0, c0, weights, lengths, ctx.cell, ctx.mixed, ctx.reverse, _ = inputs
    y, _, c, gates, memory = output
    ctx.save_for_backward(x, h0, c0, lengths, y, gates, memory, *weights)
    ctx.mark_non_differentiable(gates, memory, *([c] if c0 is None else []))
    ctx.set_materialize_grads(False)
    asked = (x, h0, c0, *weights)
    ctx.needs = [value is not None and value.requires_grad for value in asked]


def _derive(ctx: Any, dy: Maybe, dh: Maybe, dc: Maybe, *_: Maybe) -> tuple[Any, ...]:
    x, h0, c0, lengths, y, gates, memory, *weights = ctx.saved_tensors
    found = torch.ops.recurra.layer_backward(
        dy, dh, dc, x, h0, c0, weights, lengths, y, gates, memory, ctx.cell, ctx.mixed, ctx.reverse, ctx.needs
    )
    dx, dh0, dc0, *dweights = (value if need else None for value, need in zip(found, ctx.needs, strict=True))
    return dx, dh0, dc0, dweights, None, None, None, None, None


_layer.register_autograd(_derive, setup_context=_set_up)

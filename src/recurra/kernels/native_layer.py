"""One layer over time by the native engine: float32, or bfloat16 products under autocast, on the CPU."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recurra.cells import Cell, CellState, get_cell
from recurra.kernels.buffers import Lease
from recurra.kernels.checks import has_memory
from recurra.kernels.interface import LayerOutput
from recurra.kernels.native import engine
from recurra.kernels.native_call import CELL_KINDS, NAMES, run_backward, run_forward, shape_kept
from recurra.kernels.scan import scan


def native_layer(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    lengths: Tensor | None,
    reverse: bool,
    return_gates: bool,
) -> LayerOutput | None:
    """Run a cell over time by the engine; a `Kernel`, which gives None where the engine does not compute just this."""
    if engine() is None or not _computes(cell, x, state, weights):
        return None
    mixed = _mixed()
    h0, c0 = state[0].float(), state[1].float() if len(state) > 1 else None
    given = [weights.get(name) for name in NAMES]
    # Inside a function of autograd nothing says whether gradients are wanted: what the weights need it asks for in any case.
    learns = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, h0, c0, *given))
    run = _Layer.apply if learns else partial(_Layer.forward, _Forgetful())
    y, h, c, gates = run(cell.name, mixed, reverse, lengths, return_gates, x, h0, c0, *given)
    after = (h,) if c is None else (h, c)
    return LayerOutput(y, tuple(new.to(old.dtype) for new, old in zip(after, state, strict=True)), gates)


def _mixed() -> bool:
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


def is_of_engine(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> bool:
    """Tell whether the engine computes a layer of such types, wherever its numbers are."""
    autocast = torch.is_autocast_enabled("cpu")
    kinds = (torch.float32, torch.bfloat16) if _mixed() else (torch.float32,)
    return (
        cell.name in CELL_KINDS
        and "weight_hr" not in weights
        and x.device.type == "cpu"
        and (not autocast or _mixed())
        and x.dtype in kinds
        and all(value.dtype in kinds for value in state)
        and all(weight.dtype == torch.float32 for weight in weights.values())
    )


def _computes(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> bool:
    return (
        is_of_engine(cell, x, state, weights)
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
        and torch.autograd.forward_ad._current_level < 0
        and has_memory(x, *state, *weights.values())
    )


class _Forgetful:
    """The context of a call after which no backward pass follows."""

    needs_input_grad = ()

    def mark_non_differentiable(self, *_: Tensor) -> None:
        """Everything is so here."""


class _Layer(torch.autograd.Function):
    """The engine's layer as torch sees it; differentiated twice, it is computed by the scan."""

    @staticmethod
    def forward(
        ctx: Any,
        name: str,
        mixed: bool,
        reverse: bool,
        lengths: Tensor | None,
        return_gates: bool,
        x: Tensor,
        h0: Tensor,
        c0: Tensor | None,
        *weights: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        cell, wants_gradient = get_cell(name), any(ctx.needs_input_grad)
        kept = memory = None
        if wants_gradient or return_gates:
            ctx.lease = Lease(*shape_kept(name, mixed, x.shape, h0.shape[1]))
            kept = ctx.lease.tensor.zero_() if return_gates and lengths is not None else ctx.lease.tensor
            if c0 is not None:
                ctx.memory_lease = Lease((*x.shape[:2], h0.shape[1]), torch.float32)
                memory = ctx.memory_lease.tensor
        of = name, mixed, reverse
        y, hT, cT, read = run_forward(of, lengths, x, h0, c0, weights, (kept, memory), learns=wants_gradient)
        if wants_gradient:
            ctx.save_for_backward(*read[:3], lengths, y, kept, memory, *read[3:])
            ctx.of = of
            ctx.set_materialize_grads(False)
        gates = None
        if return_gates and kept is not None:
            gates = kept[:, :, : len(cell.gates)].clone()
            if mixed:  # kept as 16 bits of [-1, 1], which every gate but the rectifier's lies in
                gates = gates.float() if name == "rnn-relu" else gates.view(torch.int16).float() / 32767
            ctx.mark_non_differentiable(gates)
        return y, hT, cT, gates

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            return _through_scan(ctx, *gradients)
        return _backward(ctx, *gradients)


@once_differentiable
def _backward(
    ctx: Any, dy: Tensor | None, dhT: Tensor | None, dcT: Tensor | None, _: Tensor | None
) -> tuple[Tensor | None, ...]:
    found = run_backward(ctx.of, ctx.saved_tensors, (dy, dhT, dcT), ctx.needs_input_grad[5:])
    return None, None, None, None, None, *found


def _through_scan(
    ctx: Any, dy: Tensor | None, dhT: Tensor | None, dcT: Tensor | None, _: Tensor | None
) -> tuple[Tensor | None, ...]:
    """The same derivatives by the cell's own step, which can be differentiated again."""
    name, mixed, reverse = ctx.of
    x, h0, c0, lengths, _y, _kept, _memory, *weights = ctx.saved_tensors
    given = {key: weight for key, weight in zip(NAMES, weights, strict=True) if weight is not None}
    state = (h0,) if c0 is None else (h0, c0)
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        y, after, _ = scan(get_cell(name), x, state, given, lengths, reverse, False)
    outputs = [(value, d) for value, d in zip((y, *after), (dy, dhT, dcT), strict=False) if d is not None]
    inputs = [x, h0, c0, *weights]
    wanted = [value for value, need in zip(inputs, ctx.needs_input_grad[5:], strict=True) if need]
    found = iter(
        torch.autograd.grad(
            [value for value, _ in outputs],
            wanted,
            [d.to(value.dtype) for value, d in outputs],
            create_graph=True,
            allow_unused=True,
        )
    )
    given_back = [next(found) if need else None for need in ctx.needs_input_grad[5:]]
    return None, None, None, None, None, *given_back

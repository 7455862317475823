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
from recurra.kernels.exact_mode import kept_weights
from recurra.kernels.interface import LayerOutput
from recurra.kernels.native import engine
from recurra.kernels.scan import scan

CELL_KINDS = {"rnn": 0, "rnn-relu": 1, "lstm": 2, "graves-lstm": 3, "gru": 4}
"""The cells that the engine computes: their names, and `CellKind` of native/engine.h."""
VALUES_KEPT_PER_STEP = {"gru": 4}
"""Values that are kept of each step for the backward pass, where they are more than the gates: a GRU's R_n h + c_n too."""
_TYPES = {torch.float32: 0, torch.bfloat16: 1}
_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "peephole")


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
    given = [weights.get(name) for name in _NAMES]
    # Inside a function of autograd nothing says whether gradients are wanted: what the weights need it asks for in any case.
    learns = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, h0, c0, *given))
    run = _Layer.apply if learns else partial(_Layer.forward, _Forgetful())
    y, h, c, gates = run(cell.name, mixed, reverse, lengths, return_gates, x, h0, c0, *given)
    after = (h,) if c is None else (h, c)
    return LayerOutput(y, tuple(new.to(old.dtype) for new, old in zip(after, state, strict=True)), gates)


def _mixed() -> bool:
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


def _computes(cell: type[Cell], x: Tensor, state: CellState, weights: dict[str, Tensor]) -> bool:
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
        cell = get_cell(name)
        (steps, batch, _), hidden = x.shape, h0.shape[1]
        kind = torch.bfloat16 if mixed else torch.float32
        fresh = x.new_empty if lengths is None else x.new_zeros
        y = fresh(steps, batch, hidden, dtype=kind)
        hT, cT = torch.empty_like(h0), None if c0 is None else torch.empty_like(c0)
        kept = memory = None
        wants_gradient = any(ctx.needs_input_grad)
        if wants_gradient or return_gates:
            ctx.lease = Lease((steps, batch, VALUES_KEPT_PER_STEP.get(name, len(cell.gates)), hidden), kind)
            kept = ctx.lease.tensor.zero_() if return_gates and lengths is not None else ctx.lease.tensor
            if c0 is not None:
                ctx.memory_lease = Lease((steps, batch, hidden), torch.float32)
                memory = ctx.memory_lease.tensor
        x, h0, c0 = _rows(x), h0.contiguous(), None if c0 is None else c0.contiguous()
        contiguous = tuple(None if weight is None else weight.contiguous() for weight in weights)
        layer = _describe(name, mixed, reverse, lengths, contiguous, x, y, (h0, c0), (kept, memory))
        packed = 0 if wants_gradient else _kept(layer, (name, hidden, mixed), weights, steps * batch)
        _run("forward", layer, (_address(hT), _address(cT)), packed)
        if wants_gradient:
            ctx.save_for_backward(x, h0, c0, lengths, y, kept, memory, *contiguous)
            ctx.of = name, mixed, reverse
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
    name, mixed, reverse = ctx.of
    x, h0, c0, lengths, y, kept, memory, *weights = ctx.saved_tensors
    needs = ctx.needs_input_grad[5:]
    dy = torch.zeros_like(y) if dy is None else _rows(dy)
    layer = _describe(name, mixed, reverse, lengths, tuple(weights), x, y, (h0, c0), (kept, memory))
    dx = (torch.empty_like(x) if lengths is None else torch.zeros_like(x)) if needs[0] else None
    dx = None if dx is None else dx.contiguous()
    dstate = [torch.empty_like(value) if value is not None else None for value in (h0, c0)]
    dweights = [
        torch.empty_like(w) if w is not None and need else None for w, need in zip(weights, needs[3:], strict=True)
    ]
    after = tuple(None if value is None else value.contiguous() for value in (dhT, dcT))
    _run(
        "backward",
        layer,
        _place(dy),
        tuple(map(_address, after)),
        _place(dx),
        tuple(map(_address, dstate)),
        tuple(map(_address, dweights)),
    )
    return None, None, None, None, None, dx, *dstate, *dweights


def _through_scan(
    ctx: Any, dy: Tensor | None, dhT: Tensor | None, dcT: Tensor | None, _: Tensor | None
) -> tuple[Tensor | None, ...]:
    """The same derivatives by the cell's own step, which can be differentiated again."""
    name, mixed, reverse = ctx.of
    x, h0, c0, lengths, _y, _kept, _memory, *weights = ctx.saved_tensors
    given = {key: weight for key, weight in zip(_NAMES, weights, strict=True) if weight is not None}
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


def _kept(layer: Any, kind: tuple[str, int, bool], weights: tuple[Tensor | None, ...], rows: int) -> int:
    """Give the address where a layer's weights lie packed, in exact mode; 0: nowhere."""
    kept, module = kept_weights(rows), engine()
    if kept is None or module is None:
        return 0
    return kept.find(kind, weights, lambda: module.pack_bytes(layer), lambda memory: module.pack(layer, memory))


def _describe(
    name: str,
    mixed: bool,
    reverse: bool,
    lengths: Tensor | None,
    weights: tuple[Tensor | None, ...],
    x: Tensor,
    y: Tensor,
    state: tuple[Tensor | None, ...],
    kept: tuple[Tensor | None, ...],
) -> Any:
    module = engine()
    assert module is not None
    return module.layer(
        CELL_KINDS[name],
        (*x.shape, y.shape[2]),
        (mixed, reverse),
        _address(lengths),
        tuple(map(_address, weights)),
        _place(x),
        _place(y),
        tuple(map(_address, state)),
        tuple(map(_address, kept)),
        torch.get_num_threads(),
    )


def describe_layer(name: str, weights: dict[str, Tensor]) -> Any:
    """Give a layer's weights (contiguous float32, by the names of `Cell.shapes`) as the engine's description of a layer."""
    rows, inputs = weights["weight_ih"].shape
    nowhere, hidden = (0, 0, 0, 0), weights["weight_hh"].shape[1]
    addresses = tuple(_address(weights.get(key)) for key in _NAMES)
    module = engine()
    assert module is not None and rows % hidden == 0
    sizes = (0, 0, inputs, hidden)
    return module.layer(CELL_KINDS[name], sizes, (False, False), 0, addresses, nowhere, nowhere, (0, 0), (0, 0), 1)


def _run(function: str, *arguments: object) -> None:
    if not getattr(engine(), function)(*arguments):
        raise MemoryError("the native engine found no memory for a layer; use a smaller batch or fewer units")


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _place(tensor: Tensor | None) -> tuple[int, int, int, int]:
    """(address, type, elements to the next step, elements to the next row) of a tensor (T, B, features)."""
    if tensor is None:
        return 0, 0, 0, 0
    return tensor.data_ptr(), _TYPES[tensor.dtype], tensor.stride(0), tensor.stride(1)


def _rows(x: Tensor) -> Tensor:
    """The tensor (T, B, features) itself where the features of a step lie side by side, else a copy."""
    return x if x.stride(2) == 1 or x.shape[2] <= 1 else x.contiguous()

"""The native engine's layer over time as it is called: what lies where, its pass forward and its pass backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from recurra.cells import get_cell
from recurra.kernels.exact_mode import kept_weights
from recurra.kernels.native import engine

CELL_KINDS = {"rnn": 0, "rnn-relu": 1, "lstm": 2, "graves-lstm": 3, "gru": 4}
"""The cells that the engine computes: their names, and `CellKind` of native/engine.h."""
VALUES_KEPT_PER_STEP = {"gru": 4}
"""Values that are kept of each step for the backward pass, where they are more than the gates: a GRU's R_n h + c_n too."""
_TYPES = {torch.float32: 0, torch.bfloat16: 1}
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "peephole")
"""The weights that the engine takes, in their order."""


def shape_kept(name: str, mixed: bool, shape: Sequence[int], hidden: int) -> tuple[tuple[int, ...], torch.dtype]:
    """Give the shape and the type of what a layer keeps of the gates for its backward pass. shape: that of x, (T, B, I)."""
    values = VALUES_KEPT_PER_STEP.get(name, len(get_cell(name).gates))
    return (shape[0], shape[1], values, hidden), torch.bfloat16 if mixed else torch.float32


def run_forward(
    of: tuple[str, bool, bool],
    lengths: Tensor | None,
    x: Tensor,
    h0: Tensor,
    c0: Tensor | None,
    weights: Sequence[Tensor | None],
    kept: tuple[Tensor | None, Tensor | None],
    *,
    learns: bool,
) -> tuple[Tensor, Tensor, Tensor | None, tuple[Tensor | None, ...]]:
    """Run the engine's layer: y, the state after it, and what a backward pass reads (x, h0, c0, then the weights).

    of: the cell's name, whether products are in bfloat16, whether backwards in time.  weights: in the order of `NAMES`.
    kept: where the gates (`shape_kept`) and the memory (T, B, H) of each step are written, or None.  learns: a backward pass follows.
    """
    name, mixed, reverse = of
    (steps, batch, _), hidden = x.shape, h0.shape[1]
    fresh = x.new_empty if lengths is None else x.new_zeros
    y = fresh(steps, batch, hidden, dtype=torch.bfloat16 if mixed else torch.float32)
    hT, cT = torch.empty_like(h0), None if c0 is None else torch.empty_like(c0)
    x, h0, c0 = _rows(x), h0.contiguous(), None if c0 is None else c0.contiguous()
    contiguous = tuple(None if weight is None else weight.contiguous() for weight in weights)
    layer = _describe(name, mixed, reverse, lengths, contiguous, x, y, (h0, c0), kept)
    packed = 0 if learns else _kept(layer, (name, hidden, mixed), tuple(weights), steps * batch)
    _run("forward", layer, (_address(hT), _address(cT)), packed)
    return y, hT, cT, (x, h0, c0, *contiguous)


def run_backward(
    of: tuple[str, bool, bool],
    saved: Sequence[Tensor | None],
    gradients: tuple[Tensor | None, Tensor | None, Tensor | None],
    needs: Sequence[bool],
) -> tuple[Tensor | None, ...]:
    """Give the gradients of x, h0, c0 and the weights, each None unless needed.

    saved: x, h0, c0, lengths, y, the kept gates, the kept memory, then the weights.  gradients: those of y and of the state after it.
    """
    name, mixed, reverse = of
    x, h0, c0, lengths, y, kept, memory, *weights = saved
    assert x is not None and y is not None
    dy, dhT, dcT = gradients
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
    return dx, *dstate, *dweights


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
    addresses = tuple(_address(weights.get(key)) for key in NAMES)
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

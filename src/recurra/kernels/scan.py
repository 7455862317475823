"""The reference: a cell's own step, one after another, in any floating type, and differentiable as often as wanted."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.cells import Cell, CellState
from recurra.kernels.interface import LayerOutput
from recurra.kernels.ragged import Packing


def scan(
    cell: type[Cell],
    x: Tensor,
    state: CellState,
    weights: dict[str, Tensor],
    lengths: Tensor | None,
    reverse: bool,
    return_gates: bool,
) -> LayerOutput:
    """Run a cell over time by its `step`; the arguments are checked already."""
    if lengths is not None:
        packing = Packing.of(x, lengths, reverse=reverse)
        y, end, gates = _steps(cell, packing.pack(x), packing.sizes, packing.sort(state), weights, return_gates)
        return LayerOutput(packing.unpack(y), packing.unsort(end), None if gates is None else packing.unpack(gates))
    steps, batch = x.shape[:2]
    data = (x.flip(0) if reverse else x).flatten(0, 1)
    y, end, gates = _steps(cell, data, [batch] * steps, state, weights, return_gates)

    def over_time(tensor: Tensor) -> Tensor:
        tensor = tensor.unflatten(0, (steps, batch))
        return tensor.flip(0) if reverse else tensor

    return LayerOutput(over_time(y), end, None if gates is None else over_time(gates))


def _steps(
    cell: type[Cell],
    data: Tensor,
    sizes: list[int],
    state: CellState,
    weights: dict[str, Tensor],
    return_gates: bool,
) -> tuple[Tensor, CellState, Tensor | None]:
    """Advance as many rows as each step has, from the first; data (N, I) → outputs (N, O), states, gates (N, G, H) or None."""
    count, dtype = len(cell.gates), state[0].dtype
    hidden_size = weights["weight_ih"].shape[0] // count
    peephole = tuple(weights["peephole"].unbind(0)) if cell.peepholes else ()
    xw = F.linear(data, weights["weight_ih"], weights.get("bias_ih"))  # (N, G·H): all steps at once
    outputs, values = [state[0][:0]], [state[0].new_zeros(0, count, hidden_size)]
    ended: list[CellState] = []
    for now in xw.split(sizes) if sizes else ():
        if len(now) < len(state[0]):  # rows that have ended are computed no further
            ended.append(tuple(value[len(now) :] for value in state))
            state = tuple(value[: len(now)] for value in state)
        hr = F.linear(state[0], weights["weight_hh"], weights.get("bias_hh"))  # (B, G·H)
        state, gates = cell.step(
            now.to(dtype).unflatten(-1, (count, hidden_size)).unbind(-2),
            hr.to(dtype).unflatten(-1, (count, hidden_size)).unbind(-2),
            state,
            peephole,
        )
        if "weight_hr" in weights:
            state = (F.linear(state[0], weights["weight_hr"]).to(dtype), *state[1:])
        outputs.append(state[0])
        if return_gates:
            values.append(torch.stack(gates, 1))
    end = tuple(torch.cat(parts) for parts in zip(state, *reversed(ended), strict=True))
    return torch.cat(outputs), end, torch.cat(values) if return_gates else None

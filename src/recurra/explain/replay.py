"""The states and gates of a layer, computed again from what it read and from the outputs that it gave: one definition for all that asks for gates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.cells import Cell, CellState


@dataclass(frozen=True)
class Call:
    """What a layer was given once: x (T, B, I), its state, lengths (B) or None, and whether it ran backwards."""

    x: Tensor
    state: CellState
    lengths: Tensor | None
    reverse: bool


def replay_call(
    cell: type[Cell], weights: Mapping[str, Tensor], call: Call, y: Tensor, dilation: int = 1
) -> tuple[list[Tensor], list[Tensor]]:
    """Give the states and gates of a call, (T, B, H) each, from its outputs y (T, B, H); what stands behind a row's length says nothing."""
    if not call.reverse:
        return replay(cell, weights, call.x, y, call.state, dilation)
    order = _backwards(len(y), call.lengths)
    states, gates = replay(cell, weights, _reordered(call.x, order), _reordered(y, order), call.state, dilation)
    return [_reordered(each, order) for each in states], [_reordered(each, order) for each in gates]


def replay(
    cell: type[Cell], weights: Mapping[str, Tensor], x: Tensor, y: Tensor, initial: CellState, dilation: int = 1
) -> tuple[list[Tensor], list[Tensor]]:
    """Compute each step by the cell's own `step` from the outputs y (T, B, H) that are known; gives states and gates, (T, B, H) each.

    x: (T, B, I), in the order in which it was read.  initial: (B, d·H) for each state.  Products are made for all steps at once, and a cell
    that carries nothing but its output is run once, over all steps.
    """
    size, count = y.shape[2], len(cell.gates)
    first = [value.unflatten(1, (dilation, size)).transpose(0, 1) for value in initial]  # (d, B, H)
    before = torch.cat([first[0].to(y), y])[: len(y)]
    xw = F.linear(x, weights["weight_ih"], weights.get("bias_ih")).unflatten(-1, (count, size))
    hr = F.linear(before, weights["weight_hh"], weights.get("bias_hh")).unflatten(-1, (count, size))
    peephole = tuple(weights["peephole"].unbind(0)) if cell.peepholes else ()
    if len(cell.states) == 1:
        states, gates = cell.step(xw.unbind(2), hr.unbind(2), (before,), peephole)
        return list(states), list(gates)
    past = [list(value.unbind(0)) for value in first[1:]]
    outputs: list[Tensor] = []
    made: list[tuple[Tensor, ...]] = []
    for step, (now, again, output) in enumerate(zip(xw, hr, before, strict=True)):  # (B, G, H) each, and (B, H)
        state = (output, *(each[step] for each in past))
        after, gates = cell.step(now.unbind(1), again.unbind(1), state, peephole)
        outputs.append(after[0])
        for each, value in zip(past, after[1:], strict=True):
            each.append(value)
        made.append(tuple(gates))
    states = [torch.stack(outputs), *(torch.stack(each[dilation:]) for each in past)]
    return states, [torch.stack(parts) for parts in zip(*made, strict=True)]


def _backwards(steps: int, lengths: Tensor | None) -> Tensor | None:
    """Give the step that each row reads at each place where it reads backwards, (T, B); None where all have every step."""
    if lengths is None:
        return None
    places = torch.arange(steps).unsqueeze(1)
    return torch.where(places < lengths.cpu(), lengths.cpu() - 1 - places, places)


def _reordered(values: Tensor, order: Tensor | None) -> Tensor:
    return values.flip(0) if order is None else values.gather(0, order.to(values.device)[:, :, None].expand_as(values))

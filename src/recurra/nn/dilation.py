"""A layer whose recurrence goes back several steps: its sequence as so many interleaved ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from recurra.cells import CellState

Run = Callable[[Tensor, CellState, Tensor | None], tuple[Tensor, CellState]]


def dilated(run: Run, x: Tensor, state: CellState, lengths: Tensor | None, dilation: int) -> tuple[Tensor, CellState]:
    """Run a layer so that each step goes on from the state `dilation` steps before (Chang et al. 2017, arXiv:1710.02224).

    x (T, B, I) → outputs (T, B, H).  state: one (B, d·H) each, whose first H is what the next step goes on from.
    Steps t, t + d, t + 2d, … are a sequence of their own, so that all d of them are rows of one batch.
    """
    steps, batch, _ = x.shape
    rounds = -(-steps // dilation)
    padded = x if rounds * dilation == steps else torch.cat([x, x.new_zeros(rounds * dilation - steps, *x.shape[1:])])
    if lengths is None:
        lengths = torch.full((batch,), steps)
    phases = torch.arange(dilation).unsqueeze(1)
    own = ((lengths - phases + dilation - 1) // dilation).clamp_min(0)  # (d, B)
    initial = tuple(each.view(batch, dilation, -1).transpose(0, 1).reshape(dilation * batch, -1) for each in state)
    y, ended = run(padded.reshape(rounds, dilation * batch, -1), initial, own.reshape(-1))
    # The step after the last goes on from the phase that follows it.
    order = ((lengths.unsqueeze(1) + torch.arange(dilation)) % dilation).to(x.device)  # (B, d)
    after = []
    for each in ended:
        phased = each.view(dilation, batch, -1).transpose(0, 1)
        picked = phased.gather(1, order.unsqueeze(-1).expand(-1, -1, phased.shape[-1]))
        after.append(picked.reshape(batch, -1))
    return y.reshape(rounds * dilation, batch, -1)[:steps], tuple(after)

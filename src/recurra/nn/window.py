"""A soft window that moves over a text while it is written (Graves 2013, arXiv:1308.0850v5, section 5.1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from recurra.arguments import Size, checked, explained
from recurra.errors import UsageError
from recurra.kernels import linear

START_PACE = 0.1
"""Letters that the window moves on at a step, before anything is learnt."""


class WindowState(NamedTuple):
    """Where the window is: places (B, K) of its K parts, letters from 0, and what it shows, (B, E)."""

    places: Tensor
    shown: Tensor


class TextWindow(nn.Module):
    """What a network sees of a text at a step: Σ_u φ(u) c_u, by K parts that only ever move on.

        φ(u) = Σₖ αₖ exp(−βₖ (κₖ − u)²),   κₖ = κₖ′ + Δₖ,   α, β, Δ = exp(W h + b)

    texts: (B, S, E), the vectors of the letters; padding is never seen.

    >>> window = TextWindow(16, 8, parts=3)
    >>> texts, lengths = torch.randn(2, 5, 8), torch.tensor([5, 3])
    >>> state, weights = window(torch.zeros(2, 16), window.initial_state(2), texts, lengths)
    >>> state.shown.shape, weights.shape, weights[1, 3:].tolist()
    (torch.Size([2, 8]), torch.Size([2, 5]), [0.0, 0.0])
    """

    @checked
    def __init__(self, hidden: Size, size: Size, parts: Size = 10, *, pace: float = START_PACE) -> None:
        super().__init__()
        if not 0 < pace <= 1:
            raise UsageError(f"pace: expected letters a step above 0 and at most 1, got {pace}")
        self.parts, self.size = parts, size
        self.weight = nn.Parameter(torch.empty(3 * parts, hidden))
        self.bias = nn.Parameter(torch.zeros(3 * parts))
        nn.init.xavier_uniform_(self.weight, gain=0.3)
        with torch.no_grad():
            self.bias[2 * parts :] = torch.tensor(pace).log()

    def initial_state(self, batch: int) -> WindowState:
        """Give where the window begins: before the first letter, which is not yet seen."""
        return WindowState(self.weight.new_zeros(batch, self.parts), self.weight.new_zeros(batch, self.size))

    @explained
    def forward(self, hidden: Tensor, state: WindowState, texts: Tensor, lengths: Tensor) -> tuple[WindowState, Tensor]:
        """Move on by one step: hidden (B, H), lengths (B) int64 → the state, and the weights (B, S)."""
        if texts.dim() != 3 or texts.shape[0] != len(hidden) or texts.shape[2] != self.size:
            raise UsageError(f"texts: expected ({len(hidden)}, S, {self.size}), got {tuple(texts.shape)}")
        alpha, beta, move = linear(hidden, self.weight, self.bias).float().clamp(max=8).exp().chunk(3, -1)
        places = state.places + move
        letters = torch.arange(texts.shape[1], device=hidden.device)
        away = places.unsqueeze(-1) - letters  # (B, K, S)
        weights = (alpha.unsqueeze(-1) * torch.exp(-beta.unsqueeze(-1) * away**2)).sum(1)
        weights = weights.masked_fill(letters >= lengths.to(hidden.device).unsqueeze(1), 0)
        shown = (weights.unsqueeze(-1) * texts).sum(1)
        return WindowState(places, shown.to(hidden.dtype)), weights

    def extra_repr(self) -> str:
        return f"{self.size}, parts={self.parts}"

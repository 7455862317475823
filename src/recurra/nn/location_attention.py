"""Attention that knows where it looked before."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from recurra.arguments import Size, checked, explained
from recurra.errors import UsageError
from recurra.kernels import is_exact, linear
from recurra.nn.attention import MAX_HIDDEN, MAX_PRODUCTS, Attention, Memory, sum_in_order, weights_in_order
from recurra.nn.ragged import at_least_float32


class LocationAttention(nn.Module):
    """queries (T, B, Q), a memory of S steps (S, B, M), and where was looked before → contexts (T, B, M), each step after the one before it.

    The score of step s for query t is v · tanh(W q_t + U m_s + Σ_{|d| ≤ r} L_d (a_{t−1, s+d} ‖ Σ_{u<t} a_{u, s+d})): Bahdanau's, which
    also sees the weights of the last query around s, and the sums of those of all queries so far (Chorowski et al. 2015,
    arXiv:1506.07503v1, equations 8 and 9, with U f as one product). So it can go on by one step where the content alone
    does not say which comes next. With several heads each sees where all of them looked.

    width: 2 r + 1, an odd number of steps. Weights are exactly 0 on padding, and beyond both ends nothing was looked at. Padding,
    rows without steps, exact mode and errors are as with `Attention`.

    >>> attention = LocationAttention(4, 6, width=3)
    >>> memory = attention.read(torch.randn(5, 2, 6), torch.tensor([5, 3]))  # S = 5, B = 2
    >>> contexts, weights, looked = attention(torch.randn(7, 2, 4), memory, attention.initial_state(memory))
    >>> contexts.shape, weights.shape, looked.shape
    (torch.Size([7, 2, 6]), torch.Size([7, 2, 1, 5]), torch.Size([2, 2, 5]))
    """

    @checked
    def __init__(self, query_size: Size, memory_size: Size, heads: Size = 1, *, width: Size = 15) -> None:
        super().__init__()
        if width % 2 == 0:
            raise UsageError(f"width: expected an odd number, as many steps before a place as behind it, got {width}")
        self.content = Attention("additive", query_size, memory_size, heads)
        self.heads, self.width = heads, width
        self.location = nn.Parameter(torch.empty(query_size, 2 * heads * width))
        nn.init.xavier_uniform_(self.location)

    @explained
    def read(self, values: Tensor, lengths: Tensor) -> Memory:
        """Project a memory (S, B, M), whose rows have lengths (B), int64 on the CPU, once for all queries."""
        return self.content.read(values, lengths)

    def initial_state(self, memory: Memory) -> Tensor:
        """Give where was looked before the first query: nowhere, (B, 2·heads, S)."""
        steps, batch = memory.padding.shape
        dtype = torch.promote_types(memory.keys.dtype, torch.float32)
        return memory.keys.new_zeros(batch, 2 * self.heads, steps, dtype=dtype)

    @explained
    def forward(self, queries: Tensor, memory: Memory, looked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the contexts, the weights (T, B, heads, S), and where was looked by then (B, 2·heads, S): at last, and in all."""
        self._check(queries, memory, looked)
        asked = self.content.project(queries)
        place, found = looked.permute(2, 0, 1).unsqueeze(1), []  # (S, 1, B, 2·h)
        # Of many steps only the weights are kept, and the rest is computed again for the gradients.
        count = len(asked) * memory.padding.numel() * sum(self.location.shape)
        again = torch.is_grad_enabled() and count > MAX_HIDDEN
        for one in asked.split(1) if len(asked) else ():
            if again:
                weights = checkpoint(self._weigh, one, memory, place, use_reentrant=False, preserve_rng_state=False)
            else:
                weights = self._weigh(one, memory, place)
            place = self._after(place, weights)
            found.append(weights)
        weights = torch.cat(found, 1) if found else place.new_zeros(len(place), 0, len(looked), self.heads)
        return *self._sum(weights, memory), place[:, 0].permute(1, 2, 0)

    def step(self, queries: Tensor, memory: Memory, looked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Ask once for each of N sequences that are written from one memory: queries (N, B, Q), looked (N, B, 2·heads, S).

        Gives the contexts (N, B, M), the weights (N, B, heads, S), and where was looked by then.
        """
        place = looked.permute(3, 0, 1, 2)
        weights = self._weigh(self.content.project(queries), memory, place)
        return *self._sum(weights, memory), self._after(place, weights).permute(1, 2, 3, 0)

    def _check(self, queries: Tensor, memory: Memory, looked: Tensor) -> None:
        steps, batch = memory.padding.shape
        if queries.dim() != 3 or queries.shape[1] != batch:
            raise UsageError(f"queries: expected (T, {batch}, Q) for a memory of {batch}, got {tuple(queries.shape)}")
        expected = batch, 2 * self.heads, steps
        if looked.shape != expected:
            raise UsageError(
                f"looked: expected {expected}, got {tuple(looked.shape)}; begin with initial_state(memory)"
            )

    def _after(self, place: Tensor, weights: Tensor) -> Tensor:
        """place (S, N, B, 2·h) before weights (S, N, B, h) → after them."""
        return torch.cat([weights, place[..., self.heads :] + weights], 3)

    def _sum(self, weights: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """weights (S, T, B, h) → contexts (T, B, M), and the weights (T, B, h, S)."""
        weights, values = weights.permute(1, 2, 3, 0), memory.values.unflatten(2, (self.heads, -1))
        if _in_order():
            return sum_in_order(weights, values).flatten(2), weights
        contexts = weights.permute(1, 2, 0, 3).to(values.dtype) @ values.permute(1, 2, 0, 3)  # (B, h, T, M/h)
        return contexts.permute(2, 0, 1, 3).flatten(2), weights

    def _weigh(self, asked: Tensor, memory: Memory, place: Tensor) -> Tensor:
        """asked (N, B, Q), place (S, N, B, 2·h) → weights (S, N, B, h), each of one query after the last ones of its sequence."""
        if not len(place):
            return place[..., : self.heads]
        around = F.pad(place.to(memory.keys.dtype), (0, 0, 0, 0, 0, 0, self.width // 2, self.width // 2))
        if _in_order():
            steps, wider = max(1, MAX_PRODUCTS // max(1, asked.numel())), self.width - 1
            scores = [
                self._scores(asked, keys, around[start : start + len(keys) + wider])
                for start, keys in zip(range(0, len(place), steps), memory.keys.split(steps), strict=False)
            ]
            return weights_in_order(torch.cat(scores).permute(1, 2, 3, 0), memory.padding).permute(3, 0, 1, 2)
        hidden_steps = memory.padding[:, None, :, None]  # (S, 1, B, 1)
        scores = at_least_float32(self._scores(asked, memory.keys, around)).masked_fill(hidden_steps, -torch.inf)
        # A row without steps has no greatest score, and must not subtract infinities.
        none = memory.padding.all(0)[:, None]
        return scores.masked_fill(none, 0).softmax(0).masked_fill(hidden_steps, 0)

    def _scores(self, asked: Tensor, keys: Tensor, around: Tensor) -> Tensor:
        """asked (N, B, Q), keys (S, B, Q), around (S + 2 r, N, B, 2·h) → (S, N, B, h)."""
        windows = around.unfold(0, self.width, 1).flatten(3)  # (S, N, B, 2·h·width)
        hidden = torch.tanh(linear(windows, self.location) + keys.unsqueeze(1) + asked)
        score = self.content.score
        if _in_order() or self.heads > 1:
            return (hidden.unflatten(3, (self.heads, -1)) * score).sum(-1)
        return hidden @ score[0, :, None]

    def extra_repr(self) -> str:
        return f"width={self.width}"


def _in_order() -> bool:
    return is_exact() and not torch.is_grad_enabled()

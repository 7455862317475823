"""Attention: what of a memory counts for each query, and the sum of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from recurra.arguments import Size, checked, explained
from recurra.errors import UsageError
from recurra.kernels import is_exact, linear
from recurra.nn.ragged import at_least_float32, padding_mask

AttentionKind = Literal["general", "dot", "additive"]

MAX_HIDDEN = 1 << 25
"""Numbers that additive attention makes of queries and keys at a time: 128 MiB, of which training keeps two."""
MAX_PRODUCTS = 1 << 20
"""Numbers that attention in order makes of queries and keys at a time: few enough to stay in a cache."""


class Memory(NamedTuple):
    """What attention looks at, made once for all queries: keys (S, B, K), values (S, B, M), and what of it is padding (S, B)."""

    keys: Tensor
    values: Tensor
    padding: Tensor


class Attention(nn.Module):
    """queries (T, B, Q), a memory of S steps (S, B, M) → contexts (T, B, M): Σ_s a_s m_s, with a the softmax over s of a score.

    - general: q · W m (Luong et al. 2015, arXiv:1508.04025v5, equation 8)
    - dot: q · m, for Q = M
    - additive: v · tanh(W q + U m) (Bahdanau et al. 2015, arXiv:1409.0473v7, appendix A.1.2)

    heads: each looks for itself, with its part of the queries and the keys, and gives its part of the memory.
    Weights are exactly 0 on padding, whatever stands there, and a row without steps gives zeros. In exact mode the sums go
    over the steps in order, so that neither padding nor the rows beside it change a row's result.
    Raises `UsageError` where sizes do not fit.

    >>> attention = Attention("dot", 2, 2)
    >>> values = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]], [[9.0, 9.0]]])  # S = 3, B = 1
    >>> memory = attention.read(values, torch.tensor([2]))
    >>> context, weights = attention(torch.tensor([[[200.0, 0.0]]]), memory)
    >>> context.tolist(), weights.tolist()
    ([[[1.0, 0.0]]], [[[[1.0, 0.0, 0.0]]]])
    """

    @checked
    def __init__(self, kind: AttentionKind, query_size: Size, memory_size: Size, heads: Size = 1) -> None:
        super().__init__()
        if query_size % heads or memory_size % heads:
            raise UsageError(f"heads: expected a divisor of {query_size} and {memory_size}, got {heads}")
        if kind == "dot" and query_size != memory_size:
            raise UsageError(f"dot: expected queries of the memory's size, {memory_size}, got {query_size}")
        self.kind, self.heads, self.query_size, self.memory_size = kind, heads, query_size, memory_size
        if kind != "dot":
            self.key = nn.Linear(memory_size, query_size, bias=False)
            nn.init.xavier_uniform_(self.key.weight)
        if kind == "additive":
            self.query = nn.Linear(query_size, query_size)
            self.score = nn.Parameter(torch.empty(heads, query_size // heads))
            nn.init.xavier_uniform_(self.query.weight)
            nn.init.zeros_(self.query.bias)
            nn.init.normal_(self.score, std=(query_size // heads) ** -0.5)

    @explained
    def read(self, values: Tensor, lengths: Tensor) -> Memory:
        """Project a memory (S, B, M), whose rows have lengths (B), int64 on the CPU, once for all queries."""
        if values.dim() != 3 or values.shape[2] != self.memory_size:
            raise UsageError(f"values: expected (S, B, {self.memory_size}), got {tuple(values.shape)}")
        padding = padding_mask(lengths, values)
        values = values.masked_fill(padding, 0)
        keys = values if self.kind == "dot" else linear(values, self.key.weight)
        return Memory(keys, values, padding[..., 0])

    def project(self, queries: Tensor) -> Tensor:
        """Give what is compared with the keys, (T, B, Q): W q of additive attention, else the queries as they are."""
        if queries.dim() != 3 or queries.shape[2] != self.query_size:
            raise UsageError(f"queries: expected (T, B, {self.query_size}), got {tuple(queries.shape)}")
        return linear(queries, self.query.weight, self.query.bias) if self.kind == "additive" else queries

    @explained
    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Give the contexts, and the weights (T, B, heads, S)."""
        asked = self.project(queries).unflatten(2, (self.heads, -1))  # (T, B, h, Q/h)
        keys = memory.keys.unflatten(2, (self.heads, -1))
        values = memory.values.unflatten(2, (self.heads, -1))
        compute = self._in_order if is_exact() and not torch.is_grad_enabled() else self._batched
        contexts, weights = compute(asked, keys, values, memory.padding)
        return contexts.flatten(2), weights

    def _batched(self, asked: Tensor, keys: Tensor, values: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        by_row = asked.permute(1, 2, 0, 3)  # (B, h, T, Q/h)
        if self.kind == "additive":
            scores = self._additive(by_row, keys.permute(1, 2, 0, 3))
        else:
            scores = by_row @ keys.permute(1, 2, 3, 0)
        hidden_steps = padding.T[:, None, None]  # (B, 1, 1, S)
        scores = at_least_float32(scores).masked_fill(hidden_steps, -torch.inf)
        # A row without steps has no greatest score, and must not subtract infinities.
        none = padding.all(0)[:, None, None, None]
        weights = scores.masked_fill(none, 0).softmax(-1).masked_fill(hidden_steps, 0)
        contexts = weights.to(values.dtype) @ values.permute(1, 2, 0, 3)  # (B, h, T, M/h)
        return contexts.permute(2, 0, 1, 3), weights.permute(2, 0, 1, 3)

    def _additive(self, asked: Tensor, keys: Tensor) -> Tensor:
        """asked (B, h, T, Q/h), keys (B, h, S, Q/h) → (B, h, T, S); of many, for some queries at a time, and again for the gradients."""

        def score(asked: Tensor, keys: Tensor, weights: Tensor) -> Tensor:
            hidden = torch.tanh(asked.unsqueeze(3) + keys.unsqueeze(2))  # (B, h, T, S, Q/h)
            if len(weights) == 1:  # one product, which a lower precision does not have to leave
                return (hidden @ weights[0, :, None])[..., 0]
            return (hidden * weights[:, None, None]).sum(-1)

        queries = max(1, MAX_HIDDEN // max(1, keys.numel()))
        if asked.shape[2] <= queries:
            return score(asked, keys, self.score)
        parts = [
            checkpoint(score, some, keys, self.score, use_reentrant=False, preserve_rng_state=False)
            for some in asked.split(queries, 2)
        ]
        return torch.cat(parts, 2)

    def _in_order(self, asked: Tensor, keys: Tensor, values: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        steps = max(1, MAX_PRODUCTS // max(1, asked.numel()))
        scores = torch.cat([self._scores(asked, some) for some in keys.split(steps)]).permute(1, 2, 3, 0)
        weights = weights_in_order(scores, padding)
        return sum_in_order(weights, values), weights

    def _scores(self, asked: Tensor, keys: Tensor) -> Tensor:
        """asked (T, B, h, Q/h), keys (S, B, h, Q/h) → (S, T, B, h)."""
        keys = keys.unsqueeze(1)
        if self.kind == "additive":
            return (torch.tanh(asked + keys) * self.score).sum(-1)
        return (asked * keys).sum(-1)

    def extra_repr(self) -> str:
        return f"{self.kind}, {self.query_size}, {self.memory_size}, heads={self.heads}"


def weights_in_order(scores: Tensor, padding: Tensor) -> Tensor:
    """Give the softmax of scores (T, B, h, S) over the steps that are not padding (S, B), summed in their order."""
    if not scores.shape[3]:
        return at_least_float32(scores)
    hidden_steps = padding.T[:, None]  # (B, 1, S)
    scores = at_least_float32(scores.contiguous()).masked_fill(hidden_steps, -torch.inf)
    top = scores.amax(-1, keepdim=True).masked_fill(padding.all(0)[:, None, None], 0)
    shares = (scores - top).exp()
    total = torch.zeros_like(top)
    for share in shares.split(1, -1):
        total = total + share
    return shares / total.masked_fill(total == 0, 1)


def sum_in_order(weights: Tensor, values: Tensor) -> Tensor:
    """Give Σ_s of weights (T, B, h, S) times values (S, B, h, M), in the order of the steps: (T, B, h, M)."""
    contexts = weights.new_zeros(*weights.shape[:3], values.shape[3])
    for weight, value in zip(weights.split(1, -1) if len(values) else (), values, strict=True):
        contexts = contexts + weight * value
    return contexts.to(values.dtype)

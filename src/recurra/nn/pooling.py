"""One vector for a whole sequence, from the outputs of all its steps."""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor, nn

from recurra.arguments import checked, explained
from recurra.errors import UsageError
from recurra.kernels import linear
from recurra.nn.ragged import at_least_float32, padding_mask

PoolingKind = Literal["last", "mean", "max", "attention"]


class Pooling(nn.Module):
    """Outputs y (T, B, F) of rows with lengths (B) → one vector for each row (B, F). F is `size`: D·H for both directions.

    - last: where each direction has read the whole row: the forward half at its last step, the backward half at its first.
    - mean, max: of each feature over the row's steps.
    - attention: Σ_t a_t y_t with a = softmax over t of v · tanh(W y_t + b); v, the learned query, and W are (F) and (F, F)
      (Yang et al. 2016, DOI 10.18653/v1/N16-1174, equations 5–7; Lin et al. 2017, arXiv:1703.03130v1, with one hop).

    A row without steps gives zeros. Padding is never read, whatever stands there, and no gradient goes there. Without
    gradients the sums go over the steps in order, so that in exact mode a row's result does not depend on the rows beside it.
    Raises `UsageError` for an unknown kind, and where sizes or lengths do not fit.

    >>> y = torch.tensor([[[1.0, 4.0]], [[3.0, 2.0]], [[9.0, 9.0]]])  # T = 3, B = 1
    >>> lengths = torch.tensor([2])
    >>> [Pooling(kind, 2)(y, lengths).tolist() for kind in ("last", "mean", "max")]
    [[[3.0, 2.0]], [[2.0, 3.0]], [[3.0, 4.0]]]
    >>> Pooling("last", 2, directions=2)(y, lengths).tolist()
    [[3.0, 4.0]]
    """

    @checked
    def __init__(self, kind: PoolingKind, size: int, directions: int = 1) -> None:
        super().__init__()
        if directions not in (1, 2):
            raise UsageError(f"directions: expected 1 or 2, got {directions}")
        if size < 1 or size % directions:
            raise UsageError(f"size: expected D·H, a positive multiple of {directions}; got {size}")
        self.kind, self.size, self.directions = kind, size, directions
        if kind == "attention":
            self.project = nn.Linear(size, size)
            self.query = nn.Parameter(torch.empty(1, size))
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights: Xavier's, and a query of zeros, so that attention begins as the mean. The other kinds have none."""
        if self.kind == "attention":
            nn.init.xavier_uniform_(self.project.weight)
            nn.init.zeros_(self.project.bias)
            nn.init.zeros_(self.query)

    @overload
    def forward(self, y: Tensor, lengths: Tensor) -> Tensor: ...

    @overload
    def forward(self, y: Tensor, lengths: Tensor, *, return_weights: Literal[True]) -> tuple[Tensor, Tensor]: ...

    @explained
    def forward(self, y: Tensor, lengths: Tensor, *, return_weights: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Pool; with `return_weights` (attention only) give what each step counted for too: (T, B), zeros in the padding."""
        if y.dim() != 3 or y.shape[2] != self.size:
            raise UsageError(f"y: expected (T, B, {self.size}), got {tuple(y.shape)}")
        if return_weights and self.kind != "attention":
            raise UsageError(f"return_weights: only attention weighs the steps, and this is {self.kind}")
        padding = padding_mask(lengths, y)
        weights = y.new_zeros(y.shape[:2])
        if len(y) == 0:
            pooled = y.sum(0)
        elif self.kind == "last":
            pooled = self._last(y, lengths)
        elif self.kind == "mean":
            count = lengths.clamp(min=1).to(y.device).unsqueeze(1)
            pooled = (_total(at_least_float32(y.masked_fill(padding, 0))) / count).to(y.dtype)
        elif self.kind == "max":
            pooled = y.masked_fill(padding, -torch.inf).amax(0).masked_fill(padding[0], 0)
        else:
            pooled, weights = self._attend(y, padding)
        return (pooled, weights) if return_weights else pooled

    def initial_state(self, batch: int, device: torch.device | str = "cpu") -> tuple[Tensor, ...]:
        """Give what `step` carries before the first step of B rows; raises `UsageError` for both directions, which have no steps."""
        if self.directions == 2:
            raise UsageError("directions: a stream goes in one direction, and this pooling waits for both")
        # As torch's own sums over steps on the CPU; Apple's GPU has no float64.
        wide = torch.float32 if torch.device(device).type == "mps" else torch.float64
        rows = torch.zeros(batch, self.size, dtype=wide, device=device)
        if self.kind == "mean":
            return rows, torch.zeros(batch, 1, dtype=torch.int64, device=device)
        if self.kind == "max":
            return (torch.full_like(rows, -torch.inf),)
        if self.kind == "attention":
            return torch.full_like(rows[:, :1], -torch.inf), torch.zeros_like(rows[:, :1]), rows
        return ()

    def step(self, y: Tensor, carried: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Take one step more, y (B, F); gives what all steps so far pool to, (B, F), and what is carried on.

        Of constant size, whatever the number of steps. Last, mean and max are those of `forward` bit for bit where no gradient
        is wanted; attention within rounding, since the greatest score is not known beforehand.

        >>> pooling, y = Pooling("mean", 2), torch.tensor([[[1.0, 4.0]], [[3.0, 2.0]]])
        >>> first, carried = pooling.step(y[0], pooling.initial_state(1))
        >>> second, _ = pooling.step(y[1], carried)
        >>> first.tolist(), second.tolist()
        ([[1.0, 4.0]], [[2.0, 3.0]])
        """
        if self.kind == "mean":
            total, count = carried[0] + at_least_float32(y), carried[1] + 1
            return (total.to(at_least_float32(y).dtype) / count).to(y.dtype), (total, count)
        if self.kind == "max":
            top = torch.maximum(carried[0], y)
            return top.to(y.dtype), (top,)
        if self.kind == "attention":
            top, total, weighed = carried
            score = linear(torch.tanh(linear(y, self.project.weight, self.project.bias)), self.query).to(
                top.dtype
            )  # (B, 1)
            higher = torch.maximum(top, score)
            fade, share = (top - higher).exp(), (score - higher).exp()
            total, weighed = total * fade + share, weighed * fade + share * y
            return (weighed / total).to(y.dtype), (higher, total, weighed)
        return y, carried

    def _last(self, y: Tensor, lengths: Tensor) -> Tensor:
        rows = torch.arange(len(lengths), device=y.device)
        there = (lengths > 0).to(y.device).unsqueeze(1)
        ends = [(lengths - 1).clamp(min=0).to(y.device), torch.zeros_like(rows)]
        halves = [half[end, rows] for half, end in zip(y.chunk(self.directions, 2), ends, strict=False)]
        return torch.cat(halves, 1).masked_fill(~there, 0)

    def _attend(self, y: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        y = y.masked_fill(padding, 0)
        scores = linear(torch.tanh(linear(y, self.project.weight, self.project.bias)), self.query)  # (T, B, 1)
        # Less the greatest of the row's own; a row without steps, which has none, must not subtract infinities.
        scores = at_least_float32(scores).masked_fill(padding, -torch.inf)
        top = scores.detach().amax(0).masked_fill(padding[0], 0)
        share = (scores - top).exp()
        share = share / _total(share).masked_fill(padding[0], 1)
        return _total(share * y).to(y.dtype), share.squeeze(2)

    def extra_repr(self) -> str:
        return f"{self.kind}, {self.size}, directions={self.directions}"


def _total(x: Tensor) -> Tensor:
    """Σ over the steps: (T, ...) → (...). In the order of the steps where no gradient is wanted, so zeros behind change no bit."""
    return x.sum(0) if torch.is_grad_enabled() and x.requires_grad else x.cumsum(0)[-1]

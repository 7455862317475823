"""The loss of an output layer over many classes, without keeping what it makes of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recurra.kernels import linear
from recurra.nn.ragged import at_least_float32

MAX_LOGITS = 1 << 21
"""Logits that are made at a time, 8 MiB: what was just written is read again before it leaves the cache."""


def linear_cross_entropy(
    x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Give Σ −log softmax(x Wᵀ + b) of the targets: x (N, K), weight (V, K), bias (V), targets (N) int64 → a scalar.

    label_smoothing: ε, the share of the probability that is asked for of all classes alike.

    It is `F.cross_entropy` of a linear layer, but makes the gradients with the loss, for some rows at a time and from the same
    exponentials: softmax − (1 − ε) onehot(target) − ε / V for the logits, of which none are kept (Hsu et al. 2024, arXiv:2410.10989v2,
    section 3.2). Under autocast the products have its type, and all else is float32. It has no second derivatives.

    >>> x, weight = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    >>> round(linear_cross_entropy(x, weight, torch.zeros(2), torch.tensor([1])).item(), 4)
    0.6931
    """
    learning = torch.is_grad_enabled() and any(part.requires_grad for part in (x, weight, bias))
    return _LinearCrossEntropy.apply(x, weight, bias, targets, label_smoothing, learning)


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, learning: bool
    ) -> Tensor:
        device = x.device.type
        kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        rows, table, offsets = x.to(kind), weight.to(kind), bias.to(kind)
        total = x.new_zeros((), dtype=torch.float64)
        parts: list[Tensor] = []
        sums = [torch.zeros_like(at_least_float32(part)) for part in (weight, bias)] if learning else []
        step = max(1, MAX_LOGITS // len(weight))
        with torch.autocast(device, enabled=False):
            for some, chosen in zip(rows.split(step), targets.split(step), strict=True):
                logits = at_least_float32(linear(some, table, offsets))
                loss, slopes = _loss_and_slopes(logits, chosen.unsqueeze(1), smoothing)
                total += loss
                if learning:
                    sums[1] += slopes.sum(0)
                    slopes = slopes.to(kind)
                    parts.append(slopes @ table)
                    _add_product(sums[0], slopes, some)
        if learning:
            ctx.save_for_backward(torch.cat(parts).to(x.dtype), sums[0].to(weight.dtype), sums[1].to(bias.dtype))
        return total.to(at_least_float32(x).dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return _scaled(ctx, *gradients)


@once_differentiable
def _scaled(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    found = (part * gradient.to(part.dtype) for part in ctx.saved_tensors)
    return (*found, None, None, None)


def _loss_and_slopes(logits: Tensor, targets: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """Give the sum of the losses, and their gradient, which takes the place of the logits (N, V); targets (N, 1)."""
    peaks = logits.amax(1, keepdim=True)
    logits -= peaks
    wanted = (1 - smoothing) * logits.gather(1, targets)
    if smoothing:
        wanted += smoothing * logits.mean(1, keepdim=True)
    shares = logits.exp_()
    totals = shares.sum(1, keepdim=True)
    loss = (totals.log() - wanted).sum(dtype=torch.float64)
    slopes = shares.div_(totals)
    if smoothing:
        slopes -= smoothing / slopes.shape[1]
    slopes.scatter_(1, targets, slopes.gather(1, targets) - (1 - smoothing))
    return loss, slopes


def _add_product(total: Tensor, slopes: Tensor, rows: Tensor) -> None:
    """Add slopesᵀ rows to a sum, which has more bits than they where they have 16."""
    if total.dtype == rows.dtype:
        total.addmm_(slopes.t(), rows)
    else:
        total += slopes.t() @ rows

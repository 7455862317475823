"""The loss of quantiles that never cross, with its gradient worked out on the way: a pass over the numbers instead of thirty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

VALUES_PER_BLOCK = 4_096
"""Values whose quantiles are worked out together: so many stay in a core's cache."""


def quantile_loss(raw: Tensor, centre: Tensor, target: Tensor, levels: Sequence[float]) -> Tensor:
    """Give the sum over the levels of the quantile (pinball) loss of each value, (...).

        q_m = c + r_m    q_(j+1) = q_j + softplus(r_(j+1) − 1), j ≥ m    q_(j−1) = q_j − softplus(r_(j−1) − 1), j ≤ m
        cost = Σ_j max(l_j (y − q_j), (l_j − 1) (y − q_j))

    raw r (..., P), centre c and target y (...), float32; l_m = 0.5.  Can be differentiated once, by raw and centre.

    >>> raw = torch.zeros(1, 3, requires_grad=True)
    >>> cost = quantile_loss(raw, torch.zeros(1), torch.ones(1), [0.1, 0.5, 0.9])
    >>> cost.sum().backward()
    >>> round(cost.item(), 3), [round(each, 3) for each in raw.grad[0].tolist()]
    (1.249, [0.027, -1.5, -0.242])
    """
    return _QuantileLoss.apply(raw, centre, target, tuple(levels))


class _QuantileLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, raw: Tensor, centre: Tensor, target: Tensor, levels: tuple[float, ...]) -> Tensor:
        flat = raw.reshape(-1, len(levels))
        cost, slope = target.new_empty(target.shape), flat.new_empty(flat.shape)
        parts = (flat, centre.reshape(-1), target.reshape(-1), cost.view(-1), slope)
        blocks = zip(*(part.split(VALUES_PER_BLOCK) for part in parts), strict=True)
        for raw_block, centre_block, target_block, cost_block, slope_block in blocks:
            _fill_costs(raw_block, centre_block, target_block, cost_block, slope_block, levels)
        ctx.save_for_backward(slope.view_as(raw))
        ctx.middle = levels.index(0.5)
        return cost

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return _backward(ctx, *gradients)


@once_differentiable
def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    (slope,) = ctx.saved_tensors
    by_raw = slope * gradient.unsqueeze(-1)
    return by_raw, by_raw[..., ctx.middle].clone(), None, None


def _fill_costs(
    raw: Tensor, centre: Tensor, target: Tensor, cost: Tensor, slope: Tensor, levels: tuple[float, ...]
) -> None:
    """Fill in the costs (n) and their derivatives by raw, (n, P); that by the centre is the one by the middle number."""
    middle = levels.index(0.5)
    learnt = raw.t().contiguous()  # (P, n): what belongs to one level lies side by side
    shifted = learnt - 1.0
    gaps, shares = F.softplus(shifted), torch.sigmoid(shifted)
    error = torch.empty_like(learnt)  # target - quantile
    torch.sub(target, centre, out=error[middle]).sub_(learnt[middle])
    for at in range(middle + 1, len(levels)):
        torch.sub(error[at - 1], gaps[at], out=error[at])
    for at in range(middle - 1, -1, -1):
        torch.add(error[at + 1], gaps[at], out=error[at])
    by_quantile = (error <= 0).to(error.dtype) - error.new_tensor(levels).unsqueeze(1)
    torch.sum(error.mul_(by_quantile).neg_(), 0, out=cost)
    # A gap moves its own quantile and all those beyond it, the middle number moves every one.
    for at in range(len(levels) - 2, middle, -1):
        by_quantile[at] += by_quantile[at + 1]
    for at in range(1, middle):
        by_quantile[at] += by_quantile[at - 1]
    for nearest in {max(0, middle - 1), min(middle + 1, len(levels) - 1)} - {middle}:
        by_quantile[middle] += by_quantile[nearest]
    by_quantile[:middle] *= -shares[:middle]
    by_quantile[middle + 1 :] *= shares[middle + 1 :]
    slope.copy_(by_quantile.t())

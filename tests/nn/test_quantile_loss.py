"""The fast loss of quantiles is the plain one, and so is its gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.nn.quantile_loss import VALUES_PER_BLOCK, quantile_loss

LEVELS = [[0.5], [0.1, 0.5], [0.5, 0.7, 0.9], [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]]


def plain_loss(raw: Tensor, centre: Tensor, target: Tensor, levels: list[float]) -> Tensor:
    middle = levels.index(0.5)
    quantiles = {middle: centre + raw[..., middle]}
    for at in range(middle + 1, len(levels)):
        quantiles[at] = quantiles[at - 1] + F.softplus(raw[..., at] - 1)
    for at in range(middle - 1, -1, -1):
        quantiles[at] = quantiles[at + 1] - F.softplus(raw[..., at] - 1)
    errors = [target - quantiles[at] for at in range(len(levels))]
    return sum((torch.maximum(p * e, (p - 1) * e) for p, e in zip(levels, errors, strict=True)), torch.zeros(()))


@pytest.mark.parametrize("levels", LEVELS, ids=len)
@pytest.mark.parametrize("shape", [(3, 4, 2), (VALUES_PER_BLOCK // 8 + 1, 12, 1), (0, 5, 1)])
def test_costs_and_gradients_are_the_plain_ones(levels: list[float], shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    raw, centre, target = torch.randn(*shape, len(levels)), torch.randn(shape), 3 * torch.randn(shape)
    weights = torch.rand(shape)
    given = raw.clone().requires_grad_(), centre.clone().requires_grad_()
    exact = raw.double().requires_grad_(), centre.double().requires_grad_()
    found, wanted = quantile_loss(*given, target, levels), plain_loss(*exact, target.double(), levels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-6)
    (found * weights).sum().backward()
    (wanted * weights).sum().backward()
    for one, other in zip(given, exact, strict=True):
        torch.testing.assert_close(one.grad.double(), other.grad, rtol=1e-5, atol=1e-6)


def test_the_gradient_is_that_of_finite_differences() -> None:
    torch.manual_seed(2)
    raw, centre = torch.randn(5, 2, 3, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)
    target = torch.randn(5, 2, dtype=torch.float64)
    raw.requires_grad_(), centre.requires_grad_()
    assert torch.autograd.gradcheck(lambda r, c: quantile_loss(r, c, target, [0.1, 0.5, 0.8]), (raw, centre))

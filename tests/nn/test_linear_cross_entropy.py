"""The loss of an output layer beside `F.cross_entropy` of a linear layer, and beside finite differences."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from recurra.nn import linear_cross_entropy as module
from recurra.nn.linear_cross_entropy import linear_cross_entropy


@pytest.fixture(params=[1, 7, 1 << 21])
def few_at_a_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row, several or all of them at a time: 1 logit is less than a row, 77 are seven rows of 11."""
    monkeypatch.setattr(module, "MAX_LOGITS", request.param * 11)


def _given(dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    sizes = (17, 5), (11, 5), (11,)
    parts = [torch.randn(*size, generator=generator, dtype=dtype).requires_grad_() for size in sizes]
    return (*parts, torch.randint(0, 11, (17,), generator=generator))


def _gradients(loss: torch.Tensor, parts: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(loss / 3, parts)


@pytest.mark.usefixtures("few_at_a_time")
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_is_the_loss_of_a_linear_layer_and_so_are_its_gradients(smoothing: float) -> None:
    x, weight, bias, targets = _given(torch.float64)
    loss = linear_cross_entropy(x, weight, bias, targets, smoothing)
    expected = F.cross_entropy(F.linear(x, weight, bias), targets, reduction="sum", label_smoothing=smoothing)
    assert loss.dtype == torch.float64
    torch.testing.assert_close(loss, expected, rtol=1e-13, atol=0)
    for ours, theirs in zip(_gradients(loss, (x, weight, bias)), _gradients(expected, (x, weight, bias)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_its_gradients_are_those_of_finite_differences(smoothing: float) -> None:
    *parts, targets = _given(torch.float64)
    assert torch.autograd.gradcheck(lambda *given: linear_cross_entropy(*given, targets, smoothing), parts)


@pytest.mark.usefixtures("few_at_a_time")
def test_under_autocast_the_products_alone_have_16_bits() -> None:
    x, weight, bias, targets = _given(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(x, weight, bias, targets, 0.1)
    expected = F.cross_entropy(F.linear(x, weight, bias), targets, reduction="sum", label_smoothing=0.1)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(
        loss, expected, rtol=0.01, atol=0
    )  # bfloat16 has 8 bits: 2^-9 of each logit, which add up
    for ours, theirs in zip(_gradients(loss, (x, weight, bias)), _gradients(expected, (x, weight, bias)), strict=True):
        assert ours.dtype == torch.float32
        assert float((ours - theirs).norm() / theirs.norm()) < 0.02


def test_large_logits_do_not_overflow_and_no_row_gives_zero() -> None:
    x, weight, targets = torch.full((1, 1), 1e4), torch.tensor([[1.0], [-1.0]]), torch.tensor([1])
    assert linear_cross_entropy(x, weight, torch.zeros(2), targets).item() == 2e4
    assert linear_cross_entropy(x[:0], weight.requires_grad_(), torch.zeros(2), targets[:0]).item() == 0


def test_without_gradients_the_loss_is_the_same() -> None:
    x, weight, bias, targets = _given(torch.float32)
    with torch.no_grad():
        alone = linear_cross_entropy(x, weight, bias, targets, 0.1)
    assert not alone.requires_grad
    assert torch.equal(alone, linear_cross_entropy(x, weight, bias, targets, 0.1).detach())

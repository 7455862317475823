"""Pooling is what it says of each row alone, whatever stands in the padding."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from recurra.errors import UsageError
from recurra.kernels import exact
from recurra.kernels.native import engine
from recurra.nn import Pooling
from recurra.nn.pooling import PoolingKind

KINDS = get_args(PoolingKind)
LENGTHS = torch.tensor([6, 0, 9, 1])


def make(kind, size, directions=1):
    pooling = Pooling(kind, size, directions)
    for parameter in pooling.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return pooling


def by_hand(pooling, y):
    """One row (T, F) → (F), T > 0."""
    if pooling.kind == "last":
        half = pooling.size // pooling.directions
        return torch.cat([y[-1, :half], y[0, half:]])
    if pooling.kind == "mean":
        return y.mean(0)
    if pooling.kind == "max":
        return y.max(0).values
    scores = torch.tanh(y @ pooling.project.weight.T + pooling.project.bias) @ pooling.query[0]
    return torch.softmax(scores, 0) @ y


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("train", [True, False])
def test_each_row_is_pooled_as_if_alone(kind, directions, train):
    pooling = make(kind, 6, directions).double()
    y = torch.randn(9, 4, 6).double().requires_grad_(train)
    with torch.set_grad_enabled(train):
        pooled = pooling(y, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        wanted = by_hand(pooling, y[:length, row]) if length else torch.zeros(6).double()
        torch.testing.assert_close(pooled[row], wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_neither_results_nor_gradients(kind, garbage):
    pooling, clean, weight = make(kind, 6, 2), torch.randn(9, 4, 6), torch.randn(4, 6)
    found = []
    for padding in (0.0, garbage):
        y = clean.clone()
        for row, length in enumerate(LENGTHS.tolist()):
            y[length:, row] = padding
        y.requires_grad_()
        pooling.zero_grad()
        pooled = pooling(y, LENGTHS)
        (pooled * weight).sum().backward()
        found.append([pooled.detach(), y.grad, *(parameter.grad for parameter in pooling.parameters())])
        for row, length in enumerate(LENGTHS.tolist()):
            assert not y.grad[length:, row].any()
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other) and bool(one.isfinite().all())


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_by_finite_differences(kind):
    pooling = make(kind, 4, 2).double()
    y = torch.randn(5, 3, 4).double().requires_grad_()
    lengths = torch.tensor([5, 0, 3])
    assert torch.autograd.gradcheck(lambda y, *_: pooling(y, lengths), (y, *pooling.parameters()))


def test_attention_says_what_each_step_counts_for():
    pooling = make("attention", 6)
    y = torch.randn(9, 4, 6)
    pooled, weights = pooling(y, LENGTHS, return_weights=True)
    assert weights.shape == (9, 4)
    torch.testing.assert_close(weights.sum(0), (LENGTHS > 0).float(), rtol=0, atol=1e-6)
    assert all(not weights[length:, row].any() for row, length in enumerate(LENGTHS.tolist()))
    torch.testing.assert_close(pooled, torch.einsum("tb,tbf->bf", weights, y), rtol=0, atol=1e-5)
    y, lengths = torch.full((4, 1, 6), 100.0), torch.tensor([4])
    torch.nn.init.constant_(pooling.query, 1e4)  # the exponentials of such scores are beyond float32
    torch.testing.assert_close(pooling(y, lengths, return_weights=True)[1][:, 0], torch.full((4,), 0.25))


def test_attention_begins_as_the_mean():
    y = torch.randn(9, 4, 6)
    torch.testing.assert_close(Pooling("attention", 6)(y, LENGTHS), Pooling("mean", 6)(y, LENGTHS))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("train", [True, False])
def test_sixteen_bits_are_added_up_in_thirty_two(kind, train):
    pooling = Pooling(kind, 4)
    y = (torch.randn(1003, 2, 4) + 1).bfloat16().requires_grad_(train)
    lengths = torch.tensor([1003, 515])
    with torch.autocast("cpu", torch.bfloat16), torch.set_grad_enabled(train):
        pooled = pooling(y, lengths)
    assert pooled.dtype == torch.bfloat16
    torch.testing.assert_close(pooled, pooling(y.float(), lengths).bfloat16(), rtol=2**-8, atol=0)  # half a last place


@pytest.mark.skipif(engine() is None, reason="the native engine was not built")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [3, 32, 70])
@torch.inference_mode()
def test_in_exact_mode_a_row_is_the_same_bit_for_bit(kind, size):
    pooling = make(kind, size)
    for steps in (1, 8, 23, 150):
        y = torch.randn(steps, 9, size)
        lengths = torch.randint(0, steps + 1, (9,))
        with exact():
            together = pooling(y, lengths)
            for row, length in enumerate(lengths.tolist()):
                alone = pooling(y[:length, row : row + 1].contiguous(), lengths[row : row + 1])
                assert torch.equal(alone[0], together[row]), (steps, row)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_pool(kind):
    pooling = Pooling(kind, 4)
    for shape, lengths in (((0, 3, 4), [0, 0, 0]), ((2, 3, 4), [0, 0, 0]), ((2, 0, 4), [])):
        y = torch.full(shape, float("nan"), requires_grad=True)
        pooled = pooling(y, torch.tensor(lengths, dtype=torch.int64))
        pooled.sum().backward()
        assert torch.equal(pooled, torch.zeros(shape[1], 4))
        assert not y.grad.any()


def test_what_does_not_fit():
    for make, message in (
        (lambda: Pooling("first", 4), "kind: expected one of last, mean, max, attention, got 'first'"),
        (lambda: Pooling("last", 5, 2), r"size: expected D·H, a positive multiple of 2; got 5"),
        (lambda: Pooling("last", 4, 3), "directions: expected 1 or 2, got 3"),
        (lambda: Pooling("mean", 4)(torch.zeros(2, 3, 5), torch.tensor([2, 2, 2])), r"y: expected \(T, B, 4\)"),
        (lambda: Pooling("mean", 4)(torch.zeros(2, 1, 4), torch.tensor([3])), "lengths: expected each from 0 to T = 2"),
        (lambda: Pooling("mean", 4)(torch.zeros(2, 1, 4), torch.tensor([2]), return_weights=True), "only attention"),
    ):
        with pytest.raises(UsageError, match=message):
            make()

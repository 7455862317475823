"""Weights that are packed once for many steps."""

from __future__ import annotations

import pytest
import torch

from recurra.kernels import exact, kept, linear
from recurra.kernels.native import engine
from recurra.nn import Stack

needs_engine = pytest.mark.skipif(engine() is None, reason="this installation has no native engine")


@needs_engine
@pytest.mark.parametrize("cell", ["rnn", "lstm", "graves-lstm", "gru"])
@pytest.mark.parametrize("mixed", [False, True])
@torch.no_grad()
def test_the_bits_are_the_same_whether_weights_are_kept_or_not(cell, mixed):
    torch.manual_seed(0)
    stack, x = Stack(cell, 19, [35]), torch.randn(4, 3, 19)
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        expected, _ = stack(x, stack.zero_state(3))
        state, found = stack.zero_state(3), []
        with exact():
            for step in x.split(1):  # kept from the second on
                y, state = stack(step, state)
                found.append(y)
    assert torch.equal(torch.cat(found), expected)


@needs_engine
@torch.no_grad()
def test_a_weight_that_is_changed_in_place_is_seen():
    torch.manual_seed(0)
    x, weight = torch.randn(3, 20), torch.nn.Parameter(torch.randn(40, 20))
    stack, state = Stack("lstm", 20, [16]), ()
    with exact():
        for _ in range(3):
            before, _ = linear(x, weight), stack(x[None], stack.zero_state(3))
        weight *= 2
        for parameter in stack.parameters():
            parameter += 0.5
        for _ in range(3):
            after, (y, state) = linear(x, weight), stack(x[None], stack.zero_state(3))
            assert torch.equal(after, 2 * before)
    assert torch.equal(y, stack(x[None], stack.zero_state(3))[0]) and state


@needs_engine
@torch.no_grad()
def test_two_parts_of_a_weight_that_begin_at_one_place_are_two():
    torch.manual_seed(0)
    x, weight = torch.randn(3, 20), torch.randn(40, 20)
    with exact():
        for _ in range(3):
            whole, part = linear(x, weight), linear(x, weight[:17])
            assert torch.equal(part, whole[:, :17])
            assert torch.equal(linear(x[:, :10], weight.view(80, 10)), linear(x[:, :10], weight.view(80, 10).clone()))


@needs_engine
@torch.no_grad()
def test_only_what_fits_is_kept_and_only_from_the_second_use_on(monkeypatch):
    packed = []
    monkeypatch.setattr(kept, "MAX_BYTES", 100)
    weights, found = kept.KeptWeights(), []
    for size in (80, 30):
        weight = torch.zeros(size)
        found.append([weights.find("x", [weight], lambda s=size: s, packed.append) for _ in range(3)])
        found.append(weight)
    first, _, second, _ = found
    assert first[0] == 0 and first[1] == first[2] == packed[0]
    assert second == [0, 0, 0] and len(packed) == 1


@needs_engine
def test_nothing_is_kept_for_a_backward_pass_that_cannot_follow(monkeypatch):
    def no_lease(*_):
        raise AssertionError("memory for a backward pass")

    stack, x = Stack("gru", 3, [5]), torch.randn(4, 2, 3)
    monkeypatch.setattr("recurra.kernels.native_layer.Lease", no_lease)
    with torch.no_grad():
        stack(x, stack.zero_state(2))
    with torch.inference_mode():
        stack(x, stack.zero_state(2))
    with pytest.raises(AssertionError, match="backward"):
        stack(x, stack.zero_state(2))

"""A stream is a model and a state, fed one step at a time."""

from __future__ import annotations

import copy

import pytest
import torch

from recurra.cells import cell_names
from recurra.errors import UsageError
from recurra.nn import Stack
from recurra.stream import Stream


def stream_of(stack):
    def step(x, state):
        y, state = stack(x.unsqueeze(0), state)
        return y[0], state

    return Stream(step, stack.zero_state(1))


@pytest.fixture(params=cell_names())
def stack(request):
    torch.manual_seed(0)
    return Stack(request.param, 3, [4, 5], layer_norm=True).double().eval()


def test_step_by_step_is_the_whole(stack):
    x = torch.randn(9, 1, 3).double()
    wanted, end = stack(x, stack.zero_state(1))
    stream = stream_of(stack)
    got = torch.stack([stream.feed(step) for step in x])
    torch.testing.assert_close(got, wanted.detach(), rtol=0, atol=1e-12)
    torch.testing.assert_close(stream.state, end, rtol=0, atol=1e-12)


def test_forks_go_their_own_ways(stack):
    x = torch.randn(4, 1, 3).double()
    stream = stream_of(stack)
    stream.feed(x[0])
    twin = stream.fork()
    assert torch.equal(twin.feed(x[1]), stream.feed(x[1]))
    before = stream.state
    twin.feed(x[2])
    assert all(torch.equal(a, b) for a, b in zip(before[0], stream.state[0], strict=True))
    after = stream.feed(x[3])
    assert not torch.equal(after, twin.feed(x[3]))
    again = stream_of(stack)
    for index in (0, 1):
        again.feed(x[index])
    assert torch.equal(again.feed(x[3]), after)


def test_a_deep_copy_is_a_fork_of_the_same_model(stack):
    stream, x = stream_of(stack), torch.randn(3, 1, 3).double()
    stream.model = stack
    stream.feed(x[0])
    past = stream.state
    twin = copy.deepcopy(stream)
    assert twin.model is stack
    output = twin.feed(x[1])
    torch.testing.assert_close(stream.state, past, rtol=0, atol=0)
    assert torch.equal(stream.feed(x[1]), output)


def test_forks_of_a_model_that_writes_into_its_state():
    """As a native engine does, which keeps one place in memory for what is carried."""

    def step(x, state):
        state[0][0].add_(x)
        return state[0][0].clone(), state

    stream = Stream(step, ((torch.zeros(1, 1),),))
    stream.feed(torch.ones(1, 1))
    twin, kept = stream.fork(), stream.state
    assert float(twin.feed(torch.ones(1, 1))) == 2
    assert float(stream.feed(torch.full((1, 1), 5.0))) == 6
    stream.state = kept
    assert float(stream.feed(torch.ones(1, 1))) == 2


def test_a_state_can_be_kept_and_set(stack):
    x = torch.randn(4, 1, 3).double()
    stream = stream_of(stack)
    stream.feed(x[0])
    kept = stream.state
    first = [stream.feed(step) for step in x[1:]]
    stream.state = kept
    assert all(torch.equal(stream.feed(step), y) for step, y in zip(x[1:], first, strict=True))
    other = stream_of(stack)
    other.state = kept
    assert torch.equal(other.feed(x[1]), first[0])


def test_a_state_that_is_read_is_a_copy(stack):
    stream = stream_of(stack)
    stream.feed(torch.ones(1, 3).double())
    twin, mine = stream.fork(), stream.state
    for layer in mine:
        for tensor in layer:
            tensor.fill_(7)
    assert torch.equal(stream.feed(torch.ones(1, 3).double()), twin.feed(torch.ones(1, 3).double()))
    stream.state = mine
    for layer in mine:
        for tensor in layer:
            tensor.fill_(9)
    assert float(stream.state[0][0].max()) == 7


def test_a_state_can_be_trained_on(stack):
    """What a stream gives out is an ordinary tensor, and what it holds drags no graph behind it."""
    stream = stream_of(stack)
    stream.feed(torch.ones(1, 3).double())
    y, end = stack.train()(torch.ones(2, 1, 3).double(), stream.state)
    y.sum().backward()
    assert all(parameter.grad is not None for parameter in stack.parameters())
    stream.state = end
    assert not any(tensor.requires_grad for layer in stream.state for tensor in layer)


def test_a_state_of_another_model_is_refused(stack):
    stream = stream_of(stack)
    for other in (Stack("lstm", 3, [4, 6]), Stack("lstm", 3, [4]), Stack("gru", 3, [4, 5, 5])):
        with pytest.raises(UsageError, match="state: expected tensors of shapes"):
            stream.state = other.zero_state(1)
    with pytest.raises(UsageError, match="state: expected tensors of shapes"):
        stream.state = stack.zero_state(2)

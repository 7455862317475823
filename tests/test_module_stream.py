"""A recurrent module as a stream of packed weights."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from recurra import ModuleStream, nn
from recurra.errors import UsageError
from recurra.kernels.native import engine
from recurra.nn import Stack

pytestmark = pytest.mark.skipif(engine() is None, reason="the native engine was not built")

# A row's greatest weight has 127 steps, so a weight is off by at most 1/254 of it; weights here are at most 1/sqrt(H).
APART = {"float32": 1e-6, "bfloat16": 2e-2, "int8": 2e-2}


@pytest.mark.parametrize("weights", APART)
@pytest.mark.parametrize("module", [nn.LSTM, nn.GravesLSTM, nn.GRU, nn.RNN, torch.nn.LSTM, torch.nn.GRU])
def test_it_says_what_the_module_says(module, weights):
    torch.manual_seed(1)
    layer, x = module(19, 70, 2), torch.randn(30, 19)
    truth = layer(x)[0].detach().numpy()
    for threads in (1, 2):
        stream = ModuleStream(layer, weights, threads)
        steps = np.stack([stream.step(row.numpy()) for row in x])
        assert np.abs(steps - truth).max() < APART[weights]


def test_packed_weights_are_rounded():
    layer, x = nn.LSTM(64, 64), np.linspace(-1, 1, 64, dtype=np.float32)
    outputs = [ModuleStream(layer, weights).step(x) for weights in APART]
    assert len({output.tobytes() for output in outputs}) == 3


def test_state_is_read_set_and_forked():
    torch.manual_seed(0)
    layer = nn.LSTM(3, 5, 2)
    stream, x = ModuleStream(layer), torch.randn(6, 3)
    for row in x[:3]:
        stream.step(row)
    past, twin = stream.state, stream.fork()
    assert [[tuple(part.shape) for part in states] for states in past] == [[(1, 5), (1, 5)]] * 2
    first = [stream.step(row) for row in x[3:]]
    assert np.array_equal(first, [twin.step(row) for row in x[3:]])
    other = ModuleStream(layer)
    other.state = past
    assert np.array_equal(first, [other.step(row) for row in x[3:]])
    _, (h, c) = layer(x)
    for layer_state, *parts in zip(stream.state, h, c, strict=True):
        for part, truth in zip(layer_state, parts, strict=True):
            assert torch.allclose(part[0], truth, atol=1e-6)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("weights", APART)
def test_a_copy_is_a_fork(copied, weights):
    torch.manual_seed(0)
    stream, x = ModuleStream(nn.LSTM(3, 5, 2), weights), torch.randn(4, 3)
    stream.step(x[0])
    past = stream.state
    twin = copied(stream)
    assert type(twin) is ModuleStream
    torch.testing.assert_close(twin.state, past, rtol=0, atol=0)
    twin.step(x[1])
    torch.testing.assert_close(stream.state, past, rtol=0, atol=0)  # the twin's step is none of the stream's
    assert not torch.equal(twin.state[0][0], past[0][0])
    stream.step(x[1])
    assert np.array_equal(stream.step(x[2]), twin.step(x[2]))
    one, same = copy.deepcopy([stream, stream])
    assert one is same


def test_threads_change_nothing():
    torch.manual_seed(0)
    layer, x = nn.GRU(300, 300), torch.randn(5, 300)  # 2.2 MB of weights: enough for two threads to pay
    one, two = ModuleStream(layer), ModuleStream(layer, threads=2)
    assert all(np.array_equal(one.step(row), two.step(row)) for row in x)


def test_what_it_cannot_stream_it_refuses():
    for module, message in (
        (nn.LSTM(2, 3, bidirectional=True), "in both"),
        (nn.LSTM(2, 4, proj_size=3), "projections"),
        (torch.nn.Linear(2, 3), "expected a Stack"),
        (nn.GRU(2, 3).double(), "expected float32"),
    ):
        with pytest.raises(UsageError, match=message):
            ModuleStream(module)
    with pytest.raises(UsageError, match="expected one of float32, bfloat16, int8"):
        ModuleStream(nn.GRU(2, 3), "int4")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="threads"):
        ModuleStream(nn.GRU(2, 3), threads=0)
    stream = ModuleStream(Stack("gru", 2, [3]))
    with pytest.raises(UsageError, match="expected 2 features"):
        stream.step(np.zeros(3, dtype=np.float32))
    with pytest.raises(UsageError, match="state"):
        stream.state = ((torch.zeros(1, 4),),)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64, torch.int64, torch.bool])
def test_numbers_of_any_real_type_are_read(kind):
    layer, x = nn.GRU(3, 5), torch.tensor([1, 0, 1])
    expected = ModuleStream(layer).step(x.float())
    assert np.array_equal(ModuleStream(layer).step(x.to(kind)), expected)
    assert np.array_equal(ModuleStream(layer).step(x.tolist()), expected)


@pytest.mark.parametrize("x", ["abc", None, [[1], [2, 3]], torch.ones(3, dtype=torch.complex64), ["1", "2", "3"]])
def test_what_are_no_numbers(x):
    with pytest.raises(UsageError, match="x: expected 3 real numbers, got"):
        ModuleStream(nn.GRU(3, 5)).step(x)


@pytest.mark.parametrize("state", [None, torch.zeros(1, 5), ((np.zeros((1, 5)),),), ([None],), ((torch.zeros(1, 4),),)])
def test_what_is_no_state(state):
    stream = ModuleStream(nn.GRU(3, 5))
    with pytest.raises(UsageError, match=r"state: expected tensors of shapes \[\[\(1, 5\)\]\], got"):
        stream.state = state


@pytest.mark.parametrize("threads", [0, 1.5, "2"])
def test_threads_that_are_none(threads):
    with pytest.raises(UsageError, match="threads: expected a whole number from 1 to 1024, got"):
        ModuleStream(nn.GRU(3, 5), threads=threads)


def test_outputs_that_are_held_stay_as_they_are():
    """A stream writes into an array of outputs again once nobody holds it, and not before."""
    torch.manual_seed(0)
    layer = nn.GRU(4, 4)
    stream, other, x = ModuleStream(layer), ModuleStream(layer), torch.randn(8, 4).numpy()
    held = [stream.step(row) for row in x]
    copies = [other.step(row).copy() for row in x]
    assert np.array_equal(held, copies)
    part = stream.step(x[0])[1:3]  # a view keeps the whole array
    as_it_was = part.copy()
    for row in x:
        stream.step(row)
    assert np.array_equal(part, as_it_was)
    stream, other = ModuleStream(layer), ModuleStream(layer)
    y, wanted = x[0], x[0]
    for _ in range(5):  # what comes out goes in
        y, wanted = stream.step(y), other.step(wanted.copy()).copy()
        assert np.array_equal(y, wanted)


def test_rows_of_any_layout_are_the_same_row():
    torch.manual_seed(0)
    layer, x = nn.LSTM(6, 5), torch.randn(6).numpy()
    truth = ModuleStream(layer).step(x)
    frozen = x.copy()
    frozen.flags.writeable = False
    for row in (
        np.repeat(x, 2)[::2],
        x[::-1].copy()[::-1],
        x.astype(">f4"),
        x.astype(np.float64),
        frozen,
        torch.from_numpy(x),
    ):
        assert np.array_equal(ModuleStream(layer).step(row), truth)
    for wrong in (x[:5], x[None], np.zeros((6, 1), np.float32)):
        with pytest.raises(UsageError, match="expected 6 features"):
            ModuleStream(layer).step(wrong)

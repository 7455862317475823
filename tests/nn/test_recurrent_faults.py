"""What makes no sense is refused in one line, where torch crashes, computes something else, or says nothing."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from recurra import nn
from recurra.errors import UsageError

T, B, I, H = 5, 3, 4, 6  # noqa: E741


@pytest.fixture
def lstm():
    return nn.LSTM(I, H, num_layers=2)


@pytest.fixture
def gru():
    return nn.GRU(I, H, num_layers=2)


def refused(message, call, *arguments, **options):
    with pytest.raises(UsageError, match=re.escape(message)):
        call(*arguments, **options)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GravesLSTM, nn.GRU])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_layers": 0}, "num_layers: expected a whole number from 1, got 0"),
        ({"num_layers": -1}, "num_layers: expected a whole number from 1, got -1"),
        ({"num_layers": 2.0}, "num_layers: expected a whole number, got 2.0"),
        ({"num_layers": True}, "num_layers: expected a whole number from 1, got True"),
        ({"hidden_size": 0}, "hidden_size: expected a whole number from 1, got 0"),
        ({"input_size": -3}, "input_size: expected a whole number from 1, got -3"),
        ({"input_size": "4"}, "input_size: expected a whole number, got '4'"),
        ({"bias": None}, "bias: expected True or False, got None"),
        ({"batch_first": "yes"}, "batch_first: expected True or False, got 'yes'"),
        ({"bidirectional": 2}, "bidirectional: expected True or False, got 2"),
        ({"dropout": 1.5}, "dropout: expected a share from 0 to 1, got 1.5"),
        ({"dropout": float("nan")}, "dropout: expected a share from 0 to 1, got nan"),
        ({"dropout": True}, "dropout: expected a share from 0 to 1, got True"),
    ],
)
def test_arguments_that_make_no_module(kind, options, message):
    refused(message, kind, **{"input_size": I, "hidden_size": H, **options})


def test_arguments_of_one_module():
    refused("nonlinearity: expected tanh or relu, got 'gelu'", nn.RNN, I, H, nonlinearity="gelu")
    for kind in (nn.LSTM, nn.GravesLSTM):
        refused("proj_size: expected less than hidden_size = 6, got 6", kind, I, H, proj_size=H)
        refused("proj_size: expected a whole number from 0, got -1", kind, I, H, proj_size=-1)
    for kind in (nn.RNN, nn.GRU):
        refused("proj_size: only the outputs of an LSTM can be projected, got 2; leave it out", kind, I, H, proj_size=2)
        assert kind(I, H, proj_size=0).proj_size == 0  # as torch's, which says nothing of none


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize(
    "call",
    [
        lambda make: make("4", H),
        lambda make: make(0, H),
        lambda make: make(I, 0),
        lambda make: make(I, H, num_layers=0),
        lambda make: make(I, H, bias=None),
        lambda make: make(I, H, batch_first="yes"),
        lambda make: make(I, H, dropout=1.5),
        lambda make: make(I, H, proj_size=-1),
        lambda make: make(I, H, proj_size=H),
        lambda make: make(I, H)(torch.zeros(I)),
        lambda make: make(I, H)(torch.zeros(T, B, I + 1)),
        lambda make: make(I, H)(torch.zeros(T, B, I).double()),
        lambda make: make(I, H)(torch.zeros(T, B, I), hx_of(make, torch.zeros(2, B, H))),
        lambda make: make(I, H)(torch.zeros(T, B, I), hx_of(make, torch.zeros(1, B + 1, H))),
    ],
)
def test_errors_are_of_the_types_that_torch_raises(kind, call):
    with pytest.raises((TypeError, ValueError, RuntimeError)) as theirs:
        call(getattr(torch.nn, kind))
    with pytest.raises(UsageError) as ours:
        call(getattr(nn, kind))
    assert isinstance(ours.value, theirs.type)


def hx_of(make, state):
    return (state, state) if "LSTM" in make.__name__ else state


def test_inputs_of_another_shape_or_type(lstm, gru):
    x = torch.zeros(T, B, I)
    refused("input: expected (T, B, I), or (T, I) for one sequence, got 1 dimensions of shape (4,)", gru, x[0, 0])
    refused("got 4 dimensions of shape (1, 5, 3, 4)", gru, x[None])
    gru.batch_first = True
    refused("input: expected (B, T, I), or (T, I)", gru, x[None])
    refused("input: expected 4 features, got 3", lstm, x[..., :3])
    refused("input: expected a tensor or a PackedSequence, got list", lstm, x.tolist())
    refused("x: expected a floating type, got torch.int64; embed integer ids first", lstm, x.long())
    refused("x: expected a floating type, got torch.complex64", lstm, x.cfloat())
    refused("is torch.float32 but x torch.float64; convert one of them, or use torch.autocast", lstm, x.double())
    with torch.autocast("cpu", torch.bfloat16):  # which leaves float64 alone
        refused("is torch.float32 but x torch.float64", lstm, x.double())
    refused("is on meta but x on cpu", nn.GRU(I, H, device="meta"), x)


def test_states_of_another_shape(lstm, gru):
    x = torch.zeros(T, B, I)
    h = torch.zeros(2, B, H)
    refused("hx: expected h_0 (2, 3, 6), got (1, 3, 6)", gru, x, h[:1])
    refused("hx: expected h_0 (2, 3, 6), got (2, 1, 6)", gru, x, h[:, :1])  # torch would not spread it either
    refused("hx: expected h_0 (2, 3, 6), got (2, 3, 5)", gru, x, h[..., :5])
    refused("hx: expected h_0 (2, 3, 6), got (2, 6)", gru, x, h[:, 0])  # a state without a batch for a batch
    refused("hx: expected h_0 (2, 6), got (2, 3, 6)", gru, x[:, 0], h)  # and the other way round
    refused("hx: expected h_0 (2, 6), got (2, 1, 6)", gru, x[:, 0], h[:, :1])
    refused("hx: expected h_0 (2, 3, 6) and c_0 (2, 3, 6), got (2, 3, 6) and (2, 2, 6)", lstm, x, (h, h[:, 1:]))
    refused("hx: expected h_0 (2, 3, 6) and c_0 (2, 3, 6), got (2, 3, 6)", lstm, x, (h,))
    refused("hx: expected h_0 (2, 3, 6) and c_0 (2, 3, 6), got Tensor", lstm, x, h)
    refused("hx: expected h_0 (2, 3, 6), got tuple", gru, x, (h, h))
    refused("hx: expected h_0 (2, 3, 6) and c_0 (2, 3, 6), got tuple", lstm, x, (h, None))
    projected = nn.LSTM(I, H, proj_size=2)
    refused("hx: expected h_0 (1, 3, 2) and c_0 (1, 3, 6)", projected, x, (h[:1], h[:1]))


def test_states_of_another_type(lstm, gru):
    x, h = torch.zeros(T, B, I), torch.zeros(2, B, H)
    refused("state h: is torch.float64 but x torch.float32", gru, x, h.double())
    refused("state c: is torch.bfloat16 but x torch.float32", lstm, x, (h, h.bfloat16()))
    with torch.autocast("cpu", torch.bfloat16):
        refused("state h: is torch.float64 but x torch.float32", gru, x, h.double())
    refused("state h: is torch.int64 but x torch.float32", gru, x, h.long())


def test_lengths_that_do_not_fit(gru):
    x = torch.zeros(T, B, I)
    refused("lengths: expected one for each row, shape (3,), got (2,)", gru, x, lengths=[1, 2])
    refused("lengths: expected one for each row, shape (3,), got ()", gru, x, lengths=torch.tensor(3))
    refused("lengths: expected each from 0 to T = 5, got 6 for row 1", gru, x, lengths=[1, 6, 2])
    refused("lengths: expected each from 0 to T = 5, got -1 for row 2", gru, x, lengths=[1, 5, -1])
    refused("lengths: expected whole numbers, got torch.float32", gru, x, lengths=[1.0, 2.0, 3.0])
    refused("lengths: expected whole numbers, got torch.bool", gru, x, lengths=[True, True, False])
    refused("lengths: expected a list or a tensor of whole numbers, got 'abc'", gru, x, lengths="abc")
    refused("lengths: expected a list or a tensor of whole numbers", gru, x, lengths=[[1], [2, 3]])
    refused("lengths: a sequence without a batch has one length", gru, x[:, 0], lengths=[5])
    packed = pack_padded_sequence(x, torch.tensor([5, 4, 1]))
    refused("lengths: a packed sequence brings its own", gru, packed, lengths=[5, 4, 1])


def test_packed_sequences_that_nobody_packed(gru):
    data, sizes = torch.zeros(6, I), torch.tensor([3, 2, 1])
    for wrong in (sizes.flip(0), torch.tensor([3, 2]), torch.tensor([3, 3, 0]), torch.tensor([], dtype=torch.int64)):
        refused("batch_sizes", gru, PackedSequence(data, wrong))
    refused(
        "input: expected a packed sequence of (N, I), got one of shape (6,)", gru, PackedSequence(data[:, 0], sizes)
    )
    refused("input: expected 4 features, got 3", gru, PackedSequence(data[:, :3], sizes))
    refused("hx: expected h_0 (2, 3, 6), got (2, 6, 6)", gru, PackedSequence(data, sizes), torch.zeros(2, 6, H))

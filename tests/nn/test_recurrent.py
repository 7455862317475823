"""What the modules do beyond torch's: peepholes, ragged rows, gates, second derivatives, and batches of nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn as torch_nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurra import nn

T, B, I, H = 6, 4, 3, 5  # noqa: E741
LENGTHS = [4, 6, 0, 1]

MODULES = {
    "rnn": nn.RNN,
    "relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
    "lstm": nn.LSTM,
    "lstm projected": lambda *sizes, **options: nn.LSTM(*sizes, proj_size=2, **options),
    "graves": nn.GravesLSTM,
    "graves projected": lambda *sizes, **options: nn.GravesLSTM(*sizes, proj_size=2, **options),
    "gru": nn.GRU,
}
every_module = pytest.mark.parametrize("name", MODULES)


def build(name, dtype=torch.float64, **options):
    return MODULES[name](I, H, dtype=dtype, **options)


def states(end):
    return end if isinstance(end, tuple) else (end,)


def step_by_step(module, x, state, lengths=None):
    """Run a module's weights by nothing but the cell's step, one row after another, with the gates of every step.

    Returns outputs (T, B, D·O), states (L·D, B, F), and for each layer and direction gates (T, B, G, H).
    """
    saved, directions = module.state_dict(), 1 + module.bidirectional
    lengths = lengths if lengths is not None else [len(x)] * x.shape[1]
    ends, every_gate = [], []
    for layer in range(module.num_layers):
        sides = []
        for direction in range(directions):
            key = f"l{layer}" + ("_reverse" if direction else "")
            width = module.proj_size or H
            y = x.new_zeros(len(x), x.shape[1], width)
            gates = x.new_zeros(len(x), x.shape[1], len(module.cell.gates), H)
            rows = []
            for row, length in enumerate(lengths):
                now = tuple(value[layer * directions + direction, row : row + 1] for value in state)
                for t in reversed(range(length)) if direction else range(length):
                    xw = x[t, row : row + 1] @ saved[f"weight_ih_{key}"].T
                    hr = now[0] @ saved[f"weight_hh_{key}"].T
                    if module.bias:
                        xw, hr = xw + saved[f"bias_ih_{key}"], hr + saved[f"bias_hh_{key}"]
                    peephole = tuple(saved.get(f"peephole_{key}", ()))
                    now, values = module.cell.step(xw.split(H, 1), hr.split(H, 1), now, peephole)
                    if module.proj_size:
                        now = (now[0] @ saved[f"weight_hr_{key}"].T, *now[1:])
                    y[t, row], gates[t, row] = now[0][0], torch.cat(values)
                rows.append(now)
            sides.append(y)
            every_gate.append(gates)
            ends.append([torch.cat(parts) for parts in zip(*rows, strict=True)])
        x = torch.cat(sides, -1)
    return x, [torch.stack(parts) for parts in zip(*ends, strict=True)], every_gate


def draw(module, batch=B):
    layers = module.num_layers * (1 + module.bidirectional)
    widths = [module.proj_size or H, H][: len(module.cell.states)]
    dtype = module.weight_ih_l0.dtype
    return torch.randn(T, batch, I, dtype=dtype), tuple(
        torch.randn(layers, batch, width, dtype=dtype) for width in widths
    )


def as_hx(state):
    return state if len(state) > 1 else state[0]


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "ragged"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 3, "bidirectional": True}, {"num_layers": 2, "bias": False}])
@every_module
def test_outputs_states_and_gates_are_those_of_the_step(name, options, lengths):
    module = build(name, **options)
    x, state = draw(module)
    y, end, gates = module(x, as_hx(state), lengths=lengths, return_gates=True)
    wanted_y, wanted_end, wanted_gates = step_by_step(module, x, state, lengths)
    torch.testing.assert_close(y, wanted_y, rtol=0, atol=1e-13)
    for got, wanted in zip(states(end), wanted_end, strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-13)
    assert len(gates) == len(wanted_gates)
    for got, wanted in zip(gates, wanted_gates, strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-13)
    without, _ = module(x, as_hx(state), lengths=lengths)
    torch.testing.assert_close(without, y, rtol=0, atol=1e-13)


@every_module
def test_a_row_alone_is_that_row_in_the_batch(name):
    module = build(name, num_layers=2, bidirectional=True)
    x, state = draw(module)
    y, end = module(x, as_hx(state), lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        own = as_hx(tuple(value[:, row] for value in state))
        alone, last = module(x[:length, row], own)
        torch.testing.assert_close(y[:length, row], alone, rtol=0, atol=1e-13)
        assert not bool(y[length:, row].any())
        for got, wanted in zip(states(end), states(last), strict=True):
            torch.testing.assert_close(got[:, row], wanted, rtol=0, atol=1e-13)
    for got, first in zip(states(end), state, strict=True):
        assert torch.equal(got[:, LENGTHS.index(0)], first[:, LENGTHS.index(0)])


@every_module
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_padding_is_never_read(name, dtype):
    """Not forward, and not backward either, where a zero times NaN would be NaN."""
    module = build(name, dtype, num_layers=2, bidirectional=True)
    x, state = draw(module)
    corrupted = x.clone()
    for row, length in enumerate(LENGTHS):
        corrupted[length:, row] = math.nan
    results = []
    for given in (x, corrupted):
        given = given.clone().requires_grad_()
        y, end = module(given, as_hx(state), lengths=LENGTHS)
        loss = y.square().sum() + sum(value.square().sum() for value in states(end))
        results.append([y, *states(end), *torch.autograd.grad(loss, [given, *module.parameters()])])
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


@every_module
def test_gates_come_as_the_input_came(name):
    module = build(name)
    x, _ = draw(module)
    *_, (wanted,) = module(x, return_gates=True)
    assert wanted.shape == (T, B, len(module.cell.gates), H)
    *_, (one,) = module(x[:, 0], return_gates=True)
    torch.testing.assert_close(one, wanted[:, 0], rtol=0, atol=1e-13)
    lengths = [3, 6, 5, 1]
    *_, (packed,) = module(pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False), return_gates=True)
    padded, unpacked_lengths = pad_packed_sequence(packed)
    assert unpacked_lengths.tolist() == lengths
    for row, length in enumerate(lengths):
        torch.testing.assert_close(padded[:length, row], wanted[:length, row], rtol=0, atol=1e-13)
    module.batch_first = True
    *_, (first,) = module(x.transpose(0, 1), return_gates=True)
    torch.testing.assert_close(first, wanted.transpose(0, 1), rtol=0, atol=1e-13)


@pytest.mark.parametrize("lengths", [None, [2, 3, 0]], ids=["full", "ragged"])
@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize("name", sorted(set(MODULES) - {"relu"}))  # finite differences would step over its corner
def test_first_and_second_derivatives(name, check, lengths):
    module = MODULES[name](2, 3, dtype=torch.float64, bidirectional=True)
    x = torch.randn(3, 3, 2, dtype=torch.float64, requires_grad=True)
    names = list(dict(module.named_parameters()))

    def run(x, *parameters):
        given = dict(zip(names, parameters, strict=True))
        y, end = torch.func.functional_call(module, given, (x,), {"lengths": lengths})
        return (y, *states(end))

    # The fast mode asks for the derivative in a random direction instead of in each number.
    assert check(run, [x, *module.parameters()], fast_mode=True)


@pytest.mark.parametrize("name", ["rnn", "lstm", "graves", "gru"])
def test_second_derivatives_in_float32_are_those_of_float64(name):
    """A kernel of its own must not lose them: gradient penalties and meta-learning need them."""
    module = build(name)
    x, _ = draw(module)
    x = x.float().double()

    def penalty(module, x):
        x = x.clone().requires_grad_()
        y, _ = module(x)
        (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), [x, module.weight_hh_l0])

    single = penalty(module.float(), x.float())
    exact = penalty(module.double(), x)
    for got, wanted in zip(single, exact, strict=True):
        # About a hundred roundings of float32 follow each other.
        torch.testing.assert_close(got.double(), wanted, rtol=0, atol=100 * 2.0**-24 * float(wanted.abs().max()))


@every_module
@pytest.mark.parametrize(("steps", "batch"), [(0, 3), (5, 0), (0, 0)])
def test_nothing_gives_nothing(name, steps, batch):
    module = build(name, num_layers=2, bidirectional=True)
    _, state = draw(module, batch)
    y, end = module(torch.zeros(steps, batch, I).double(), as_hx(state))
    assert y.shape == (steps, batch, 2 * (module.proj_size or H))
    for got, first in zip(states(end), state, strict=True):
        assert torch.equal(got, first)
    y, end = module(torch.zeros(steps, batch, I).double(), as_hx(state), lengths=[0] * batch)
    assert not bool(y.any()) and all(torch.equal(a, b) for a, b in zip(states(end), state, strict=True))


@pytest.mark.parametrize("given", [LENGTHS, tuple(LENGTHS), torch.tensor(LENGTHS), torch.tensor(LENGTHS).int()])
def test_lengths_as_a_list_or_a_tensor(given):
    module = build("gru", batch_first=True)
    x, _ = draw(module)
    y, _ = module(x.transpose(0, 1), lengths=given)
    assert [int(row.any(-1).sum()) for row in y] == LENGTHS


def test_peepholes_of_zero_see_nothing():
    plain, seeing = build("lstm", num_layers=2, bidirectional=True), build("graves", num_layers=2, bidirectional=True)
    loaded = seeing.load_state_dict(plain.state_dict(), strict=False)
    assert sorted(loaded.missing_keys) == [
        "peephole_l0",
        "peephole_l0_reverse",
        "peephole_l1",
        "peephole_l1_reverse",
    ]
    x, state = draw(plain)
    wanted, _ = plain(x, state)
    assert float((seeing(x, state)[0] - wanted).detach().abs().max()) > 1e-3
    for name in loaded.missing_keys:
        torch_nn.init.zeros_(seeing.get_parameter(name))
    torch.testing.assert_close(seeing(x, state)[0], wanted, rtol=0, atol=1e-13)


def test_a_graves_lstm_under_autocast_is_rounded_as_an_lstm_is():
    module = build("graves", torch.float32, num_layers=2)
    x, state = draw(module)
    exact = build("graves", num_layers=2)
    exact.load_state_dict(module.state_dict())
    wanted, _ = exact(x.double(), tuple(value.double() for value in state))
    with torch.autocast("cpu", torch.bfloat16):
        y, (h, c) = module(x, state)
    assert y.dtype == torch.bfloat16 and h.dtype == c.dtype == torch.float32
    # The root of the number of roundings to bfloat16, two layers of T steps of products over I + H.
    limit = 2.0**-8 * math.sqrt(2 * T * (I + H + 8))
    assert float((y.double() - wanted).detach().abs().max()) <= limit * float(wanted.detach().abs().max())

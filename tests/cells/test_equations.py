"""The cells against references that share nothing with them: their equations in numpy, and torch's own modules."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from recurra.cells import cell_names, get_cell
from recurra.errors import UsageError
from recurra.kernels import run_layer, scan_layer

T, B, I, H = 6, 3, 4, 5  # noqa: E741


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def elman(nonlinearity, p, x, states):
    (h,) = states
    return (nonlinearity(p["weight_ih"] @ x + p["bias_ih"] + p["weight_hh"] @ h + p["bias_hh"]),)


def lstm(p, x, states):
    h, c = states
    i, f, g, o = np.split(p["weight_ih"] @ x + p["bias_ih"] + p["weight_hh"] @ h + p["bias_hh"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def graves_lstm(p, x, states):
    """Equations 7 to 11 of Graves 2013: W_ci, W_cf and W_co are diagonal; the output gate sees the new memory."""
    h, c = states
    i, f, g, o = np.split(p["weight_ih"] @ x + p["bias_ih"] + p["weight_hh"] @ h + p["bias_hh"], 4)
    w_ci, w_cf, w_co = (np.diag(row) for row in p["peephole"])
    i, f = sigmoid(i + w_ci @ c), sigmoid(f + w_cf @ c)
    c = f * c + i * np.tanh(g)
    return sigmoid(o + w_co @ c) * np.tanh(c), c


def gru(p, x, states):
    (h,) = states
    xr, xz, xn = np.split(p["weight_ih"] @ x + p["bias_ih"], 3)
    hr, hz, hn = np.split(p["weight_hh"] @ h + p["bias_hh"], 3)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    return ((1 - z) * np.tanh(xn + r * hn) + z * h,)


EQUATIONS = {
    "rnn": partial(elman, np.tanh),
    "rnn-relu": partial(elman, lambda a: np.maximum(a, 0)),
    "lstm": lstm,
    "graves-lstm": graves_lstm,
    "gru": gru,
}


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)
    weights = {name: rng.uniform(-1, 1, shape) for name, shape in cell.shapes(I, H).items()}
    return weights, rng.normal(size=(T, B, I)), [rng.normal(size=(B, H)) for _ in cell.states]


def test_every_cell_has_a_reference():
    assert sorted(EQUATIONS) == sorted(cell_names())


@pytest.mark.parametrize("run", [run_layer, scan_layer])
@pytest.mark.parametrize("name", EQUATIONS)
def test_equations_in_numpy(name, run):
    cell = get_cell(name)
    weights, x, first = draw(cell)
    y, end, _ = run(
        cell,
        torch.from_numpy(x),
        tuple(map(torch.from_numpy, first)),
        {key: torch.from_numpy(value) for key, value in weights.items()},
    )
    for lane in range(B):
        states = tuple(state[lane] for state in first)
        for t in range(T):
            states = EQUATIONS[name](weights, x[t, lane], states)
            # Two ways of adding up 9 products in float64.
            np.testing.assert_allclose(y[t, lane], states[0], rtol=0, atol=1e-14 * (1 + np.abs(states[0]).max()) * T)
        for tensor, state in zip(end, states, strict=True):
            np.testing.assert_allclose(tensor[lane], state, rtol=0, atol=1e-14 * (1 + np.abs(state).max()) * T)


TORCH = {
    "rnn": partial(torch.nn.RNN, nonlinearity="tanh"),
    "rnn-relu": partial(torch.nn.RNN, nonlinearity="relu"),
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}


@pytest.mark.parametrize("name", TORCH)
def test_torch_modules_with_the_same_weights(name):
    """Weights can be copied as they are: the order of the gates is torch's."""
    cell = get_cell(name)
    weights, x, first = draw(cell, seed=1)
    module = TORCH[name](I, H, dtype=torch.float64)
    module.load_state_dict({f"{key}_l0": torch.from_numpy(value) for key, value in weights.items()})
    state = tuple(map(torch.from_numpy, first))
    hx = tuple(s[None] for s in state)
    wanted, end = module(torch.from_numpy(x), hx if len(hx) > 1 else hx[0])
    parameters = {key: module.get_parameter(f"{key}_l0") for key in weights}
    y, got, _ = scan_layer(cell, torch.from_numpy(x), state, parameters)
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-13)
    for ours, theirs in zip(got, end if len(hx) > 1 else (end,), strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-13)
    gradients = torch.autograd.grad(wanted.square().sum(), list(parameters.values()))
    for ours, theirs in zip(torch.autograd.grad(y.square().sum(), list(parameters.values())), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_the_two_lstms_are_one_when_nothing_is_seen_through_the_peepholes():
    weights, x, first = draw(get_cell("graves-lstm"), seed=2)
    tensors = {key: torch.from_numpy(value) for key, value in weights.items()}
    state = tuple(map(torch.from_numpy, first))
    blind = {**tensors, "peephole": torch.zeros(3, H, dtype=torch.float64)}
    y, *_ = run_layer(get_cell("graves-lstm"), torch.from_numpy(x), state, blind)
    without = {key: value for key, value in tensors.items() if key != "peephole"}
    wanted, *_ = run_layer(get_cell("lstm"), torch.from_numpy(x), state, without)
    seeing, *_ = run_layer(get_cell("graves-lstm"), torch.from_numpy(x), state, tensors)
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-13)
    assert (seeing - wanted).abs().max() > 0.01


def test_gate_values_are_those_of_the_equations():
    """Explanations read them: each gate by its name, after its non-linearity."""
    cell = get_cell("gru")
    weights, x, (h, *_) = draw(cell, seed=3)
    xw = torch.from_numpy(x[0] @ weights["weight_ih"].T + weights["bias_ih"])
    hr = torch.from_numpy(h @ weights["weight_hh"].T + weights["bias_hh"])
    _, gates = cell.step(xw.split(H, 1), hr.split(H, 1), (torch.from_numpy(h),), ())
    by_name = dict(zip(cell.gates, gates, strict=True))
    torch.testing.assert_close(by_name["reset"], torch.sigmoid(xw[:, :H] + hr[:, :H]))
    torch.testing.assert_close(by_name["update"], torch.sigmoid(xw[:, H : 2 * H] + hr[:, H : 2 * H]))
    torch.testing.assert_close(by_name["candidate"], torch.tanh(xw[:, 2 * H :] + by_name["reset"] * hr[:, 2 * H :]))


def test_onnx_order_as_its_specification_has_it():
    """onnx.ai/onnx/operators: LSTM has i, o, f, c; GRU has z, r, h; the rows of a gate are found by its name."""
    assert get_cell("lstm").onnx.gates == ("input", "output", "forget", "candidate")
    assert get_cell("graves-lstm").onnx.gates == ("input", "output", "forget", "candidate")
    assert get_cell("gru").onnx.gates == ("update", "reset", "candidate")
    assert get_cell("gru").onnx.attributes["linear_before_reset"] == 1
    assert get_cell("lstm").gate_rows("output", 2) == slice(6, 8)


def test_an_unknown_cell_is_named_with_those_there_are():
    with pytest.raises(UsageError, match=r"cell: expected one of rnn, .*lstm.*; got 'lstn'"):
        get_cell("lstn")

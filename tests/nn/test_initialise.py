"""Initial weights are what the docstrings say, for each gate on its own."""

from __future__ import annotations

import pytest
import torch

from recurra.cells import cell_names, get_cell
from recurra.errors import UsageError
from recurra.nn import SCHEMES, Layer, Stack

INPUT, HIDDEN = 12, 20


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def layer_of(name, scheme, gain=1.0, forget_bias=None):
    layer = Layer(get_cell(name), INPUT, HIDDEN)
    layer.reset_parameters(scheme, gain, forget_bias)
    return layer, {key: value.detach() for key, value in layer.named_parameters()}


def gates_of(layer, weight):
    return [weight[layer.cell.gate_rows(gate, HIDDEN)] for gate in layer.cell.gates]


def is_uniform(weight, limit):
    """Within the limit, and with the spread of a uniform draw: σ = limit / √3, within 6 of its standard errors."""
    assert float(weight.abs().max()) <= limit
    error = 0.5 / weight.numel() ** 0.5
    assert float(weight.std()) == pytest.approx(limit / 3**0.5, rel=6 * error)
    assert abs(float(weight.mean())) < 6 * limit / 3**0.5 / weight.numel() ** 0.5


@pytest.mark.parametrize("gain", [1.0, 0.5])
@pytest.mark.parametrize("name", cell_names())
def test_orthogonal_gates(name, gain):
    layer, weights = layer_of(name, "orthogonal", gain)
    for rows in gates_of(layer, weights["weight_hh"].double()):
        torch.testing.assert_close(rows @ rows.T, gain**2 * torch.eye(HIDDEN).double(), rtol=0, atol=1e-6)
    for rows in gates_of(layer, weights["weight_ih"].double()):  # more rows than columns: the columns are orthogonal
        torch.testing.assert_close(rows.T @ rows, gain**2 * torch.eye(INPUT).double(), rtol=0, atol=1e-6)
    gates = gates_of(layer, weights["weight_hh"])
    assert all(not torch.equal(gates[0], other) for other in gates[1:])


@pytest.mark.parametrize("name", cell_names())
def test_uniform_draws_everything(name):
    _, weights = layer_of(name, "uniform", 0.05)
    assert set(weights) == set(get_cell(name).shapes(1, 1))
    for weight in weights.values():
        is_uniform(weight, 0.05)


@pytest.mark.parametrize("name", cell_names())
def test_torch_range_is_that_of_the_hidden_size(name):
    layer, weights = layer_of(name, "torch", 1.0)
    for weight in ("weight_ih", "weight_hh"):
        for rows in gates_of(layer, weights[weight]):
            is_uniform(rows, HIDDEN**-0.5)


@pytest.mark.parametrize("name", cell_names())
def test_xavier_range_is_that_of_one_gate(name):
    layer, weights = layer_of(name, "xavier", 2.0)
    for rows in gates_of(layer, weights["weight_ih"]):
        is_uniform(rows, 2 * (6 / (INPUT + HIDDEN)) ** 0.5)
    for rows in gates_of(layer, weights["weight_hh"]):
        is_uniform(rows, 2 * (6 / (2 * HIDDEN)) ** 0.5)


@pytest.mark.parametrize("name", cell_names())
def test_identity(name):
    layer, weights = layer_of(name, "identity", 0.9)
    for rows in gates_of(layer, weights["weight_hh"]):
        assert torch.equal(rows, torch.eye(HIDDEN) * 0.9)


def test_an_identity_network_with_the_rectifier_keeps_what_it_has():
    """Le et al. 2015: without input an IRNN holds its state for ever."""
    layer, _ = layer_of("rnn-relu", "identity")
    first = (torch.rand(2, HIDDEN),)
    _, (last,) = layer(torch.zeros(50, 2, INPUT), first)
    assert torch.equal(last, first[0])


@pytest.mark.parametrize("scheme", sorted(set(SCHEMES) - {"uniform"}))
@pytest.mark.parametrize("name", cell_names())
def test_biases_and_peepholes_begin_at_zero(name, scheme):
    _, weights = layer_of(name, scheme)
    for key in set(weights) - {"weight_ih", "weight_hh"}:
        assert not bool(weights[key].any())


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
@pytest.mark.parametrize("name", ["lstm", "graves-lstm"])
def test_the_forget_bias_lands_in_the_forget_rows(name, scheme):
    layer, weights = layer_of(name, scheme, 0.05, forget_bias=1.5)
    rows = slice(HIDDEN, 2 * HIDDEN)  # torch's order: input, forget, cell, output
    total = weights["bias_ih"] + weights["bias_hh"]
    assert torch.equal(total[rows], torch.full((HIDDEN,), 1.5))
    assert float(torch.cat((total[: rows.start], total[rows.stop :])).abs().max()) <= 0.1
    # What it is there for: the gate stands open at first.
    x, h = torch.zeros(1, INPUT), torch.zeros(1, HIDDEN)
    xw = (x @ weights["weight_ih"].T + weights["bias_ih"]).split(HIDDEN, 1)
    hr = (h @ weights["weight_hh"].T + weights["bias_hh"]).split(HIDDEN, 1)
    peephole = tuple(weights["peephole"]) if name == "graves-lstm" else ()
    _, gates = layer.cell.step(xw, hr, (h, h), peephole)
    forget = dict(zip(layer.cell.gates, gates, strict=True))["forget"]
    torch.testing.assert_close(forget, torch.full((1, HIDDEN), 1.5).sigmoid())


@pytest.mark.parametrize("name", ["rnn", "rnn-relu", "gru"])
def test_cells_without_a_forget_gate_take_no_forget_bias(name):
    _, weights = layer_of(name, "orthogonal", forget_bias=1.5)
    assert not bool(weights["bias_ih"].any()) and not bool(weights["bias_hh"].any())


def test_an_unknown_scheme():
    for module in (Stack("gru", 2, [3]), Layer(get_cell("gru"), 2, 3)):
        with pytest.raises(UsageError, match=r"init: expected one of orthogonal.*'kaiming'"):
            module.reset_parameters("kaiming")

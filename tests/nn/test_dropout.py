"""Dropout over features with one mask for all steps, and over recurrent weights."""

from __future__ import annotations

import pytest
import torch

from recurra.cells import cell_names, get_cell
from recurra.errors import UsageError
from recurra.kernels import scan_layer
from recurra.nn import Dropout, Layer, Stack


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_variational_masks_hold_over_time_and_differ_over_the_batch():
    y = Dropout(0.5, variational=True)(torch.ones(6, 4, 64))
    assert all(torch.equal(y[t], y[0]) for t in range(6))
    assert len({tuple(row.tolist()) for row in y[0]}) == 4
    assert not torch.equal(y, Dropout(0.5, variational=True)(torch.ones(6, 4, 64)))


def test_plain_masks_differ_over_time():
    y = Dropout(0.5)(torch.ones(6, 4, 64))
    assert len({tuple(row.flatten().tolist()) for row in y}) == 6


@pytest.mark.parametrize("variational", [False, True])
def test_what_is_left_is_scaled_so_that_the_mean_stays(variational):
    y = Dropout(0.3, variational=variational)(torch.ones(50, 40, 100))
    assert y.unique().tolist() == [0.0, pytest.approx(1 / 0.7)]
    # At least 4000 independent masks: the mean is within 5 standard deviations of √(0.3/0.7/4000).
    assert float(y.mean()) == pytest.approx(1, abs=5 * 0.0104)


@pytest.mark.parametrize("variational", [False, True])
def test_nothing_is_dropped_outside_training_or_at_zero(variational):
    x = torch.randn(3, 2, 5)
    assert Dropout(0.5, variational=variational).eval()(x) is x
    assert Dropout(0.0, variational=variational)(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_shares_that_are_none(p):
    for make in (
        lambda: Dropout(p),
        lambda: Stack("gru", 2, [2], dropout=p),
        lambda: Stack("gru", 2, [2], weight_dropout=p),
        lambda: Layer(get_cell("gru"), 2, 2, weight_dropout=p),
    ):
        with pytest.raises(UsageError, match="dropout: expected a share"):
            make()


def test_a_stack_drops_between_layers_and_nowhere_else():
    one = Stack("lstm", 4, [8], dropout=0.5)
    x = torch.randn(5, 2, 4)
    assert torch.equal(one(x, one.zero_state(2))[0], one(x, one.zero_state(2))[0])
    two = Stack("lstm", 4, [8, 8], dropout=0.5)
    first, again = (two(x, two.zero_state(2)) for _ in range(2))
    assert torch.equal(first[1][0][0], again[1][0][0])
    assert not torch.equal(first[1][1][0], again[1][1][0])
    two.eval()
    assert torch.equal(two(x, two.zero_state(2))[0], two(x, two.zero_state(2))[0])


@pytest.mark.parametrize("name", cell_names())
def test_drop_connect_drops_recurrent_weights_alone(name):
    """The gradient says which weights took part: those that were dropped have none, and all of the others do."""
    layer = Layer(get_cell(name), 4, 16, weight_dropout=0.5)
    layer.reset_parameters("uniform", 0.2)
    kept = {key: value.clone() for key, value in layer.state_dict().items()}
    x, state = torch.randn(5, 8, 4), tuple(torch.randn(8, 16) for _ in layer.cell.states)
    y, _ = layer(x, state)
    y.square().sum().backward()
    zero = layer.get_parameter("weight_hh").grad == 0
    # 256 weights for each gate, each dropped by the toss of a coin: within 5 standard deviations.
    assert float(zero.double().mean()) == pytest.approx(0.5, abs=5 * 0.5 / zero.numel() ** 0.5)
    assert bool((layer.get_parameter("weight_ih").grad != 0).all())
    assert all(torch.equal(value, kept[key]) for key, value in layer.state_dict().items())


@pytest.mark.parametrize("name", cell_names())
def test_drop_connect_has_one_mask_for_all_steps(name):
    """What the layer computes is the plain cell with some weights dropped and the others doubled."""
    layer = Layer(get_cell(name), 3, 4, weight_dropout=0.5).double()
    x, state = torch.randn(9, 2, 3).double(), layer.zero_state(2)
    torch.manual_seed(7)
    y, _ = layer(x, state)
    torch.manual_seed(7)
    weights = dict(layer.named_parameters())
    mask = torch.nn.functional.dropout(torch.ones_like(weights["weight_hh"]), 0.5)
    assert 0 < int((mask == 0).sum()) < mask.numel()
    wanted, *_ = scan_layer(layer.cell, x, state, {**weights, "weight_hh": weights["weight_hh"] * mask})
    torch.testing.assert_close(y, wanted, rtol=0, atol=1e-13)


def test_drop_connect_rests_outside_training():
    layer = Layer(get_cell("lstm"), 3, 4, weight_dropout=0.5)
    x, state = torch.randn(9, 2, 3), layer.zero_state(2)
    assert not torch.equal(layer(x, state)[0], layer(x, state)[0])
    layer.eval()
    wanted, *_ = scan_layer(layer.cell, x, state, dict(layer.named_parameters()))
    torch.testing.assert_close(layer(x, state)[0], wanted, rtol=0, atol=1e-6)

"""How far back the gradient reaches, held to finite differences and to networks whose memory is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from recurra.cells import cell_names
from recurra.errors import UsageError
from recurra.nn import map_state
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.gradients import gradient_norms_by_lag
from recurra.tasks.lm.network import LanguageNetwork

SIZE = 7


def build(**settings):
    torch.manual_seed(0)
    model = Model.model_validate({"hidden": 4, "layers": 1, "dropout": 0.0, "layer_norm": False, **settings})
    return LanguageNetwork(SIZE, model).double()


def text(length=40):
    return np.random.default_rng(0).integers(0, SIZE, length)


def by_finite_differences(network, ids, lags, eps=1e-6):
    """‖∂ loss_T / ∂ the state that step T − k reads‖: each number of that state is moved, and the rest of the steps run."""
    starts = np.linspace(0, len(ids) - lags - 2, 16).astype(int)
    lanes = torch.from_numpy(np.stack([ids[s : s + lags + 2] for s in starts], axis=1))

    @torch.no_grad()
    def losses(state, first):
        """The loss of each lane at the last step, of the mean over lanes; lanes know nothing of each other."""
        for t in range(first, lags + 1):
            logits, state = network.step(lanes[t], state)
        return F.cross_entropy(logits, lanes[lags + 1], reduction="none") / lanes.shape[1]

    norms = []
    state = network.zero_state(16)
    for first in range(lags + 1):
        squares = 0.0
        for layer, tensors in enumerate(state):
            for which, tensor in enumerate(tensors):
                for unit in range(tensor.shape[1]):
                    values = []
                    for sign in (1, -1):
                        moved = map_state(torch.clone, state)
                        moved[layer][which][:, unit] += sign * eps
                        values.append(losses(moved, first))
                    squares += float((((values[0] - values[1]) / (2 * eps)) ** 2).sum())
        norms.append(squares**0.5)
        with torch.no_grad():
            _, state = network.step(lanes[first], state)
    return norms[::-1]


@pytest.mark.parametrize("settings", [{}, {"layers": 2, "residual": True, "layer_norm": True}])
@pytest.mark.parametrize("cell", cell_names())
def test_norms_are_those_of_finite_differences(cell, settings):
    network = build(cell=cell, **settings)
    ids = text()
    norms = gradient_norms_by_lag(network, [ids[:5], ids], 4)  # the first is too short, and left out
    assert norms == pytest.approx(by_finite_differences(network, ids, 4), rel=1e-4)


def scaled(cell, factor, **settings):
    """A network whose recurrent weights are a rotation times a factor."""
    network = build(cell=cell, hidden=8, init="orthogonal", **settings)
    with torch.no_grad():
        for layer in network.stack:
            layer.get_parameter("weight_hh").mul_(factor)
    return network


def test_small_recurrent_weights_forget_exponentially():
    """tanh' ≤ 1, so that each step back costs at least the factor itself (Bengio et al. 1994)."""
    norms = gradient_norms_by_lag(scaled("rnn", 0.5), [text()], 12)
    ratios = np.array(norms[1:]) / np.array(norms[:-1])
    assert float(ratios.max()) <= 0.5 + 1e-9
    assert norms[12] < 0.5**12 * norms[0]
    assert norms[12] > 0


def test_large_recurrent_weights_explode():
    """With the rectifier open at every step, each step back multiplies by exactly the factor."""
    network = scaled("rnn-relu", 1.5)
    with torch.no_grad():
        layer = next(iter(network.stack))
        layer.get_parameter("weight_hh").copy_(1.5 * torch.eye(8).flip(0))
        layer.get_parameter("weight_ih").abs_()
        network.embedding.weight.abs_()
    norms = gradient_norms_by_lag(network, [text()], 12)
    assert np.array(norms[1:]) / np.array(norms[:-1]) == pytest.approx(np.full(12, 1.5))


def test_an_open_forget_gate_remembers_longer_than_a_plain_network():
    plain = gradient_norms_by_lag(scaled("rnn", 0.5), [text()], 12)
    lstm = gradient_norms_by_lag(scaled("lstm", 0.5, forget_bias=3.0), [text()], 12)
    assert lstm[12] / lstm[0] > 100 * plain[12] / plain[0]


def test_the_network_is_left_as_it_was():
    network = build(dropout=0.5).train()
    random = torch.get_rng_state()
    assert gradient_norms_by_lag(network, [text()], 3) == gradient_norms_by_lag(network, [text()], 3)
    assert network.training and torch.equal(random, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_text_that_is_too_short():
    with pytest.raises(UsageError, match="gradient_lags: expected a text of more than 40 units"):
        gradient_norms_by_lag(build(), [text(40)], 39)
    assert len(gradient_norms_by_lag(build(), [text(41)], 39)) == 40

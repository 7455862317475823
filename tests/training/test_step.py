"""One step changes what it should, as an independent computation says."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

from recurra.errors import DivergedError, UsageError
from recurra.tasks.classify.config import Model
from recurra.training.config import Training
from recurra.training.step import TrainState


def state(line: Any, **settings: Any) -> TrainState:
    torch.manual_seed(1)
    return TrainState(line, Training(**settings), "float32")


def batches(line: Any, count: int) -> list[torch.Tensor]:
    return list(line.batches(0, batch=8, seed=1))[:count]


def test_sgd_is_the_gradient_of_the_mean_loss_clipped(line: Any) -> None:
    (batch,) = batches(line, 1)
    trained = state(line, optimizer="sgd", clip=0.5)
    weight = trained.network.weight.detach().double().clone()  # type: ignore[operator,union-attr]
    bias = float(trained.network.bias.detach())  # type: ignore[arg-type,operator,union-attr]
    x = batch.double()
    errors = x @ weight.T + bias - (2 * x.sum(-1, keepdim=True) - 1)
    gradient = torch.cat(((2 * errors * x).mean(0), (2 * errors).mean(0)))
    norm = float(gradient.norm())
    assert norm > 0.5
    loss, count, clipped = trained.step(batch, lr=0.1)
    assert (loss, count, clipped) == (
        pytest.approx(float((errors**2).sum()), rel=1e-5),
        8,
        pytest.approx(norm, rel=1e-5),
    )
    moved = torch.cat([p.detach().double().flatten() for p in trained.network.parameters()])
    expected = torch.cat((weight.flatten(), torch.tensor([bias]))) - 0.1 * gradient * 0.5 / norm
    assert torch.allclose(moved, expected, atol=1e-6)


def test_the_average_is_a_plain_mean_at_first_and_a_moving_one_later(line: Any) -> None:
    trained = state(line, ema=0.6, clip=1e9)
    expected = [p.detach().double().numpy().copy() for p in trained.network.parameters()]
    for done, batch in enumerate(list(line.batches(0, batch=8, seed=1)) * 2, 1):
        trained.step(batch, lr=0.1)
        memory = min(0.6, (1 + done) / (10 + done))
        weights = [p.detach().double().numpy() for p in trained.network.parameters()]
        expected = [memory * old + (1 - memory) * new for old, new in zip(expected, weights, strict=True)]
    for value, wanted in zip(trained.average, expected, strict=True):
        np.testing.assert_allclose(value.numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert torch.equal(trained.weights()["weight"], trained.average[0])


def test_the_average_is_lent_and_given_back(line: Any) -> None:
    trained = state(line, ema=0.9)
    for batch in batches(line, 4):
        trained.step(batch, lr=0.1)
    own = copy.deepcopy(trained.network.state_dict())
    with pytest.raises(KeyError), trained.averaged():
        assert torch.equal(trained.network.state_dict()["weight"], trained.average[0])
        raise KeyError
    assert all(torch.equal(value, own[name]) for name, value in trained.network.state_dict().items())


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 1e38])
def test_a_step_that_diverges_changes_nothing(line: Any, optimizer: str, factor: float) -> None:
    trained = state(line, optimizer=optimizer, ema=0.9)
    for batch in batches(line, 3):
        trained.step(batch, lr=0.1)
    before = {name: value.clone() for name, value in trained.tensors().items()}
    line.factor = factor
    with pytest.raises(DivergedError, match=r"the loss is .* and the norm of its gradient"):
        trained.step(batches(line, 1)[0], lr=0.1)
    assert all(torch.equal(value, before[name]) for name, value in trained.tensors().items())


def test_weight_decay_is_for_matrices_alone(line: Any) -> None:
    groups = state(line, weight_decay=0.3).optimizer.param_groups
    assert [(group["weight_decay"], [p.dim() for p in group["params"]]) for group in groups] == [(0.3, [2]), (0, [1])]
    assert state(line).optimizer.param_groups[0]["weight_decay"] == 0.01
    assert state(line, optimizer="sgd").optimizer.param_groups[0]["weight_decay"] == 0


@pytest.mark.parametrize("device", ["quantum", "cuda:99", "", "cpu cpu"])
def test_a_device_that_is_not_there_is_one_clear_line(line: Any, device: str) -> None:
    with pytest.raises(UsageError, match=r"device: .* cannot be used here: ") as caught:
        state(line, device=device)
    assert "\n" not in str(caught.value)


def test_lower_layers_learn_more_slowly_and_later(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(line), "layer_depths", lambda self, network: {"weight": 2})
    monkeypatch.setattr(line, "config", type("Config", (), {"model": Model(layer_lr=0.5, unfreeze=0.3)}))
    state = TrainState(line, Training(optimizer="sgd", clip=1e9, weight_decay=0), "float32")
    network: Any = state.network
    (batch,) = list(line.batches(0, batch=8, seed=1))[:1]
    for share, rate in ((0.0, 0.0), (0.59, 0.0), (0.6, 0.25), (1.0, 0.25)):
        before = {name: p.detach().clone() for name, p in network.named_parameters()}
        state.step(batch, lr=0.1, share=share)
        moved = {name: before[name] - p.detach() for name, p in network.named_parameters()}
        for name, of in (("weight", rate), ("bias", 1.0)):
            gradient = network.get_parameter(name).grad
            assert torch.allclose(moved[name], 0.1 * of * gradient, atol=1e-6), (name, share)

"""Ridge regression: scores that are left out against fitting without each example, and calibrated probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recurra.errors import UsageError
from recurra.linear.ridge import Standardiser, choose, fit_ridge, products, sharpen, signed_targets


def plain_ridge(features: np.ndarray, targets: np.ndarray, penalty: float, weights: np.ndarray) -> np.ndarray:
    """Solve for the weights and, in the last row, the intercept, which is not penalised."""
    table = np.concatenate([features, np.ones((len(features), 1))], 1)
    ridge = penalty * np.eye(table.shape[1])
    ridge[-1, -1] = 0
    return np.linalg.solve(table.T @ (weights[:, None] * table) + ridge, table.T @ (weights[:, None] * targets))


@pytest.mark.parametrize("count", [12, 60])  # fewer and more examples than features
@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_left_out_is_what_a_fit_without_it_gives(count, weighted):
    chance = np.random.default_rng(count)
    features, targets = chance.normal(size=(count, 20)), chance.choice([-1.0, 1.0], size=(count, 3))
    weights = chance.uniform(0.2, 3, size=count) if weighted else np.ones(count)
    found = fit_ridge(
        torch.from_numpy(features.astype(np.float32)), torch.from_numpy(targets), 0.7, torch.from_numpy(weights)
    )
    whole = plain_ridge(features, targets, 0.7, weights)
    assert found.weights.numpy() == pytest.approx(whole[:-1], abs=1e-4)
    assert found.intercept.numpy() == pytest.approx(whole[-1], abs=1e-4)
    for number in range(count):
        others = np.arange(count) != number
        without = plain_ridge(features[others], targets[others], 0.7, weights[others])
        expected = features[number] @ without[:-1] + without[-1]
        assert found.held_out[number].numpy() == pytest.approx(expected, abs=1e-3)  # products in float32


def test_the_group_that_tells_the_classes_apart_is_chosen():
    chance = np.random.default_rng(0)
    marks = chance.integers(0, 2, 60)
    good = torch.from_numpy((chance.normal(size=(60, 5)) + 2 * marks[:, None]).astype(np.float32))
    noise = torch.from_numpy(chance.normal(size=(60, 5)).astype(np.float32))
    grams = {"good": products(good) / 5, "noise": products(noise) / 5}
    mix, _ = choose(
        grams, [{"noise": 1.0}, {"good": 1.0}], signed_targets(marks, 2),
        torch.ones(60, dtype=torch.float64), multi=False,
    )  # fmt: skip
    assert mix == {"good": 1.0}  # by so much that nothing of the other is left


def test_a_larger_penalty_is_chosen_where_there_is_only_noise():
    chance = np.random.default_rng(1)
    ones = torch.ones(80, dtype=torch.float64)
    penalties = {}
    for name, signal in (("noise", 0.0), ("signal", 3.0)):
        marks = chance.integers(0, 2, 80)
        features = torch.from_numpy((chance.normal(size=(80, 30)) + signal * marks[:, None]).astype(np.float32))
        penalties[name] = choose(
            {"all": products(features) / 30}, [{"all": 1.0}], signed_targets(marks, 2), ones, multi=False
        )[1]
    assert penalties["noise"] > penalties["signal"]


@pytest.mark.parametrize("multi", [False, True])
def test_scores_that_are_logits_over_a_factor_get_it_back(multi):
    chance = np.random.default_rng(2)
    logits = chance.normal(size=(20_000, 3)) * 2
    if multi:
        marks = chance.random(logits.shape) < 1 / (1 + np.exp(-logits))
    else:
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        marks = np.arange(3) == (chance.random((20_000, 1)) > shares.cumsum(1)).sum(1, keepdims=True)
    targets = torch.from_numpy(np.where(marks, 1.0, -1.0))
    factor, _ = sharpen(torch.from_numpy(logits / 7), targets, torch.ones(20_000, dtype=torch.float64), multi=multi)
    assert factor == pytest.approx(7, rel=0.05)


def test_scores_that_are_always_right_are_not_sure_beyond_what_so_few_can_show():
    targets = signed_targets(np.array([0, 1] * 10), 2)
    factor, _ = sharpen(targets, targets, torch.ones(20, dtype=torch.float64), multi=False)
    assert 1 / (1 + np.exp(-2 * factor)) == pytest.approx(21 / 22, abs=1e-3)


def test_features_far_off_count_four_deviations_at_most():
    table = torch.from_numpy(np.random.default_rng(3).normal(5, 2, size=(1000, 2)).astype(np.float32))
    scale = Standardiser.of(table)
    assert scale.apply(table).std(0).numpy() == pytest.approx(np.ones(2), abs=0.01)
    assert scale.apply(torch.tensor([[1e9, -1e9]])).tolist() == [[4, -4]]


@pytest.mark.parametrize("targets", [np.array([0, 2]), np.array([-1, 0]), np.zeros((2, 3)), np.zeros((2, 2, 2))])
def test_targets_that_do_not_fit_are_refused(targets):
    with pytest.raises(UsageError, match="targets: expected"):
        signed_targets(targets, 2)

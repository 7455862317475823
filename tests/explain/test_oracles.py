"""Captum and shap, where they are right: integrated gradients, exact Shapley values, and those of permutations with the same orders."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from recurra.explain.shapley import integrated_gradients, permutation_shapley, shapley_values

captum = pytest.importorskip("captum.attr")
PARTS = 6
WEIGHTS = torch.linspace(-1.0, 1.0, PARTS, dtype=torch.float64)


def curved(there: Tensor) -> Tensor:
    """Parts that act on each other by threes, and beyond: (n, S) → (n,)."""
    return torch.tanh(there @ WEIGHTS + 2 * there[:, 0] * there[:, 3] * there[:, 5]) - there[:, 1] * there[:, 2]


def values(masks: np.ndarray) -> np.ndarray:
    return curved(torch.from_numpy(masks.astype(np.float64))).numpy()


def gradients(shares: np.ndarray) -> np.ndarray:
    point = torch.from_numpy(shares).requires_grad_()
    (found,) = torch.autograd.grad(curved(point).sum(), point)
    return found.numpy()


def test_integrated_gradients_are_captums() -> None:
    found = integrated_gradients(values, gradients, PARTS).shares
    given = torch.ones(1, PARTS, dtype=torch.float64)
    other = captum.IntegratedGradients(curved).attribute(given, torch.zeros_like(given), n_steps=200)
    np.testing.assert_allclose(found, other[0].numpy(), atol=1e-9)


def test_exact_shapley_values_are_captums() -> None:
    given = torch.ones(1, PARTS, dtype=torch.float64)
    other = captum.ShapleyValues(curved).attribute(given, torch.zeros_like(given))
    # It sums in float32, with as many terms as there are coalitions.
    np.testing.assert_allclose(shapley_values(values, PARTS).shares, other[0].numpy(), atol=2**PARTS * 1.2e-7)


@pytest.mark.parametrize("seed", [0, 1])
def test_permutations_are_captums_with_the_same_orders(seed: int) -> None:
    pairs, chance = 3, np.random.default_rng(seed)
    orders = [
        order for _ in range(pairs) for each in [chance.permutation(PARTS).tolist()] for order in (each, each[::-1])
    ]
    sampling = captum.ShapleyValueSampling(curved)
    sampling.permutation_generator = lambda count, samples: iter(orders)
    given = torch.ones(1, PARTS, dtype=torch.float64)
    other = sampling.attribute(given, torch.zeros_like(given), n_samples=len(orders))
    found = permutation_shapley(values, PARTS, pairs, seed)
    np.testing.assert_allclose(found.shares, other[0].numpy(), atol=1e-12)


def test_permutations_are_shaps(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not among what is installed for development: with its compiler it takes 240 MB.
    shap = pytest.importorskip("shap")
    pairs, chance = 4, np.random.default_rng(5)

    def same_order(places: np.ndarray) -> None:
        places[:] = chance.permutation(PARTS)

    background = np.zeros((1, PARTS))
    explainer = shap.PermutationExplainer(lambda rows: values(rows), shap.maskers.Independent(background))
    monkeypatch.setattr("numpy.random.shuffle", same_order)
    other = explainer(np.ones((1, PARTS)), max_evals=pairs * (2 * PARTS + 1), silent=True).values[0]
    np.testing.assert_allclose(permutation_shapley(values, PARTS, pairs, 5).shares, other, atol=1e-12)

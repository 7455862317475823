from __future__ import annotations

import numpy as np
import pytest
import torch

from recurra.linear.logistic import Problems, Rows, fit_logistic
from recurra.linear.ngrams import sparse

linear_model = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is the reference")


# In float64: what is left of rounding is far below the tolerances.
def rows(count: int = 60, features: int = 25, seed: int = 0) -> tuple[np.ndarray, Rows]:
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((count, features)) < 0.3, rng.normal(size=(count, features)), 0)
    starts = np.concatenate([[0], np.cumsum((dense != 0).sum(1))])
    return dense, Rows(sparse(starts, np.nonzero(dense)[1], dense[dense != 0], dense.shape))


def with_intercept(dense: np.ndarray) -> np.ndarray:
    """A constant feature, whose weight is an intercept that is penalised as the others are."""
    return np.concatenate([dense, np.ones((len(dense), 1))], 1)


def gram(given: Rows):
    return lambda a: given.gram(a) + a.sum(0)


@pytest.mark.parametrize("strength", [0.3, 3.0, 30.0])
def test_softmax_is_scikit_learns(strength: float) -> None:
    dense, given = rows()
    targets = np.random.default_rng(1).integers(0, 4, len(dense))
    marks = torch.eye(4, dtype=torch.float64)[torch.from_numpy(targets)][:, None]
    ones = torch.ones(len(dense), 1, 4)
    problems = Problems(marks, ones, torch.zeros(1, 4), torch.tensor([1 / strength]), exclusive=True)
    found = fit_logistic(gram(given), problems, tolerance=1e-13)
    model = linear_model.LogisticRegression(C=strength, fit_intercept=False, max_iter=5000, tol=1e-8)
    expected = model.fit(with_intercept(dense), targets).predict_proba(with_intercept(dense))
    assert found.logits[:, 0].softmax(1).numpy() == pytest.approx(expected, abs=1e-5)
    weights = given.weights(found.coefficients[:, 0].contiguous())
    recovered = dense @ weights.numpy() + found.coefficients[:, 0].sum(0).numpy()
    assert recovered == pytest.approx(found.logits[:, 0].numpy(), abs=1e-9)


def test_several_problems_at_once_are_those_alone_with_their_rows_weights_and_penalties() -> None:
    dense, given = rows(seed=2)
    rng = np.random.default_rng(3)
    marks = torch.from_numpy((rng.random((len(dense), 2)) < 0.4).astype(float))[:, None]
    inside = torch.from_numpy(rng.random((len(dense), 3)) < 0.7).double()[:, :, None]
    counted = inside * torch.tensor([1.0, 2.0, 0.5])[None, :, None] * torch.ones(1, 1, 2)
    strengths = [1.0, 5.0, 20.0]
    problems = Problems(marks, counted, torch.zeros(3, 2), 1 / torch.tensor(strengths), exclusive=False)
    found = fit_logistic(gram(given), problems, tolerance=1e-13)
    for problem, strength in enumerate(strengths):
        for label in range(2):
            model = linear_model.LogisticRegression(C=strength, fit_intercept=False, max_iter=5000, tol=1e-8)
            wanted, weight = marks[:, 0, label].numpy(), counted[:, problem, label].numpy()
            model.fit(with_intercept(dense)[weight > 0], wanted[weight > 0], sample_weight=weight[weight > 0])
            expected = model.predict_proba(with_intercept(dense))[:, 1]  # of the rows that were left out, too
            assert found.logits[:, problem, label].sigmoid().numpy() == pytest.approx(expected, abs=1e-5)


def test_what_has_converged_stays_as_it_is() -> None:
    dense, given = rows(seed=4)
    marks = torch.from_numpy((dense[:, :1] > 0).astype(float))[:, None]
    ones = torch.ones(len(dense), 2, 1)
    both = Problems(marks, ones, torch.zeros(2, 1), torch.tensor([100.0, 0.01]), exclusive=False)
    alone = Problems(marks, ones[:, :1], torch.zeros(1, 1), torch.tensor([100.0]), exclusive=False)
    together, single = (fit_logistic(gram(given), each, tolerance=1e-3) for each in (both, alone))
    assert single.steps < together.steps
    assert torch.allclose(together.logits[:, 0], single.logits[:, 0], atol=1e-12)


@pytest.mark.parametrize("seed", [78, 195])
def test_a_step_that_gains_little_is_not_the_end(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((380, 270)) < 0.2, rng.random((380, 270)), 0)
    dense[:, :5] += 0.2  # what all rows have in common: early steps go along it, and are cut short
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    starts = np.concatenate([[0], np.cumsum((dense != 0).sum(1))])
    given = Rows(sparse(starts, np.nonzero(dense)[1], dense[dense != 0], dense.shape))
    targets = torch.from_numpy(rng.integers(0, 4, len(dense)))
    marks = torch.eye(4, dtype=torch.float64)[targets][:, None]
    problems = Problems(marks, torch.ones(380, 1, 4), torch.zeros(1, 4), torch.tensor([1 / 2000]), exclusive=True)
    loss = [
        torch.nn.functional.cross_entropy(
            fit_logistic(gram(given), problems, tolerance=tolerance).logits[:, 0], targets
        )
        for tolerance in (1e-3, 1e-9)
    ]
    assert loss[0] < 1.5 * loss[1] + 0.01

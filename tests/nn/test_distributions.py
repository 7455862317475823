"""What is sampled from learnt quantiles: between them, beyond them, and of futures that are made of many samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tasks.forecast.conftest import ready

from recurra.nn.distributions import QuantileHead

stats = pytest.importorskip("scipy.stats")

USUAL = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
QUANTILES = [0.1, 0.5, 0.9]


def raw_of(quantiles: np.ndarray) -> torch.Tensor:
    """Give what a head has to give (P) for these quantiles (P), the middle one of which is 0."""
    gaps = np.diff(quantiles)
    raw = 1.0 + np.log(np.expm1(gaps))
    return torch.from_numpy(np.insert(raw, len(gaps) // 2, 0.0)).float()


@pytest.mark.parametrize("levels", [USUAL, QUANTILES], ids=["usual", "few"])
def test_samples_from_the_quantiles_of_a_logistic_law_are_its_own_to_the_tails(levels: list[float]) -> None:
    output, raw = QuantileHead(levels), raw_of(stats.logistic.ppf(levels))
    marks = torch.tensor([0.0, 1e-5, 0.001, 0.02, 0.3, 0.5, 0.8, 0.999, 0.99999, 1.0])
    drawn = output.sample(raw.expand(len(marks), -1), torch.zeros(len(marks)), marks, torch.ones(len(marks)))
    assert torch.isfinite(drawn).all() and (drawn.diff() > 0).all()
    torch.testing.assert_close(drawn[1:-1].double(), torch.logit(marks[1:-1].double()), rtol=1e-5, atol=1e-5)
    others = output.quantiles(raw, torch.zeros(()), [0.01, 0.6], torch.ones(()))
    torch.testing.assert_close(others, torch.logit(torch.tensor([0.01, 0.6])), rtol=1e-5, atol=1e-5)


def test_one_quantile_is_all_that_is_sampled() -> None:
    drawn = QuantileHead([0.5]).sample(
        torch.full((3, 1), 2.0), torch.ones(3), torch.tensor([0.0, 0.4, 1.0]), torch.ones(3)
    )
    assert drawn.tolist() == [3.0] * 3


@pytest.mark.parametrize(
    ("law", "within"),
    [
        # How near it comes is a matter of the law: seven numbers do not tell how its tails end.
        (stats.norm(), 0.006),
        (stats.t(5), 0.012),
        (stats.laplace(), 0.006),
        (stats.lognorm(0.5), 0.012),
    ],
    ids=["normal", "student-t", "laplace", "lognormal"],
)
def test_futures_that_are_sampled_cover_what_comes(tmp_path: Path, law: Any, within: float) -> None:
    steps, samples = 12, 100_000
    shares = {0.8: (0.1, 0.9), 0.95: (0.025, 0.975), 0.99: (0.005, 0.995)}
    data = {"horizon": steps, "season": 1}
    settings = {
        "strategy": "recursive",
        "quantiles": USUAL,
        "samples": samples,
        "window_scaling": "none",
        "lookback": 1,
    }
    task, forecaster = ready(tmp_path, np.arange(60) % 5, data, **settings)
    network: Any = forecaster.network
    with torch.no_grad():  # a walk, whose steps have these quantiles
        network.head.weight.zero_()
        network.head.bias.copy_(raw_of(law.ppf(USUAL) - law.median()))
    # What is wanted at the end of the sampled futures need not be what was learnt of a step.
    task.config.model.quantiles = sorted({0.5, *(level for both in shares.values() for level in both)})
    (found,) = forecaster.backtest(task.dataset.series[:1], [np.array([49])])
    last = task.dataset.series[0].values[49, 0]
    ends = dict(zip(forecaster.quantiles, (found.quantiles[0, -1, 0] - last).tolist(), strict=True))
    moved = law.rvs((200_000, steps), random_state=1).sum(axis=1) - steps * law.median()
    for share, (low, high) in shares.items():
        assert abs(np.mean((moved >= ends[low]) & (moved <= ends[high])) - share) < within

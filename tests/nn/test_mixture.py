"""The density of a mixture is that of torch.distributions, its integral is 1, and points are drawn by it."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from recurra.errors import UsageError
from recurra.nn import Mixture, MixtureDensity, mixture_nll


def made(rows: int = 1, components: int = 3) -> Mixture:
    torch.manual_seed(4)
    density = MixtureDensity(5, components, 3).double()
    with torch.no_grad():
        density.weight.normal_(std=0.2)
    return Mixture(*(part.detach() for part in density(torch.randn(rows, 5, dtype=torch.float64))))


def reference(mixture: Mixture) -> MixtureSameFamily:
    first, second = mixture.scales.unbind(-1)
    shared = mixture.correlations * first * second
    covariance = torch.stack([torch.stack([first**2, shared], -1), torch.stack([shared, second**2], -1)], -2)
    return MixtureSameFamily(Categorical(logits=mixture.log_weights), MultivariateNormal(mixture.means, covariance))


def test_the_density_is_that_of_torch() -> None:
    mixture, points = made(7), torch.randn(7, 2, dtype=torch.float64)
    torch.testing.assert_close(mixture.point_log_prob(points), reference(mixture).log_prob(points), rtol=0, atol=1e-9)
    pens = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    wanted = -reference(mixture).log_prob(points) - Categorical(logits=mixture.class_logits).log_prob(pens)
    torch.testing.assert_close(mixture_nll(mixture, points, pens), wanted, rtol=0, atol=1e-9)


def test_the_density_integrates_to_one() -> None:
    side = torch.linspace(-15, 15, 1201, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(side, side, indexing="ij"), -1)
    mixture = Mixture(*(part[0] for part in made()))
    area = mixture.point_log_prob(grid).exp().sum() * (side[1] - side[0]) ** 2
    assert area.item() == pytest.approx(1, abs=1e-3)
    pens = torch.stack([mixture.class_log_prob(torch.tensor(pen)) for pen in range(3)])
    assert pens.exp().sum().item() == pytest.approx(1)


def test_points_are_drawn_by_the_density() -> None:
    mixture, count = Mixture(*(part.expand(40_000, *part.shape[1:]) for part in made())), 40_000
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        component = torch.multinomial(mixture.log_weights[0].exp(), count, replacement=True)
        points = mixture.draw(component, torch.randn(count, 2, dtype=torch.float64))
    mean = (mixture.log_weights[0].exp()[:, None] * mixture.means[0]).sum(0)
    spread = points.std(0) / math.sqrt(count)
    assert ((points.mean(0) - mean).abs() < 4 * spread).all()
    # The mean of −log p of what is drawn is the entropy, which another sample of torch's own estimates too.
    own, other = -mixture.point_log_prob(points), -mixture.point_log_prob(reference(made()).sample((count,))[:, 0])
    assert abs(own.mean() - other.mean()) < 5 * own.std() / math.sqrt(count)


def test_a_bias_and_a_low_temperature_make_it_safer() -> None:
    mixture = made()
    tidy = mixture.sharpened(bias=1.0)
    torch.testing.assert_close(tidy.scales, mixture.scales / math.e)
    assert tidy.log_weights.max() > mixture.log_weights.max()
    cool = mixture.sharpened(temperature=0.25)
    torch.testing.assert_close(cool.scales, mixture.scales / 2)
    torch.testing.assert_close(cool.class_logits, mixture.class_logits * 4)
    still = mixture.sharpened(temperature=0.0)
    assert still.scales.abs().max() == 0 and still.log_weights.exp().max() == pytest.approx(1)
    assert all(torch.equal(a, b) for a, b in zip(mixture.sharpened()[1:], mixture[1:], strict=True))


def test_extremes_stay_finite() -> None:
    density = MixtureDensity(2, 2, 3)
    for value in (-1e4, 1e4):
        mixture = density.read(torch.full((4, density.weight.shape[0]), value))
        assert all(part.isfinite().all() for part in mixture)
        assert mixture.point_log_prob(torch.full((4, 2), 1e3)).isfinite().all()


def test_another_size_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"features: expected \(…, 2\), got \(3, 4\)"):
        MixtureDensity(2, 2)(torch.zeros(3, 4))

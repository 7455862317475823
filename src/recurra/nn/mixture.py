"""A mixture of normal distributions of two numbers, and what the pen does then: the output of a network that draws."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from recurra.arguments import Size, checked, explained
from recurra.errors import UsageError
from recurra.kernels import linear
from recurra.nn.ragged import at_least_float32

MIN_SCALE = 1e-2
"""Smallest standard deviation, in units of what is predicted: without one the density of a point that comes twice has no end."""
MAX_LOG_SCALE = 10.0
MAX_CORRELATION = 0.99
PER_COMPONENT = 6
"""Numbers of a component: weight, two means, two scales, correlation."""


class Mixture(NamedTuple):
    """What is known of a point to come: M normal distributions of two numbers, and K classes.

    log_weights (…, M), means (…, M, 2), scales (…, M, 2), correlations (…, M), and class_logits (…, K).
    """

    log_weights: Tensor
    means: Tensor
    scales: Tensor
    correlations: Tensor
    class_logits: Tensor

    def point_log_prob(self, point: Tensor) -> Tensor:
        """Give the log density of points (…, 2), nats, (…).

        log Σₘ πₘ N(x | μₘ, σₘ, ρₘ),   −log N = z / 2(1 − ρ²) + log 2π σ₁ σ₂ √(1 − ρ²),   z = e₁² + e₂² − 2 ρ e₁ e₂
        """
        first, second = ((point.unsqueeze(-2) - self.means) / self.scales).unbind(-1)
        free = 1 - self.correlations**2
        squares = first**2 + second**2 - 2 * self.correlations * first * second
        logs = -0.5 * squares / free - self.scales.log().sum(-1) - 0.5 * free.log() - math.log(2 * math.pi)
        return (self.log_weights + logs).logsumexp(-1)

    def class_log_prob(self, classes: Tensor) -> Tensor:
        """Give the log probability of classes (…), int64, nats, (…)."""
        return self.class_logits.log_softmax(-1).gather(-1, classes.unsqueeze(-1)).squeeze(-1)

    def sharpened(self, bias: float = 0.0, temperature: float = 1.0) -> Mixture:
        """Give a mixture that is drawn from more safely, or more boldly.

        bias: scales are divided by e^bias and log weights multiplied by 1 + bias (Graves 2013, arXiv:1308.0850v5, equations 61
        and 62).  temperature: log weights and class logits are divided by it, variances multiplied (Ha and Eck 2017, equation 8);
        at 0 nothing is left to chance: the mean of the likeliest component.
        """
        keen = (1 + bias) / max(temperature, 1e-6)
        return Mixture(
            (keen * self.log_weights).log_softmax(-1),
            self.means,
            self.scales * (math.sqrt(temperature) * math.exp(-bias)),
            self.correlations,
            self.class_logits / max(temperature, 1e-6),
        )

    def draw(self, component: Tensor, normal: Tensor) -> Tensor:
        """Give points (…, 2) of chosen components (…), int64, by numbers (…, 2) that are normally distributed."""
        chosen = component[..., None, None].expand(*component.shape, 1, 2)
        means, scales = (each.gather(-2, chosen).squeeze(-2) for each in (self.means, self.scales))
        rho = self.correlations.gather(-1, component.unsqueeze(-1)).squeeze(-1)
        first, second = normal.unbind(-1)
        second = rho * first + (1 - rho**2).sqrt() * second
        return means + scales * torch.stack([first, second], -1)


class MixtureDensity(nn.Module):
    """features (…, I) → a `Mixture` of `components` normal distributions of two numbers, and `classes` classes (Bishop 1994; Graves 2013, section 4).

    Weights by a softmax, scales by the exponential function, not below `MIN_SCALE`, correlations by the hyperbolic tangent.
    Numbers of 16 bits become float32 before any of it.

    >>> density = MixtureDensity(8, components=3, classes=2)
    >>> made = density(torch.zeros(5, 4, 8))
    >>> made.point_log_prob(torch.zeros(5, 4, 2)).shape, made.class_logits.shape
    (torch.Size([5, 4]), torch.Size([5, 4, 2]))
    """

    @checked
    def __init__(self, features: Size, components: Size = 20, classes: Size = 3) -> None:
        super().__init__()
        self.components, self.classes = components, classes
        self.weight = nn.Parameter(torch.empty(PER_COMPONENT * components + classes, features))
        self.bias = nn.Parameter(torch.zeros(PER_COMPONENT * components + classes))
        nn.init.xavier_uniform_(self.weight, gain=0.5)
        # Components that begin alike stay alike: their means begin apart.
        with torch.no_grad():
            self.bias[components : 3 * components].normal_(std=0.5)

    @explained
    def forward(self, features: Tensor) -> Mixture:
        if features.shape[-1:] != self.weight.shape[1:]:
            raise UsageError(f"features: expected (…, {self.weight.shape[1]}), got {tuple(features.shape)}")
        raw = at_least_float32(linear(features, self.weight, self.bias))
        return self.read(raw)

    def read(self, raw: Tensor) -> Mixture:
        """Give the mixture of raw numbers (…, 6 M + K)."""
        m = self.components
        logits, means, scales, rho, classes = raw.split([m, 2 * m, 2 * m, m, self.classes], -1)
        scales = scales.clamp(max=MAX_LOG_SCALE).exp() + MIN_SCALE
        return Mixture(
            logits.log_softmax(-1),
            means.unflatten(-1, (m, 2)),
            scales.unflatten(-1, (m, 2)),
            MAX_CORRELATION * torch.tanh(rho),
            classes,
        )

    @torch.no_grad()
    def init_class_bias(self, frequencies: Tensor) -> None:
        """Begin with how often each class comes, (K,), whatever is known."""
        self.bias[-self.classes :] = frequencies.log().to(self.bias)

    def extra_repr(self) -> str:
        return f"components={self.components}, classes={self.classes}"


def mixture_nll(mixture: Mixture, points: Tensor, classes: Tensor) -> Tensor:
    """Give −log p of points (…, 2) with their classes (…), nats, (…).

    >>> made = MixtureDensity(1, 1, 2).read(torch.zeros(8))
    >>> round(mixture_nll(made, torch.zeros(2), torch.tensor(1)).item(), 3)
    2.551
    """
    return -(mixture.point_log_prob(points) + mixture.class_log_prob(classes))

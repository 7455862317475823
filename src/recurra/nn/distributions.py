"""What is predicted of a value to come: quantiles, or a distribution; its loss, its mean, its quantiles, and samples of it.

Student's t distribution stands by itself too, for all who score by it: `student_t_nll`, `student_t_quantiles`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.nn.quantile_loss import quantile_loss

MIN_SCALE = 1e-3
"""Smallest spread of a distribution, in units of the spread of what was read."""
QUADRATURE_NODES = 2048
BISECTIONS = 60
MIN_COUNT_UNIT = 1e-6
"""The unit of counts that have all been 0 so far, where it would be 0."""
MIN_PROBABILITY = 2.0**-24
"""How near to 0 and 1 a uniform number comes: as near as float32 tells apart."""


class Distribution(nn.Module, ABC):
    """What the parameters that a head gives, raw (..., P), say of values in units of what was read; `centre` (...) is added to their location.

    P is `size`.  unit (...): how much one such unit is, which matters to counts alone.
    """

    size: int
    counts = False
    """Whether values are counts, so that a quantile is a whole number too."""

    @abstractmethod
    def loss(self, raw: Tensor, centre: Tensor, target: Tensor, unit: Tensor) -> Tensor:
        """Give the loss of each value, (...)."""

    @abstractmethod
    def mean(self, raw: Tensor, centre: Tensor) -> Tensor:
        """Give the point forecast, (...): the median or the mean."""

    @abstractmethod
    def quantiles(self, raw: Tensor, centre: Tensor, levels: Sequence[float], unit: Tensor) -> Tensor:
        """Give the quantiles, (..., Q)."""

    @abstractmethod
    def sample(self, raw: Tensor, centre: Tensor, uniform: Tensor, unit: Tensor) -> Tensor:
        """Give samples, (...): the quantiles at uniform numbers in 0 … 1."""


class QuantileHead(Distribution):
    """The quantiles themselves, by the quantile (pinball) loss; they never cross, since what is learnt is the distance between them."""

    def __init__(self, levels: Sequence[float]) -> None:
        super().__init__()
        self.size, self.middle = len(levels), list(levels).index(0.5)
        self.levels = list(levels)

    def table(self, raw: Tensor, centre: Tensor) -> Tensor:
        """Give the quantiles that are learnt, (..., P)."""
        middle = centre + raw[..., self.middle]
        gaps = F.softplus(raw - 1.0)
        above = middle.unsqueeze(-1) + gaps[..., self.middle + 1 :].cumsum(-1)
        below = middle.unsqueeze(-1) - gaps[..., : self.middle].flip(-1).cumsum(-1).flip(-1)
        return torch.cat([below, middle.unsqueeze(-1), above], dim=-1)

    def loss(self, raw: Tensor, centre: Tensor, target: Tensor, unit: Tensor) -> Tensor:  # noqa: ARG002
        return quantile_loss(raw, centre, target, self.levels)

    def mean(self, raw: Tensor, centre: Tensor) -> Tensor:
        return centre + raw[..., self.middle]

    def quantiles(self, raw: Tensor, centre: Tensor, levels: Sequence[float], unit: Tensor) -> Tensor:  # noqa: ARG002
        table = self.table(raw, centre)
        if list(levels) == self.levels:
            return table
        return torch.stack([self._interpolate(table, raw.new_tensor(level)) for level in levels], dim=-1)

    def sample(self, raw: Tensor, centre: Tensor, uniform: Tensor, unit: Tensor) -> Tensor:  # noqa: ARG002
        return self._interpolate(self.table(raw, centre), uniform)

    def _interpolate(self, table: Tensor, levels: Tensor) -> Tensor:
        """Give the quantiles (...) at levels (...) between those that are learnt, and beyond them.

        They lie on a straight line over the log-odds of the levels, from one that is learnt to the next: two neighbours are those
        of a logistic distribution, and beyond the outermost two it goes on, so that tails fall off exponentially and end nowhere.
        """
        if self.size == 1:
            return table[..., 0]
        marks = torch.logit(torch.tensor(self.levels, dtype=torch.float64, device=table.device))
        place = (
            torch.logit(levels.double().clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY))
            .expand(table.shape[:-1])
            .contiguous()
        )
        above = torch.searchsorted(marks, place).clamp(1, self.size - 1)
        share = ((place - marks[above - 1]) / (marks[above] - marks[above - 1])).to(table.dtype)
        low, high = (table.gather(-1, at.unsqueeze(-1)).squeeze(-1) for at in (above - 1, above))
        return torch.lerp(low, high, share)


class Normal(Distribution):
    """A normal distribution: its mean and its scale, by the likelihood."""

    size = 2

    def _loc_scale(self, raw: Tensor, centre: Tensor) -> tuple[Tensor, Tensor]:
        return centre + raw[..., 0], F.softplus(raw[..., 1]) + MIN_SCALE

    def loss(self, raw: Tensor, centre: Tensor, target: Tensor, unit: Tensor) -> Tensor:  # noqa: ARG002
        loc, scale = self._loc_scale(raw, centre)
        return 0.5 * ((target - loc) / scale) ** 2 + scale.log()

    def mean(self, raw: Tensor, centre: Tensor) -> Tensor:
        return centre + raw[..., 0]

    def quantiles(self, raw: Tensor, centre: Tensor, levels: Sequence[float], unit: Tensor) -> Tensor:  # noqa: ARG002
        loc, scale = self._loc_scale(raw, centre)
        return loc.unsqueeze(-1) + scale.unsqueeze(-1) * torch.special.ndtri(loc.new_tensor(levels))

    def sample(self, raw: Tensor, centre: Tensor, uniform: Tensor, unit: Tensor) -> Tensor:  # noqa: ARG002
        loc, scale = self._loc_scale(raw, centre)
        return loc + scale * torch.special.ndtri(uniform.clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY))


class StudentT(Distribution):
    """Student's t distribution: location and scale; the degrees of freedom, which say how heavy the tails are, are learnt once."""

    size = 2

    def __init__(self) -> None:
        super().__init__()
        self.tail = nn.Parameter(torch.tensor(2.0))

    @property
    def df(self) -> Tensor:
        """The degrees of freedom, above 2, so that there is a variance."""
        return 2.0 + F.softplus(self.tail)

    def _loc_scale(self, raw: Tensor, centre: Tensor) -> tuple[Tensor, Tensor]:
        return centre + raw[..., 0], F.softplus(raw[..., 1]) + MIN_SCALE

    def loss(self, raw: Tensor, centre: Tensor, target: Tensor, unit: Tensor) -> Tensor:  # noqa: ARG002
        loc, scale = self._loc_scale(raw, centre)
        df = self.df
        # Not student_t_nll + log: the last bit of a sum, and of its gradient, depends on the order of its terms.
        return student_t_log_normalizer(df) + scale.log() + student_t_kernel((target - loc) / scale, df)

    def mean(self, raw: Tensor, centre: Tensor) -> Tensor:
        return centre + raw[..., 0]

    def quantiles(self, raw: Tensor, centre: Tensor, levels: Sequence[float], unit: Tensor) -> Tensor:  # noqa: ARG002
        loc, scale = self._loc_scale(raw, centre)
        units = loc.new_tensor(student_t_quantiles(levels, self.df.item()))
        return loc.unsqueeze(-1) + scale.unsqueeze(-1) * units

    def sample(self, raw: Tensor, centre: Tensor, uniform: Tensor, unit: Tensor) -> Tensor:  # noqa: ARG002
        loc, scale = self._loc_scale(raw, centre)
        drawn = student_t_quantiles(
            uniform.double().clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY).cpu().numpy(), self.df.item()
        )
        return loc + scale * torch.from_numpy(drawn).to(loc)


def student_t_nll(error: Tensor, df: Tensor) -> Tensor:
    """Give −log p, in nats, of standardised errors (…) under Student's t distribution of ν degrees of freedom, df (…).

        −log p(e) = ½ (ν + 1) log(1 + e² / ν) + log Γ(½ ν) − log Γ(½ (ν + 1)) + ½ log(π ν)

    Of an error in units of a scale s, log s is added.

    >>> round(student_t_nll(torch.tensor(1.0), torch.tensor(5.0)).item(), 4)
    1.5156
    """
    # In this order: the last bit of the gradient depends on it.
    kernel = student_t_kernel(error, df)
    return kernel + student_t_log_normalizer(df)


def student_t_kernel(error: Tensor, df: Tensor) -> Tensor:
    """Give the part of `student_t_nll` that depends on the errors."""
    return 0.5 * (df + 1) * torch.log1p(error**2 / df)


def student_t_log_normalizer(df: Tensor) -> Tensor:
    """Give the part of `student_t_nll` that does not depend on the errors."""
    return torch.lgamma(df / 2) - torch.lgamma((df + 1) / 2) + 0.5 * (df * torch.pi).log()


def student_t_quantiles(levels: Sequence[float] | np.ndarray, df: float) -> np.ndarray:
    """Give quantiles (…) of Student's t distribution, by integrating its density over θ, where t = √ν tan θ.

    >>> student_t_quantiles([0.975, 0.5], 5.0).round(3).tolist(), student_t_quantiles([0.1], 3.0).round(3).tolist()
    ([2.571, 0.0], [-1.638])
    """
    marks = np.asarray(levels, np.float64)
    angles = np.linspace(0.0, np.pi / 2, QUADRATURE_NODES + 1)
    density = np.cos(angles) ** (df - 1)
    # Simpson's rule over each pair of intervals, so that the sum is known at every second node.
    width = angles[1]
    area = np.concatenate([[0.0], np.cumsum(width / 3 * (density[:-2:2] + 4 * density[1:-1:2] + density[2::2]))])
    angle = np.interp(np.abs(marks - 0.5) * 2 * area[-1], area, angles[::2])
    return np.sign(marks - 0.5) * np.sqrt(df) * np.tan(angle)


class NegativeBinomial(Distribution):
    """Counts: a negative binomial distribution with a mean and an overdispersion α, whose variance is μ + α μ²."""

    size = 2
    counts = True
    max_count = 20_000

    def _mean_dispersion(self, raw: Tensor, centre: Tensor) -> tuple[Tensor, Tensor]:
        return F.softplus(centre + raw[..., 0]) + 1e-6, F.softplus(raw[..., 1]) + 1e-3

    def loss(self, raw: Tensor, centre: Tensor, target: Tensor, unit: Tensor) -> Tensor:
        mean, alpha = self._mean_dispersion(raw, centre)
        mean, size, counts = mean * unit.clamp_min(MIN_COUNT_UNIT), 1 / alpha, (target * unit).round()
        log_p = torch.lgamma(counts + size) - torch.lgamma(size) - torch.lgamma(counts + 1)
        return -(log_p + size * torch.log(size / (size + mean)) + counts * torch.log(mean / (size + mean)))

    def mean(self, raw: Tensor, centre: Tensor) -> Tensor:
        return self._mean_dispersion(raw, centre)[0]

    def quantiles(self, raw: Tensor, centre: Tensor, levels: Sequence[float], unit: Tensor) -> Tensor:
        """Give, divided by the unit, the smallest counts whose distribution function reaches the levels, (..., Q)."""
        return self._inverse_cdf(raw, centre, raw.new_tensor(levels).double(), unit)

    def sample(self, raw: Tensor, centre: Tensor, uniform: Tensor, unit: Tensor) -> Tensor:
        levels = uniform.double().clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        return self._inverse_cdf(raw, centre, levels.unsqueeze(-1), unit).squeeze(-1)

    def _inverse_cdf(self, raw: Tensor, centre: Tensor, levels: Tensor, unit: Tensor) -> Tensor:
        """Give the counts at levels, (Q) or (..., Q), divided by the unit.

        They are counted up to; large ones are those of the gamma distribution of the same variance, which they come close to.
        """
        mean, alpha = self._mean_dispersion(raw, centre)
        unit = unit.clamp_min(MIN_COUNT_UNIT)
        mean, size = ((each.double()).unsqueeze(-1) for each in (mean * unit, 1 / alpha))
        found = torch.zeros_like(mean * levels)
        p = size * torch.log(size / (size + mean))  # log p(0)
        ratio, total = mean / (size + mean), p.exp()
        small = mean <= 2_000
        for count in range(self.max_count):
            short = (total < levels) & small
            if not short.any():
                break
            found += short
            p = p + torch.log((count + size) / (count + 1) * ratio)
            total = total + p.exp()
        if (large := (found >= self.max_count) | ~small).any():
            shape = 1 / (1 / size + 1 / mean)
            found = torch.where(large, (mean / shape * gamma_quantiles(levels, shape)).round(), found)
        return found.to(raw.dtype) / unit.unsqueeze(-1)


def gamma_quantiles(levels: Tensor, shape: Tensor) -> Tensor:
    """Give quantiles (…) of the gamma distribution of shapes (…) and scale 1, by halving what they lie between.

    >>> gamma_quantiles(torch.tensor([0.5, 0.975]).double(), torch.tensor([2.0]).double()).round(decimals=3).tolist()
    [1.678, 5.572]
    """
    low = torch.zeros_like(levels * shape)
    high = (shape + 20 * shape.sqrt() + 40).expand_as(low)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = torch.special.gammainc(shape.expand_as(middle), middle) < levels
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return high


def make_distribution(kind: str, levels: Sequence[float]) -> Distribution:
    """Build the distribution of a name; levels: those of `quantiles`.

    >>> make_distribution("normal", [0.5]).size, make_distribution("quantiles", [0.1, 0.5, 0.9]).size
    (2, 3)
    """
    if kind == "quantiles":
        return QuantileHead(levels)
    return {"normal": Normal, "student-t": StudentT, "negative-binomial": NegativeBinomial}[kind]()

"""Level and season by exponential smoothing, with coefficients learnt for each series together with the network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

SmoothingState = tuple[Tensor, Tensor, Tensor, Tensor]
"""Level (B, C), season (B, m, C) from the next step on, what is left of the last w − 1 values (B, w − 1, C), steps read (B)."""


@dataclass(frozen=True)
class SmoothedSeries:
    """level (T, B, C), season (T, B, m, C) of the m steps after each, windows (T, B, w·C) without level and season."""

    level: Tensor
    season: Tensor
    windows: Tensor


class ExponentialSmoothing(nn.Module):
    """Holt and Winters' additive smoothing without a trend, which the network adds, as in the ES-RNN (Smyl 2020, DOI 10.1016/j.ijforecast.2019.03.017).

        ℓ_t = α (y_t − s_t) + (1 − α) ℓ_(t−1)        s_(t+m) = γ (y_t − ℓ_t) + (1 − γ) s_t

    α and γ are learnt for each series; one that is new takes the mean of all. Through the first season, α is at least 1/t and γ
    is 1, so that nothing at a step depends on a later one. With transform = log it is the multiplicative form.

    >>> smooth = ExponentialSmoothing(1, season=2, lookback=3)
    >>> values = torch.tensor([1.0, 3.0] * 8).view(-1, 1, 1)
    >>> smoothed, _ = smooth(values, torch.tensor([0]), None)
    >>> (smoothed.level[-1, 0, 0] + smoothed.season[-1, 0, :, 0]).round().tolist()
    [1.0, 3.0]
    """

    def __init__(self, series: int, season: int, lookback: int) -> None:
        super().__init__()
        self.season, self.lookback = season, lookback
        self.level_rate = nn.Parameter(torch.full((series,), -1.0))
        self.season_rate = nn.Parameter(torch.full((series,), -1.0))

    def rates(self, series: Tensor) -> tuple[Tensor, Tensor]:
        """Give α and γ, (B, 1) each; series (B): their numbers, −1 for one that is new."""

        def of(rate: Tensor) -> Tensor:
            # Of all series, whichever are read: torch's last bit depends on how many numbers there are.
            own = torch.sigmoid(rate)[series.clamp_min(0)]
            return torch.where(series >= 0, own, torch.sigmoid(rate.mean())).unsqueeze(1)

        return of(self.level_rate), of(self.season_rate)

    def forward(
        self, values: Tensor, series: Tensor, state: SmoothingState | None
    ) -> tuple[SmoothedSeries, SmoothingState]:
        """Read values (T, B, C), going on from a state; before a series begins, its values are NaN."""
        _, batch, channels = values.shape
        alpha, gamma = self.rates(series)
        if state is None:
            none = values.new_zeros(batch, channels)
            seasons = [none] * self.season
            level, tail, count = none, values.new_zeros(batch, self.lookback - 1, channels), values.new_zeros(batch)
        else:
            level, ring, tail, count = state
            seasons = list(ring.unbind(1))
        levels, residuals = [], []
        real = [count >= back for back in range(self.lookback - 1, 0, -1)]
        for step, value in enumerate(values):
            there = ~value.isnan()
            value = torch.where(there, value, 0.0)
            started = there.any(1)
            count = count + started
            first = (count <= self.season).unsqueeze(1)
            own = torch.where(first, torch.maximum(alpha, 1 / count.clamp_min(1).unsqueeze(1)), alpha)
            current = seasons[step]
            new = own * (value - current) + (1 - own) * level
            rate = torch.where(first, torch.ones_like(gamma), gamma)
            next_ = rate * (value - new) + (1 - rate) * current
            if self.season == 1:  # a season of one step is a part of the level
                next_ = torch.zeros_like(next_)
            keep = started.unsqueeze(1)
            level = torch.where(keep, new, level)
            seasons.append(torch.where(keep, next_, 0.0))  # before a series begins, its season is zero
            levels.append(level)
            residuals.append(value - current)
            real.append(started)
        level_all, left_all = torch.stack(levels), torch.stack(residuals)
        ahead = torch.stack(seasons[1:]).unfold(0, self.season, 1).transpose(2, 3)  # (T, B, m, C)
        whole = torch.cat([tail.transpose(0, 1), left_all])
        windows = whole.unfold(0, self.lookback, 1).transpose(2, 3) - level_all.unsqueeze(2)  # (T, B, w, C)
        # Before the beginning stands the level, so that there is nothing in the window.
        windows = windows * torch.stack(real).unfold(0, self.lookback, 1).unsqueeze(3)
        smoothed = SmoothedSeries(level_all, ahead, windows.flatten(2))
        return smoothed, (
            level,
            torch.stack(seasons[-self.season :], 1),
            whole[len(whole) - self.lookback + 1 :].transpose(0, 1),
            count,
        )

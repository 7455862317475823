"""The forecaster's network: a stack of cells over what is read at each step, and a head that says all steps ahead at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, State
from recurra.tasks.body import make_stack
from recurra.tasks.forecast.config import Model
from recurra.tasks.forecast.outputs import make_output
from recurra.tasks.forecast.rows import Form
from recurra.tasks.forecast.smoothing import Carried, Smoothing
from recurra.tasks.forecast.windows import lags

TINY = 1e-30
CONTEXT = 16
"""Numbers that the state gives to each step ahead, where something is known of that step."""


class ForecastNetwork(nn.Module):
    """inputs (T, B, I), state → hidden (T, B, H), state; hidden, inputs and what is known ahead at some steps → forecasts.

    A forecast begins as the seasonal naive one. A linear map of the values read goes past the cells (as the highway of
    Lai et al. 2018, arXiv:1703.07015), so that the cells need only learn what a line cannot say. All is in units of the
    window that was read, so that nothing has to be undone by hand. The buffer `stretch` multiplies the distance of a trained
    network's quantiles from the median.
    """

    def __init__(self, form: Form, model: Model) -> None:
        super().__init__()
        before, _, behind = model.dropouts
        self.channels, self.lookback, self.ahead = form.channels, form.lookback, form.ahead
        self.fed_back = model.form == "autoregressive"
        self.horizon = 1 if self.fed_back else form.horizon
        self.output = make_output(model.output, model.levels)
        self.smoothing = Smoothing(len(form.smoothed), form.season, form.lookback) if model.smoothing else None
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = make_stack(model, form.size, dilations=model.dilations)
        self.output_dropout = nn.Dropout(behind)
        values = self.horizon * self.channels
        self.line = nn.Linear(self.lookback * self.channels, values)
        width = self.horizon * CONTEXT if self.ahead else values * self.output.size
        self.head = nn.Linear(self.stack.output_size, width)
        if self.ahead:
            self.local = nn.Linear(CONTEXT + self.ahead, 4 * CONTEXT)
            self.last = nn.Linear(4 * CONTEXT, self.channels * self.output.size)
        back = torch.from_numpy(self.lookback - 1 - np.minimum(lags(self.horizon, form.season), self.lookback - 1))
        self.register_buffer("season", back, persistent=False)
        self.register_buffer("stretch", torch.ones(()))
        self.register_load_state_dict_pre_hook(_as_learnt)
        self._begin_naive()

    @torch.no_grad()
    def _begin_naive(self) -> None:
        nn.init.zeros_(self.line.weight)
        nn.init.zeros_(self.line.bias)
        end = self.last if self.ahead else self.head
        nn.init.normal_(end.weight, std=0.1 * end.in_features**-0.5)
        nn.init.zeros_(end.bias)

    def forward(self, inputs: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        return self.stack(self.input_dropout(inputs), state, lengths)

    def smoothed(
        self, inputs: Tensor, plain: Tensor, which: Tensor, carried: Carried | None
    ) -> tuple[Tensor, Tensor, Carried]:
        """Put windows without level and season in the place of those that were read.

        inputs (T, B, I), plain (T' ≥ T, B, 3·C), which (B), carried → inputs (T, B, I), what the naive forecast of each step is
        (T, B, h, C), carried.
        """
        assert self.smoothing is not None
        values, level, unit = plain.split(self.channels, dim=2)
        found, carried = self.smoothing(values.masked_fill(unit < 0, float("nan")), which, carried)
        steps = len(inputs)
        level, unit = level[-steps:], unit[-steps:].clamp_min(TINY)
        windows = found.windows[-steps:].unflatten(2, (self.lookback, self.channels)) / unit.unsqueeze(2)
        ahead = torch.arange(self.horizon, device=inputs.device) % self.smoothing.season
        naive = found.level[-steps:].unsqueeze(2) + found.season[-steps:][:, :, ahead]
        naive = (naive - level.unsqueeze(2)) / unit.unsqueeze(2)
        size = self.lookback * self.channels
        return torch.cat([windows.flatten(2), inputs[..., size:]], dim=2), naive, carried

    def say(self, hidden: Tensor, windows: Tensor, ahead: Tensor, naive: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give what the output takes, raw (n, h, C, P) and centre (n, h, C), at n steps.

        hidden (n, H), windows (n, w·C), ahead (n, h, K), naive (n, h, C): the naive forecast; None: the season before.
        """
        count = len(hidden)
        if naive is None:
            naive = windows.view(count, self.lookback, self.channels)[:, self.season]
        centre = naive + linear(windows, self.line.weight, self.line.bias).view(count, self.horizon, self.channels)
        hidden = self.output_dropout(hidden)
        raw = linear(hidden, self.head.weight, self.head.bias).float()
        if self.ahead:
            context = raw.view(count, self.horizon, CONTEXT)
            each = torch.cat([context, ahead], dim=-1).flatten(0, 1)
            each = torch.relu(linear(each, self.local.weight, self.local.bias))
            raw = linear(each, self.last.weight, self.last.bias).float()
        return raw.view(count, self.horizon, self.channels, self.output.size), centre.float()


def _as_learnt(network: nn.Module, weights: dict[str, Any], prefix: str, *others: Any) -> None:  # noqa: ARG001
    """Take weights that were saved before intervals were stretched too: theirs are as they were learnt."""
    weights.setdefault(f"{prefix}stretch", torch.ones(()))

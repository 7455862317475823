"""The forecaster's network: a stack of cells over what is read at each step, and a head that says all steps ahead at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, State
from recurra.nn.distributions import make_output
from recurra.nn.exponential_smoothing import Carried, Smoothing
from recurra.tasks.forecast.batches import Batch
from recurra.tasks.forecast.config import Model
from recurra.tasks.forecast.preprocessing import Form
from recurra.tasks.forecast.scaling import lags
from recurra.tasks.sequence.encoder import make_stack

TINY = 1e-30
CONTEXT = 16
"""Numbers that the state gives to each step ahead, where something is known of that step."""


class ForecastNetwork(nn.Module):
    """inputs (T, B, I), state → hidden (T, B, H), state; hidden, inputs and what is known ahead at some steps → forecasts.

    A forecast begins as the seasonal naive one. A linear map of the values read goes past the cells (as the highway of
    Lai et al. 2018, arXiv:1703.07015), so that the cells need only learn what a line cannot say: one that is worked out before
    training, the buffer `straight` (h·C, w·C), and what gradients add to it, times the buffer `pace`. All is in units of the window that was read, so that
    nothing has to be undone by hand. What is learnt of a step ahead is in units of the errors there, the buffer `usual_error`
    (h, C), so that it is as easily learnt of a series that hardly ever leaves its course. The buffer `stretch` multiplies the
    distance of a trained network's quantiles from the median.
    """

    season: Tensor
    straight: Tensor
    pace: Tensor
    usual_error: Tensor
    stretch: Tensor

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
        # A step of training moves a line that is there before it no more than all else; one that has to be learnt is moved faster.
        self.begins_straight = self.smoothing is None and not self.output.counts
        pace = self.line.in_features**-0.5 if self.begins_straight else 1.0
        width = self.horizon * CONTEXT if self.ahead else values * self.output.size
        self.head = nn.Linear(self.stack.output_size, width)
        if self.ahead:
            self.local = nn.Linear(CONTEXT + self.ahead, 4 * CONTEXT)
            self.last = nn.Linear(4 * CONTEXT, self.channels * self.output.size)
        back = torch.from_numpy(self.lookback - 1 - np.minimum(lags(self.horizon, form.season), self.lookback - 1))
        self.register_buffer("season", back, persistent=False)
        self.register_buffer("straight", torch.zeros_like(self.line.weight))
        self.register_buffer("pace", torch.tensor(pace))
        self.register_buffer("usual_error", torch.ones(self.horizon, self.channels))
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

    def seen(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Give what is read of a batch: inputs (T, B, I), and at its steps the windows (n, w·C) and the naive forecasts (n, h, C)."""
        inputs, size, naive = batch.inputs.to(self.straight.device), self.straight.shape[1], None
        if batch.plain is not None and batch.which is not None:
            plain, which = batch.plain.to(inputs.device), batch.which.to(inputs.device)
            inputs, whole, _ = self.smoothed(inputs, plain, which, None)
            naive = whole[batch.steps, batch.lanes]
        windows = inputs[batch.steps, batch.lanes, :size]
        return inputs, windows, self._naive(windows) if naive is None else naive

    def _naive(self, windows: Tensor) -> Tensor:
        """Give what stood in windows (n, w·C) a season before each step ahead, (n, h, C)."""
        return windows.view(len(windows), self.lookback, self.channels)[:, self.season]

    def say(self, hidden: Tensor, windows: Tensor, ahead: Tensor, naive: Tensor | None) -> tuple[Tensor, Tensor]:
        """Give what the output takes, raw (n, h, C, P) and centre (n, h, C), at n steps, in units of the window times the usual error.

        hidden (n, H), windows (n, w·C), ahead (n, h, K), naive (n, h, C): the naive forecast; None: the season before.
        """
        count = len(hidden)
        naive, shape = self._naive(windows) if naive is None else naive, (count, self.horizon, self.channels)
        # In half precision a line would be wrong by more than a regular series is.
        with torch.autocast(windows.device.type, enabled=False):
            centre = (naive + linear(windows, self.straight).view(shape)) / self.usual_error
        centre = centre + linear(windows * self.pace, self.line.weight, self.line.bias).view(shape)
        hidden = self.output_dropout(hidden)
        raw = linear(hidden, self.head.weight, self.head.bias).float()
        if self.ahead:
            context = raw.view(count, self.horizon, CONTEXT)
            each = torch.cat([context, ahead], dim=-1).flatten(0, 1)
            each = torch.relu(linear(each, self.local.weight, self.local.bias))
            raw = linear(each, self.last.weight, self.last.bias).float()
        return raw.view(count, self.horizon, self.channels, self.output.size), centre.float()


def _as_learnt(network: nn.Module, weights: dict[str, Any], prefix: str, *_: Any) -> None:
    """Take weights that were saved before there were these buffers: they were learnt in units of the window, the line alone."""
    for name in ("stretch", "usual_error", "pace"):
        weights.setdefault(prefix + name, torch.ones_like(network.get_buffer(name)))
    weights.setdefault(prefix + "straight", torch.zeros_like(network.get_buffer("straight")))

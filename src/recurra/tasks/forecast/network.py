"""The forecaster's network: a stack of cells over what is read at each step, and a head that gives all steps ahead at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, State
from recurra.nn.distributions import make_distribution
from recurra.nn.exponential_smoothing import ExponentialSmoothing, SmoothingState
from recurra.tasks.base.network import build_stack
from recurra.tasks.forecast.batches import Batch
from recurra.tasks.forecast.config import Model
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor
from recurra.tasks.forecast.scaling import MIN_SCALE, seasonal_lags

CONTEXT_SIZE = 16
"""Numbers that the state gives to each step ahead, where something is known of that step."""


class ForecastNetwork(nn.Module):
    """inputs (T, B, I), state → hidden (T, B, H), state; hidden, inputs and what is known ahead at some steps → forecasts.

    A forecast begins as the seasonal naive one. A linear map of the values read goes past the cells (as the highway of
    Lai et al. 2018, arXiv:1703.07015), so that the cells need only learn what a line cannot express: one that is worked out before
    training, the buffer `straight` (h·C, w·C), and what gradients add to it, times the buffer `pace`. All is in units of the window that was read, so that
    nothing has to be undone by hand. What is learnt of a step ahead is in units of the errors there, the buffer `usual_error`
    (h, C), so that it is as easily learnt of a series that hardly ever leaves its course. The buffer `stretch` multiplies the
    distance of a trained network's quantiles from the median.
    """

    seasonal_places: Tensor
    straight: Tensor
    pace: Tensor
    usual_error: Tensor
    stretch: Tensor

    def __init__(self, preprocessor: ForecastPreprocessor, model: Model) -> None:
        super().__init__()
        before, _, behind = model.dropouts
        self.channels, self.lookback = preprocessor.channels, preprocessor.lookback
        self.known_size = preprocessor.covariates.known_size
        self.recursive = model.strategy == "recursive"
        self.horizon = 1 if self.recursive else preprocessor.horizon
        self.output = make_distribution(model.likelihood, model.quantiles)
        self.smoothing = (
            ExponentialSmoothing(len(preprocessor.smoothed), preprocessor.season, preprocessor.lookback)
            if model.exponential_smoothing
            else None
        )
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = build_stack(model, preprocessor.input_size, dilations=model.dilations)
        self.output_dropout = nn.Dropout(behind)
        values = self.horizon * self.channels
        self.line = nn.Linear(self.lookback * self.channels, values)
        # A step of training moves a line that is there before it no more than all else; one that has to be learnt is moved faster.
        self.starts_linear = self.smoothing is None and not self.output.counts
        pace = self.line.in_features**-0.5 if self.starts_linear else 1.0
        width = self.horizon * CONTEXT_SIZE if self.known_size else values * self.output.size
        self.head = nn.Linear(self.stack.output_size, width)
        if self.known_size:
            self.local = nn.Linear(CONTEXT_SIZE + self.known_size, 4 * CONTEXT_SIZE)
            self.last = nn.Linear(4 * CONTEXT_SIZE, self.channels * self.output.size)
        lags = np.minimum(seasonal_lags(self.horizon, preprocessor.season), self.lookback - 1)
        self.register_buffer("seasonal_places", torch.from_numpy(self.lookback - 1 - lags), persistent=False)
        self.register_buffer("straight", torch.zeros_like(self.line.weight))
        self.register_buffer("pace", torch.tensor(pace))
        self.register_buffer("usual_error", torch.ones(self.horizon, self.channels))
        self.register_buffer("stretch", torch.ones(()))
        self.register_load_state_dict_pre_hook(_add_missing_buffers)
        self._init_naive()

    @torch.no_grad()
    def _init_naive(self) -> None:
        nn.init.zeros_(self.line.weight)
        nn.init.zeros_(self.line.bias)
        end = self.last if self.known_size else self.head
        nn.init.normal_(end.weight, std=0.1 * end.in_features**-0.5)
        nn.init.zeros_(end.bias)

    def forward(self, inputs: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        return self.stack(self.input_dropout(inputs), state, lengths)

    def deseasonalise(
        self, inputs: Tensor, smoothing_inputs: Tensor, indices: Tensor, state: SmoothingState | None
    ) -> tuple[Tensor, Tensor, SmoothingState]:
        """Put windows without level and season in the place of those that were read.

        inputs (T, B, I), smoothing_inputs (T' ≥ T, B, 3·C), indices (B): the numbers of the series, state → inputs (T, B, I),
        the naive forecast of each step (T, B, h, C), state.
        """
        assert self.smoothing is not None
        values, loc, scale = smoothing_inputs.split(self.channels, dim=2)
        smoothed, state = self.smoothing(values.masked_fill(scale < 0, float("nan")), indices, state)
        steps = len(inputs)
        loc, scale = loc[-steps:], scale[-steps:].clamp_min(MIN_SCALE)
        windows = smoothed.windows[-steps:].unflatten(2, (self.lookback, self.channels)) / scale.unsqueeze(2)
        ahead = torch.arange(self.horizon, device=inputs.device) % self.smoothing.season
        naive = smoothed.level[-steps:].unsqueeze(2) + smoothed.season[-steps:][:, :, ahead]
        naive = (naive - loc.unsqueeze(2)) / scale.unsqueeze(2)
        size = self.lookback * self.channels
        return torch.cat([windows.flatten(2), inputs[..., size:]], dim=2), naive, state

    def batch_inputs(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Give what is read of a batch: inputs (T, B, I), and at its origins the windows (n, w·C) and the naive forecasts (n, h, C)."""
        inputs, size, naive = batch.inputs.to(self.straight.device), self.straight.shape[1], None
        if batch.smoothing_inputs is not None and batch.smoothing_indices is not None:
            values, indices = batch.smoothing_inputs.to(inputs.device), batch.smoothing_indices.to(inputs.device)
            inputs, whole, _ = self.deseasonalise(inputs, values, indices, None)
            naive = whole[batch.steps, batch.lanes]
        windows = inputs[batch.steps, batch.lanes, :size]
        return inputs, windows, self._naive(windows) if naive is None else naive

    def _naive(self, windows: Tensor) -> Tensor:
        """Give what stood in windows (n, w·C) a season before each step ahead, (n, h, C)."""
        return windows.view(len(windows), self.lookback, self.channels)[:, self.seasonal_places]

    def distribution_parameters(
        self, hidden: Tensor, windows: Tensor, known_ahead: Tensor, naive: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Give what the distribution takes, raw (n, h, C, P) and centre (n, h, C), at n steps, in units of the window times the usual error.

        hidden (n, H), windows (n, w·C), known_ahead (n, h, K), naive (n, h, C): the naive forecast; None: the season before.
        """
        count = len(hidden)
        naive, shape = self._naive(windows) if naive is None else naive, (count, self.horizon, self.channels)
        # In half precision a line would be wrong by more than a regular series is.
        with torch.autocast(windows.device.type, enabled=False):
            centre = (naive + linear(windows, self.straight).view(shape)) / self.usual_error
        centre = centre + linear(windows * self.pace, self.line.weight, self.line.bias).view(shape)
        hidden = self.output_dropout(hidden)
        raw = linear(hidden, self.head.weight, self.head.bias).float()
        if self.known_size:
            context = raw.view(count, self.horizon, CONTEXT_SIZE)
            each = torch.cat([context, known_ahead], dim=-1).flatten(0, 1)
            each = torch.relu(linear(each, self.local.weight, self.local.bias))
            raw = linear(each, self.last.weight, self.last.bias).float()
        return raw.view(count, self.horizon, self.channels, self.output.size), centre.float()


def _add_missing_buffers(network: nn.Module, weights: dict[str, Any], prefix: str, *_: Any) -> None:
    """Take weights that were saved before there were these buffers: they were learnt in units of the window, the line alone."""
    for name in ("stretch", "usual_error", "pace"):
        weights.setdefault(prefix + name, torch.ones_like(network.get_buffer(name)))
    weights.setdefault(prefix + "straight", torch.zeros_like(network.get_buffer("straight")))

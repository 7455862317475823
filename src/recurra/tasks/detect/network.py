"""The detector's network: a stack of cells that predicts the next values, each with a scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, State
from recurra.nn.distributions import student_t_nll
from recurra.tasks.base.network import build_stack
from recurra.tasks.detect.config import Model
from recurra.tasks.detect.series import EncodedSeries

MIN_SCALE = 0.01
"""The least scale of a prediction, in units of the scaled values: one that is exact is not infinitely certain."""
HISTORY_SIZE = 4096
"""Scores of normal steps that a run remembers, the latest; what a threshold begins with."""


class Prediction(NamedTuple):
    """What is predicted: location and scale of each channel at each of the next A steps, (T, B, A, C)."""

    location: Tensor
    scale: Tensor


class DetectorNetwork(nn.Module):
    """What is read at step t (T, B, F), the values before it (T, B, C), state → the prediction of t … t + A − 1, state.

        location = φ ∘ x_previous + W h + b        scale = 0.01 + softplus(V h + c)

    φ and the scale begin at the training data's own first-order autoregression: what the cells add is learnt on top of it.
    Where `persistence` is off φ is 0 and stays so: a network of few normal values cannot follow others, and its error lasts as they do.
    The buffers are set by held-out data when training is over: `unit` (A, C), what a standardised error is divided by; `low` and `high` (C), the range of the scaled values;
    `history`, the scores of normal steps in their order, and `held`, how many they are; `pooling`, the number of how whole series are scored.
    """

    def __init__(self, features: int, channels: int, model: Model) -> None:
        super().__init__()
        before, _, behind = model.dropouts
        self.channels, self.horizon, self.student_t = channels, model.horizon, model.likelihood == "student-t"
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = build_stack(model, features)
        self.output_dropout = Dropout(behind, variational=model.variational)
        self.output = nn.Linear(self.stack.output_size, 2 * self.horizon * channels)
        if model.persistence:
            self.persistence = nn.Parameter(torch.ones(self.horizon, channels))
        else:
            self.register_buffer("persistence", torch.zeros(self.horizon, channels))
        if self.student_t:
            self.tail = nn.Parameter(torch.full((channels,), 2.0))
        self.register_buffer("unit", torch.ones(self.horizon, channels))
        self.register_buffer("low", torch.zeros(channels))
        self.register_buffer("high", torch.zeros(channels))
        self.register_buffer("history", torch.zeros(HISTORY_SIZE))
        self.register_buffer("held", torch.zeros((), dtype=torch.int64))
        self.register_buffer("pooling", torch.zeros((), dtype=torch.int64))
        nn.init.zeros_(self.output.bias)
        nn.init.normal_(self.output.weight, std=0.1 * self.output.in_features**-0.5)

    @torch.no_grad()
    def init_autoregression(self, factor: Tensor, scale: Tensor) -> None:
        """Begin with what the value before says of the next ones, (A, C) each: x ≈ factor · previous ± scale."""
        self.persistence.copy_(factor)
        above = (scale - MIN_SCALE).clamp(min=0.5 * MIN_SCALE)
        self.output.bias.view(2, self.horizon, self.channels)[1].copy_(above + torch.log(-torch.expm1(-above)))

    def zero_state(self, batch: int) -> State:
        """Give the state in which a series begins."""
        return self.stack.zero_state(batch)

    def forward(
        self, x: Tensor, previous: Tensor, state: State, lengths: Tensor | None = None
    ) -> tuple[Prediction, State]:
        y, state = self.stack(self.input_dropout(x), state, lengths)
        output = linear(self.output_dropout(y), self.output.weight, self.output.bias).float()
        output = output.unflatten(-1, (2, self.horizon, self.channels))
        location = output[:, :, 0] + self.persistence * previous.unsqueeze(2)
        return Prediction(location, MIN_SCALE + nn.functional.softplus(output[:, :, 1])), state

    def nll(self, prediction: Prediction, targets: Tensor, present: Tensor) -> Tensor:
        """Give −log p of targets (T, B, A, C), in nats; 0 where there is none."""
        error = (targets - prediction.location) / prediction.scale
        nll = student_t_nll(error, self.freedom) if self.student_t else 0.5 * error**2 + 0.5 * math.log(2 * math.pi)
        return torch.where(present, nll + prediction.scale.log(), 0.0)

    @property
    def freedom(self) -> Tensor:
        """The degrees of freedom of each channel, (C), above 2."""
        return 2.05 + nn.functional.softplus(self.tail)

    @property
    def score_history(self) -> Tensor:
        """The scores of normal steps, in their order."""
        return cast(Tensor, self.history)[: int(cast(Tensor, self.held))]


def fit_ar1(
    series: Sequence[EncodedSeries], channels: int, horizon: int, *, persistence: bool = True
) -> tuple[Tensor, Tensor]:
    """Fit what values owe to the one before them, by least squares for each lead: factor and residual scale, (A, C) each.

    persistence: False: the factor is 0, and the scale that of the values.
    """
    factors, scales = [], []
    for lead in range(horizon):
        products, squares, values = 0.0, 1e-9, []
        pairs = [(one.previous[: len(one) - lead], one.values[lead:]) for one in series if len(one) > lead + 1]
        for previous, value in pairs:
            present = np.isfinite(value[1:])
            x, y = previous[1:].astype(np.float64), np.where(present, value[1:], 0.0).astype(np.float64)
            products, squares = products + (x * y).sum(0), squares + (np.where(present, x, 0.0) ** 2).sum(0)
            values.append((x, np.where(present, y, np.nan)))
        factor = np.clip(products / squares, 0.0, 1.0) * np.full(channels, persistence)
        residuals = np.concatenate([y - factor * x for x, y in values]) if values else np.ones((1, len(factor)))
        known = np.maximum(1, np.isfinite(residuals).sum(0))
        factors.append(factor)
        scales.append(np.sqrt(np.nansum(residuals**2, axis=0) / known))
    return torch.tensor(np.array(factors)).float(), torch.tensor(np.array(scales)).float()

"""The detector's network: a stack of cells that foretells the next values, each with a spread."""

from __future__ import annotations

import math
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, State
from recurra.tasks.detect.config import Model
from recurra.tasks.sequence.encoder import make_stack

NARROWEST = 0.01
"""The least spread, in units of the scaled values: what is foretold exactly is not infinitely certain."""
HISTORY = 4096
"""Scores of normal steps that a run remembers, the latest; what a threshold begins with."""


class Foretold(NamedTuple):
    """What is foretold: location and spread of each channel at each of the next A steps, (T, B, A, C)."""

    location: Tensor
    spread: Tensor


class DetectorNetwork(nn.Module):
    """What is read at step t (T, B, F), the values before it (T, B, C), state → what is foretold of t … t + A − 1, state.

        location = φ ∘ x_before + W h + b        spread = 0.01 + softplus(V h + c)

    φ and the spread begin at the training data's own first-order autoregression: what the cells add is learnt on top of it.
    Where `follow` is off φ is 0 and stays so: a network of few normal values cannot follow others, and its error lasts as they do.
    The buffers are set by held-out data when training is over: `unit` (A, C), what a standardised error is divided by; `low` and `high` (C), the range of the scaled values;
    `history`, the scores of normal steps in their order, and `held`, how many they are; `pooling`, of whole series.
    """

    def __init__(self, features: int, channels: int, model: Model) -> None:
        super().__init__()
        before, _, behind = model.dropouts
        self.channels, self.ahead, self.student = channels, model.ahead, model.likelihood == "student-t"
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = make_stack(model, features)
        self.output_dropout = Dropout(behind, variational=model.variational)
        self.output = nn.Linear(self.stack.output_size, 2 * self.ahead * channels)
        if model.follow:
            self.persistence = nn.Parameter(torch.ones(self.ahead, channels))
        else:
            self.register_buffer("persistence", torch.zeros(self.ahead, channels))
        if self.student:
            self.tail = nn.Parameter(torch.full((channels,), 2.0))
        self.register_buffer("unit", torch.ones(self.ahead, channels))
        self.register_buffer("low", torch.zeros(channels))
        self.register_buffer("high", torch.zeros(channels))
        self.register_buffer("history", torch.zeros(HISTORY))
        self.register_buffer("held", torch.zeros((), dtype=torch.int64))
        self.register_buffer("pooling", torch.zeros((), dtype=torch.int64))
        nn.init.zeros_(self.output.bias)
        nn.init.normal_(self.output.weight, std=0.1 * self.output.in_features**-0.5)

    @torch.no_grad()
    def begin_with(self, persistence: Tensor, spread: Tensor) -> None:
        """Begin with what the value before says of the next ones, (A, C) each: x ≈ persistence · before ± spread."""
        self.persistence.copy_(persistence)
        above = (spread - NARROWEST).clamp(min=0.5 * NARROWEST)
        self.output.bias.view(2, self.ahead, self.channels)[1].copy_(above + torch.log(-torch.expm1(-above)))

    def zero_state(self, batch: int) -> State:
        """Give the state in which a series begins."""
        return self.stack.zero_state(batch)

    def forward(self, x: Tensor, before: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Foretold, State]:
        y, state = self.stack(self.input_dropout(x), state, lengths)
        said = linear(self.output_dropout(y), self.output.weight, self.output.bias).float()
        said = said.unflatten(-1, (2, self.ahead, self.channels))
        location = said[:, :, 0] + self.persistence * before.unsqueeze(2)
        return Foretold(location, NARROWEST + nn.functional.softplus(said[:, :, 1])), state

    def surprise(self, foretold: Foretold, values: Tensor, there: Tensor) -> Tensor:
        """Give −log p of values (T, B, A, C), in nats; 0 where there is none."""
        error = (values - foretold.location) / foretold.spread
        if self.student:
            freedom = self.freedom
            scatter = 0.5 * (freedom + 1) * torch.log1p(error**2 / freedom) + self._student_constant(freedom)
        else:
            scatter = 0.5 * error**2 + 0.5 * math.log(2 * math.pi)
        return torch.where(there, scatter + foretold.spread.log(), 0.0)

    @property
    def freedom(self) -> Tensor:
        """The degrees of freedom of each channel, (C), above 2."""
        return 2.05 + nn.functional.softplus(self.tail)

    @staticmethod
    def _student_constant(freedom: Tensor) -> Tensor:
        return torch.lgamma(freedom / 2) - torch.lgamma((freedom + 1) / 2) + 0.5 * (math.pi * freedom).log()

    @property
    def scores_held(self) -> Tensor:
        """The scores of normal steps, in their order."""
        return cast(Tensor, self.history)[: int(cast(Tensor, self.held))]

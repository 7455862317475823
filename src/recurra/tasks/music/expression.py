"""How hard and how early or late each drum is hit, given all hits of a piece."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, Stack

_USUAL_VELOCITY = 0.6
_FIRST_LOG_SCALE = -2.0


class ExpressionNetwork(nn.Module):
    """features (T, B, I), in which the hits of each step stand, lengths (B) → velocities and offsets, (T, B, 2·W): medians.

    A layer that reads in both directions, for the hits are all there before any of them is played. What is learnt is a
    Laplace distribution for each drum, log 2b + |x − m| / b, whose median is the least absolute error.
    """

    def __init__(self, size: int, drums: int, units: int, dropout: float) -> None:
        super().__init__()
        self.stack = Stack("gru", size, [units], bidirectional=True, layer_norm=True)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(self.stack.output_size + size, 2 * drums)
        self.log_scale = nn.Parameter(torch.full((2 * drums,), _FIRST_LOG_SCALE))
        nn.init.zeros_(self.output.weight)
        with torch.no_grad():
            self.output.bias.zero_()[:drums] = _USUAL_VELOCITY

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        outputs, _ = self.stack(features, self.stack.zero_state(features.shape[1]), lengths)
        read = torch.cat([self.dropout(outputs), features.to(outputs)], 2)
        return linear(read, self.output.weight, self.output.bias)

    def loss(self, features: Tensor, frames: Tensor, played: Tensor, lengths: Tensor) -> Tensor:
        """Give Σ −log p of the velocities and offsets of all hits; frames: (T, B, W), played: (T, B, 2·W)."""
        errors = (self(features, lengths).float() - played).abs()
        losses = math.log(2) + self.log_scale + errors * torch.exp(-self.log_scale)
        return (losses * torch.cat([frames, frames], 2)).sum()

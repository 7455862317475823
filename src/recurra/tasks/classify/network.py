"""The classifier's network: an encoder, a stack of cells, what is kept of all steps, and a probability for each class."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Pooling, State
from recurra.tasks.body import Body
from recurra.tasks.classify.config import Model
from recurra.tasks.inputs import Encoder


class ClassifierNetwork(nn.Module):
    """inputs of T steps, lengths (B) → logits (B, C).

    Two classes that exclude each other have one output, the logit of the second against the first: a sigmoid. The buffer
    `temperature` divides the logits of a trained network, so that its probabilities are neither too sure nor too modest.
    """

    def __init__(self, encoder: Encoder, classes: int, model: Model, *, multi_label: bool) -> None:
        super().__init__()
        if model.pooling is None:
            raise ValueError("pooling has to be chosen before the network is built")
        self.multi_label, self.single = multi_label, classes == 2 and not multi_label
        self.body = Body(encoder, model)
        self.pooling = Pooling(model.pooling, self.body.size, directions=self.body.directions)
        self.output_dropout = nn.Dropout(model.dropouts[2])
        self.output = nn.Linear(self.body.size, 1 if self.single else classes)
        self.register_buffer("temperature", torch.ones(()))

    @torch.no_grad()
    def set_frequencies(self, frequencies: Tensor) -> None:
        """Begin with the share of each class, (C,), whatever is read: the first steps need not be spent on learning them."""
        nn.init.normal_(self.output.weight, std=0.5 * self.output.in_features**-0.5)
        if self.multi_label:
            bias = frequencies.logit()
        else:
            bias = frequencies.log()
            bias = bias[1:] - bias[:1] if self.single else bias
        self.output.bias.copy_(bias)

    def forward(self, inputs: Any, lengths: Tensor) -> Tensor:
        return self.decide(self.pooling(self.body(inputs, lengths), lengths))

    def begin(self) -> State:
        """Give the state of one sequence before its first step; raises `UsageError` where both directions are read."""
        return (*self.body.stack.zero_state(1), self.pooling.begin(1, self.output.weight.device))

    def follow(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next steps of one sequence, in one direction: inputs of n > 0 steps, state → logits (1, C) after the last, state."""
        outputs, layers = self.body.follow(inputs, state[:-1])
        pooled, carried = self.pooling.step(outputs[0], state[-1])
        for y in outputs[1:]:  # (1, H)
            pooled, carried = self.pooling.step(y, carried)
        return self.decide(pooled), (*layers, carried)

    def follow_each(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next n steps of one sequence, given as n sequences of one step: logits (n, C) after each, and the state."""
        x = self.body.input_dropout(self.body.encoder(inputs)).transpose(0, 1)  # (n, 1, E)
        outputs, layers = self.body.stack(x, state[:-1])
        carried, pooled = state[-1], []
        for y in outputs:
            one, carried = self.pooling.step(y, carried)
            pooled.append(one)
        return self.decide(torch.cat(pooled)), (*layers, carried)

    def decide(self, pooled: Tensor) -> Tensor:
        """Give the logits (B, C) of what all steps pool to, (B, D·H)."""
        pooled = self.output_dropout(pooled)
        logits = linear(pooled, self.output.weight, self.output.bias).float()
        if self.single:
            logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
        return logits if self.training else logits / cast(Tensor, self.temperature)


def summed_loss(logits: Tensor, targets: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """Give Σ −log p of the targets: (B) of class numbers, or (B, C) of ones and zeros for each label by itself."""
    if targets.dim() == 1:
        return F.cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing, reduction="sum")
    soft = targets * (1 - smoothing) + 0.5 * smoothing
    return F.binary_cross_entropy_with_logits(logits, soft, pos_weight=weights, reduction="sum")

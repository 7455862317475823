"""The classifier's network: an input layer, a stack of cells, pooling over all steps, and a logit for each class."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.tasks.classify.config import Model
from recurra.tasks.sequence.encoder import PooledEncoder
from recurra.tasks.sequence.preprocessing import InputLayer


class ClassifierNetwork(PooledEncoder):
    """inputs of T steps, lengths (B) → logits (B, C).

    Two classes that exclude each other have one output, the logit of the second against the first: a sigmoid. The buffer
    `temperature` divides the logits of a trained network, so that its probabilities are neither too sure nor too modest.

    linear: whether the logits are added to those of a linear classifier. The buffer `shares` has what the network's and the linear classifier's
    then count, and stands for the temperature too.
    """

    def __init__(
        self, input_layer: InputLayer, classes: int, model: Model, *, multi_label: bool, linear: bool = False
    ) -> None:
        if model.pooling is None:
            raise ValueError("pooling has to be chosen before the network is built")
        super().__init__(input_layer, model, model.pooling)
        self.multi_label, self.single = multi_label, classes == 2 and not multi_label
        self.output_dropout = nn.Dropout(model.dropouts[2])
        self.output = nn.Linear(self.body.size, 1 if self.single else classes)
        self.register_buffer("temperature", torch.ones(()))
        if linear:
            self.register_buffer("shares", torch.ones(2))
        nn.init.normal_(
            self.output.weight, std=0.5 * self.output.in_features**-0.5
        )  # small beside the classes' frequencies

    @property
    def linear_shares(self) -> tuple[float, float] | None:
        """What the logits of the network and of a linear classifier count in their sum; None where there is no such classifier."""
        if (shares := getattr(self, "shares", None)) is None:
            return None
        network, linear = shares.tolist()
        return network, linear

    @torch.no_grad()
    def init_output_bias(self, frequencies: Tensor) -> None:
        """Begin with the share of each class, (C,), whatever is read: the first steps need not be spent on learning them."""
        if self.multi_label:
            bias = frequencies.logit()
        else:
            bias = frequencies.log()
            bias = bias[1:] - bias[:1] if self.single else bias
        self.output.bias.copy_(bias)

    def head(self, pooled: Tensor) -> Tensor:
        """Give the logits (B, C) of what all steps pool to, (B, D·H)."""
        pooled = self.output_dropout(pooled)
        logits = linear(pooled, self.output.weight, self.output.bias).float()
        if self.single:
            logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
        return logits if self.training else logits / cast(Tensor, self.temperature)


def summed_loss(logits: Tensor, targets: Tensor, weights: Tensor | None, label_smoothing: float) -> Tensor:
    """Give Σ −log p of the targets: (B) of class numbers, or (B, C) of ones and zeros for each label by itself."""
    if targets.dim() == 1:
        return F.cross_entropy(logits, targets, weight=weights, label_smoothing=label_smoothing, reduction="sum")
    soft = targets * (1 - label_smoothing) + 0.5 * label_smoothing
    return F.binary_cross_entropy_with_logits(logits, soft, pos_weight=weights, reduction="sum")

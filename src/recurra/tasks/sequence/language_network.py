"""A language model on the input layer and the cells of another network: what that network begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Dropout, Pooling, PoolingKind
from recurra.nn.stack import Layer
from recurra.tasks.base.config import SequenceModel
from recurra.tasks.sequence.encoder import SequenceEncoder
from recurra.tasks.sequence.preprocessing import InputLayer

MAX_UNITS_SCORED = 2000
"""Units of a vocabulary up to which each of them is scored at each step; of a larger one a sample is."""
UNITS_SAMPLED = 1000
"""Units drawn for a batch beside its own."""
UNITS_DROPPED = 0.3
"""Share of the units that are not read in training, and are to be predicted all the same."""
NO_TARGET = -1
"""The number of a unit that is not predicted: one that the vocabulary lacks, and what stands behind the end."""


class LanguageEncoder(nn.Module):
    """Predicts each unit from those before it and, where its encoder reads in both directions, from those behind it.

    The forward cells are one language model and the backward cells another (Peters et al. 2018, arXiv:1802.05365v2); no layer sees
    what the other direction has read, or it would see what it is to predict. They share the input layer, whose vectors are the
    output's weights too (Press & Wolf 2017, arXiv:1608.05859v3). Where a network is to pool all steps, what they pool to gives all
    units of the text back, in any order, though some of them were not read: the vector that is learnt from says what a
    text is about (as the autoencoder of Dai & Le 2015, arXiv:1511.01432v1, but for the order). In training the softmax of a large
    vocabulary is over the units of the batch and a sample of the others, each less the logarithm of its probability of being
    there (Jean et al. 2015, arXiv:1412.2007v2, section 3).

    frequencies: share of each unit in the training texts, (V).  pooling: how steps are pooled; None: they are not.
    """

    def __init__(
        self, input_layer: InputLayer, model: SequenceModel, frequencies: Tensor, pooling: PoolingKind | None = None
    ) -> None:
        super().__init__()
        self.body = SequenceEncoder(input_layer, model)  # named as in the networks that begin with it
        vectors = input_layer.table.embedding_dim
        hidden = cast(Layer, self.body.stack.layers[-1]).hidden_size
        self.output_dropout = Dropout(model.dropouts[2], variational=model.variational)
        self.projections = nn.ModuleList(nn.Linear(hidden, vectors) for _ in range(self.body.directions))
        self.pooling = None if pooling is None else Pooling(pooling, self.body.size, directions=self.body.directions)
        self.whole = None if pooling is None else nn.Linear(self.body.size, vectors)
        self.output_bias = nn.Parameter(frequencies.log().float())
        self.register_buffer("frequencies", frequencies.double(), persistent=False)

    def loss(self, inputs: Any, lengths: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        """Give Σ −log p of the units (T, B) that there are, each time that one is predicted, and how many predictions these are."""
        x = self.body.embed(inputs)
        if self.training:
            # On the CPU, whose generator is the same with any device.
            x = x * (torch.rand(x.shape[:2]) >= UNITS_DROPPED).to(x).unsqueeze(2)
        outputs = [self._read(x, lengths, direction) for direction in range(self.body.directions)]
        there = torch.arange(len(targets)).unsqueeze(1) < lengths
        pairs = there[1:].to(targets.device)  # of each unit with the one before it
        features, wanted = [], []
        for direction, projection in enumerate(cast(Sequence[nn.Linear], self.projections)):
            y = self.output_dropout(outputs[direction])
            y, target = (y[1:], targets[:-1]) if direction else (y[:-1], targets[1:])
            chosen = pairs & (target != NO_TARGET)
            features.append(linear(y[chosen], projection.weight, projection.bias))
            wanted.append(target[chosen])
        rows = torch.arange(sum(map(len, wanted)), device=targets.device)
        if self.pooling is not None and self.whole is not None:
            pooled = self.output_dropout(self.pooling(torch.cat(outputs, 2), lengths).unsqueeze(0))[0]
            chosen = there.to(targets.device) & (targets != NO_TARGET)
            of = torch.arange(len(lengths), device=targets.device).expand_as(targets)[chosen]
            rows = torch.cat([rows, of + len(rows)])
            features.append(linear(pooled, self.whole.weight, self.whole.bias))
            wanted.append(targets[chosen])
        return self._summed_loss(torch.cat(features), rows, torch.cat(wanted)), len(rows)

    def _read(self, x: Tensor, lengths: Tensor, direction: int) -> Tensor:
        """Give what the cells of one direction make of x (T, B, E): (T, B, H)."""
        stack = self.body.stack
        layers = stack.backward_layers if direction else stack.layers
        for index, (module, norm) in enumerate(zip(layers, stack.norms, strict=True)):
            layer = cast(Layer, module)
            read = x if index == 0 else stack.dropout(x)
            if index and stack.bidirectional:
                nothing = torch.zeros_like(read)  # where the other direction's outputs stand
                read = torch.cat([nothing, read] if direction else [read, nothing], 2)
            y, _ = layer(read, layer.zero_state(read.shape[1]), lengths, reverse=direction == 1)
            if isinstance(norm, nn.LayerNorm):
                own = slice(layer.hidden_size * direction, layer.hidden_size * (direction + 1))
                y = F.layer_norm(y, (layer.hidden_size,), norm.weight[own], norm.bias[own], norm.eps)
            x = x + y if stack.residual and y.shape == x.shape else y
        return x

    def _summed_loss(self, features: Tensor, rows: Tensor, targets: Tensor) -> Tensor:
        """Give Σ −log p of targets (N), each by the features (M, E) in one of rows (N); in training a large softmax is sampled."""
        table, places = cast(nn.Embedding, self.body.encoder.table).weight, targets
        bias = cast(Tensor, self.output_bias)
        if self.training and len(table) > MAX_UNITS_SCORED:
            frequencies = cast(Tensor, self.frequencies)
            drawn = torch.multinomial(frequencies.cpu(), UNITS_SAMPLED, replacement=True).to(targets.device)
            candidates, found = torch.cat([targets, drawn]).unique(return_inverse=True)
            draws = len(targets) + UNITS_SAMPLED
            present = -torch.expm1(draws * torch.log1p(-frequencies[candidates]))  # 1 − (1 − p)ⁿ
            table, bias = table[candidates], bias[candidates] - present.log().float()
            places = found[: len(targets)]
        scores = linear(features, table, bias).float().log_softmax(1)
        return -scores[rows, places].sum()

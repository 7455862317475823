"""The embedder's network: a sequence to a vector, and what it learns by."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Stack
from recurra.tasks.embed.config import Model
from recurra.tasks.embed.targets import Targets
from recurra.tasks.sequence.encoder import PooledEncoder
from recurra.tasks.sequence.preprocessing import InputLayer


class EmbedderNetwork(PooledEncoder):
    """inputs of T steps, lengths (B) → vectors (B, D), less the buffer `centre` (D) and divided by the buffer `spread`.

    Once training is over both are set by the vectors of the training data, which then have the mean 0 and lengths around 1.
    """

    def __init__(self, encoder: InputLayer, model: Model, targets: Targets, size: int) -> None:
        if model.pooling is None:
            raise ValueError("pooling has to be chosen before the network is built")
        super().__init__(encoder, model, model.pooling)
        self.targets, self.size = targets, size
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("spread", torch.ones(()))

    def decide(self, pooled: Tensor) -> Tensor:
        return (self.narrowed(pooled).float() - cast(Tensor, self.centre)) / cast(Tensor, self.spread)

    def narrowed(self, pooled: Tensor) -> Tensor:
        """Give the vectors (B, D), as they are learnt, of what all steps pool to."""
        return pooled

    def errors(self, inputs: Any, lengths: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Give the summed error (B) of what is said of each sequence's steps, and of how many elements (B) it is."""
        raise NotImplementedError

    @torch.no_grad()
    def set_scale(self, vectors: Tensor) -> None:
        """Set the centre and the spread by vectors (N, D) that have been neither moved nor scaled."""
        centre = vectors.mean(0)
        spread = (vectors - centre).square().sum(1).mean().sqrt()
        cast(Tensor, self.centre).copy_(centre)
        cast(Tensor, self.spread).copy_(spread if float(spread) > 1e-6 else torch.ones(()))


class Autoencoder(EmbedderNetwork):
    """Gives a sequence back from its vector, the last step first (Srivastava et al. 2015, arXiv:1502.04681v3).

    The decoder reads the vector at each step and, at a share 1 − `blind` of them, the step that came before: were it to see
    all of them it could do without the vector (Bowman et al. 2016, arXiv:1511.06349v4).
    """

    def __init__(self, encoder: InputLayer, model: Model, targets: Targets) -> None:
        if model.size is None or model.blind is None or model.hidden is None:
            raise ValueError("hidden, size and blind have to be chosen before the network is built")
        super().__init__(encoder, model, targets, model.size)
        self.blind = model.blind
        self.narrow = nn.Linear(self.body.size, model.size)
        self.reader = targets.reader() if model.blind < 1 else None
        read = model.size + (self.reader.size if self.reader is not None else 0)
        self.decoder = Stack(model.cell, read, [model.hidden], layer_norm=model.layer_norm)
        self.decoder.reset_parameters(model.init, model.init_gain, model.forget_bias)
        self.output_dropout = nn.Dropout(model.dropouts[2])
        self.output = nn.Linear(model.hidden, targets.size)

    def narrowed(self, pooled: Tensor) -> Tensor:
        return linear(pooled, self.narrow.weight, self.narrow.bias)

    def errors(self, inputs: Any, lengths: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        vectors = self.narrowed(self.pooling(self.body(inputs, lengths), lengths))
        wanted = backwards(targets, lengths)
        x = vectors.expand(len(targets), -1, -1)
        if self.reader is not None:
            x = torch.cat([x, self._before(self.reader, wanted).to(x.dtype)], 2)
        y, _ = self.decoder(x, self.decoder.zero_state(x.shape[1]), lengths)
        said = linear(self.output_dropout(y), self.output.weight, self.output.bias)
        return self.targets.errors(said, wanted)

    def _before(self, reader: nn.Module, wanted: Tensor) -> Tensor:
        """Give what the decoder sees of the step before, (T, B, …); nothing at the first step."""
        before = wanted.roll(1, 0)
        seen = torch.ones(before.shape[:2], dtype=torch.bool)
        if self.training:
            seen = torch.rand(seen.shape) >= self.blind  # on the CPU, whose generator is the same with any device
        seen[:1] = False
        return reader(before, seen.to(before.device))


class NextStep(EmbedderNetwork):
    """Foretells each step by those before it; what its states pool to is the vector."""

    def __init__(self, encoder: InputLayer, model: Model, targets: Targets) -> None:
        if model.hidden is None:
            raise ValueError("hidden has to be chosen before the network is built")
        super().__init__(encoder, model, targets, model.hidden)
        self.output_dropout = nn.Dropout(model.dropouts[2])
        self.output = nn.Linear(self.body.size, targets.size)

    def errors(self, inputs: Any, lengths: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        y = self.body(inputs, lengths)
        before = torch.cat([torch.zeros_like(y[:1]), y[:-1]])
        said = linear(self.output_dropout(before), self.output.weight, self.output.bias)
        return self.targets.errors(said, targets)


NETWORKS: dict[str, type[Autoencoder | NextStep]] = {"autoencoder": Autoencoder, "next": NextStep}


def backwards(targets: Tensor, lengths: Tensor) -> Tensor:
    """Turn the steps of each row around: targets (T, B, …), lengths (B) → the same, the last step of each row first.

    >>> backwards(torch.tensor([[1, 5], [2, 6], [3, -1]]), torch.tensor([3, 2])).tolist()
    [[3, 6], [2, 5], [1, -1]]
    """
    steps = torch.arange(len(targets)).unsqueeze(1)
    places = torch.where(steps < lengths, lengths - 1 - steps, steps).to(targets.device)
    return targets.gather(0, places.view(*places.shape, *[1] * (targets.dim() - 2)).expand_as(targets))

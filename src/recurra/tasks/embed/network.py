"""The embedder's network: a sequence to a vector, and what it learns by."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from recurra.kernels import linear
from recurra.nn import Stack
from recurra.tasks.embed.config import Model
from recurra.tasks.embed.targets import Targets
from recurra.tasks.sequence.encoder import PooledEncoder
from recurra.tasks.sequence.preprocessing import InputLayer

MAX_OUTPUTS = 1 << 24
"""Numbers that the output layer may give at a time: 64 MiB, of which training keeps a few copies."""


class EmbedderNetwork(PooledEncoder):
    """inputs of T steps, lengths (B) → vectors (B, D), less the buffer `centre` (D) and divided by the buffer `spread`.

    Once training is over both are set by the vectors of the training data, which then have the mean 0 and lengths around 1.
    """

    def __init__(self, input_layer: InputLayer, model: Model, targets: Targets, vector_size: int) -> None:
        if model.pooling is None:
            raise ValueError("pooling has to be chosen before the network is built")
        super().__init__(input_layer, model, model.pooling)
        self.targets, self.vector_size = targets, vector_size
        self.register_buffer("centre", torch.zeros(vector_size))
        self.register_buffer("spread", torch.ones(()))

    def head(self, pooled: Tensor) -> Tensor:
        """Give the vectors (B, D) of what all steps pool to, (B, D·H)."""
        return (self.project(pooled).float() - cast(Tensor, self.centre)) / cast(Tensor, self.spread)

    def project(self, pooled: Tensor) -> Tensor:
        """Give the vectors (B, D), as they are learnt, of what all steps pool to."""
        return pooled

    def errors(self, inputs: Any, lengths: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Give the summed error (B) of the outputs for each sequence's steps, and of how many elements (B) it is."""
        raise NotImplementedError

    def output_errors(self, read: Tensor, output: nn.Linear, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Give the errors, as `errors` does, of what the output layer makes of `read` (T, B, H).

        Where that is much, as it is of long texts of many words, it is made for some steps at a time, and again for the gradients.
        """

        def of_steps(read: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            return self.targets.errors(linear(read, output.weight, output.bias), targets)

        steps = max(1, MAX_OUTPUTS // max(1, read.shape[1] * self.targets.size))
        if len(read) <= steps:
            return of_steps(read, targets)
        parts = [
            checkpoint(of_steps, *some, use_reentrant=False, preserve_rng_state=False)
            for some in zip(read.split(steps), targets.split(steps), strict=True)
        ]
        errors, counts = zip(*parts, strict=True)
        return torch.stack(errors).sum(0), torch.stack(counts).sum(0)

    @torch.no_grad()
    def reset_scale(self) -> None:
        """Neither move nor scale the vectors, as in training."""
        cast(Tensor, self.centre).zero_()
        cast(Tensor, self.spread).fill_(1.0)

    @torch.no_grad()
    def set_scale(self, vectors: Tensor) -> None:
        """Set the centre and the spread by vectors (N, D) that have been neither moved nor scaled."""
        centre = vectors.mean(0)
        spread = (vectors - centre).square().sum(1).mean().sqrt()
        cast(Tensor, self.centre).copy_(centre)
        cast(Tensor, self.spread).copy_(spread if float(spread) > 1e-6 else torch.ones(()))


class Autoencoder(EmbedderNetwork):
    """Gives a sequence back from its vector, the last step first (Srivastava et al. 2015, arXiv:1502.04681v3).

    The decoder reads the vector at each step and, at a share 1 − `decoder_input_dropout` of them, the step that came before: were it to
    see all of them it could do without the vector (Bowman et al. 2016, arXiv:1511.06349v4).
    """

    def __init__(self, input_layer: InputLayer, model: Model, targets: Targets) -> None:
        size, dropped, hidden = model.vector_size, model.decoder_input_dropout, model.hidden
        if size is None or dropped is None or hidden is None:
            raise ValueError(
                "hidden, vector_size and decoder_input_dropout have to be chosen before the network is built"
            )
        super().__init__(input_layer, model, targets, size)
        self.decoder_input_dropout = dropped
        self.narrow = nn.Linear(self.body.size, size)  # saved weights have this name
        self.reader = targets.build_reader() if dropped < 1 else None
        read = size + (self.reader.size if self.reader is not None else 0)
        self.decoder = Stack(model.cell, read, [hidden], layer_norm=model.layer_norm)
        self.decoder.reset_parameters(model.init, model.init_gain, model.forget_bias)
        self.output_dropout = nn.Dropout(model.dropouts[2])
        self.output = nn.Linear(hidden, targets.size)

    def project(self, pooled: Tensor) -> Tensor:
        return linear(pooled, self.narrow.weight, self.narrow.bias)

    def errors(self, inputs: Any, lengths: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        vectors = self.project(self.pooling(self.body(inputs, lengths).outputs, lengths))
        wanted = reverse_steps(targets, lengths)
        x = vectors.expand(len(targets), -1, -1)
        if self.reader is not None:
            x = torch.cat([x, self._before(self.reader, wanted).to(x.dtype)], 2)
        y, _ = self.decoder(x, self.decoder.zero_state(x.shape[1]), lengths)
        return self.output_errors(self.output_dropout(y), self.output, wanted)

    def _before(self, reader: nn.Module, wanted: Tensor) -> Tensor:
        """Give what the decoder sees of the step before, (T, B, …); nothing at the first step."""
        before = wanted.roll(1, 0)
        seen = torch.ones(before.shape[:2], dtype=torch.bool)
        if self.training:
            # On the CPU, whose generator is the same with any device.
            seen = torch.rand(seen.shape) >= self.decoder_input_dropout
        seen[:1] = False
        return reader(before, seen.to(before.device))


class NextStep(EmbedderNetwork):
    """Predicts each step from those before it; what its states pool to is the vector."""

    def __init__(self, input_layer: InputLayer, model: Model, targets: Targets) -> None:
        if model.hidden is None:
            raise ValueError("hidden has to be chosen before the network is built")
        super().__init__(input_layer, model, targets, model.hidden)
        self.output_dropout = nn.Dropout(model.dropouts[2])
        self.output = nn.Linear(self.body.size, targets.size)

    def errors(self, inputs: Any, lengths: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        y = self.body(inputs, lengths).outputs
        before = torch.cat([torch.zeros_like(y[:1]), y[:-1]])
        return self.output_errors(self.output_dropout(before), self.output, targets)


NETWORKS: dict[str, type[Autoencoder | NextStep]] = {"autoencoder": Autoencoder, "next_step": NextStep}
"""The network for each objective."""


def reverse_steps(targets: Tensor, lengths: Tensor) -> Tensor:
    """Turn the steps of each row around: targets (T, B, …), lengths (B) → the same, the last step of each row first.

    >>> reverse_steps(torch.tensor([[1, 5], [2, 6], [3, -1]]), torch.tensor([3, 2])).tolist()
    [[3, 6], [2, 5], [1, -1]]
    """
    steps = torch.arange(len(targets)).unsqueeze(1)
    places = torch.where(steps < lengths, lengths - 1 - steps, steps).to(targets.device)
    return targets.gather(0, places.view(*places.shape, *[1] * (targets.dim() - 2)).expand_as(targets))

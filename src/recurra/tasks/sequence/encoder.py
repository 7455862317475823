"""The networks that read whole sequences, whatever is then predicted of them: an input layer and a stack of cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from recurra.nn import Dropout, Pooling, PoolingKind, State
from recurra.tasks.base.config import EncoderModel, SequenceModel
from recurra.tasks.base.network import build_stack
from recurra.tasks.sequence.preprocessing.base import InputLayer


class Encoding(NamedTuple):
    """What an encoder makes of sequences: the outputs of its last layer (T, B, size), and the state after each sequence's end."""

    outputs: Tensor
    state: State


class SequenceEncoder(nn.Module):
    """inputs of T steps, lengths (B) → outputs of the last layer (T, B, size), zeros past a row's length, and the final state."""

    def __init__(self, input_layer: InputLayer, model: EncoderModel) -> None:
        super().__init__()
        self.encoder = input_layer  # saved weights have this name
        self.input_dropout = Dropout(model.dropouts[0], variational=model.variational)
        self.stack = build_stack(model, input_layer.size, bidirectional=model.bidirectional)
        self.directions, self.size = 2 if model.bidirectional else 1, self.stack.output_size

    def embed(self, inputs: Any) -> Tensor:
        """Give what the first layer of cells reads, (T, B, E)."""
        return self.input_dropout(self.encoder(inputs))

    def forward(self, inputs: Any, lengths: Tensor) -> Encoding:
        return self.read_vectors(self.embed(inputs), lengths)

    def read_vectors(self, x: Tensor, lengths: Tensor) -> Encoding:
        """Read what `embed` gives, (T, B, E)."""
        return Encoding(*self.stack(x, self.stack.zero_state(x.shape[1]), lengths))

    def step(self, inputs: Any, state: State) -> Encoding:
        """Read the next steps of a sequence, whose state is kept between them: inputs of n steps, state → (n, 1, size), state."""
        return Encoding(*self.stack(self.embed(inputs), state))


class PooledEncoder(nn.Module):
    """An encoder, and a head over all its steps together: inputs of T steps, lengths (B) → `head` of the pooled steps."""

    def __init__(self, input_layer: InputLayer, model: SequenceModel, pooling: PoolingKind) -> None:
        super().__init__()
        self.body = SequenceEncoder(input_layer, model)  # saved weights have this name
        self.pooling = Pooling(pooling, self.body.size, directions=self.body.directions)

    def head(self, pooled: Tensor) -> Tensor:
        """Give the output (B, N) for what all steps pool to, (B, D·H)."""
        raise NotImplementedError

    def forward(self, inputs: Any, lengths: Tensor) -> Tensor:
        return self.read_vectors(self.body.embed(inputs), lengths)

    def read_vectors(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Give the output for what the first layer of cells reads, (T, B, E)."""
        return self.head(self.pooling(self.body.read_vectors(x, lengths).outputs, lengths))

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    def initial_state(self) -> State:
        """Give the state of one sequence before its first step; raises `UsageError` where both directions are read."""
        return (*self.body.stack.zero_state(1), self.pooling.initial_state(1, self.device))

    def step(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next steps of one sequence, in one direction: inputs of n > 0 steps, state → the output (1, N), state."""
        outputs, layers = self.body.step(inputs, state[:-1])
        pooled, carried = self.pooling.step(outputs[0], state[-1])
        for y in outputs[1:]:  # (1, H)
            pooled, carried = self.pooling.step(y, carried)
        return self.head(pooled), (*layers, carried)

    def step_many(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next n steps of one sequence, given as n sequences of one step: the output (n, N) after each, and the state."""
        x = self.body.embed(inputs).transpose(0, 1)  # (n, 1, E)
        outputs, layers = self.body.stack(x, state[:-1])
        carried, pooled = state[-1], []
        for y in outputs:
            one, carried = self.pooling.step(y, carried)
            pooled.append(one)
        return self.head(torch.cat(pooled)), (*layers, carried)

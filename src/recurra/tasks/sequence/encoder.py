"""What whole sequences are read by, whatever is then said of them: an encoder and a stack of cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from recurra.nn import Dropout, Pooling, PoolingKind, Stack, State
from recurra.tasks.base.config import RecurrentModel, SequenceModel
from recurra.tasks.sequence.preprocessing import Encoder


def make_stack(
    model: RecurrentModel, size: int, *, bidirectional: bool = False, dilations: Sequence[int] = ()
) -> Stack:
    """Build the stack of cells that the settings describe, over so many features; raises `ValueError` while `hidden` is open."""
    if model.hidden is None:
        raise ValueError("hidden has to be chosen before the network is built")
    stack = Stack(
        model.cell,
        size,
        [model.hidden] * model.layers,
        dropout=model.dropouts[1],
        variational=model.variational,
        weight_dropout=model.recurrent_dropout,
        residual=model.residual,
        layer_norm=model.layer_norm,
        bidirectional=bidirectional,
        dilations=dilations,
    )
    stack.reset_parameters(model.init, model.init_gain, model.forget_bias)
    return stack


class Body(nn.Module):
    """inputs of T steps, lengths (B) → outputs of the last layer (T, B, size), zeros past a row's length."""

    def __init__(self, encoder: Encoder, model: SequenceModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.input_dropout = Dropout(model.dropouts[0], variational=model.variational)
        self.stack = make_stack(model, encoder.size, bidirectional=model.bidirectional)
        self.directions, self.size = 2 if model.bidirectional else 1, self.stack.output_size

    def forward(self, inputs: Any, lengths: Tensor) -> Tensor:
        x = self.input_dropout(self.encoder(inputs))  # (T, B, E)
        y, _ = self.stack(x, self.stack.zero_state(x.shape[1]), lengths)
        return y

    def follow(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next steps of a sequence, whose state is kept between them: inputs of n steps, state → (n, 1, size), state."""
        return self.stack(self.input_dropout(self.encoder(inputs)), state)


class PooledBody(nn.Module):
    """A body, and what is said of all its steps together: inputs of T steps, lengths (B) → `decide` of the pooled steps."""

    def __init__(self, encoder: Encoder, model: SequenceModel, pooling: PoolingKind) -> None:
        super().__init__()
        self.body = Body(encoder, model)
        self.pooling = Pooling(pooling, self.body.size, directions=self.body.directions)

    def decide(self, pooled: Tensor) -> Tensor:
        """Give what is said (B, N) of what all steps pool to, (B, D·H)."""
        raise NotImplementedError

    def forward(self, inputs: Any, lengths: Tensor) -> Tensor:
        return self.decide(self.pooling(self.body(inputs, lengths), lengths))

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.parameters()).device

    def begin(self) -> State:
        """Give the state of one sequence before its first step; raises `UsageError` where both directions are read."""
        return (*self.body.stack.zero_state(1), self.pooling.begin(1, self.device))

    def follow(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next steps of one sequence, in one direction: inputs of n > 0 steps, state → what is said (1, N), state."""
        outputs, layers = self.body.follow(inputs, state[:-1])
        pooled, carried = self.pooling.step(outputs[0], state[-1])
        for y in outputs[1:]:  # (1, H)
            pooled, carried = self.pooling.step(y, carried)
        return self.decide(pooled), (*layers, carried)

    def follow_each(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next n steps of one sequence, given as n sequences of one step: what is said (n, N) after each, and the state."""
        x = self.body.input_dropout(self.body.encoder(inputs)).transpose(0, 1)  # (n, 1, E)
        outputs, layers = self.body.stack(x, state[:-1])
        carried, pooled = state[-1], []
        for y in outputs:
            one, carried = self.pooling.step(y, carried)
            pooled.append(one)
        return self.decide(torch.cat(pooled)), (*layers, carried)

"""What whole sequences are read by, whatever is then said of them: an encoder and a stack of cells."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from recurra.nn import Dropout, Stack, State
from recurra.tasks.inputs import Encoder
from recurra.tasks.sections import SequenceModel


class Body(nn.Module):
    """inputs of T steps, lengths (B) → outputs of the last layer (T, B, size), zeros past a row's length."""

    def __init__(self, encoder: Encoder, model: SequenceModel) -> None:
        super().__init__()
        if model.hidden is None:
            raise ValueError("hidden has to be chosen before the network is built")
        before, between, _ = model.dropouts
        self.encoder = encoder
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = Stack(
            model.cell,
            encoder.size,
            [model.hidden] * model.layers,
            dropout=between,
            variational=model.variational,
            weight_dropout=model.recurrent_dropout,
            residual=model.residual,
            layer_norm=model.layer_norm,
            bidirectional=model.bidirectional,
        )
        self.directions, self.size = 2 if model.bidirectional else 1, self.stack.output_size
        self.stack.reset_parameters(model.init, model.init_gain, model.forget_bias)

    def forward(self, inputs: Any, lengths: Tensor) -> Tensor:
        x = self.input_dropout(self.encoder(inputs))  # (T, B, E)
        y, _ = self.stack(x, self.stack.zero_state(x.shape[1]), lengths)
        return y

    def follow(self, inputs: Any, state: State) -> tuple[Tensor, State]:
        """Read the next steps of a sequence, whose state is kept between them: inputs of n steps, state → (n, 1, size), state."""
        return self.stack(self.input_dropout(self.encoder(inputs)), state)

"""The translator's network: an encoder, and a decoder of two stacks of cells with attention between them."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Attention, Dropout, Memory, Pooling, State
from recurra.nn.ragged import at_least_float32
from recurra.tasks.base.network import build_stack
from recurra.tasks.sequence.encoder import SequenceEncoder
from recurra.tasks.sequence.preprocessing import InputLayer
from recurra.tasks.sequence.preprocessing.tokens import TokenInputLayer
from recurra.tasks.translate.config import Model

PADDING = -1
"""What stands in targets behind the end of a row."""
ROWS_PER_CHUNK = 2_048
"""Rows of the output layer, one for each unit to predict, that are computed at a time."""
HIDDEN_UNIT = 0
"""The id that stands in the place of a unit that the decoder is not shown: the begin mark, which comes nowhere else."""


class Source(NamedTuple):
    """What the encoder makes of B sources: the memory (None without attention), one vector each (B, M)."""

    memory: Memory | None
    summary: Tensor


class ScaledInputLayer(TokenInputLayer):
    """ids (T, B) → vectors (T, B, E) of size about one, from a table whose vectors are as small as an output's weights have to be."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) * self.size**0.5


class TranslationNetwork(nn.Module):
    """sources (S, B), targets (T, B) → logits of the target's units.

    The lower stack of the decoder reads the target so far; its outputs ask the attention, in one product for all steps; the upper
    stack reads them and what the attention found. So no step waits in Python for the one before it, in training.
    """

    def __init__(self, source_size: int, target_size: int, model: Model, *, joint: bool) -> None:
        super().__init__()
        if model.hidden is None or model.embedding is None:
            raise ValueError("hidden and embedding have to be chosen before the network is built")
        self.size, self.unit_dropout = target_size, model.unit_dropout
        self.label_smoothing = model.label_smoothing or 0.0
        source_layer = ScaledInputLayer(source_size, model.embedding)
        self.body = SequenceEncoder(source_layer, model)
        self.encoder = None if joint else ScaledInputLayer(target_size, model.embedding)
        before, _, behind = model.dropouts
        self.input_dropout = Dropout(before, variational=model.variational)
        self.pooling = Pooling("last", self.body.size, directions=self.body.directions)
        lower = model.model_copy(update={"layers": 1})
        self.lower = build_stack(lower, model.embedding)
        # Dot products are of vectors of one size.
        self.memory = nn.Linear(self.body.size, model.hidden) if model.attention == "dot" else None
        size = self.body.size if self.memory is None else model.hidden
        self.attention = (
            None if model.attention == "none" else Attention(model.attention, model.hidden, size, model.heads)
        )
        self.upper = build_stack(model, model.hidden + size)
        self.bridge = nn.Linear(self.body.size, sum(tensor.shape[1] for layer in self._zero(1) for tensor in layer))
        self.readout = nn.Linear(model.hidden + size, model.embedding)
        self.output_dropout = Dropout(behind, variational=model.variational)
        self.output = None if model.tied else nn.Linear(model.embedding, target_size, bias=False)
        self.output_bias = nn.Parameter(torch.zeros(target_size))
        self._initialise(model.embedding)

    def _initialise(self, width: int) -> None:
        for layer in (self.body.encoder, self.encoder):
            if layer is not None:
                nn.init.normal_(layer.table.weight, std=width**-0.5)
        for layer in (self.bridge, self.readout):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    @property
    def input_layer(self) -> InputLayer:
        """The vectors of the target's units, which a joint vocabulary shares with the source's."""
        return self.body.encoder if self.encoder is None else self.encoder

    def _zero(self, batch: int) -> State:
        return (*self.lower.zero_state(batch), *self.upper.zero_state(batch))

    @torch.no_grad()
    def init_output_bias(self, frequencies: Tensor) -> None:
        """Begin with the probability of each unit, (V,), whatever came before it."""
        self.output_bias.copy_(frequencies.log())

    def encode(self, sources: Tensor, lengths: Tensor) -> Source:
        """Read sources (S, B) of lengths (B), int64 on the CPU."""
        outputs = self.body(sources, lengths).outputs
        summary = self.pooling(outputs, lengths)
        if self.attention is None:
            return Source(None, summary)
        if self.memory is not None:
            outputs = linear(outputs, self.memory.weight, self.memory.bias)
        return Source(self.attention.read(outputs, lengths), summary)

    def initial_state(self, source: Source) -> State:
        """Give the decoder's state before the first unit."""
        flat = torch.tanh(linear(source.summary, self.bridge.weight, self.bridge.bias))
        zero = self._zero(len(flat))
        parts = iter(flat.split([tensor.shape[1] for layer in zero for tensor in layer], 1))
        return tuple(tuple(next(parts).contiguous() for _ in layer) for layer in zero)

    def decode(self, ids: Tensor, source: Source, state: State) -> tuple[Tensor, Tensor | None, State]:
        """Read units of the targets, ids (T, B): gives what the output layer reads (T, B, E), the weights of the attention, the state."""
        layers = len(self.lower.layers)
        x, lower = self.lower(self.input_dropout(self.input_layer(ids)), state[:layers])
        if self.attention is None or source.memory is None:
            context, weights = source.summary.expand(len(ids), *source.summary.shape), None
        else:
            context, weights = self.attention(x, source.memory)
        x, upper = self.upper(torch.cat([x, context], 2), state[layers:])
        read = torch.tanh(linear(torch.cat([x, context], 2), self.readout.weight, self.readout.bias))
        return self.output_dropout(read), weights, (*lower, *upper)

    def logits(self, read: Tensor) -> Tensor:
        """Give the logits (…, V) for what the decoder has read (…, E)."""
        weight = self.input_layer.table.weight if self.output is None else self.output.weight
        return linear(read, weight, self.output_bias)

    def forward(self, sources: Tensor, lengths: Tensor, ids: Tensor) -> Tensor:
        source = self.encode(sources, lengths)
        return self.logits(self.decode(ids, source, self.initial_state(source))[0])

    def loss(self, sources: Tensor, lengths: Tensor, ids: Tensor, targets: Tensor) -> Tensor:
        """Give Σ −log p of the targets (T, B) but for `PADDING`, with the share of `label_smoothing` for all units alike.

        ids: (T, B), what the decoder reads before each target.
        """
        if self.training and self.unit_dropout:
            hidden = torch.rand(ids.shape, device=ids.device) < self.unit_dropout
            hidden[:1] = False
            ids = ids.masked_fill(hidden, HIDDEN_UNIT)
        source = self.encode(sources, lengths)
        read = self.decode(ids, source, self.initial_state(source))[0]
        there = targets != PADDING
        smoothing = self.label_smoothing if self.training else 0.0
        losses = [
            F.cross_entropy(at_least_float32(self.logits(rows)), wanted, reduction="sum", label_smoothing=smoothing)
            for rows, wanted in zip(
                read[there].split(ROWS_PER_CHUNK), targets[there].split(ROWS_PER_CHUNK), strict=True
            )
        ]
        return torch.stack(losses).sum()

    def log_probs(self, sources: Tensor, lengths: Tensor, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Give log p of the targets (T, B), 0 on padding, and whether each is the likeliest unit."""
        source = self.encode(sources, lengths)
        read = self.decode(ids, source, self.initial_state(source))[0]
        there = targets != PADDING
        values, right = torch.zeros(targets.shape, dtype=torch.float64), torch.zeros(targets.shape, dtype=torch.bool)
        found, hits = [], []
        for rows, wanted in zip(read[there].split(ROWS_PER_CHUNK), targets[there].split(ROWS_PER_CHUNK), strict=True):
            logits = self.logits(rows).double()
            found.append(logits.log_softmax(-1).gather(1, wanted.unsqueeze(1))[:, 0].cpu())
            hits.append((logits.argmax(-1) == wanted).cpu())
        values[there.cpu()], right[there.cpu()] = torch.cat(found), torch.cat(hits)
        return values, right

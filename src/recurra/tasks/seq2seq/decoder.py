"""The network that writes a sequence: two stacks of cells with attention between them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from recurra.kernels import linear
from recurra.nn import Attention, Dropout, LocationAttention, Memory, State
from recurra.nn.linear_cross_entropy import linear_cross_entropy
from recurra.tasks.base.network import build_stack
from recurra.tasks.seq2seq.config import DecoderModel
from recurra.tasks.sequence.preprocessing.tokens import TokenInputLayer

PADDING = -1
"""What stands in targets behind the end of a row."""
ROWS_PER_CHUNK = 2_048
"""Rows of the output layer, one for each unit to predict, that are computed at a time."""
FIRST_UNIT = 2
"""Ids below are marks: of the begin and of the end."""
HIDDEN_UNIT = 0
"""The id that stands in the place of a unit that the decoder is not shown: the begin mark, which comes nowhere else."""


class Source(NamedTuple):
    """What was read: the memory of P inputs (None without attention), one vector each (P, M), and which of the inputs each of B
    rows is written from, in rising order (None: each input has one row), with its place among those of its input."""

    memory: Memory | None
    summary: Tensor
    rows: Tensor | None = None
    places: Tensor | None = None

    def for_rows(self, rows: Tensor) -> Source:
        """Give what sequences are written from of which several may have one input, rows (B) int64, in rising order."""
        counts = torch.bincount(rows, minlength=len(self.summary))
        places = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
        return self._replace(rows=rows, places=places)


class Decoded(NamedTuple):
    """What the output layer reads (T, B, E), the weights of the attention (T, B, heads, S) or None, and the state after it all."""

    read: Tensor
    weights: Tensor | None
    state: State


class ScaledInputLayer(TokenInputLayer):
    """ids (T, B) → vectors (T, B, E) of size about one, from a table whose vectors are as small as an output's weights have to be."""

    def __init__(self, vocabulary_size: int, size: int) -> None:
        super().__init__(vocabulary_size, size)
        nn.init.normal_(self.table.weight, std=size**-0.5)

    def blank(self) -> Tensor:
        return super().blank() * self.size**0.5

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs) * self.size**0.5


class Decoder(nn.Module):
    """ids (T, B) → what comes next, given what was read.

    The lower stack reads the sequence so far; its outputs ask the attention, in one product for all steps; the upper stack reads
    them and what the attention found. So no step waits in Python for the one before it, in training; but for the attention's alone,
    where it goes by location too. With `input_feed` the lower stack reads what the upper one made of the step before, too (Luong et
    al. 2015, arXiv:1508.04025v5, section 3.3), and all of each waits.

    The state has an entry for each layer, lower and upper, then where location attention looked, then what is fed.

    size: of the vocabulary.  memory_size, summary_size: of what was read, for each of its steps and for all.
    shared: the layer of vectors of another part of the network, where both read units of one vocabulary.
    """

    def __init__(
        self,
        size: int,
        model: DecoderModel,
        *,
        memory_size: int,
        summary_size: int,
        shared: ScaledInputLayer | None = None,
    ) -> None:
        super().__init__()
        if model.hidden is None or model.embedding is None:
            raise ValueError("hidden and embedding have to be chosen before the network is built")
        self.size, self.unit_dropout, self.scheduled_sampling = size, model.unit_dropout, model.scheduled_sampling
        self.label_smoothing, self.attention_penalty = model.label_smoothing or 0.0, model.attention_penalty
        self.input_feed, width = model.input_feed, model.embedding
        self.units = None if shared is not None else ScaledInputLayer(size, width)
        self._shared = (shared,)  # in a tuple, so that its weights are those of the other part alone
        before, _, behind = model.dropouts
        self.input_dropout = Dropout(before, variational=model.variational)
        self.lower = build_stack(model.model_copy(update={"layers": 1}), width * (2 if model.input_feed else 1))
        # Dot products are of vectors of one size.
        self.memory = nn.Linear(memory_size, model.hidden) if model.attention == "dot" else None
        read = memory_size if self.memory is None else model.hidden
        self.attention = _build_attention(model, model.hidden, read)
        context = summary_size if self.attention is None else read
        self.upper = build_stack(model, model.hidden + context)
        self.bridge = nn.Linear(summary_size, sum(tensor.shape[1] for layer in self._zero(1) for tensor in layer))
        self.readout = nn.Linear(model.hidden + context, width)
        self.output_dropout = Dropout(behind, variational=model.variational)
        self.output = None if model.tied else nn.Linear(width, size, bias=False)
        self.output_bias = nn.Parameter(torch.zeros(size))
        for layer in (self.bridge, self.readout):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    @property
    def input_layer(self) -> ScaledInputLayer:
        """The vectors of the units, which may be those of what is read too."""
        layer = self.units or self._shared[0]
        assert layer is not None
        return layer

    def _zero(self, batch: int) -> State:
        return (*self.lower.zero_state(batch), *self.upper.zero_state(batch))

    @torch.no_grad()
    def init_output_bias(self, frequencies: Tensor) -> None:
        """Begin with the probability of each unit, (V,), whatever came before it."""
        self.output_bias.copy_(frequencies.log())

    def remember(self, values: Tensor, lengths: Tensor, summary: Tensor) -> Source:
        """Prepare what was read: values (S, P, M) of lengths (P), int64 on the CPU, and one vector each, summary (P, M)."""
        if self.attention is None:
            return Source(None, summary)
        if self.memory is not None:
            values = linear(values, self.memory.weight, self.memory.bias)
        return Source(self.attention.read(values, lengths), summary)

    def initial_state(self, source: Source) -> State:
        """Give the state before the first unit of each input."""
        flat = torch.tanh(linear(source.summary, self.bridge.weight, self.bridge.bias))
        zero = self._zero(len(flat))
        parts = iter(flat.split([tensor.shape[1] for layer in zero for tensor in layer], 1))
        state = tuple(tuple(next(parts).contiguous() for _ in layer) for layer in zero)
        if isinstance(self.attention, LocationAttention) and source.memory is not None:
            state = (*state, (self.attention.initial_state(source.memory),))
        return (*state, (flat.new_zeros(len(flat), self.readout.out_features),)) if self.input_feed else state

    def decode(self, ids: Tensor, source: Source, state: State) -> Decoded:
        """Read units of the sequences so far, ids (T, B)."""
        x = self.input_dropout(self.input_layer(ids))
        if not self.input_feed:
            read, weights, state = self._read(x, source, state)
            return Decoded(self.output_dropout(read), weights, state)
        reads, shares = [], []
        for one in x.split(1):
            read, weights, state = self._read(torch.cat([one, state[-1][0].unsqueeze(0)], 2), source, state[:-1])
            state = (*state, (read[0],))
            reads.append(read)
            shares.append(weights)
        weights = None if self.attention is None else torch.cat([one for one in shares if one is not None])
        return Decoded(self.output_dropout(torch.cat(reads)), weights, state)

    def _read(self, x: Tensor, source: Source, state: State) -> Decoded:
        below = len(self.lower.layers)
        layers = below + len(self.upper.layers)
        x, lower = self.lower(x, state[:below])
        context, weights, looked = self._attend(x, source, state[layers:])
        asked = torch.cat([x, context], 2)
        x, upper = self.upper(asked, state[below:layers])
        read = torch.tanh(linear(torch.cat([x, context], 2), self.readout.weight, self.readout.bias))
        return Decoded(read, weights, (*lower, *upper, *looked))

    def _attend(self, x: Tensor, source: Source, looked: State) -> tuple[Tensor, Tensor | None, State]:
        """Give the contexts, the weights, and the state of the attention, `looked`, after them."""
        rows, memory = source.rows, source.memory
        if self.attention is None or memory is None:
            summary = source.summary if rows is None else source.summary.index_select(0, rows)
            return summary.expand(len(x), *summary.shape), None, looked
        if rows is None:
            if isinstance(self.attention, LocationAttention):
                contexts, weights, where = self.attention(x, memory, looked[0][0])
                return contexts, weights, ((where,),)
            return *self.attention(x, memory), looked
        assert source.places is not None
        # What is written from one input asks its memory side by side, as the steps of one sequence do: no memory is copied.
        places = source.places
        size = int(places.max()) + 1, len(source.summary)

        def side_by_side(values: Tensor) -> Tensor:
            spread = values.new_zeros(*size, *values.shape[1:])
            spread[places, rows] = values
            return spread

        queries = side_by_side(x[0])
        if isinstance(self.attention, LocationAttention):
            contexts, weights, where = self.attention.step(queries, memory, side_by_side(looked[0][0]))
            looked = ((where[places, rows],),)
        else:
            contexts, weights = self.attention(queries, memory)
        return contexts[places, rows].unsqueeze(0), weights[places, rows].unsqueeze(0), looked

    def logits(self, read: Tensor) -> Tensor:
        """Give the logits (…, V) for what the decoder has read (…, E)."""
        return linear(read, self._output_weight, self.output_bias)

    @property
    def _output_weight(self) -> Tensor:
        return self.input_layer.table.weight if self.output is None else self.output.weight

    def loss(self, source: Source, ids: Tensor, targets: Tensor) -> Tensor:
        """Give Σ −log p of the targets (T, B) but for `PADDING`, with the share of `label_smoothing` for all units alike.

        ids: (T, B), what the decoder reads before each target.
        """
        if self.training:
            ids = self._as_in_training(source, ids)
        decoded = self.decode(ids, source, self.initial_state(source))
        there = targets != PADDING
        smoothing = self.label_smoothing if self.training else 0.0
        loss = linear_cross_entropy(
            decoded.read[there], self._output_weight, self.output_bias, targets[there], smoothing
        )
        if self.training and self.attention_penalty and decoded.weights is not None and source.memory is not None:
            loss = loss + self.attention_penalty * _uneven(decoded.weights, there, source.memory.padding)
        return loss

    def _as_in_training(self, source: Source, ids: Tensor) -> Tensor:
        """Hide some units, and put in the place of others what would have been written after those before them.

        All of these are found at once, from the true units (Mihaylova & Martins 2019, arXiv:1906.07651v2).
        """
        if self.scheduled_sampling:
            with torch.no_grad():
                found = self.decode(ids, source, self.initial_state(source)).read
                written = torch.cat([self.logits(rows).argmax(-1) for rows in found.split(1)]).roll(1, 0)
            own = torch.rand(ids.shape, device=ids.device) < self.scheduled_sampling
            own[:1] = False
            # Nothing is read after an end: there the true unit stays.
            ids = torch.where(own & (written >= FIRST_UNIT), written, ids)
        if self.unit_dropout:
            hidden = torch.rand(ids.shape, device=ids.device) < self.unit_dropout
            hidden[:1] = False
            ids = ids.masked_fill(hidden, HIDDEN_UNIT)
        return ids

    def log_probs(self, source: Source, ids: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Give log p of the targets (T, B), 0 on padding, and whether each is the likeliest unit."""
        read = self.decode(ids, source, self.initial_state(source)).read
        there = targets != PADDING
        values, right = torch.zeros(targets.shape, dtype=torch.float64), torch.zeros(targets.shape, dtype=torch.bool)
        found, hits = [], []
        for rows, wanted in zip(read[there].split(ROWS_PER_CHUNK), targets[there].split(ROWS_PER_CHUNK), strict=True):
            logits = self.logits(rows).double()
            found.append(logits.log_softmax(-1).gather(1, wanted.unsqueeze(1))[:, 0].cpu())
            hits.append((logits.argmax(-1) == wanted).cpu())
        values[there.cpu()], right[there.cpu()] = torch.cat(found), torch.cat(hits)
        return values, right


def _build_attention(model: DecoderModel, query_size: int, memory_size: int) -> Attention | LocationAttention | None:
    if model.attention == "none":
        return None
    if model.attention == "location":
        return LocationAttention(query_size, memory_size, model.heads, width=model.location_width)
    return Attention(model.attention, query_size, memory_size, model.heads)


def _uneven(weights: Tensor, there: Tensor, padding: Tensor) -> Tensor:
    """Give Σ (1 − Σ_t a_ts)² over all that was read (Xu et al. 2015, arXiv:1502.03044v3, equation 14), the mean over the heads.

    weights: (T, B, heads, S).  there: (T, B), the steps that count.  padding: (S, B).
    """
    looked = weights.masked_fill(~there[..., None, None], 0).mean(2).sum(0)  # (B, S)
    return (1 - looked).square().masked_fill(padding.T, 0).sum()

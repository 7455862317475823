"""The language model's network: embedding, a stack of cells, softmax over the vocabulary."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from recurra.kernels import PackedModel, WeightType, linear
from recurra.nn import Dropout, Stack, State
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.defaults import MAX_LOGITS_TRAINING


class LanguageNetwork(nn.Module):
    """ids (T, B), state → logits (T, B, V), state.

    A one-hot input is the embedding's special case: its row is what the input matrix would be multiplied by.
    classes: of contexts, for each of which `ngram_shares` holds a weight beside n-grams (`recurra.tasks.lm.mixture`); 0: there are none.
    """

    def __init__(self, size: int, model: Model, classes: int = 0) -> None:
        super().__init__()
        if model.hidden is None:
            raise ValueError("hidden has to be chosen before the network is built")
        embedding = model.embedding or model.hidden
        hidden = [model.hidden] * model.layers
        if model.tied:
            hidden[-1] = embedding
        before, between, behind = model.dropouts
        self.size = size
        self.embedding = nn.Embedding(size, embedding)
        self.input_dropout = Dropout(before, variational=model.variational)
        self.stack = Stack(
            model.cell,
            embedding,
            hidden,
            dropout=between,
            variational=model.variational,
            weight_dropout=model.recurrent_dropout,
            residual=model.residual,
            layer_norm=model.layer_norm,
        )
        self.output_dropout = Dropout(behind, variational=model.variational)
        # A tied output has no weight of its own, only a bias.
        self.output = None if model.tied else nn.Linear(hidden[-1], size)
        self.output_bias = nn.Parameter(self.embedding.weight.new_zeros(size)) if model.tied else None
        if classes:
            self.register_buffer("shares", torch.ones(classes, dtype=torch.float64))
        self._initialise(model)

    @property
    def ngram_shares(self) -> Tensor | None:
        """The weight of the network in each class of contexts, (C,) float64, where it may be mixed with n-grams; 1: it is not."""
        return getattr(self, "shares", None)

    def _initialise(self, model: Model) -> None:
        self.stack.reset_parameters(model.init, model.init_gain, model.forget_bias)
        uniform, width = model.init == "uniform", self.embedding.embedding_dim
        if uniform:
            nn.init.uniform_(self.embedding.weight, -model.init_gain, model.init_gain)
        else:  # a tied embedding is the output too, whose logits have to begin small
            nn.init.normal_(self.embedding.weight, std=1.0 if self.output else width**-0.5)
        if self.output is not None:
            if uniform:
                nn.init.uniform_(self.output.weight, -model.init_gain, model.init_gain)
            else:
                nn.init.normal_(self.output.weight, std=0.5 * self.output.in_features**-0.5)
            nn.init.zeros_(self.output.bias)

    @torch.no_grad()
    def init_output_bias(self, frequencies: Tensor) -> None:
        """Begin with the probability of each unit, (V,), whatever came before it."""
        bias = self.output_bias if self.output is None else self.output.bias
        if bias is not None:
            bias.copy_(frequencies.log())

    def zero_state(self, batch: int) -> State:
        """Give the state in which a text begins."""
        return self.stack.zero_state(batch)

    def forward(self, ids: Tensor, state: State) -> tuple[Tensor, State]:
        x, state = self._features(ids, state)
        return self._logits(x), state

    def loss(self, ids: Tensor, targets: Tensor, state: State, *, ignore: int) -> tuple[Tensor, State]:
        """Give Σ −log p of the targets (T, B), but for those that are to be ignored, and the state.

        Where the logits (T, B, V) would take too much memory, they are made for some steps at a time.
        """
        x, state = self._features(ids, state)

        def summed_loss(x: Tensor, targets: Tensor) -> Tensor:
            logits = self._logits(x).flatten(0, 1).float()
            return F.cross_entropy(logits, targets.flatten(), ignore_index=ignore, reduction="sum")

        steps = max(1, MAX_LOGITS_TRAINING // (ids.shape[1] * self.size))
        if steps >= len(ids):
            return summed_loss(x, targets), state
        pieces = zip(x.split(steps), targets.split(steps), strict=True)
        # Nothing is drawn at random behind the features, so no generator has to be put back.
        losses = [checkpoint(summed_loss, *piece, use_reentrant=False, preserve_rng_state=False) for piece in pieces]
        return torch.stack(losses).sum(), state

    def read(self, ids: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Give the outputs of the last layer (T, B, H), the logits (T, B, V) and the state."""
        x, state = self._features(ids, state)
        return x, self._logits(x), state

    def next_logits(self, x: Tensor, count: int) -> Tensor:
        """Give the logits (count, B, V) of what comes after each of the last steps of texts, whose units' vectors are x (T, B, E)."""
        features, _ = self._read_vectors(x, self.zero_state(x.shape[1]))
        return self._logits(features[len(x) - count :])

    def _features(self, ids: Tensor, state: State) -> tuple[Tensor, State]:
        return self._read_vectors(self.embedding(ids), state)

    def _read_vectors(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        x, state = self.stack(self.input_dropout(x), state)
        return self.output_dropout(x), state

    def _logits(self, x: Tensor) -> Tensor:
        if self.output is None:
            return linear(x, self.embedding.weight, self.output_bias)
        return linear(x, self.output.weight, self.output.bias)

    def packed(self, weights: WeightType = "float32", threads: int = 1) -> PackedModel:
        """Pack the network for one step of one text at a time, as it is now and without dropout."""
        weight, bias = (
            (self.embedding.weight, self.output_bias) if self.output is None else (self.output.weight, self.output.bias)
        )
        return PackedModel(
            self.stack.packed_layers(), weights, threads, embedding=self.embedding.weight, output=(weight, bias)
        )

    def step(self, ids: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one unit of each sequence: ids (B,) → logits (B, V), state."""
        logits, state = self(ids.unsqueeze(0), state)
        return logits[0], state

"""The tagger's network: an input layer, a stack of cells, a score for each tag at each step, and which tags fit together."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.errors import UsageError
from recurra.kernels import linear
from recurra.nn import CRF, Dropout, State, transitions, widen
from recurra.tasks.sequence.encoder import SequenceEncoder
from recurra.tasks.sequence.preprocessing import InputLayer
from recurra.tasks.tag.config import Model
from recurra.tasks.tag.data import UNKNOWN


class TaggerNetwork(nn.Module):
    """inputs of T steps, lengths (B) → scores of the tags (T, B, K).

    With a CRF the tags of a sequence are chosen together, and those that may not follow each other never do. `temperature`
    divides the scores when probabilities are asked for.
    """

    def __init__(self, input_layer: InputLayer, tags: list[str], model: Model) -> None:
        super().__init__()
        self.body = SequenceEncoder(input_layer, model)  # saved weights have this name
        self.output_dropout = Dropout(model.dropouts[2], variational=model.variational)
        self.output = nn.Linear(self.body.size, len(tags))
        self.crf = CRF(len(tags), transitions(tags)) if model.head == "crf" else None
        self.register_buffer("temperature", torch.ones(()))
        nn.init.normal_(
            self.output.weight, std=0.5 * self.output.in_features**-0.5
        )  # small beside the tags' frequencies

    def allow_transitions(self, targets: list[list[int]]) -> None:
        """Allow what the training data holds, though its scheme may forbid it: it must have a probability."""
        if self.crf is not None:
            self.crf.allowed.copy_(widen(self.crf.allowed, targets))

    @torch.no_grad()
    def init_output_bias(self, frequencies: Tensor) -> None:
        """Begin with the share of each tag, (K,), whatever is read."""
        self.output.bias.copy_(frequencies.log())

    def forward(self, inputs: Any, lengths: Tensor) -> Tensor:
        return self.read_vectors(self.body.embed(inputs), lengths)

    def read_vectors(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Give the scores (T, B, K) for what the first layer of cells reads, (T, B, E)."""
        return self._scores(self.body.read_vectors(x, lengths).outputs)

    def _scores(self, outputs: Tensor) -> Tensor:
        return linear(self.output_dropout(outputs), self.output.weight, self.output.bias).float()

    def initial_state(self) -> State:
        """Give the state of one sequence before its first step; raises `UsageError` where both directions are read."""
        layers = self.body.stack.zero_state(1)
        if self.body.directions == 2:
            raise UsageError("a stream goes in one direction, and this network reads in both")
        return layers if self.crf is None else (*layers, self.crf.initial_state(1))

    def step(self, inputs: Any, state: State) -> tuple[int, Tensor, State]:
        """Read the next steps of one sequence, in one direction.

        inputs of n > 0 steps, state → the tag of the last as far as can be known by now, the probability of each tag (K), state.
        """
        outputs, layers = self.body.step(inputs, state[: len(state) - (self.crf is not None)])
        scores = self._scores(outputs)[-1]
        t = float(cast(Tensor, self.temperature))
        if self.crf is None:
            return int(scores[0].argmax()), (scores / t).softmax(-1)[0], layers
        tag, probabilities, carried = self.crf.step(scores, state[-1], t)
        return int(tag), probabilities[0], (*layers, carried)

    def loss(self, inputs: Any, lengths: Tensor, targets: Tensor) -> Tensor:
        """Give Σ −log p of the targets (T, B); those that are `UNKNOWN` are padding."""
        scores = self(inputs, lengths)
        if self.crf is not None:
            return self.crf.loss(scores, targets.clamp(min=0), lengths)
        return F.cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=UNKNOWN, reduction="sum")

    def decode(self, scores: Tensor, lengths: Tensor) -> list[list[int]]:
        """Give the likeliest tags of each row."""
        if self.crf is not None:
            return self.crf.decode(scores, lengths)
        best = scores.argmax(-1)
        return [best[: int(length), row].tolist() for row, length in enumerate(lengths)]

    def probabilities(self, scores: Tensor, lengths: Tensor, temperature: float | None = None) -> Tensor:
        """Give the probability of each tag at each step, (T, B, K), whatever the other tags are."""
        t = float(cast(Tensor, self.temperature)) if temperature is None else temperature
        if self.crf is not None:
            return self.crf.marginals(scores, lengths, t)
        return (scores / t).softmax(-1)

"""A classifier as a stream of words, characters or values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import torch
from torch import Tensor

from recurra.arguments import Positive, checked
from recurra.nn import State, map_state
from recurra.stream import check_state
from recurra.tasks.classify.network import ClassifierNetwork
from recurra.tasks.classify.preprocessing import ClassifierPreprocessor, linear_input, linear_pieces
from recurra.tasks.classify.results import class_probabilities, to_result
from recurra.tasks.sequence.stream import PooledStream


class ClassStream(PooledStream):
    """Reads a text or series as it comes and always knows which class it is by now.

    stream = run.stream()            # of a run trained with --no-bidirectional
    stream.read("that was")          # {"label": "negative", "probabilities": {"negative": 0.55, "positive": 0.45}}
    stream.step("phenomenal")        # {"label": "positive", …}
    stream.step([0.5, 1.2])          # of a run on series with two channels
    rival = stream.fork()            # the same past, another future

    A text that is read in pieces is cut into words or characters piece by piece. The state of a linear classifier comes last in `state`, and
    its logits last in that.
    """

    def __init__(self, preprocessor: ClassifierPreprocessor, network: ClassifierNetwork) -> None:
        self._classes, self._multi_label = preprocessor.labels, network.multi_label
        self._linear, self._shares = preprocessor.linear, network.linear_shares or (1.0, 0.0)
        super().__init__(preprocessor.inputs, network)
        self._linear_state: tuple[Tensor, ...] = ()
        if self._linear is not None:
            self._linear_state = (*self._linear.initial_state(), torch.from_numpy(self._linear.prior()))

    @property
    def state(self) -> State:
        """What is carried from step to step, as copies: it can be kept, and set again."""
        state = super().state
        return state if self._linear is None else (*state, map_state(torch.clone, (self._linear_state,))[0])

    @state.setter
    def state(self, state: State) -> None:
        check_state(self.state, state)
        self._set_state(state)

    def _set_state(self, state: State) -> None:
        if self._linear is None:
            super()._set_state(state)
            return
        super()._set_state(tuple(state)[:-1])
        self._linear_state = map_state(torch.clone, (tuple(state[-1]),))[0]

    @checked
    def fork(self) -> Self:
        """Give a second stream that has the same past and goes its own way from here."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._state = map_state(torch.clone, self._state)
        twin._linear_state = map_state(torch.clone, (self._linear_state,))[0]
        return twin

    @property
    def output(self) -> Tensor:
        """The logits for what was read, (C,) float64."""
        return self._sum(super().output)

    def _sum(self, logits: Tensor) -> Tensor:
        """Add the linear classifier's logits to the network's, (…, C)."""
        own = logits.double().cpu()
        if self._linear is None:
            return own
        network, linear = self._shares
        return network * own + linear * self._linear_state[-1].double()

    def _read_linear(self, piece: Any) -> None:
        if self._linear is not None:
            logits, state = self._linear.step(piece, self._linear_state[:-1])
            self._linear_state = (*state, torch.from_numpy(logits))

    @checked
    def feed_all(self, sequence: Any) -> Iterator[Tensor]:
        inputs = self._preprocessor
        sequence = inputs.validate(sequence)
        pieces = linear_pieces(inputs, sequence)
        if inputs.reads_words:
            self._read_linear(" ")  # words of two readings are two words
        for output, piece in zip(super().feed_all(sequence), pieces, strict=True):
            self._read_linear(piece)
            yield self._sum(output)

    @checked
    def read(self, sequence: Any, k: Positive | None = None) -> dict[str, Any]:
        """Read a sequence on from here; gives {"label" (or "labels"), "probabilities"}, with k only of the k likeliest."""
        for _ in self.feed_all(sequence):
            pass
        return self.prediction(k)

    @checked
    def step(self, value: Any, k: Positive | None = None) -> dict[str, Any]:
        """Read one word, character or step; gives what `read` does."""
        element = self.parse_element(value)
        self.feed(element)
        if not self._preprocessor.discrete:
            value = self._preprocessor.validate([value])[0]
        self._read_linear(linear_input(f" {value}" if self._preprocessor.reads_words else value))
        return self.prediction(k)

    @checked
    def prediction(self, k: Positive | None = None) -> dict[str, Any]:
        """Give the prediction for what was read, as `read` does."""
        (probabilities,) = class_probabilities(self.output[None].numpy(), multi_label=self._multi_label)
        return to_result(probabilities, self._classes, k, multi_label=self._multi_label)

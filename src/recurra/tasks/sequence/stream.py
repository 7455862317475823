"""A network over whole sequences as a stream: its output after each element, without reading the others again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from recurra.arguments import checked
from recurra.errors import DataError
from recurra.formatting import abbreviate
from recurra.kernels import exact
from recurra.nn import State
from recurra.stream import Stream
from recurra.tasks.base.inference import to_device
from recurra.tasks.sequence.encoder import PooledEncoder
from recurra.tasks.sequence.preprocessing.base import Preprocessor

StepFunction = Callable[[Any, State], tuple[Tensor, State]]
"""The next steps of a sequence, as `Preprocessor.collate` gives them, and a state → the output now, (1, N), and the state after."""

ELEMENTS_PER_CALL = 256
"""Elements that are read at a time where they are there: much faster, and the same bits in exact mode."""


class SequenceStream(Stream):
    """Reads a text or series as it comes, in memory that does not grow, and always has the output for what was read.

    Its state is the network's; then what the preprocessor carries (the values of the step before, a frame that is not whole); then
    the output now, (1, N). A frame that is not whole is read as if the last value went on, and again when it is.
    """

    def __init__(
        self, preprocessor: Preprocessor, network: nn.Module, step: StepFunction, initial: State, empty_output: Tensor
    ) -> None:
        network.eval()
        device = next(network.parameters()).device

        def feed(element: Any, state: State) -> tuple[Tensor, State]:
            steps, stays, carried = preprocessor.step(element, state[-2])
            output, before = state[-1][0], state[:-2]
            if len(steps):
                with exact(required=False):
                    output, after = step(to_device(preprocessor.collate([steps]), device), before)
                before = after if stays else before
            return output, (*before, carried, (output,))

        self._preprocessor = preprocessor
        super().__init__(feed, (*initial, preprocessor.initial_state(), (empty_output,)))

    def _check_element(self, element: Any) -> None:
        if not self._preprocessor.is_element(element):
            raise DataError(
                f"expected an element as parse_element gives it, got {abbreviate(element, 40)}; read and step take texts and numbers"
            )

    @property
    def output(self) -> Tensor:
        """The network's output for what was read, (N)."""
        return self._state[-1][0][0]

    @checked
    def feed_all(self, sequence: Any) -> Iterator[Tensor]:
        """Read a sequence on from here; gives the output after each of its elements, (1, N)."""
        for element in self._preprocessor.elements(self._preprocessor.validate(sequence)):
            yield self._advance(element)

    @checked
    def parse_element(self, value: Any) -> Any:
        """Give a word, a character or the values of a step as `feed` takes it; raises `DataError` for what is not one."""
        preprocessor = self._preprocessor
        if not preprocessor.discrete:
            return preprocessor.validate([value])[0]
        elements = preprocessor.elements(preprocessor.validate([value] if preprocessor.reads_words else value))
        if len(elements) != 1:
            raise DataError(f"expected one element of a text, got {len(elements)} in {abbreviate(value, 40)}")
        return elements[0]

    def read(self, sequence: Any) -> Any:
        """Read a sequence on from here; gives the prediction then."""
        raise NotImplementedError

    def step(self, value: Any) -> Any:
        """Read one word, character or step; gives the prediction then."""
        raise NotImplementedError


class PooledStream(SequenceStream):
    """The stream of a network with one output for all steps together, which it has after each."""

    def __init__(self, preprocessor: Preprocessor, network: PooledEncoder) -> None:
        self._network = network
        network.eval()
        with torch.inference_mode(), exact(required=False):
            empty_output = network.head(torch.zeros(1, network.body.size, device=network.device))
        super().__init__(preprocessor, network, network.step, network.initial_state(), empty_output)

    @checked
    def feed_all(self, sequence: Any) -> Iterator[Tensor]:
        preprocessor = self._preprocessor
        elements = iter(preprocessor.elements(preprocessor.validate(sequence)))
        while window := list(islice(elements, ELEMENTS_PER_CALL)):
            *state, carried, _ = self._state
            encoded = []
            for element in window:
                steps, stays, carried = preprocessor.step(element, carried)
                encoded.append(steps if stays and len(steps) == 1 else None)
            if any(steps is None for steps in encoded):  # a character of several bytes, or frames: step by step
                yield from map(self.feed, window)
                continue
            inputs = to_device(preprocessor.collate(encoded), self._network.device)
            with torch.inference_mode(), exact(required=False):
                outputs, after = self._network.step_many(inputs, tuple(state))
                self._state = (*after, carried, (outputs[-1:],))
            yield from outputs.split(1)

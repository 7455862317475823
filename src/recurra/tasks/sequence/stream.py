"""A network of whole sequences as a stream: what it says after each element, without reading the others again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from recurra.errors import DataError
from recurra.kernels import exact
from recurra.nn import State
from recurra.stream import Stream
from recurra.tasks.base.inference import to_device
from recurra.tasks.sequence.encoder import PooledBody
from recurra.tasks.sequence.preprocessing import Input

Follow = Callable[[Any, State], tuple[Tensor, State]]
"""The next steps of a sequence, as `Input.collate` gives them, and a state → what is said now, (1, N), and the state after."""

WINDOW = 256
"""Elements that are read at a time where they are there: much faster, and the same bits in exact mode."""


class SequenceStream(Stream):
    """Reads a text or series as it comes, in memory that does not grow, and always knows what is to be said of it.

    Its state is the network's; then what the input carries (the values of the step before, a frame that is not whole); then
    what is said now, (1, N). A frame that is not whole is read as if the last value went on, and anew when it is.
    """

    def __init__(self, made: Input, network: nn.Module, follow: Follow, begun: State, unread: Tensor) -> None:
        network.eval()
        device = next(network.parameters()).device

        def step(element: Any, state: State) -> tuple[Tensor, State]:
            steps, stays, carried = made.follow(element, state[-2])
            said, before = state[-1][0], state[:-2]
            if len(steps):
                with exact(required=False):
                    said, after = follow(to_device(made.collate([steps]), device), before)
                before = after if stays else before
            return said, (*before, carried, (said,))

        self._input = made
        super().__init__(step, (*begun, made.begin(), (unread,)))

    @property
    def said(self) -> Tensor:
        """What is said now, (N)."""
        return self._state[-1][0][0]

    def outputs(self, sequence: Any) -> Iterator[Tensor]:
        """Read a sequence on from here; gives what is said after each of its elements, (1, N)."""
        for element in self._input.elements(self._input.read(sequence)):
            yield self.feed(element)

    def element(self, value: Any) -> Any:
        """Give a word, a character or the values of a step as `feed` takes it; raises `DataError` for what is not one."""
        made = self._input
        if made.kind == "series":
            return made.read([value])[0]
        elements = made.elements(made.read([value] if made.reads_words else value))
        if len(elements) != 1:
            raise DataError(f"expected one element of a text, got {len(elements)} in {value!r:.40}")
        return elements[0]

    def read(self, sequence: Any) -> Any:
        """Read a sequence on from here; gives what is to be said then."""
        raise NotImplementedError

    def step(self, value: Any) -> Any:
        """Read one word, character or step; gives what is to be said then."""
        raise NotImplementedError


class PooledStream(SequenceStream):
    """The stream of a network that says something of all steps together, which it knows after each."""

    def __init__(self, made: Input, network: PooledBody) -> None:
        self._network = network
        network.eval()
        with torch.inference_mode(), exact(required=False):
            unread = network.decide(torch.zeros(1, network.body.size, device=network.device))
        super().__init__(made, network, network.follow, network.begin(), unread)

    def outputs(self, sequence: Any) -> Iterator[Tensor]:
        elements = iter(self._input.elements(self._input.read(sequence)))
        while window := list(islice(elements, WINDOW)):
            *network, carried, _ = self._state
            followed = []
            for element in window:
                steps, stays, carried = self._input.follow(element, carried)
                followed.append(steps if stays and len(steps) == 1 else None)
            if any(steps is None for steps in followed):  # a character of several bytes, or frames: step by step
                yield from map(self.feed, window)
                continue
            inputs = to_device(self._input.collate(followed), self._network.device)
            with torch.inference_mode(), exact(required=False):
                said, after = self._network.follow_each(inputs, tuple(network))
                self._state = (*after, carried, (said[-1:],))
            yield from said.split(1)

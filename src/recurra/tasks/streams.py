"""A network of whole sequences as a stream: what it says after each element, without reading the others again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

from recurra.errors import DataError
from recurra.kernels import exact
from recurra.nn import State
from recurra.stream import Stream
from recurra.tasks.inputs import Input
from recurra.tasks.reading import to_device

Follow = Callable[[Any, State], tuple[Tensor, State]]
"""The next steps of a sequence, as `Input.collate` gives them, and a state → what is said now, (1, N), and the state after."""


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

"""A stream: a model and a state, fed one step at a time, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor

from recurra.errors import UsageError
from recurra.nn import State, map_state


class Stream:
    """Feeds a model one element at a time; what it remembers is `state`, which can be read, set and forked.

    step: (elements (B,) or (B, I), state) → (outputs, state).  B = 1.

    >>> stream = Stream(lambda x, state: (x + state[0][0], ((x + state[0][0],),)), ((torch.zeros(1),),))
    >>> stream.feed(torch.tensor([1.0])), stream.feed(torch.tensor([2.0]))
    (tensor([1.]), tensor([3.]))
    >>> other = stream.fork()
    >>> other.feed(torch.tensor([1.0])), stream.feed(torch.tensor([5.0]))
    (tensor([4.]), tensor([8.]))
    """

    def __init__(self, step: Callable[[Tensor, State], tuple[Tensor, State]], state: State) -> None:
        self._step = step
        self._state = map_state(_copy, state)

    @property
    def state(self) -> State:
        """What is carried from step to step: layer → the cell's states, each (1, H). Copies, so that it can be kept."""
        return map_state(_copy, self._state)

    @state.setter
    def state(self, state: State) -> None:
        shapes = [[tuple(tensor.shape) for tensor in layer] for layer in self._state]
        given = [[tuple(tensor.shape) for tensor in layer] for layer in state]
        if shapes != given:
            raise UsageError(f"state: expected tensors of shapes {shapes}, got {given}")
        self._state = map_state(_copy, state)

    def feed(self, element: Tensor) -> Tensor:
        """Take one step; gives the model's output."""
        with torch.inference_mode():
            output, self._state = self._step(element, self._state)
        return output

    def fork(self) -> Self:
        """Give a second stream that has the same past and goes its own way from here."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._state = self.state
        return twin


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()

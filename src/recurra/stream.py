"""A stream: a model and a state, fed one step at a time, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.arguments import Threads, checked
from recurra.errors import UsageError
from recurra.formatting import abbreviate
from recurra.kernels import PackedModel, WeightType
from recurra.nn import State, map_state, packed_layers


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

    @checked
    def __init__(self, step: Callable[[Tensor, State], tuple[Tensor, State]], state: State) -> None:
        self._step = step
        self._state = map_state(_copy, state)

    @property
    def state(self) -> State:
        """What is carried from step to step: layer → the cell's states, each (1, H). Copies, so that it can be kept."""
        return map_state(_copy, self._state)

    @state.setter
    def state(self, state: State) -> None:
        check_state(self.state, state)
        self._set_state(state)

    def _set_state(self, state: State) -> None:
        """Go on from a state that has the shapes and the types of the stream's own."""
        self._state = map_state(_copy, state)

    @checked
    def feed(self, element: Any) -> Any:
        """Take one step; gives the model's output. Raises `DataError` for what is no element of the stream."""
        self._check_element(element)
        return self._advance(element)

    def _advance(self, element: Any) -> Any:
        """Do as `feed` with what is known to be an element."""
        with torch.inference_mode():
            output, self._state = self._step(element, self._state)
        return output

    def _check_element(self, element: Any) -> None:
        """Raise `DataError` for what `feed` cannot read; here that is up to the function that takes the step."""

    @checked
    def fork(self) -> Self:
        """Give a second stream that has the same past and goes its own way from here."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._state = self.state
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Give a fork: the model, which no step changes, is not copied."""
        return self.fork()


class ModuleStream:
    """A recurrent module fed one step at a time by the native engine, with its weights in the type that is asked for.

    module: RNN, LSTM, GravesLSTM or GRU of `recurra.nn` or `torch.nn`, in one direction, or a `Stack`; its weights are
    packed as they are now, and what it drops out in training is not dropped.
    weights: float32, whose results are those of the whole sequence; bfloat16; or int8 with a scale for each row, where what they multiply is rounded to 16 bits.
    threads: the most that a step uses; it uses them where a layer's weights are too many for one core's cache.

    Raises `UsageError` for another module, and without the native engine.

    >>> import numpy as np
    >>> from recurra.kernels.native import engine
    >>> lstm, x = torch.nn.LSTM(3, 5, 2), torch.randn(4, 3)
    >>> if engine() is not None:
    ...     stream = ModuleStream(lstm)
    ...     outputs = np.stack([stream.step(row.numpy()) for row in x])
    ...     assert np.allclose(outputs, lstm(x)[0].detach(), atol=1e-6)
    """

    @checked
    def __init__(self, module: nn.Module, weights: WeightType = "float32", threads: Threads = 1) -> None:
        layers = packed_layers(module)
        self._shape = (layers[0].weights["weight_ih"].shape[1],)
        self._sizes = [[layer.weights["weight_hh"].shape[1]] * len(layer.cell.states) for layer in layers]
        self._model = PackedModel(layers, weights, threads)
        self._set_state(np.zeros(self._model.state_size, dtype=np.float32))

    def _set_state(self, state: np.ndarray) -> None:
        self._state, self._feed = state, self._model.feed(state)

    def step(self, x: Any) -> np.ndarray:
        """Read x (I,); gives the outputs of the last layer, (H,) float32. Raises `UsageError` for another size."""
        y = self._feed(x)
        return self._model.step(self._state, self._read(x)) if y is None else y

    def _read(self, x: np.ndarray | Tensor) -> np.ndarray:
        try:
            if isinstance(x, Tensor):
                x = x.detach().cpu()
                x = (x.float() if x.is_floating_point() else x).numpy()  # numpy has no bfloat16
            given = np.asarray(x)
        except (ValueError, TypeError, RuntimeError):  # rows of several lengths; a tensor without numbers
            given = np.asarray(None)
        if given.dtype.kind not in "biuf":
            raise UsageError(f"x: expected {self._shape[0]} real numbers, got {abbreviate(x, 60)}")
        if given.shape != self._shape:
            raise UsageError(f"x: expected {self._shape[0]} features, got shape {given.shape}")
        return np.ascontiguousarray(given, dtype=np.float32)

    @property
    def state(self) -> State:
        """What is carried from step to step: layer → the cell's states, each (1, H). Copies, so that it can be kept."""
        parts = iter(torch.from_numpy(self._state.copy()).split([size for sizes in self._sizes for size in sizes]))
        return tuple(tuple(next(parts).unsqueeze(0) for _ in sizes) for sizes in self._sizes)

    @state.setter
    def state(self, state: State) -> None:
        check_state(self.state, state, exact_types=False)
        parts = [part.detach().flatten() for layer in state for part in layer]
        self._set_state(torch.cat(parts).float().numpy().copy())

    @checked
    def fork(self) -> Self:
        """Give a second stream that has the same past and goes its own way from here; the weights are shared."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._set_state(self._state.copy())
        return twin

    def __copy__(self) -> Self:
        """Give a fork; a copy that had the same state would go on with every step of the other's."""
        return self.fork()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Give a fork: the packed weights never change."""
        return self.fork()


def _shapes(state: object) -> object:
    """The shapes of a state, layer by layer, to compare and to show; of what is no state, its type."""
    if isinstance(state, tuple | list):
        return [_shapes(part) for part in state]
    return tuple(state.shape) if isinstance(state, Tensor) else type(state).__name__


def check_state(expected: State, state: object, *, exact_types: bool = True) -> None:
    """Raise `UsageError` for a state whose tensors have other shapes or types than those of the expected one.

    exact_types: False: any type of real numbers will do.
    """
    shapes, given = _shapes(expected), _shapes(state)
    if shapes != given:
        raise UsageError(f"state: expected tensors of shapes {shapes}, got {abbreviate(given, 200)}")
    for own, other in zip(_tensors(expected), _tensors(cast(State, state)), strict=True):
        other_type = other.dtype != own.dtype if exact_types else other.dtype.is_complex
        if other_type or other.is_meta or other.layout != torch.strided:
            what = f"{other.dtype} that holds {'nothing' if other.is_meta else 'numbers'}, {other.layout}"
            raise UsageError(f"state: expected a dense tensor of {own.dtype}, got one of {what}")


def _tensors(state: State) -> list[Tensor]:
    return [part for layer in state for part in layer]


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()

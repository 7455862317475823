"""A model packed for streaming: one step at a time, by the native engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from recurra.cells import Cell
from recurra.errors import RunError, UsageError
from recurra.kernels.native import describe, engine
from recurra.kernels.native_call import CELL_KINDS, describe_layer

WeightType = Literal["float32", "bfloat16", "int8"]


@dataclass(frozen=True)
class PackedLayer:
    """A layer to pack: weights as `Cell.shapes` lists them, in float32; norm: weight (H), bias (H) and epsilon of its output's."""

    cell: type[Cell]
    weights: dict[str, Tensor]
    norm: tuple[Tensor, Tensor, float] | None = None
    residual: bool = False


@dataclass
class PackedModel:
    """Layers, and what may stand around them, whose weights are packed as a step reads them; it never changes.

    embedding: (V, I), to step with ids.  output: weight (N, H) and bias (N) or None.  A state is a float32 array of
    `state_size` numbers, layer after layer: h, then c where there is a memory.
    weights: the type of all matrices; int8 has a scale for each row. The sums are float32; with int8, what the weights multiply is
    rounded to 16 bits at each step, and the products are exact. One infinity or not-a-number in it makes all of them not-a-number.
    The instruction set that is selected when a model is packed is the one that it steps by.
    threads: the most that a step uses; it uses them where a layer's weights are too many for one core's cache.

    Raises `UsageError` without the native engine, for a projection, and for weights that are not float32 on the CPU.
    """

    layers: Sequence[PackedLayer]
    weights: WeightType = "float32"
    threads: int = 1
    embedding: Tensor | None = None
    output: tuple[Tensor, Tensor | None] | None = None
    state_size: int = field(init=False)
    outputs: int = field(init=False)

    def __post_init__(self) -> None:
        native = engine()
        if native is None:
            raise UsageError(f"streaming packed weights needs the native engine, and here computes {describe()}")
        if self.weights not in get_args(WeightType):
            raise UsageError(f"weights: expected one of {', '.join(get_args(WeightType))}; got {self.weights!r}")
        if not isinstance(self.threads, int) or self.threads < 1:
            raise UsageError(f"threads: expected a whole number from 1, got {self.threads!r}")
        kind = get_args(WeightType).index(self.weights)
        self._native = native
        self._model = native.Model(self.layers[0].weights["weight_ih"].shape[1], self.threads)
        for layer in self.layers:
            if layer.cell.name not in CELL_KINDS or "weight_hr" in layer.weights:
                raise UsageError(f"a stream of packed weights has no {layer.cell.title} with a projection")
            given = {name: _float32(name, value) for name, value in layer.weights.items()}
            norm = None if layer.norm is None else tuple(_float32("norm", value) for value in layer.norm[:2])
            addresses = (0, 0) if norm is None else tuple(value.data_ptr() for value in norm)
            eps = 0.0 if layer.norm is None else layer.norm[2]
            self._model.add_layer(describe_layer(layer.cell.name, given), kind, *addresses, eps, layer.residual)
        if self.embedding is not None:
            table = _float32("embedding", self.embedding)
            self._model.set_embedding(len(table), table.data_ptr())
        if self.output is not None:
            weight, bias = _float32("output", self.output[0]), self.output[1]
            bias_copy = None if bias is None else _float32("output", bias)
            self._model.set_output(
                len(weight), weight.data_ptr(), 0 if bias_copy is None else bias_copy.data_ptr(), kind
            )
        self.state_size, self.outputs = self._model.state_size, self._model.outputs
        self._step = self._model.step
        self.layers, self.embedding, self.output = (), None, None  # the packed copies are all that is needed

    def step(self, state: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Read x (I,); gives the outputs (N,), and writes the new state over the old. Both are contiguous float32."""
        y = np.empty(self.outputs, np.float32)
        self._step(state, x, y)
        return y

    def feed(self, state: np.ndarray) -> Callable[[object], np.ndarray | None]:
        """Give a `step` that is bound to a state, and takes less time around it.

        It gives None, and does nothing, for what is no contiguous float32 array (I,). An array of outputs is written over
        by a later step once nobody holds it any more.
        """
        return self._native.Feed(self._model, state, partial(np.empty, self.outputs, np.float32)).step

    def step_id(self, state: np.ndarray, unit: int) -> np.ndarray:
        """Read an id, which is below V; gives the outputs (N,), and writes the new state over the old."""
        y = np.empty(self.outputs, dtype=np.float32)
        self._model.step_id(state, unit, y)
        return y

    def generate(
        self,
        state: np.ndarray,
        unit: int,
        uniforms: np.ndarray,
        *,
        end: int | None,
        temperature: float,
        top_k: int | None,
        top_p: float | None,
        forbid: Collection[int],
    ) -> np.ndarray:
        """Read an id, choose the next, read that, …: an id for each number of `uniforms` (float64), or up to `end`.

        The choice is that of `decoding.sample`. Raises `RunError` where the scores are not numbers, `UsageError` where
        every id is forbidden.
        """
        ids = np.empty(len(uniforms), dtype=np.int64)
        choice = (float(temperature), top_k or 0, 1.0 if top_p is None else float(top_p))
        stop = -1 if end is None else end
        count = self._model.generate(state, unit, stop, choice, sorted(forbid), uniforms, ids)
        if count == -1:
            raise RunError("expected finite scores from the model, got others: its weights are damaged")
        if count == -2:
            raise UsageError("expected at least one id that may come next, got none: all are forbidden")
        return ids[:count]


def checksum(values: Iterable[Tensor]) -> int:
    """Give a number that tells whether weights are as they were, whoever wrote to them and how: it is made of every bit.

    Other weights have the same number by one chance in 2⁶⁴. A tensor's `_version` would cost less, but does not count what
    is written through `.data` or a numpy view. Raises `UsageError` without the native engine, and as `PackedModel` does.
    """
    native = engine()
    if native is None:
        raise UsageError(f"a checksum of weights needs the native engine, and here computes {describe()}")
    copies = [_float32("weights", value) for value in values]
    return native.checksum([(value.data_ptr(), 4 * value.numel()) for value in copies])


def _float32(name: str, value: Tensor) -> Tensor:
    if value.dtype != torch.float32 or value.device.type != "cpu":
        raise UsageError(f"{name}: expected float32 on the cpu, got {value.dtype} on {value.device}")
    return value.detach().contiguous()

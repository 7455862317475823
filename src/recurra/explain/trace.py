"""What is recorded of the layers of a network: the values of every gate and state at every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from torch import Tensor

from recurra.cells import Cell
from recurra.errors import DataError, UsageError

_DIGITS = 6


class Segment(NamedTuple):
    """Steps of a layer, from `first` up to but not including `last`, that follow one another, and the state before them, (d·H) each."""

    first: int
    last: int
    initial: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class LayerTrace:
    """What one layer did in one direction, at each of its T steps.

    name: of its module in the network.  number: among the layers of the trace, from 0.  steps: what was read, as it is shown.
    gates: name → (T, H), after the non-linearity.  states: name → (T, H), after the step.  inputs: (T, I).
    weights: by the names of `Cell.shapes`, float64.  dilation: how many steps back the recurrence goes.
    segments: the stretches between which the state was begun again.  deviation: the largest from the engine's outputs.
    """

    name: str
    number: int
    direction: Literal["forward", "backward"]
    cell: type[Cell]
    steps: Sequence[str]
    gates: Mapping[str, np.ndarray]
    states: Mapping[str, np.ndarray]
    inputs: np.ndarray
    weights: Mapping[str, Tensor] = field(repr=False)
    dilation: int
    segments: Sequence[Segment] = field(repr=False)
    deviation: float

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.outputs.shape[1]

    @property
    def outputs(self) -> np.ndarray:
        """The state that the next layer reads, (T, H)."""
        return self.states[self.cell.states[0]]

    @property
    def title(self) -> str:
        """The layer as people read it."""
        return f"layer {self.number} ({self.cell.title}{', backward' if self.direction == 'backward' else ''})"

    def before(self, step: int) -> tuple[np.ndarray, ...]:
        """Give the state that a step went on from, (H) for each of the cell's states."""
        segment = next(one for one in self.segments if one.first <= step < one.last)
        backward = self.direction == "backward"
        read, size = segment.last - 1 - step if backward else step - segment.first, self.hidden_size
        if read < self.dilation:
            return tuple(value[read * size : (read + 1) * size] for value in segment.initial)
        from_step = step + self.dilation if backward else step - self.dilation
        return tuple(self.states[name][from_step] for name in self.cell.states)

    def to_json(self) -> dict[str, Any]:
        """Give all values, rounded to six decimals."""

        def rounded(values: Mapping[str, np.ndarray]) -> dict[str, Any]:
            return {name: np.round(each.astype(np.float64), _DIGITS).tolist() for name, each in values.items()}

        return {
            "layer": self.number,
            "name": self.name,
            "direction": self.direction,
            "cell": self.cell.name,
            "steps": list(self.steps),
            "gates": rounded(self.gates),
            "states": rounded(self.states),
            "deviation": self.deviation,
        }


@dataclass(frozen=True)
class Trace:
    """What the layers of a network did while it predicted `result`, in the order in which they ran.

    left_out: (module, why) of the recurrent layers that are not among them.
    """

    layers: Sequence[LayerTrace]
    left_out: Sequence[tuple[str, str]] = ()
    result: Mapping[str, Any] = field(default_factory=dict)

    def unit(self, name: str) -> tuple[LayerTrace, int]:
        """Find a unit by "layer.index", both from 0; raises `UsageError` where there is none."""
        layer, _, index = name.partition(".")
        sizes = ", ".join(f"{one.number}.0 to {one.number}.{one.hidden_size - 1}" for one in self.layers)
        if layer.isdecimal() and index.isdecimal():
            for one in self.layers:
                if one.number == int(layer) and int(index) < one.hidden_size:
                    return one, int(index)
        raise UsageError(f"unit: expected one of {sizes}; got {name!r}")

    def to_json(self) -> dict[str, Any]:
        """Give all values of all layers, as JSON holds them."""
        left_out = [{"name": name, "why": why} for name, why in self.left_out]
        return {"layers": [layer.to_json() for layer in self.layers], "left_out": left_out, "result": dict(self.result)}


def join(traces: Iterable[Trace]) -> Trace:
    """Put the traces of several inputs one after another, so that units can be judged by all of them.

    Of traces that are made one by one, and held by nobody else, no layer is held twice. Raises `DataError` where they are not of the same layers.
    """
    rest: list[list[LayerTrace]] = []
    left_out: Sequence[tuple[str, str]] = ()
    for trace in traces:
        left_out = left_out or trace.left_out
        rest.append(list(trace.layers))
        if [_key(layer) for layer in rest[0]] != [_key(layer) for layer in rest[-1]]:
            raise DataError("expected traces of the same layers, and at least one")
    if not rest:
        raise DataError("expected traces of the same layers, and at least one")
    return Trace([_join_layers([layers.pop(0) for layers in rest]) for _ in range(len(rest[0]))], left_out)


def cut(layer: LayerTrace, counts: Sequence[int]) -> list[LayerTrace]:
    """Cut a layer of several inputs into those of each, of so many steps; they share its values."""
    found, first = [], 0
    for count in counts:
        last = first + count
        found.append(
            replace(
                layer,
                steps=layer.steps[first:last],
                gates={name: each[first:last] for name, each in layer.gates.items()},
                states={name: each[first:last] for name, each in layer.states.items()},
                inputs=layer.inputs[first:last],
                segments=[
                    Segment(one.first - first, one.last - first, one.initial)
                    for one in layer.segments
                    if first <= one.first < last
                ],
            )
        )
        first = last
    return found


def _key(layer: LayerTrace) -> tuple[str, str, int]:
    return layer.name, layer.direction, layer.hidden_size


def _join_layers(parts: Sequence[LayerTrace]) -> LayerTrace:
    first = parts[0]
    starts = np.cumsum([0, *(len(part.steps) for part in parts)])
    segments = [
        Segment(one.first + start, one.last + start, one.initial)
        for part, start in zip(parts, starts.tolist(), strict=False)
        for one in part.segments
    ]
    return LayerTrace(
        first.name,
        first.number,
        first.direction,
        first.cell,
        [step for part in parts for step in part.steps],
        {name: np.concatenate([part.gates[name] for part in parts]) for name in first.gates},
        {name: np.concatenate([part.states[name] for part in parts]) for name in first.states},
        np.concatenate([part.inputs for part in parts]),
        first.weights,
        first.dilation,
        segments,
        max(part.deviation for part in parts),
    )

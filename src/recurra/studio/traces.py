"""What went on inside a model while it read something, kept for the page to look at from all sides."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np

from recurra.cells import get_cell
from recurra.errors import UsageError
from recurra.explain.cell_step import cell_step
from recurra.explain.diagram import describe, draw_step, step_svg
from recurra.explain.inside import Inside, look_inside
from recurra.explain.pattern import find_pattern, values_of
from recurra.explain.projection import projection_block
from recurra.explain.trace import LayerTrace
from recurra.explain.units import view_unit
from recurra.runs.run import Run
from recurra.studio.results import not_found, to_json

MAX_KEPT = 8


class Values(NamedTuple):
    """A signal of a layer as bytes, and their headers."""

    content: bytes
    headers: dict[str, str]


class Traces:
    """Keeps the last few traces. Those that others ask about meanwhile may be forgotten."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self.most = most
        self._kept: OrderedDict[str, tuple[str, Inside]] = OrderedDict()

    def record(self, id: str, run: Run, inputs: list[Any], *, unit: str | None, dynamics: bool, full: bool) -> bytes:
        """Record a model that reads some inputs; gives what was found, and the id of the trace. id: of the run."""
        found = look_inside(run.predictor, inputs, unit, dynamics=dynamics)
        trace = secrets.token_hex(8)
        self._kept[trace] = id, found
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)
        layers = found.trace.layers
        starts = [segment.first for segment in layers[0].segments]
        result = {
            "trace": trace,
            "inputs": len(inputs),
            "steps": list(layers[0].steps),
            "starts": starts,
            "layers": [_describe(layer) for layer in layers],
            "left_out": [{"name": name, "why": why} for name, why in found.trace.left_out],
            "result": dict(found.trace.result),
            **found.findings_to_json(),
        }
        return to_json({**result, "json": found.to_json()} if full else result)

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()

    def values(self, id: str, trace: str, layer: int, signal: str, dtype: str) -> Values:
        """Give a signal of a layer, steps × units, the rows one after another, little-endian."""
        if dtype not in ("float16", "float32"):
            raise UsageError(f"dtype: expected float16 or float32, got {dtype!r}")
        values = values_of(self._layer(id, trace, layer), signal)
        low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
        named = {"X-Steps": len(values), "X-Units": values.shape[1], "X-Dtype": dtype, "X-Min": low, "X-Max": high}
        content = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<")).tobytes()
        return Values(content, {name: str(value) for name, value in named.items()})

    def cell(self, id: str, trace: str, layer: int, unit: int, step: int) -> bytes:
        """Give one step of one unit: drawn, in words, and in numbers."""
        found = cell_step(self._layer(id, trace, layer), unit, step)
        equations = [re.sub(r"<[^>]*>", "", line) for line in get_cell(found.cell).equations()]
        drawn = {"svg": step_svg(found), "markup": draw_step(found)}
        described = {**drawn, "description": describe(found), "equations": equations}
        return to_json({**described, "step": found.to_json()})

    def unit(self, id: str, trace: str, layer: int, unit: int) -> bytes:
        """Give the states, the gates and the high stretches of one unit."""
        return to_json(view_unit(self._inside(id, trace).trace, f"{layer}.{unit}").to_json())

    def match(self, id: str, trace: str, layer: int, signal: str, steps: tuple[int, int], threshold: float) -> bytes:
        """Find the units that are high over some steps, and where else they are."""
        found = find_pattern(self._layer(id, trace, layer), signal, *steps, threshold)
        stretches = [each.to_json() for each in found.matches]
        renamed = [{"from": one.pop("first"), "to": one.pop("last"), **one} for one in stretches]
        return to_json({"units": list(found.units), "stretches": renamed})

    def projection(self, id: str, trace: str, layer: int) -> bytes:
        """Give the states of a layer on a plane."""
        found = self._inside(id, trace)
        count = len(found.trace.layers)
        if not -count <= layer < count:
            raise UsageError(f"layer: expected 0 to {count - 1}, got {layer}")
        if len(found.trace.layers[layer].steps) < 2:
            raise UsageError("layer: one state has no plane; hand over a longer input")
        alone = count == 1
        points = (found.points or ()) if alone else ()
        block = projection_block(found.traces_of(layer), every_step=True, points=points)
        groups = {grouping.key: grouping.groups for grouping in block.groupings}
        placed = [
            {
                "x": dot.x,
                "y": dot.y,
                "lines": list(dot.lines),
                **{name: values[place] for name, values in groups.items()},
            }
            for place, dot in enumerate(block.dots)
        ]
        return to_json({"points": placed, "note": block.note})

    def _inside(self, id: str, trace: str) -> Inside:
        kept = self._kept.get(trace)
        if kept is None or kept[0] != id:
            raise not_found("trace")
        self._kept.move_to_end(trace)
        return kept[1]

    def _layer(self, id: str, trace: str, number: int) -> LayerTrace:
        layers = self._inside(id, trace).trace.layers
        found = next((layer for layer in layers if layer.number == number), None)
        if found is None:
            raise UsageError(f"layer: expected 0 to {len(layers) - 1}, got {number}")
        return found


def _describe(layer: LayerTrace) -> dict[str, Any]:
    activations = dict(zip(layer.cell.gates, layer.cell.activations, strict=False))
    signals = [{"name": name, "kind": "state", "activation": None} for name in layer.states]
    signals += [{"name": name, "kind": "gate", "activation": activations.get(name)} for name in layer.gates]
    return {
        "layer": layer.number,
        "title": layer.title,
        "name": layer.name,
        "direction": layer.direction,
        "cell": layer.cell.name,
        "units": layer.hidden_size,
        "steps": len(layer.steps),
        "names": list(layer.steps),
        "signals": signals,
        "deviation": layer.deviation,
    }

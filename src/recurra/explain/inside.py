"""All that goes on inside a model while it reads some inputs: gates, units, one unit's cell step by step, where its states lie and rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from recurra.errors import UsageError
from recurra.explain.cell_step import CellStep, cell_step
from recurra.explain.diagram import CellDiagram
from recurra.explain.dynamics import FixedPoint, fixed_points
from recurra.explain.gates import record
from recurra.explain.projection import projection_block
from recurra.explain.trace import LayerTrace, Trace, cut, join
from recurra.explain.trace_blocks import fixed_point_table, trace_blocks, unit_blocks
from recurra.explain.units import UnitFeature, UnitView, saturation, still_units, telling_units, view_unit
from recurra.formatting import count, per_cent
from recurra.report.blocks import Block
from recurra.tasks.base.predictor import Predictor

MAX_STEPS = 50_000
"""Of all inputs: of 256 units in two layers of LSTM a gigabyte."""
MAX_STEPS_DRAWN = 60
"""Of a cell, one drawing for each."""
FEATURES_LISTED, STRETCHES_LISTED = 5, 5


@dataclass(frozen=True)
class Inside:
    """trace: of all inputs, one after another.  counts: the steps that each layer has of each input.  view: of one unit.  steps: of its cell, the first ones.

    points: where the state comes to rest; None where that was not asked for.
    """

    trace: Trace
    counts: Sequence[Sequence[int]]
    view: UnitView
    steps: Sequence[CellStep]
    telling: Sequence[UnitFeature]
    points: Sequence[FixedPoint] | None

    def to_json(self) -> dict[str, Any]:
        """Give every value, rounded to six decimals."""
        return {**self.trace.to_json(), **self.findings_to_json()}

    def findings_to_json(self) -> dict[str, Any]:
        """Give what was found, without the values of every unit."""
        found = {
            "saturation": [
                {"layer": layer.number, "gates": [each.to_json() for each in saturation(layer)]}
                for layer in self.trace.layers
            ],
            "still_units": [name for layer in self.trace.layers for name in _still(layer)],
            "telling_units": [each.to_json() for each in self.telling],
            "unit": self.view.to_json(),
            "cell": [each.to_json() for each in self.steps],
        }
        return found if self.points is None else {**found, "fixed_points": [point.to_json() for point in self.points]}

    def blocks(self) -> list[Block]:
        """Give what a page shows."""
        diagram = CellDiagram(f"The cell of unit {self.view.name}, step by step", self.steps)
        shown: list[Block] = [diagram, *unit_blocks(self.view), *trace_blocks(self.trace)]
        if self.points is None:
            return shown
        shown.append(fixed_point_table(self.points))
        if len(self.trace.layers[-1].steps) < 2:
            return shown  # one state has no plane
        alone = len(self.trace.layers) == 1
        plane = projection_block(self.traces_of(-1), every_step=True, points=self.points if alone else ())
        return [*shown, plane]

    def traces_of(self, layer: int) -> list[Trace]:
        """Give what one layer did, by its place, of each input by itself."""
        return [Trace([part]) for part in cut(self.trace.layers[layer], [each[layer] for each in self.counts])]

    def sentences(self) -> Iterator[str]:
        """Say what there is to see, a line each."""
        for layer in self.trace.layers:
            gates = ", ".join(
                f"{each.gate} {'open' if each.activation == 'sigmoid' else 'high'} {per_cent(float(each.upper.mean()))}, "
                f"{'shut' if each.activation == 'sigmoid' else 'low'} {per_cent(float(each.lower.mean()))}"
                for each in saturation(layer)
            )
            yield f"{layer.title}, {count(len(layer.steps))} {'step' if len(layer.steps) == 1 else 'steps'}: {gates}"
            if still := _still(layer):
                yield f"units that never move: {', '.join(still[:20])}{', …' if len(still) > 20 else ''}"
        for each in self.telling[:FEATURES_LISTED]:
            what = "counts" if each.counts else "follows"
            yield f"unit {each.name} ({each.state}) {what} {each.feature}: r {each.r:+.2f}, {each.control:.2f} by chance"
        for stretch in self.view.stretches[:STRETCHES_LISTED]:
            yield f"unit {self.view.name} is high ({stretch.peak:.2f}): {stretch.before}[{stretch.text}]{stretch.after}"
        for point in self.points or ():
            kind = "fixed" if point.is_fixed else "slow"
            yield f"{point.kind} {kind} point: moves by {point.residual:.1e}"
        for name, why in self.trace.left_out:
            yield f"{name} is left out: {why}"


def look_inside(
    predictor: Predictor, inputs: Sequence[Any], unit: str | None = None, *, dynamics: bool = False
) -> Inside:
    """Record what a predictor does while it reads some inputs.

    Args:
        predictor: that of a run.
        inputs: as its `predict` takes them.
        unit: "layer.index", both from 0; None: the one that follows a feature of the input most clearly, else the first.
        dynamics: also where the state comes to rest while it reads the mean of all steps.

    Raises:
        UsageError: no inputs, no such unit, or no recurrent layer that reads an input as one sequence.
    """
    if not inputs:
        raise UsageError("inputs: expected at least one, got none")
    counts: list[list[int]] = []
    traces = _recorded(predictor, inputs, counts)
    trace = join(traces) if len(inputs) > 1 else next(traces)
    telling = telling_units(trace)
    view = view_unit(trace, unit or (telling[0].name if telling else f"{trace.layers[0].number}.0"))
    drawn = [cell_step(view.layer, view.unit, step) for step in range(min(MAX_STEPS_DRAWN, len(view.layer.steps)))]
    points = fixed_points(predictor, trace) if dynamics else None
    return Inside(trace, counts, view, drawn, telling, points)


def _recorded(predictor: Predictor, inputs: Sequence[Any], counts: list[list[int]]) -> Iterator[Trace]:
    """Record inputs one by one; counts: gets the steps that each layer has of each."""
    steps = 0
    for item in inputs:
        trace = record(predictor, item)
        counts.append([len(layer.steps) for layer in trace.layers])
        steps += max(len(layer.steps) for layer in trace.layers)
        if steps > MAX_STEPS:
            raise UsageError(
                f"inputs: expected at most {MAX_STEPS:,} steps in all, whose every gate is kept; give fewer"
            )
        yield trace


def _still(layer: LayerTrace) -> list[str]:
    return [f"{layer.number}.{unit}" for unit in still_units(layer)]

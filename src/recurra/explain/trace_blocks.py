"""What was recorded, as the blocks that a report is made of."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from recurra.explain.dynamics import FixedPoint
from recurra.explain.trace import LayerTrace, Trace
from recurra.explain.units import UnitView, saturation, still_units, telling_units
from recurra.formatting import count, decimal
from recurra.images import encode_png
from recurra.report.blocks import Block, Chart, Column, ImageRow, Images, Lines, Picture, Series, Table, Text

MAX_COLUMNS = 2000
"""Of a map: of more steps the mean of as many as need be is one column."""
MAX_UNITS_LISTED = 60
_LOW, _MIDDLE, _HIGH = (np.array(colour, np.float64) for colour in ((61, 111, 168), (251, 250, 247), (194, 65, 12)))
_STYLES = ("held", "train", "other", "known", "early")
_MAP_NOTE = "A row of a picture is a unit, a column a step. Blue is below zero, orange above it; the scale of each is 1, or the largest value where that is more."


def heat_map(values: np.ndarray) -> bytes:
    """Draw values (T, H) as a PNG file, a row for each unit and a column for each step: blue below zero, orange above.

    >>> heat_map(np.zeros((3, 2)))[:4]
    b'\\x89PNG'
    """
    steps = len(values)
    if steps > MAX_COLUMNS:
        edges = np.linspace(0, steps, MAX_COLUMNS + 1).astype(int)
        values = np.add.reduceat(values, edges[:-1], axis=0) / np.diff(edges)[:, None]
    scale = max(1.0, float(np.abs(values).max(initial=0.0)))
    shares = (values.T / scale)[..., None]  # (H, T, 1)
    colours = _MIDDLE + np.abs(shares) * (np.where(shares < 0, _LOW, _HIGH) - _MIDDLE)
    return encode_png(colours.round().astype(np.uint8))


def trace_blocks(trace: Trace) -> list[Block]:
    """Give for every layer a map of its states and gates and how often these are saturated, then the units that say most."""
    blocks: list[Block] = []
    for layer in trace.layers:
        title = layer.title[0].upper() + layer.title[1:]
        rows = [
            ImageRow(name, [base64.b64encode(heat_map(values)).decode()])
            for name, values in {**layer.states, **layer.gates}.items()
        ]
        blocks.append(Images(title, rows, f"{count(len(layer.steps))} steps. {_MAP_NOTE}", width="page"))
        blocks.append(_saturation_table(layer))
    still = [f"{layer.number}.{unit}" for layer in trace.layers for unit in still_units(layer)]
    if still:
        more = f" and {count(len(still) - MAX_UNITS_LISTED)} more" if len(still) > MAX_UNITS_LISTED else ""
        blocks.append(Text("Units that never move", [", ".join(still[:MAX_UNITS_LISTED]) + more]))
    if telling := telling_units(trace):
        columns = [
            Column("unit", "name"),
            Column("state"),
            Column("follows"),
            Column("correlation", "number"),
            Column("on a control task", "number"),
        ]
        rows = [(each.name, each.state, each.feature, each.r, each.control) for each in telling]
        caption = "A control task is the same feature without its meaning; the best unit's correlation with that is what chance alone gives."
        blocks.append(Table("Units that follow something", columns, rows, caption))
    if trace.left_out:
        blocks.append(Text("Layers that are left out", [f"{name}: {why}" for name, why in trace.left_out]))
    return blocks


def _saturation_table(layer: LayerTrace) -> Table:
    found = saturation(layer)
    columns = [Column("gate", "name"), Column("open, or high", "share"), Column("shut, or low", "share")]
    rows = [
        (each.gate, None if each.activation == "relu" else float(each.upper.mean()), float(each.lower.mean()))
        for each in found
    ]
    caption = "Share of steps and units: gates above 0.9 and below 0.1; values from −1 to 1 above 0.9 and below −0.9."
    return Table(
        f"Saturation of layer {layer.number}{', backward' if layer.direction == 'backward' else ''}",
        columns,
        rows,
        caption,
    )


def unit_blocks(view: UnitView) -> list[Block]:
    """Give the curves of a unit's states and gates, and the stretches where it is high."""
    charts = []
    for caption, values in (("States", view.states), ("Gates", view.gates)):
        series = [
            Series(
                name, [(float(step), float(value)) for step, value in enumerate(each, 1)], _STYLES[place % len(_STYLES)]
            )
            for place, (name, each) in enumerate(values.items())
        ]
        charts.append(
            Lines(
                f"Unit {view.name}: {caption.lower()}",
                [Picture(caption, Chart(f"{caption} of unit {view.name}", series, "step"))],
            )
        )
    columns = [Column("steps", "name"), Column("highest", "number"), Column("where", "passage")]
    rows = [
        (
            f"{each.first + 1}–{each.last}" if each.last > each.first + 1 else str(each.first + 1),
            each.peak,
            (f"{each.before}[{each.text}]{each.after}", f"unit {view.name}"),
        )
        for each in view.stretches
    ]
    return [*charts, Table(f"Where unit {view.name} is high", columns, rows)]


def fixed_point_table(points: Sequence[FixedPoint]) -> Table:
    """List fixed and slow points, with the largest eigenvalue of each."""
    columns = [
        Column("", "name"),
        Column("kind"),
        Column("residual"),
        Column("largest |eigenvalue|"),
        Column("directions that grow", "count"),
    ]
    rows = [
        (
            f"{'fixed' if each.is_fixed else 'slow'} point {number}",
            each.kind,
            f"{each.residual:.1e}",
            decimal(float(np.abs(each.eigenvalues[0]))),
            int((np.abs(each.eigenvalues) > 1).sum()),
        )
        for number, each in enumerate(points, 1)
    ]
    return Table("Where the state comes to rest", columns, rows)

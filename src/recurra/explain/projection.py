"""The states of many inputs on a plane: the two directions in which they vary most (Pearson 1901, principal components)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.errors import DataError, UsageError
from recurra.explain.dynamics import FixedPoint
from recurra.explain.trace import LayerTrace, Trace
from recurra.formatting import per_cent
from recurra.report.blocks import Dot, Grouping, Scatter

MAX_DOTS = 2000
MAX_SHOWN = 60
"""Characters of what was read, the latest before a dot."""
_PARTS_OF_A_SEQUENCE = ("first fifth", "second fifth", "third fifth", "fourth fifth", "last fifth")


@dataclass(frozen=True)
class Projection:
    """The plane of two principal components: mean (S), directions (2, S), and the shares of the variance that they have, (2)."""

    mean: np.ndarray
    directions: np.ndarray
    shares: np.ndarray

    def apply(self, states: np.ndarray) -> np.ndarray:
        """Project states (N, S) to points (N, 2)."""
        return (states - self.mean) @ self.directions.T

    def to_json(self) -> dict[str, Any]:
        """Give its fields."""
        return {"mean": self.mean.tolist(), "directions": self.directions.tolist(), "shares": self.shares.tolist()}


def principal_plane(states: np.ndarray) -> Projection:
    """Find the plane in which states (N, S) vary most; raises `DataError` for fewer than two.

    >>> plane = principal_plane(np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.5, 0.0, 0.0], [-0.5, 0.0, 0.0]]))
    >>> plane.shares.round(2).tolist(), plane.apply(np.array([[0.0, 2.0, 9.0]])).round(6).tolist()
    ([0.8, 0.2], [[2.0, 0.0]])
    """
    if len(states) < 2:
        raise DataError(f"expected at least two states to project, got {len(states)}")
    values = states.astype(np.float64)
    mean = values.mean(0)
    _, sizes, directions = np.linalg.svd(values - mean, full_matrices=False)
    if len(sizes) < 2:
        directions, sizes = np.vstack([directions, np.zeros_like(directions)]), np.append(sizes, 0.0)
    two = directions[:2]
    signs = np.sign(
        two[np.arange(2), np.abs(two).argmax(1)]
    )  # so that the same states give the same picture everywhere
    total = float((sizes**2).sum())
    return Projection(mean, two * np.where(signs, signs, 1.0)[:, None], sizes[:2] ** 2 / total if total else sizes[:2])


def projection_block(
    traces: Sequence[Trace],
    labels: Sequence[str | None] = (),
    *,
    layer: int = -1,
    every_step: bool = False,
    points: Sequence[FixedPoint] = (),
) -> Scatter:
    """Draw the states of a layer at the end of each input, or at every step, coloured by label and by position.

    labels: of the inputs.  layer: its place among those of the traces.  points: fixed points of a network of this one layer, drawn too.
    Raises `DataError` where there are not as many labels as traces.
    """
    if labels and len(labels) != len(traces):
        raise DataError(f"labels: expected one for each of {len(traces)} inputs, got {len(labels)}")
    states, dots, groups, places = [], [], [], []
    for number, trace in enumerate(traces):
        one = trace.layers[layer]
        whole = np.concatenate([one.states[name] for name in one.cell.states], 1)
        count = len(whole)
        last = 0 if one.direction == "backward" else count - 1
        for step in range(count) if every_step else [last]:
            states.append(whole[step])
            dots.append((one, step, number))
            groups.append(labels[number] if labels else None)
            places.append(_PARTS_OF_A_SEQUENCE[5 * step // count])
    matrix = np.array(states)
    plane = principal_plane(matrix)
    if points and len(points[0].state) != matrix.shape[1]:
        raise UsageError(
            f"points: expected states of {matrix.shape[1]} numbers, got {len(points[0].state)}; leave them out"
        )
    chosen = np.unique(np.linspace(0, len(matrix) - 1, min(len(matrix), MAX_DOTS)).round().astype(int)).tolist()
    drawn = [
        Dot(x, y, _lines(*dots[index]))
        for index, (x, y) in zip(chosen, plane.apply(matrix[chosen]).tolist(), strict=True)
    ]
    kinds = [f"{point.kind} {'fixed' if point.is_fixed else 'slow'} point" for point in points]
    fixed = plane.apply(np.array([point.state for point in points])).tolist() if points else []
    drawn += [Dot(x, y, [kind]) for (x, y), kind in zip(fixed, kinds, strict=True)]
    groupings = [Grouping("label", [*(groups[index] for index in chosen), *kinds])] if labels else []
    if every_step:
        groupings.append(Grouping("position", [*(places[index] for index in chosen), *kinds]))
    if points and not groupings:
        groupings.append(Grouping("kind", [*(None for _ in chosen), *kinds]))
    first, second = (per_cent(float(share)) for share in plane.shares)
    note = f"Each dot is a state; near ones are alike. The two directions have {first} and {second} of the variance."
    return Scatter("States", drawn, groupings, note)


def _lines(layer: LayerTrace, step: int, number: int) -> list[str]:
    """Say what a dot is: the steps up to it, and where it stands."""
    backward = layer.direction == "backward"
    read = layer.steps[step : step + MAX_SHOWN + 1] if backward else layer.steps[max(0, step - MAX_SHOWN) : step + 1]
    glue = " " if max(map(len, read)) > 1 else ""
    text = glue.join(read)
    cut = f"{text[:MAX_SHOWN]}…" if backward else f"…{text[-MAX_SHOWN:]}"
    shown = text if len(text) <= MAX_SHOWN else cut
    return [shown or "–", f"input {number + 1}, step {step + 1} of {len(layer.steps)}"]

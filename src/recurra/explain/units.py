"""What single units do: gates that are always open or shut, units that never move, that count, or that follow a feature of the input."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recurra.errors import DataError, UsageError
from recurra.explain.features import COUNTS, series_features, text_features
from recurra.explain.trace import LayerTrace, Trace

OPEN, SHUT = 0.9, 0.1
"""Above and below which a gate from 0 to 1 is saturated (Karpathy et al. 2015, arXiv:1506.02078v2, section 4.2); one from −1 to 1 is above the first, or below its negative."""
MIN_MOVE = 1e-3
"""A unit whose output stays within so much never moves."""
MIN_CORRELATION = 0.9
"""From which on a unit counts."""
MIN_STEPS = 20
"""Of fewer steps no correlation is judged."""
MIN_OTHER_STEPS = 5
"""A feature that is the same at all but fewer steps than these says too little to be followed."""
CONTROLS = 20
_CONTEXT, _WARM_UP_STEPS = 12, 10
_SEED = 20190903


@dataclass(frozen=True)
class Saturation:
    """The share of the steps at which each unit's gate is saturated, (H): at the upper end of its range, and at the lower.

    A gate from 0 to 1 is open above 0.9 and shut below 0.1. A value from −1 to 1 is high above 0.9 and low below −0.9. A rectified
    one has no upper end (zeros here), and is low where it is 0.
    """

    gate: str
    activation: str
    upper: np.ndarray
    lower: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Give the shares of the layer and of each unit."""
        names = ("open", "shut") if self.activation == "sigmoid" else ("high", "low")
        shares = {name: float(each.mean()) for name, each in zip(names, (self.upper, self.lower), strict=True)}
        units = {
            f"{name}_units": np.round(each, 6).tolist()
            for name, each in zip(names, (self.upper, self.lower), strict=True)
        }
        return {"gate": self.gate, "activation": self.activation, **shares, **units}


def saturation(layer: LayerTrace) -> list[Saturation]:
    """Give for each gate of a layer how often it is saturated; raises `UsageError` for a cell that does not name its non-linearities."""
    if len(layer.cell.activations) != len(layer.cell.gates):
        raise UsageError(
            f"cell {layer.cell.name}: expected `activations` for {', '.join(layer.cell.gates)}; add them to its class"
        )
    found = []
    for name, activation in zip(layer.cell.gates, layer.cell.activations, strict=True):
        values = layer.gates[name]
        lower = {"sigmoid": values < SHUT, "tanh": values < -OPEN, "relu": values <= 0}[activation]
        upper = np.zeros_like(lower) if activation == "relu" else values > OPEN
        found.append(Saturation(name, activation, upper.mean(0), lower.mean(0)))
    return found


def still_units(layer: LayerTrace) -> list[int]:
    """List the units whose output never moves, but for the first steps of each sequence, at most ten, in which it leaves the state of zeros.

    Nothing is said of a layer of which fewer than 20 steps are left.
    """
    counted = np.ones(len(layer.outputs), bool)
    for segment in layer.segments:
        few = min(_WARM_UP_STEPS, (segment.last - segment.first) // 2)
        first = segment.last - few if layer.direction == "backward" else segment.first
        counted[first : first + few] = False
    values = layer.outputs[counted]
    return np.flatnonzero(np.ptp(values, axis=0) < MIN_MOVE).tolist() if len(values) >= MIN_STEPS else []


@dataclass(frozen=True)
class UnitFeature:
    """A state of a unit that goes along with a feature of the steps.

    r: Pearson's correlation over the steps.  control: the |r| that the best unit of the layer reaches on control tasks, which mean nothing.
    Of a feature that every kind of step has one value of (upper case), its values are given to the kinds at random (Hewitt & Liang 2019,
    arXiv:1909.03368); of another one (a depth), they are moved along the text.
    """

    layer: int
    unit: int
    state: str
    feature: str
    r: float
    control: float

    @property
    def selectivity(self) -> float:
        """How much more it follows the feature than any unit would follow a meaningless one."""
        return abs(self.r) - self.control

    @property
    def name(self) -> str:
        """layer.index."""
        return f"{self.layer}.{self.unit}"

    @property
    def counts(self) -> bool:
        """Whether it is linear in a count."""
        return self.feature in COUNTS and abs(self.r) >= MIN_CORRELATION

    def to_json(self) -> dict[str, Any]:
        """Give its fields, and what follows from them."""
        return {**asdict(self), "selectivity": self.selectivity, "counts": self.counts}


def features_of(layer: LayerTrace) -> dict[str, np.ndarray]:
    """Give the features of a layer's steps: of a text, or of the numbers that were read where the steps are only numbered."""
    starts = [segment.first for segment in layer.segments]
    if all(step.isdecimal() for step in layer.steps):
        return series_features(layer.inputs, starts)
    return text_features(layer.steps, starts)


def unit_features(layer: LayerTrace, features: Mapping[str, np.ndarray] | None = None) -> list[UnitFeature]:
    """Correlate every state of every unit with every feature, (T) each; the most selective first.

    features: those of `features_of` where none are given.  Nothing is found of a state that never moves, of fewer than 20 steps, and of a
    feature that is the same at all of them but four.
    Raises `DataError` for a feature that has not one finite number for each step.
    """
    given = features_of(layer) if features is None else features
    count = len(layer.steps)
    for name, values in given.items():
        if np.shape(values) != (count,) or not np.isfinite(values).all():
            raise DataError(
                f"feature {name}: expected a finite number for each of {count} steps, got {np.shape(values)}"
            )
    if count < MIN_STEPS or not given:
        return []
    units = {name: _standardised(values.astype(np.float64)) for name, values in layer.states.items()}
    found = []
    for feature, values in given.items():
        if count - int(np.unique(values, return_counts=True)[1].max()) < MIN_OTHER_STEPS:
            continue
        wanted = _standardised(np.asarray(values, np.float64)[:, None])
        meaningless = _standardised(_control_tasks(np.asarray(values, np.float64), layer.steps))  # (T, K)
        for state, of_units in units.items():
            found_here = of_units.T @ wanted[:, 0] / count
            control = float(
                np.abs(meaningless.T @ of_units / count).max(1).mean()
            )  # of each control task the best unit
            moves = of_units.any(0)
            found += [
                UnitFeature(layer.number, unit, state, feature, float(found_here[unit]), control)
                for unit in np.flatnonzero(moves).tolist()
            ]
    return sorted(found, key=lambda each: -each.selectivity)


def counting_units(layer: LayerTrace, features: Mapping[str, np.ndarray] | None = None) -> list[UnitFeature]:
    """List the units that are linear in a count (|r| ≥ 0.9): of steps, of open brackets, of letters of a word or of a line."""
    return [each for each in unit_features(layer, features) if each.counts and each.selectivity > 0]


def telling_units(trace: Trace, count: int = 10) -> list[UnitFeature]:
    """Find the units that say most: for each layer and feature the most selective one, each unit once, the best first."""
    best: dict[tuple[int, str], UnitFeature] = {}
    for layer in trace.layers:
        for each in unit_features(layer):
            best.setdefault((each.layer, each.feature), each)
    ranked = sorted(best.values(), key=lambda each: -each.selectivity)
    once: dict[str, UnitFeature] = {}
    for each in ranked:
        once.setdefault(each.name, each)
    return [each for each in once.values() if each.selectivity > 0][:count]


def _standardised(values: np.ndarray) -> np.ndarray:
    """Give columns (T, K) of mean 0 and variance 1; zeros where one hardly moves."""
    centred = values - values.mean(0)
    spread = centred.std(0)
    return np.where(np.ptp(values, axis=0) < MIN_MOVE, 0.0, centred / np.where(spread > 0, spread, 1.0))


def _control_tasks(values: np.ndarray, steps: Sequence[str]) -> np.ndarray:
    """Give labellings of the steps that mean nothing, (T, 20)."""
    random = np.random.default_rng(_SEED)
    count = len(values)
    numbers: dict[str, int] = {}  # an array of the texts would give each the room of the longest
    _, first, kinds = np.unique(
        [numbers.setdefault(step, len(numbers)) for step in steps], return_index=True, return_inverse=True
    )
    if len(first) < count and (values[first][kinds] == values).all():
        return np.stack([random.permutation(values[first])[kinds] for _ in range(CONTROLS)], 1)
    shifts = random.integers(count // 10 + 1, count - count // 10, CONTROLS)
    return np.stack([np.roll(values, shift) for shift in shifts.tolist()], 1)


@dataclass(frozen=True)
class Stretch:
    """Steps from `first` up to but not including `last` at which a unit is high, its highest value there, and the text around."""

    first: int
    last: int
    peak: float
    before: str
    text: str
    after: str


@dataclass(frozen=True)
class UnitView:
    """What one unit did: each of its states and gates at each step, (T) each, and where it is high, the highest first."""

    layer: LayerTrace
    unit: int
    states: Mapping[str, np.ndarray]
    gates: Mapping[str, np.ndarray]
    stretches: Sequence[Stretch]

    @property
    def name(self) -> str:
        """layer.index."""
        return f"{self.layer.number}.{self.unit}"

    def to_json(self) -> dict[str, Any]:
        """Give all values, rounded to six decimals."""
        values = {
            kind: {name: np.round(each.astype(np.float64), 6).tolist() for name, each in given.items()}
            for kind, given in (("states", self.states), ("gates", self.gates))
        }
        stretches = [asdict(each) for each in self.stretches]
        return {"unit": self.name, "steps": list(self.layer.steps), **values, "high": stretches}


def view_unit(trace: Trace, name: str, count: int = 10) -> UnitView:
    """Show a unit, "layer.index": where its output is in the upper half of what is above its median, as stretches of the text.

    Raises `UsageError` where there is no such unit.
    """
    layer, unit = trace.unit(name)
    values = layer.outputs[:, unit]
    middle = float(np.median(values))
    high = values > max(middle + 0.5 * (float(values.max()) - middle), middle + MIN_MOVE)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], high.astype(np.int8), [0]]))).reshape(-1, 2)
    stretches = [Stretch(a, b, float(values[a:b].max()), *text_around(layer, a, b)) for a, b in edges.tolist()]
    states = {key: each[:, unit] for key, each in layer.states.items()}
    gates = {key: each[:, unit] for key, each in layer.gates.items()}
    return UnitView(layer, unit, states, gates, sorted(stretches, key=lambda each: -each.peak)[:count])


def text_around(layer: LayerTrace, first: int, last: int) -> tuple[str, str, str]:
    """Give what was read a little before some steps, at them (`last` excluded), and a little after."""
    glue = "" if max(map(len, layer.steps), default=0) == 1 or _by_characters(layer.steps) else " "
    edges = (max(0, first - _CONTEXT), first, last, last + _CONTEXT)
    before, text, after = (glue.join(layer.steps[a:b]) for a, b in itertools.pairwise(edges))
    return before, text, after


def _by_characters(steps: Sequence[str]) -> bool:
    """Say whether most steps are one character, or bring their own blanks, as pieces of words do."""
    return sum(len(step) == 1 or step[:1].isspace() for step in steps) * 2 > len(steps)

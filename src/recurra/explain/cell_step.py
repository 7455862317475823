"""The numbers of one step of one unit: what each gate takes the sum of, its value, and the states before and after."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.cells import GRU, LSTM, RNN, Cell, GravesLSTM, ReluRNN, get_cell
from recurra.errors import UsageError
from recurra.explain.trace import LayerTrace
from recurra.formatting import visible


@dataclass(frozen=True)
class GateStep:
    """One gate: its value is the activation of the sum of its parts, "x", "h", "bias", and "peephole" where it has one."""

    name: str
    symbol: str
    activation: str
    parts: Mapping[str, float]
    value: float

    @property
    def sum(self) -> float:
        """What the non-linearity takes."""
        return math.fsum(self.parts.values())


@dataclass(frozen=True)
class CellStep:
    """One step of one unit.  cell: its name.  step: from 0.  label: what was read.  before, after: the unit's states by their names."""

    cell: str
    layer: int
    unit: int
    step: int
    label: str
    gates: Sequence[GateStep]
    before: Mapping[str, float]
    after: Mapping[str, float]

    @property
    def title(self) -> str:
        """What it is, for people."""
        return (
            f"{get_cell(self.cell).title}, unit {self.layer}.{self.unit}, step {self.step + 1}: “{visible(self.label)}”"
        )

    def gate(self, name: str) -> float:
        """Give the value of a gate."""
        return next(gate.value for gate in self.gates if gate.name == name)

    def to_json(self) -> dict[str, Any]:
        """Give its fields, and the sums."""
        return {**asdict(self), "gates": [{**asdict(gate), "sum": gate.sum} for gate in self.gates]}


@torch.inference_mode()
def cell_step(layer: LayerTrace, unit: int, step: int) -> CellStep:
    """Compute one step of a layer again, in float64, and give what one unit did.

    Raises `UsageError` for a unit or step that is not there, and for a cell that does not name its non-linearities.
    """
    cell, size = layer.cell, layer.hidden_size
    for name, value, count in (("unit", unit, size), ("step", step, len(layer.steps))):
        if not 0 <= value < count:
            raise UsageError(f"{name}: expected 0 to {count - 1}, got {value}")
    if not len(cell.activations) == len(cell.symbols) == len(cell.gates):
        raise UsageError(
            f"cell {cell.name}: expected `symbols` and `activations` for {', '.join(cell.gates)}; add them to its class"
        )
    weights = layer.weights
    x = torch.from_numpy(layer.inputs[step].astype(np.float64))
    state = tuple(torch.from_numpy(value.astype(np.float64)).unsqueeze(0) for value in layer.before(step))

    def by_gate(values: Tensor) -> tuple[Tensor, ...]:
        return values.view(1, len(cell.gates), size).unbind(1)

    zeros = weights["weight_ih"].new_zeros(len(cell.gates) * size)
    biases = weights.get("bias_ih", zeros), weights.get("bias_hh", zeros)
    products = F.linear(x, weights["weight_ih"]), F.linear(state[0][0], weights["weight_hh"])
    peephole = tuple(weights["peephole"].unbind(0)) if cell.peepholes else ()
    xw, hr = (by_gate(product + bias) for product, bias in zip(products, biases, strict=True))
    after, gates = cell.step(xw, hr, state, peephole)
    parts = cell.addends(by_gate(products[0]), by_gate(products[1]), state, peephole, gates, after)
    still = tuple(torch.zeros_like(each) for each in peephole)
    constant = cell.addends(by_gate(biases[0]), by_gate(biases[1]), state, still, gates, after)

    def pick(value: Tensor) -> float:
        return float(value[0, unit])

    found = []
    for place, name in enumerate(cell.gates):
        own = {key: pick(value) for key, value in parts[place].items()}
        bias = math.fsum(pick(value) for value in constant[place].values())
        whole = {"x": own.pop("x"), "h": own.pop("h"), "bias": bias, **own}
        found.append(GateStep(name, cell.symbols[place], cell.activations[place], whole, pick(gates[place])))
    states = [dict(zip(cell.states, map(pick, each), strict=True)) for each in (state, after)]
    return CellStep(cell.name, layer.number, unit, step, layer.steps[step], found, *states)


@dataclass(frozen=True)
class Flow:
    """A line of the diagram: a value, then what is done to it, (operation, with what or None, name of the result, its value)."""

    name: str
    value: float
    operations: Sequence[tuple[str, float | None, str, float]]


def flows(step: CellStep) -> list[Flow]:
    """Give how the states of the built-in cells come from the gates; nothing for a cell with a step of its own."""
    cell: type[Cell] = get_cell(step.cell)
    before, after = step.before, step.after
    if cell.step in (LSTM.step, GravesLSTM.step):
        kept, new = step.gate("forget") * before["c"], step.gate("input") * step.gate("candidate")
        memory = [("× f", step.gate("forget"), "f ∘ c", kept), ("+ i ∘ g", new, "c'", after["c"])]
        output = [("× o", step.gate("output"), "h'", after["h"])]
        return [Flow("c", before["c"], memory), Flow("tanh c'", math.tanh(after["c"]), output)]
    if cell.step is GRU.step:
        update = step.gate("update")
        new = (1 - update) * step.gate("candidate")
        state = [("× z", update, "z ∘ h", update * before["h"]), ("+ (1 − z) ∘ n", new, "h'", after["h"])]
        return [Flow("h", before["h"], state)]
    if cell.step in (RNN.step, ReluRNN.step):
        (gate,) = step.gates
        return [Flow("sum", gate.sum, [(gate.activation, None, "h'", after["h"])])]
    return []

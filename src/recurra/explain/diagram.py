"""A cell drawn with the numbers of one step of one unit, and several steps to go through by buttons or arrow keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from recurra.cells import get_cell
from recurra.explain.cell_step import CellStep, Flow, GateStep, flows
from recurra.report.blocks import Block
from recurra.report.page import style_sheet

MAX_STEPS_DRAWN = 200
_WIDTH, _LINE, _BOX, _ROW = 860, 20, 46, 92
_PARTS = {"x": "W x", "h": "R h", "bias": "bias", "peephole": "peephole"}
_FUNCTIONS = {"sigmoid": "σ", "tanh": "tanh", "relu": "max(0, ·)"}


@dataclass(frozen=True)
class CellDiagram(Block):
    """A cell at several steps, of which a page with the script shows one at a time."""

    kind: ClassVar[str] = "cell"

    steps: Sequence[CellStep]

    def draw(self) -> str:
        if not self.steps:
            return ""
        drawn = self.steps[:MAX_STEPS_DRAWN]
        frames = "".join(
            f'<div class="frame"><p class="note" dir="auto">{escape(step.title)}</p><div class="scroll">{draw_step(step)}</div></div>'
            for step in drawn
        )
        more = (
            f'<p class="note">The first {len(drawn)} of {len(self.steps)} steps.</p>'
            if len(drawn) < len(self.steps)
            else ""
        )
        return (
            f'<figure class="cell" role="group" aria-label="{escape(self.title)}" tabindex="0">{frames}</figure>{more}'
        )

    @classmethod
    def script(cls) -> str:
        return Path(__file__).with_name("cell.js").read_text(encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "title": self.title, "steps": [step.to_json() for step in self.steps]}


def step_svg(step: CellStep) -> str:
    """Give the drawing as a file of its own, in light or dark colours as the reader's screen is."""
    sheet = style_sheet()
    colours = re.findall(r"(?ms)^(?::root|@media \(prefers-color-scheme: dark\)) \{.*?^\}", sheet)
    own = [line for line in sheet.splitlines() if line.startswith(".cell ")]
    style = "\n".join([*colours, *(line.replace(".cell ", "") for line in own)])
    return draw_step(step, ' xmlns="http://www.w3.org/2000/svg"', f"<style>{style}</style>")


def describe(step: CellStep) -> str:
    """Say in words what a drawing shows.

    >>> gate = GateStep("candidate", "h'", "tanh", {"x": 0.5, "h": 0.0, "bias": 0.0}, 0.4621)
    >>> describe(CellStep("rnn", 0, 3, 0, "a", [gate], {"h": 0.0}, {"h": 0.4621}))
    'Elman RNN (tanh), unit 0.3, step 1: “a”. candidate 0.462 (W x 0.500, R h 0.000, bias 0.000). h from 0.000 to 0.462.'
    """
    gates = "; ".join(
        f"{gate.name} {number(gate.value)} ({', '.join(f'{_PARTS[key]} {number(part)}' for key, part in gate.parts.items())})"
        for gate in step.gates
    )
    states = ", ".join(f"{name} from {number(step.before[name])} to {number(step.after[name])}" for name in step.before)
    return f"{step.title}. {gates}. {states}."


def number(value: float) -> str:
    """Write a number with three decimals.

    >>> number(-0.25), number(-0.0001)
    ('−0.250', '0.000')
    """
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text.replace("-", "−")


def draw_step(step: CellStep, attributes: str = "", style: str = "") -> str:
    """Draw one step as SVG: how the states change on top, the gates with their parts below, and the equations under them."""
    parts: list[str] = []
    y = 24
    for row, flow in enumerate(flows(step)):
        parts += _flow(flow, row, y)
        y += _ROW
    if not parts:
        parts += _states(step, y)
        y += _ROW
    width = _WIDTH // len(step.gates)
    rows = max(len(gate.parts) for gate in step.gates)
    for place, gate in enumerate(step.gates):
        parts += _gate(gate, place * width, min(width, 280), y, rows)
    y += 2 * _LINE + _BOX + _LINE * (rows + 1) + 28
    for line in [*get_cell(step.cell).equations(), *map(_equation, step.gates)]:
        parts.append(f'<text class="equation" x="8" y="{y}">{line if "<tspan" in line else escape(line)}</text>')
        y += _LINE
    size = f'width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}"'
    return f'<svg{attributes} class="unit" {size} role="img" aria-label="{escape(describe(step))}">{style}{"".join(parts)}</svg>'


def _value(key: str, value: float) -> str:
    """Write a number so that a reader of the markup finds what it is."""
    return f'<tspan class="number" data-value="{key}">{number(value)}</tspan>'


def _box(x: float, y: float, name: str, key: str, value: float) -> list[str]:
    return [
        f'<text class="soft" x="{x + 55}" y="{y}" text-anchor="middle">{escape(name)}</text>',
        f'<rect class="box" x="{x}" y="{y + 8}" width="110" height="{_BOX}" rx="8"/>',
        f'<text x="{x + 55}" y="{y + 36}" text-anchor="middle">{_value(key, value)}</text>',
    ]


def _flow(flow: Flow, row: int, y: float) -> list[str]:
    """Draw a line of values with an arrow between two, and on it what is done."""
    parts, x = _box(8, y, flow.name, f"flow.{row}.0", flow.value), 8
    for place, (operation, operand, name, value) in enumerate(flow.operations, 1):
        first, last, middle = x + 118, x + 278, y + 8 + _BOX / 2
        parts.append(
            f'<path class="wire" d="M{first} {middle}H{last}M{last - 8} {middle - 5}L{last} {middle}L{last - 8} {middle + 5}"/>'
        )
        parts.append(
            f'<text class="soft" x="{(first + last) / 2}" y="{middle - 8}" text-anchor="middle">{escape(operation)}</text>'
        )
        if operand is not None:
            shown = _value(f"flow.{row}.{place}.operand", operand)
            parts.append(f'<text x="{(first + last) / 2}" y="{middle + 20}" text-anchor="middle">{shown}</text>')
        x += 286
        parts += _box(x, y, name, f"flow.{row}.{place}", value)
    return parts


def _states(step: CellStep, y: float) -> list[str]:
    """Draw the states of a cell whose way from gates to states is not known: before and after."""
    parts: list[str] = []
    for place, name in enumerate(step.before):
        parts += _box(8 + 280 * place, y, name, f"before.{name}", step.before[name])
        parts += _box(138 + 280 * place, y, f"{name}'", f"after.{name}", step.after[name])
    return parts


def _gate(gate: GateStep, left: float, width: float, y: float, rows: int) -> list[str]:
    """Draw a gate: its parts, their sum, and its value as a bar from 0, or from the middle where it may be negative."""
    x, wide = left + 8, width - 24
    middle = x if gate.activation != "tanh" else x + wide / 2
    reach = max(-1.0, min(1.0, gate.value)) * (wide if gate.activation != "tanh" else wide / 2)
    sign = "negative" if reach < 0 else "positive"
    top, key = y + _LINE, f"gate.{gate.name}"
    parts = [
        f'<text x="{x}" y="{y + 8}"><tspan class="strong">{escape(gate.symbol)}</tspan> {escape(gate.name)}</text>',
        f'<rect class="box" x="{x}" y="{top}" width="{wide}" height="{_BOX}" rx="8"/>',
        f'<rect class="{sign}" x="{min(middle, middle + reach):.1f}" y="{top + _BOX - 8}" width="{abs(reach):.1f}" height="6"/>',
        f'<text x="{x + wide / 2}" y="{top + 26}" text-anchor="middle">{_FUNCTIONS[gate.activation]} = {_value(f"{key}.value", gate.value)}</text>',
    ]
    line = top + _BOX + _LINE
    shown = [(_PARTS[name], f"{key}.{name}", value) for name, value in gate.parts.items()]
    for row, (name, of, value) in enumerate([*shown, ("sum", f"{key}.sum", gate.sum)]):
        at = line + _LINE * (row if name != "sum" else rows)
        parts.append(f'<text class="soft" x="{x}" y="{at}">{escape(name)}</text>')
        parts.append(f'<text x="{x + min(wide, 150)}" y="{at}" text-anchor="end">{_value(of, value)}</text>')
    return parts


def _equation(gate: GateStep) -> str:
    """Write how the value of a gate comes about, in numbers."""
    key = f"gate.{gate.name}"
    terms = " + ".join(
        f"({_value(f'{key}.{name}', value)})" if value < 0 else _value(f"{key}.{name}", value)
        for name, value in gate.parts.items()
    )
    function = {"sigmoid": "σ({})", "tanh": "tanh({})", "relu": "max(0, {})"}[gate.activation]
    return f"{escape(gate.symbol)} = {function.format(terms)} = {_value(f'{key}.value', gate.value)}"

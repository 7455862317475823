"""Every number of a drawing is that of the model, and a page of steps is whole, safe, and can be read without seeing it."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from recurra.cells import ACTIVATIONS, GRU, cell_names, register
from recurra.cells import base as registry
from recurra.errors import UsageError
from recurra.explain.cell_step import cell_step, flows
from recurra.explain.diagram import MAX_STEPS_DRAWN, CellDiagram, describe, draw_step, number, step_svg
from recurra.explain.gates import record
from recurra.report.page import blocks_page


@pytest.fixture
def layer_of(predictor_of):
    def build(cell: str, **options):
        x = torch.randn(12, 4, generator=torch.Generator().manual_seed(2))
        return record(predictor_of(cell, [5, 6], **options), x).layers

    return build


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"dilations": [1, 2]}], ids=str)
@pytest.mark.parametrize("cell", cell_names())
def test_the_numbers_of_a_step(layer_of, cell, options):
    for layer in layer_of(cell, **options):
        weights = {name: value.numpy() for name, value in layer.weights.items()}
        for step, unit in ((0, 0), (4, 3), (11, 4)):
            found = cell_step(layer, unit, step)
            before = layer.before(step)
            for place, gate in enumerate(found.gates):
                row = place * layer.hidden_size + unit
                assert gate.value == pytest.approx(layer.gates[gate.name][step, unit], abs=1e-5)
                assert gate.parts["x"] == pytest.approx(
                    weights["weight_ih"][row] @ layer.inputs[step], rel=1e-5, abs=1e-6
                )
                value = ACTIVATIONS[gate.activation](torch.tensor(gate.sum, dtype=torch.float64))
                assert gate.value == pytest.approx(float(value), abs=1e-12)
                if (cell, gate.name) != ("gru", "candidate"):
                    recurrent = weights["weight_hh"][row] @ before[0]
                    assert gate.parts["h"] == pytest.approx(recurrent, rel=1e-5, abs=1e-6)
                    bias = weights["bias_ih"][row] + weights["bias_hh"][row]
                    assert gate.parts["bias"] == pytest.approx(bias, abs=1e-9)
            for name, value in found.after.items():
                assert value == pytest.approx(layer.states[name][step, unit], rel=1e-5, abs=1e-5)
            for flow in flows(found):
                _, _, name, value = flow.operations[-1]
                assert value == pytest.approx(found.after[name.removesuffix("'")])
            for name, value in zip(layer.cell.states, before, strict=True):
                assert found.before[name] == pytest.approx(float(value[unit]))


@pytest.mark.parametrize("cell", cell_names())
def test_every_number_drawn_is_right_to_its_digits(layer_of, cell):
    step = cell_step(layer_of(cell)[0], 2, 5)
    svg = ET.fromstring(step_svg(step))
    known: dict[str, float] = {}
    for gate in step.gates:
        known |= {f"gate.{gate.name}.{part}": value for part, value in gate.parts.items()}
        known |= {f"gate.{gate.name}.sum": gate.sum, f"gate.{gate.name}.value": gate.value}
    for row, flow in enumerate(flows(step)):
        known[f"flow.{row}.0"] = flow.value
        for place, (_, operand, _, value) in enumerate(flow.operations, 1):
            known[f"flow.{row}.{place}"] = value
            if operand is not None:
                known[f"flow.{row}.{place}.operand"] = operand
    drawn = [(each.get("data-value"), each.text) for each in svg.iter() if each.get("data-value")]
    assert {key for key, _ in drawn} == set(known)
    for key, text in drawn:
        assert text == number(known[key])
        assert abs(float(text.replace("−", "-")) - known[key]) <= 0.0005 + 1e-12


@pytest.mark.parametrize("cell", ["lstm", "graves-lstm", "gru", "rnn"])
def test_the_state_follows_from_what_is_drawn(layer_of, cell):
    step = cell_step(layer_of(cell)[0], 1, 7)
    gate = {each.name: each.value for each in step.gates}
    if cell == "rnn":
        assert step.after["h"] == pytest.approx(math.tanh(step.gates[0].sum))
    elif cell == "gru":
        wanted = (1 - gate["update"]) * gate["candidate"] + gate["update"] * step.before["h"]
        assert step.after["h"] == pytest.approx(wanted)
    else:
        memory = gate["forget"] * step.before["c"] + gate["input"] * gate["candidate"]
        assert step.after["c"] == pytest.approx(memory)
        assert step.after["h"] == pytest.approx(gate["output"] * math.tanh(memory))
        assert ("peephole" in step.gates[0].parts) == (cell == "graves-lstm")


def test_a_drawing_has_the_equations_and_words(layer_of):
    step = cell_step(layer_of("gru")[0], 1, 7)
    svg = ET.fromstring(step_svg(step))
    texts = ["".join(each.itertext()) for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "h' = (1 − z) ∘ n + z ∘ h" in texts
    assert any(text.startswith("z = σ(") and text.endswith(f"= {number(step.gate('update'))}") for text in texts)
    assert svg.get("role") == "img" and svg.get("aria-label") == describe(step)
    (style,) = svg.iter("{http://www.w3.org/2000/svg}style")
    assert "prefers-color-scheme: dark" in style.text and ".box" in style.text and "url(" not in style.text


def test_a_label_is_no_markup(layer_of):
    layer = layer_of("rnn")[0]
    object.__setattr__(layer, "steps", ['"><script>alert(1)</script>&'] * 12)
    diagram = CellDiagram("<b>", [cell_step(layer, 0, 0)])
    assert "<script" not in diagram.draw() and "<b>" not in diagram.draw()
    assert ET.fromstring(draw_step(diagram.steps[0])).get("aria-label") == describe(diagram.steps[0])


def test_a_page_of_steps(layer_of):
    layer = layer_of("lstm")[1]
    diagram = CellDiagram("Unit 1.0", [cell_step(layer, 0, step) for step in range(12)])
    page = blocks_page("Trace", "Inside", [("", [diagram, CellDiagram("Nothing", [])])])
    assert page.count('class="frame"') == page.count("<svg ") == 12 and "Nothing" not in page
    assert 'tabindex="0"' in page and "ArrowRight" in page and page.count("<script>") == 1
    assert re.search(
        r"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; script-src 'sha256-[\w+/=]+'\"",
        page,
    )
    assert not re.search(r"(src|href)=\"?https?:", page)
    read = json.loads(json.dumps(diagram.to_json()))
    assert read["steps"][3]["gates"][1]["name"] == "forget" and "sum" in read["steps"][3]["gates"][1]


def test_a_long_text_is_drawn_in_part(layer_of):
    step = cell_step(layer_of("rnn")[0], 0, 0)
    drawn = CellDiagram("", [step] * (MAX_STEPS_DRAWN + 1)).draw()
    assert drawn.count('class="frame"') == MAX_STEPS_DRAWN and f"The first {MAX_STEPS_DRAWN} of" in drawn


def test_what_is_not_there_is_refused(layer_of):
    layer = layer_of("lstm")[0]
    for name, unit, step in (("unit", 5, 0), ("unit", -1, 0), ("step", 0, 12), ("step", 0, -1)):
        with pytest.raises(UsageError, match=f"{name}: expected 0 to"):
            cell_step(layer, unit, step)


def test_a_cell_with_a_step_of_its_own_shows_its_states(layer_of, monkeypatch):
    monkeypatch.setattr(registry, "_registry", dict(registry._registry))

    @register
    class Swapped(GRU):
        """h' = z ∘ n + (1 − z) ∘ h."""

        name = "test-swapped"
        torch_mode = None

        @staticmethod
        def step(xw, hr, state, peephole):
            _, (r, z, n) = GRU.step(xw, hr, state, peephole)
            return (z * n + (1 - z) * state[0],), (r, z, n)

    step = cell_step(layer_of("test-swapped")[0], 0, 3)
    assert flows(step) == []
    drawn = [each.get("data-value") for each in ET.fromstring(draw_step(step)).iter() if each.get("data-value")]
    assert {"before.h", "after.h"} <= set(drawn)


def test_numbers_are_written_alike():
    assert [number(value) for value in (0.0, -0.0, 1.23456, -2.0, np.float64(0.0004))] == [
        "0.000",
        "0.000",
        "1.235",
        "−2.000",
        "0.000",
    ]

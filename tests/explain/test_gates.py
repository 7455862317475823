"""What is recorded is what the engine computed: for all cells, layers and directions, in whole or in pieces."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
import torch

import recurra
from recurra.cells import LSTM, cell_names, get_cell, register
from recurra.cells import base as registry
from recurra.errors import DataError, RunError, UsageError
from recurra.explain.gates import record
from recurra.explain.trace import join
from recurra.kernels import run_layer

SHAPES = [{}, {"bidirectional": True, "layer_norm": True}, {"dilations": [1, 3]}, {"residual": True}]


def draw(steps: int, size: int = 4) -> torch.Tensor:
    return torch.randn(steps, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("options", SHAPES, ids=str)
@pytest.mark.parametrize("cell", cell_names())
def test_every_value_is_the_engines(predictor_of, cell, options):
    predictor = predictor_of(cell, [5, 5], **options)
    x = draw(23)
    trace = record(predictor, x)
    assert [layer.number for layer in trace.layers] == list(range(4 if "bidirectional" in options else 2))
    modules = dict(predictor.network.named_modules())
    for layer in trace.layers:
        module = modules[layer.name]
        if module.dilation > 1:
            continue
        with torch.inference_mode():
            given = torch.from_numpy(layer.inputs).unsqueeze(1)
            y, end, values = run_layer(
                layer.cell,
                given,
                module.zero_state(1),
                dict(module.named_parameters()),
                reverse=layer.direction == "backward",
                return_gates=True,
            )
        assert values is not None
        np.testing.assert_allclose(layer.outputs, y[:, 0], rtol=1e-5, atol=1e-5)
        for place, name in enumerate(layer.cell.gates):
            np.testing.assert_allclose(layer.gates[name], values[:, 0, place], rtol=1e-5, atol=1e-5)
        last = 0 if layer.direction == "backward" else -1
        for name, state in zip(layer.cell.states, end, strict=True):
            np.testing.assert_allclose(layer.states[name][last], state[0], rtol=1e-5, atol=1e-5)
        assert layer.deviation <= 1e-5


@pytest.mark.parametrize("cell", cell_names())
@pytest.mark.parametrize("options", [{}, {"dilations": [2, 3]}], ids=str)
def test_pieces_of_a_sequence_are_one_sequence(predictor_of, cell, options):
    whole = record(predictor_of(cell, [5, 5], **options), draw(23))
    pieces = record(predictor_of(cell, [5, 5], piece=4, **options), draw(23))
    for one, other in zip(whole.layers, pieces.layers, strict=True):
        assert len(other.segments) == 1
        for name, values in {**one.states, **one.gates}.items():
            np.testing.assert_allclose({**other.states, **other.gates}[name], values, rtol=1e-5, atol=1e-5)


def test_the_state_before_a_step(predictor_of):
    for options in SHAPES:
        for layer in record(predictor_of("lstm", [5, 5], **options), draw(9)).layers:
            back = -layer.dilation if layer.direction == "forward" else 1
            for step in range(9):
                came = step + back
                wanted = [layer.states[n][came] if 0 <= came < 9 else np.zeros(5) for n in ("h", "c")]
                np.testing.assert_array_equal(np.stack(layer.before(step)), np.stack(wanted))


def test_ten_thousand_steps_are_fast(predictor_of):
    predictor = predictor_of("lstm", [256], inputs=64)
    started = time.process_time()  # of this process, whatever else the machine does
    trace = record(predictor, draw(10_000, 64))
    assert trace.layers[0].outputs.shape == (10_000, 256)
    assert time.process_time() - started < 4


def test_a_cell_of_a_plug_in(predictor_of, monkeypatch):
    monkeypatch.setattr(registry, "_registry", dict(registry._registry))

    @register
    class Coupled(LSTM):
        """An LSTM that forgets as much as it takes in."""

        name = "test-coupled"
        torch_mode = None

        @staticmethod
        def step(xw, hr, state, peephole):
            i, g, o = torch.sigmoid(xw[0] + hr[0]), torch.tanh(xw[2] + hr[2]), torch.sigmoid(xw[3] + hr[3])
            c = (1 - i) * state[1] + i * g
            return (o * torch.tanh(c), c), (i, 1 - i, g, o)

    (layer,) = record(predictor_of("test-coupled", [5]), draw(12)).layers
    assert layer.cell is Coupled and layer.deviation < 1e-5
    np.testing.assert_allclose(layer.gates["input"] + layer.gates["forget"], 1, atol=1e-6)


def test_an_engine_that_computes_something_else_is_found(predictor_of, monkeypatch):
    predictor = predictor_of("gru", [5])
    step = get_cell("gru").step

    def other(xw, hr, state, peephole):
        (h,), values = step(xw, hr, state, peephole)
        return (h + 1e-4,), values

    monkeypatch.setattr(get_cell("gru"), "step", staticmethod(other))
    with pytest.raises(RunError, match=r"layers\.0: the outputs of gru by its own step are 1\.0e-04 from the engine's"):
        record(predictor, draw(6))


def test_what_cannot_be_recorded_says_why(predictor_of):
    predictor = predictor_of("gru", [5])
    with pytest.raises(UsageError, match="no recurrent layer was run; hand over one sequence that is not empty"):
        record(predictor, draw(0))

    class Two(type(predictor)):
        def predict_with(self, inputs, options):
            self.network(inputs[0].unsqueeze(1).expand(-1, 2, -1), self.network.zero_state(2))
            return [{}]

    with pytest.raises(UsageError, match=r"layers\.0: it reads 2 sequences side by side"):
        record(Two(None, predictor.network, None), draw(3))


def test_units_by_name(predictor_of):
    trace = record(predictor_of("gru", [5, 3], residual=False), draw(6))
    layer, unit = trace.unit("1.2")
    assert (layer.number, unit) == (1, 2)
    for name in ("1.3", "2.0", "1", "a.b", "-1.0"):
        with pytest.raises(UsageError, match=r"unit: expected one of 0\.0 to 0\.4, 1\.0 to 1\.2; got"):
            trace.unit(name)


def test_traces_of_several_inputs_are_one(predictor_of):
    predictor = predictor_of("lstm", [5])
    one, two = record(predictor, draw(6)), record(predictor, draw(4))
    both = join([one, two])
    (layer,) = both.layers
    assert layer.outputs.shape == (10, 5) and [tuple(each)[:2] for each in layer.segments] == [(0, 6), (6, 10)]
    assert not np.stack(layer.before(6)).any()
    np.testing.assert_array_equal(layer.before(7)[1], two.layers[0].states["c"][0])
    with pytest.raises(DataError, match="the same layers"):
        join([one, record(predictor_of("gru", [4]), draw(4))])


def test_json_holds_all(predictor_of):
    trace = record(predictor_of("lstm", [5], bidirectional=True), draw(6))
    read = json.loads(json.dumps(trace.to_json(), allow_nan=False))
    assert [layer["direction"] for layer in read["layers"]] == ["forward", "backward"]
    assert np.array(read["layers"][1]["gates"]["forget"]).shape == (6, 5)
    assert read["layers"][0]["steps"] == ["1", "2", "3", "4", "5", "6"]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reviews")
    rows = [f"{'good' if i % 2 else 'bad'}\t{'a fine film' if i % 2 else 'a dull mess'} number {i}" for i in range(60)]
    (folder / "reviews.tsv").write_text("label\ttext\n" + "\n".join(rows))
    options = {"quiet": True, "hidden": 6, "epochs": 1, "bidirectional": True, "linear": "none"}
    return recurra.train("classify", folder / "reviews.tsv", folder / "run", **options)


def test_steps_of_a_review_are_its_words(reviews):
    trace = record(reviews.predictor, "a fine film , truly")
    forward, backward = trace.layers[-2:]
    assert forward.steps == backward.steps == ["a", "fine", "film", ",", "truly"]
    assert (forward.direction, backward.direction) == ("forward", "backward")
    assert trace.result["label"] in ("good", "bad")


def test_the_network_is_left_as_it_was(predictor_of):
    predictor = predictor_of("gru", [5])
    predictor.network.train()
    record(predictor, draw(3))
    assert predictor.network.training
    assert not any(module._forward_hooks for module in predictor.network.modules())

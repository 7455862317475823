"""Saturation by its definition, units that stand still, that count, and that follow a feature more than one without a meaning."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

import recurra
from recurra.errors import DataError, UsageError
from recurra.explain.features import series_features, text_features
from recurra.explain.gates import record
from recurra.explain.trace import Trace
from recurra.explain.units import (
    counting_units,
    saturation,
    still_units,
    telling_units,
    unit_features,
    view_unit,
)


def layer_of(predictor_of, cell, values, **parts):
    """A layer whose first state is given, (T, H), with its gates."""
    values = np.asarray(values, np.float32)
    trace = record(predictor_of(cell, [values.shape[1]]), torch.zeros(len(values), 4))
    (layer,) = trace.layers
    names = layer.cell.states
    return replace(layer, states=dict.fromkeys(names, values), **parts)


def test_saturation_is_a_share_of_steps_and_units(predictor_of):
    gate = np.array([[0.95, 0.05], [0.5, 0.09], [0.91, 0.5], [0.9, 0.1]], np.float32)
    candidate = np.array([[0.95, -0.95], [0.9, -0.9], [0.0, -0.99], [-0.5, 0.91]], np.float32)
    layer = layer_of(predictor_of, "gru", np.zeros((4, 2)))
    layer = replace(layer, gates={"reset": gate, "update": 1 - gate, "candidate": candidate})
    reset, update, value = saturation(layer)
    assert (reset.upper.tolist(), reset.lower.tolist()) == ([0.5, 0.0], [0.0, 0.5])
    assert update.to_json()["open"] == 0.25 and update.to_json()["shut"] == 0.25
    assert (value.upper.tolist(), value.lower.tolist()) == ([0.25, 0.25], [0.0, 0.5])
    assert value.to_json()["low_units"] == [0.0, 0.5]


def test_a_rectifier_is_shut_where_it_is_zero(predictor_of):
    layer = layer_of(predictor_of, "rnn-relu", np.zeros((4, 2)))
    (found,) = saturation(replace(layer, gates={"candidate": np.array([[0, 5], [0, 0], [1, 2], [0, 3]])}))
    assert (found.upper.tolist(), found.lower.tolist()) == ([0.0, 0.0], [0.75, 0.25])


def test_a_unit_that_never_moves(predictor_of):
    steps = np.arange(60.0)
    values = np.stack([np.sin(steps), np.where(steps < 3, 0.0, 0.4), np.full(60, -0.2), np.where(steps == 40, 1, 0)], 1)
    assert still_units(layer_of(predictor_of, "rnn", values)) == [1, 2]


def test_of_a_few_steps_nothing_is_said_to_never_move(predictor_of):
    assert still_units(layer_of(predictor_of, "rnn", np.zeros((2, 3)))) == []


def test_a_unit_that_counts_is_told_from_ones_that_do_not(predictor_of):
    draw = np.random.default_rng(0)
    steps = np.arange(200.0)
    values = np.stack([-0.004 * steps + 0.01 * draw.standard_normal(200), draw.standard_normal(200)], 1)
    (found,) = {each.name: each for each in counting_units(layer_of(predictor_of, "rnn", values))}.values()
    assert (found.name, found.feature) == ("0.0", "step") and found.r < -0.99
    assert 0 < found.control < 0.6 and found.selectivity > 0.3


def test_a_feature_and_its_control_task(predictor_of):
    text = "The Cat SAT on the mat and Then Went (AWAY) to see 12 Dogs " * 4
    upper = np.array([letter.isupper() for letter in text], float)
    draw = np.random.default_rng(1)
    values = np.stack([upper + 0.3 * draw.standard_normal(len(text)), draw.standard_normal(len(text))], 1)
    layer = layer_of(predictor_of, "gru", values, steps=list(text))
    best = unit_features(layer)[0]
    assert (best.name, best.feature) == ("0.0", "upper case") and best.r > 0.75
    assert best.control < 0.5 < best.r - 0.2
    wanted = np.corrcoef(values[:, 0].astype(np.float32), upper)[0, 1]
    assert best.r == pytest.approx(wanted, abs=1e-6)
    assert telling_units(Trace([layer]))[0].name == "0.0"


def test_features_that_are_given(predictor_of):
    values = np.random.default_rng(2).standard_normal((50, 3))
    layer = layer_of(predictor_of, "rnn", values)
    best = unit_features(layer, {"mine": -values[:, 2]})[0]
    assert (best.name, best.feature) == ("0.2", "mine") and best.r == pytest.approx(-1)
    for wrong in (np.zeros(49), np.full(50, np.nan)):
        with pytest.raises(DataError, match="feature mine: expected a finite number for each of 50 steps"):
            unit_features(layer, {"mine": wrong})


def test_nothing_is_found_in_too_little(predictor_of):
    assert unit_features(layer_of(predictor_of, "rnn", np.random.default_rng(3).standard_normal((19, 2)))) == []
    layer = layer_of(predictor_of, "rnn", np.random.default_rng(3).standard_normal((60, 2)))
    rare = np.zeros(60)
    rare[:4] = 1
    assert unit_features(layer, {"rare": rare}) == []


def test_features_of_a_text():
    found = text_features(["<begin>", *'say "Hi" (1)\nso'], starts=[0])
    assert found["inside quotes"].tolist() == [0] * 5 + [1, 1, 1] + [0] * 8
    assert found["position in word"].tolist() == [0, 1, 2, 3, 0, 0, 1, 2, 0, 0, 0, 1, 0, 0, 1, 2]
    assert found["position in line"].tolist()[-4:] == [12, 0, 1, 2]
    assert text_features(["(", "(", ")", "("], starts=[0, 2])["bracket depth"].tolist() == [1, 2, 0, 1]
    assert "digit" not in text_features(list("abc"))


def test_features_of_series():
    found = series_features(np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]), starts=[0, 2])
    assert {name: each.tolist() for name, each in found.items()} == {"step": [1, 2, 1], "input 0": [1, 2, 4]}


def test_where_a_unit_is_high(predictor_of):
    values = np.zeros((40, 2))
    values[10:13, 1], values[30, 1], values[20, 1] = 0.8, 0.9, 0.2
    layer = layer_of(predictor_of, "gru", values, steps=list("abcdefghij" * 4))
    view = view_unit(Trace([layer]), "0.1")
    assert [(each.first, each.last, each.text) for each in view.stretches] == [(30, 31, "a"), (10, 13, "abc")]
    assert view.stretches[1].before == "abcdefghij" and view.stretches[1].after.startswith("defghij")
    assert json.loads(json.dumps(view.to_json()))["high"][0]["peak"] == pytest.approx(0.9)
    with pytest.raises(UsageError, match="unit: expected one of"):
        view_unit(Trace([layer]), "0.2")


def balanced(seed: int, length: int) -> str:
    """Words of the Dyck language of one kind of bracket, a line each."""
    draw, found = random.Random(seed), []
    while len(found) < length:
        depth = 0
        while depth or not found or found[-1] == "\n":
            up = draw.randint(1, 6)
            depth += up
            down = depth if draw.random() < 0.6 else draw.randint(1, depth)
            depth -= down
            found += "(" * up + ")" * down
        found.append("\n")
    return "".join(found)


def test_a_language_model_counts_brackets(tmp_path):
    (tmp_path / "brackets.txt").write_text(balanced(1, 12_000))
    options = {
        "cell": "lstm",
        "hidden": 8,
        "layers": 1,
        "epochs": 15,
        "bptt": 32,
        "batch": 8,
        "lr": 0.01,
        "unit": "char",
    }
    run = recurra.train("lm", tmp_path / "brackets.txt", tmp_path / "run", quiet=True, **options)
    trace = record(run.predictor, balanced(2, 400))
    counters = [each for each in counting_units(trace.layers[0]) if each.feature == "bracket depth"]
    assert counters and abs(counters[0].r) >= 0.9 and counters[0].control < 0.5
    assert telling_units(trace)[0].feature == "bracket depth"

"""Runs of every task are recorded: those that are stored, and one that writes a sequence."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.explain.cell_step import cell_step
from recurra.explain.gates import record
from recurra.explain.trace_blocks import trace_blocks

RUNS = Path(__file__).parents[1] / "golden/runs"
STEPS = np.sin(np.arange(24.0))
CASES = [
    ("classify_series", np.stack([STEPS, -STEPS], 1), "body.stack", 1),
    ("classify_text", "never a dull film", "body.stack", 2),
    ("detect", "plant_new.csv", "stack", 1),
    ("embed", np.stack([STEPS, -STEPS], 1), "body.stack", 2),
    ("forecast", "sales_new.csv", "stack", 1),
    ("lm", "the rain in", "stack", 2),
    ("tag", "Zoë likes Aix", "body.stack", 2),
]


@pytest.mark.parametrize(("name", "item", "stack", "count"), CASES, ids=[case[0] for case in CASES])
def test_a_stored_run(name, item, stack, count, tmp_path):
    predictor = recurra.load(RUNS / name).predictor
    if str(item).endswith(".csv"):
        rows = (RUNS.parent / "data" / item).read_text().splitlines()
        (tmp_path / item).write_text(
            "\n".join(rows[:25] if name == "detect" else rows) + "\n"
        )  # up to here without a gap
        item = predictor.read_file(str(tmp_path / item))[0]
    trace = record(predictor, item)
    layers = [layer for layer in trace.layers if layer.name.startswith(f"{stack}.")]
    assert len(layers) == count == len(trace.layers)
    assert all(layer.deviation <= 1e-5 and len(layer.steps) == len(layer.outputs) for layer in layers)
    assert trace.result and all(block.draw() for block in trace_blocks(trace))
    assert cell_step(layers[-1], 0, 1).after


def test_words_of_a_tagger_and_what_is_left_out():
    trace = record(recurra.load(RUNS / "tag").predictor, "Zoë likes Aix")
    assert trace.layers[0].steps == ["Zoë", "likes", "Aix"]
    assert {why for _, why in trace.left_out} == {"it reads 3 sequences side by side"}
    assert all("spelling" in name for name, _ in trace.left_out)


def test_a_translator_is_followed_while_it_writes(tmp_path):
    rows = [f"{'ab'[i % 2] * (1 + i % 4)}\t{'xy'[i % 2] * (1 + i % 4)}" for i in range(80)]
    (tmp_path / "pairs.tsv").write_text("source\ttarget\n" + "\n".join(rows) + "\n")
    run = recurra.train("translate", tmp_path / "pairs.tsv", tmp_path / "run", quiet=True, hidden=8, epochs=1)
    trace = record(run.predictor, "aab")
    names = {layer.name.partition(".")[0] for layer in trace.layers}
    assert names == {"body", "decoder"} and not trace.left_out
    decoder = next(layer for layer in trace.layers if layer.name.startswith("decoder"))
    assert len(decoder.segments) == 1 and len(decoder.steps) >= 1
    shutil.rmtree(tmp_path / "run")

"""A tagger from data to predictions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import recurra
from recurra import Run
from recurra.cli import app
from recurra.kernels.native import engine

NAMES, TOWNS = ["Anna", "Bela", "Chen", "Dora"], ["Wien", "Oslo", "Rome"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("tag")
    blocks = []
    for n in range(120):
        rows = [(NAMES[n % 4], "B-PER"), (f"no{n}", "I-PER"), ("likes", "O"), (TOWNS[n % 3], "B-LOC")]
        blocks.append("".join(f"{word}\t{tag}\n" for word, tag in rows))
    (folder / "names.conll").write_text("\n".join(blocks))
    settings = {"hidden": 16, "embedding": 8, "characters": 8, "epochs": 12, "batch": 8, "lr": 0.02, "dropout": 0.1}
    shares = {"valid_share": 0.2, "test_share": 0.2}
    return recurra.train("tag", folder / "names.conll", folder / "run", quiet=True, **settings, **shares)


def test_it_has_learnt_and_is_measured(run: Run) -> None:
    evaluation = run.evaluation
    assert evaluation is not None
    assert evaluation["metrics"]["f1"] > 0.95
    baseline = evaluation["baselines"]["most-frequent-tag"]
    assert baseline["f1"] < evaluation["metrics"]["f1"]  # it cannot know the numbers
    assert set(evaluation["details"]["per_type"]) == {"LOC", "PER"}
    assert run.network.crf is not None


def test_a_sentence_is_cut_or_read_as_it_is(run: Run) -> None:
    (result,) = run.predict([["Chen", "no999", "likes", "Oslo"]])
    assert result["tags"] == ["B-PER", "I-PER", "O", "B-LOC"]
    assert result["spans"][0] == {"start": 0, "end": 2, "type": "PER", "tokens": ["Chen", "no999"]}
    assert all(0 < share <= 1 for share in result["probabilities"])
    shown = CliRunner().invoke(app, ["predict", str(run.path), "--json"], input='Chen no999 likes Oslo\n["Oslo"]\n')
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert lines[0] == result
    assert lines[1]["tags"] == ["B-LOC"]
    if engine() is not None:
        alone, _ = run.predict([["Chen", "no999", "likes", "Oslo"], ["Oslo"]])
        assert alone == result


def test_steps_and_the_likeliest_tags(run: Run) -> None:
    (result,) = run.predict([["Anna", "no7", "likes", "Rome"]], k=2, steps=True)
    assert [len(step["tags"]) for step in result["steps"]] == [1, 2, 3, 4]
    assert all(len(shares) == 2 for shares in result["probabilities"])
    shown = CliRunner().invoke(app, ["predict", str(run.path), "-t", "Anna no7", "--steps"])
    assert shown.stdout.splitlines()[-1] == "Anna/B-PER no7/I-PER"


def test_an_empty_sentence_has_no_tags(run: Run) -> None:
    (result,) = run.predict([[]])
    assert (result["tokens"], result["tags"], result["spans"]) == ([], [], [])


def test_other_data_are_measured(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "other.conll"
    path.write_text("Anna\tB-PER\nno8\tI-PER\nlikes\tO\nMars\tB-PLANET\n")
    result = run.evaluate(path)
    assert result["count"] == 4
    assert result["metrics"]["accuracy"] <= 0.75  # planets are not among its tags

"""A classifier from data to predictions: by Python and by the command line, and what odd data give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import recurra
from recurra import Run
from recurra.cli import app
from recurra.errors import DataError, UsageError
from recurra.kernels.native import engine
from recurra.tasks.classify.evaluate import compute_metrics

SETTINGS = {"hidden": 8, "embedding": 8, "epochs": 12, "batch": 8, "lr": 0.02, "dropout": 0.1, "quiet": True}


def reviews(folder: Path, name: str = "reviews.csv", count: int = 80) -> Path:
    path = folder / name
    rows = [f"film {n} was {'great' if n % 2 else 'awful'},{'good' if n % 2 else 'bad'}" for n in range(count)]
    path.write_text("review,sentiment\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("classify")
    return recurra.train("classify", reviews(folder), folder / "run", valid_share=0.2, test_share=0.2, **SETTINGS)


def invoke(*arguments: object, input: str | None = None) -> list[dict]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], input=input, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_it_has_learnt_and_is_measured(run: Run) -> None:
    evaluation = run.evaluation
    assert evaluation is not None
    assert evaluation["metrics"]["accuracy"] == 1.0
    assert set(evaluation["baselines"]) == {"majority", "tfidf-logistic"}
    details = evaluation["details"]
    assert details["classes"] == ["bad", "good"]
    assert sum(map(sum, details["confusion"])) == evaluation["count"]
    assert details["mistakes"] == []


def test_one_text_gives_one_result_and_a_list_a_list(run: Run) -> None:
    alone = run.predict("film 3 was great")
    assert alone["label"] == "good"
    assert alone["probabilities"]["good"] + alone["probabilities"]["bad"] == pytest.approx(1, abs=2e-6)
    both = run.predict(["film 3 was great", "film 3 was awful"])
    assert [result["label"] for result in both] == ["good", "bad"]
    if engine() is not None:  # exact mode: the same bits beside other texts
        assert both[0] == alone


def test_a_prediction_after_every_word(run: Run) -> None:
    result = run.predict("film 3 was great", steps=True)
    assert [step["text"] for step in result["steps"]] == ["film", "film 3", "film 3 was", "film 3 was great"]
    last = result["steps"][-1]
    assert last["probabilities"] == result["probabilities"]
    assert last == {key: result[key] for key in last}


def test_the_command_line_predicts_lines_as_they_come(run: Run) -> None:
    results = invoke("predict", run.path, input="film 9 was awful\nfilm 9 was great\n\n")
    assert [result["label"] for result in results[:2]] == ["bad", "good"]
    assert results[2]["text"] == ""  # an empty text has a prediction too: how common the classes are
    assert len(results) == 3
    steps = CliRunner().invoke(app, ["predict", str(run.path), "-t", "was great", "--steps"])
    assert [line.split("\t")[2] for line in steps.stdout.splitlines()] == ["was", "was great"]


def test_a_file_of_the_same_kind_is_read_as_the_training_data_was(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("review\nfilm 1 was great\nfilm 2 was awful\n")
    assert [result["label"] for result in invoke("predict", run.path, path)] == ["good", "bad"]


def test_other_data_are_measured(run: Run, tmp_path: Path) -> None:
    (result,) = invoke("evaluate", run.path, reviews(tmp_path, "other.csv", 30))
    assert result["count"] == 30
    assert result["metrics"]["accuracy"] == 1.0


def test_labels_that_training_never_saw_count_as_wrong(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("review,sentiment\nfilm 1 was great,good\nfilm 2 was odd,mixed\n")
    result = run.evaluate(path)
    assert result["metrics"]["accuracy"] == 0.5
    assert any("mixed (1)" in note for note in result["details"]["notes"])


@pytest.mark.parametrize("linear", ["none", "auto"])
def test_the_temperature_is_the_one_that_fits_what_was_held_out(tmp_path: Path, linear: str) -> None:
    """Labels that are wrong now and then teach it how unsure it ought to be."""
    flipped = [(n % 2) ^ (n % 7 == 0) for n in range(120)]
    rows = [f"film {n} was {'great' if n % 2 else 'awful'},{'good' if flipped[n] else 'bad'}" for n in range(120)]
    (tmp_path / "odd.csv").write_text("review,sentiment\n" + "\n".join(rows) + "\n")
    shares = {"valid_share": 0.3, "test_share": 0.2}
    run = recurra.train("classify", tmp_path / "odd.csv", tmp_path / "run", linear=linear, **shares, **SETTINGS)
    temperature = run.network.temperature if linear == "none" else run.network.shares
    fitted = temperature.clone()
    assert (fitted != 1.0).any()
    run.task.prepare(tmp_path / "run")

    def cost(factor: float) -> float:
        with torch.no_grad():
            temperature.copy_(fitted * factor)
        valid = run.task.dataset.valid
        return compute_metrics(run.predictor.probabilities(valid), valid)["nll"]

    assert cost(1.0) < min(cost(0.8), cost(1.25))


def test_a_single_class_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("review,sentiment\n" + "fine,good\n" * 5 + "well,good\n" * 5)
    with pytest.raises(DataError, match=r"one.csv: expected two classes or more in the training data, got 1: good"):
        recurra.train("classify", path, tmp_path / "run", test_share=0.0, **SETTINGS)
    assert not (tmp_path / "run").exists()


def test_a_missing_label_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("review,sentiment\nfine,good\ndull,\n")
    with pytest.raises(DataError, match=r"gap.csv: line 3: the label is missing"):
        recurra.train("classify", path, tmp_path / "run", **SETTINGS)


def test_what_stands_on_both_sides_is_reported(tmp_path: Path) -> None:
    train, test = reviews(tmp_path), reviews(tmp_path, "test.csv", 10)
    with train.open("a") as file:
        file.write("film 3 was great,bad\n")
    run = recurra.train("classify", train, tmp_path / "run", test=test, **{**SETTINGS, "epochs": 1})
    notes = run.evaluation["details"]["notes"]
    assert "leakage: 10 of 10 test examples stand in the training data too" in notes
    assert "1 training examples are there with different labels" in notes


def test_settings_that_contradict_each_other(tmp_path: Path) -> None:
    path = reviews(tmp_path)
    for settings, message in (
        ({"folds": 3, "fold": 4}, "fold: expected 1 to 3, got 4"),
        ({"folds": 3, "test": path}, "leave out --test"),
        ({"rename": ["good"]}, "rename: expected OLD=NEW, got 'good'"),
        ({"unit": "char", "vectors": path}, "vectors: are for words"),
    ):
        with pytest.raises(UsageError, match=message):
            recurra.train("classify", path, tmp_path / "run", **{**SETTINGS, **settings})


def test_word_vectors_are_begun_with(tmp_path: Path) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("great 1 0 0 0 1\nawful 0 1 0 0 -1\n")
    settings = {name: value for name, value in SETTINGS.items() if name != "embedding"}
    run = recurra.train("classify", reviews(tmp_path), tmp_path / "run", vectors=vectors, **settings)
    assert run.network.body.encoder.size == 5
    assert Run.load(tmp_path / "run").predict("film 3 was great")["label"] == "good"
    with pytest.raises(UsageError, match="embedding: the vectors have 5 numbers each"):
        recurra.train("classify", reviews(tmp_path), tmp_path / "again", vectors=vectors, **SETTINGS)


def test_series_with_gaps_and_of_any_length(tmp_path: Path) -> None:
    lines = ["@problemName steps", "@classLabel true up down", "@data"]
    for n in range(60):
        values = [str(v) for v in range(3 + n % 4)]
        if n % 5 == 0:
            values[1] = "?"
        lines.append(",".join(values if n % 2 else values[::-1]) + (":up" if n % 2 else ":down"))
    (tmp_path / "steps.ts").write_text("\n".join(lines) + "\n")
    settings = {name: value for name, value in SETTINGS.items() if name != "embedding"}
    run = recurra.train("classify", tmp_path / "steps.ts", tmp_path / "run", test_share=0.2, **settings)
    assert run.evaluation["metrics"]["accuracy"] > 0.9
    assert set(run.evaluation["baselines"]) == {"majority", "1-nn", "1-nn-dtw"}
    results = invoke("predict", run.path, input="0, 1, 2, 3\n[3, null, 1, 0]\n")
    assert [result["label"] for result in results] == ["up", "down"]
    assert results[1]["series"] == [3.0, None, 1.0, 0.0]
    with pytest.raises(DataError, match="expected a series in the line, got 'one two'"):
        run.predictor.parse("one two")
    with pytest.raises(DataError, match="expected series of 1 channels"):
        run.predict(np.zeros((4, 2)))
    with pytest.raises(DataError, match=r"step 2, channel .*: expected a finite number, got infinity"):
        run.predict(np.array([[1.0], [np.inf]]))


def test_steps_that_would_take_hours_are_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.tasks.sequence.predictor.MAX_PREFIX_ELEMENTS", 10)
    assert len(run.predict("a b c d", steps=True)["steps"]) == 4
    with pytest.raises(DataError, match="steps: each of 5 predictions is of all before it"):
        run.predict("a b c d e", steps=True)


def test_a_row_that_cannot_be_read_is_named_and_the_others_are_predicted(run: Run, tmp_path: Path) -> None:
    rows = ['{"review": "film 1 was great"}', '{"review": "film', '{"review": 3}', '{"review": "film 2 was awful"}']
    (tmp_path / "new.jsonl").write_text("\n".join(rows) + "\n")
    asked = ["predict", str(run.path), str(tmp_path / "new.jsonl"), "--json"]
    stopped = CliRunner().invoke(app, asked)
    assert isinstance(stopped.exception, DataError) and "new.jsonl: line 2: " in str(stopped.exception)
    result = CliRunner().invoke(app, [*asked, "--on-error", "skip"])
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["label"] for line in result.stdout.splitlines()] == ["good", "bad"]
    second, third = result.stderr.splitlines()
    assert "new.jsonl: line 2: " in second and "new.jsonl: line 3: " in third and third.endswith("; skipped")

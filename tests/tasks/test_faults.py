"""What users hand over that cannot be used, or only with care, and what they read of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import recurra
from recurra import Run
from recurra.cli import app
from recurra.data.labelled.reader import Labelled
from recurra.errors import DataError, RecurraError
from recurra.tasks.base.labels import natural_sort
from recurra.tasks.sequence.data import align_channels
from recurra.tasks.sequence.preprocessing import (
    SeriesOptions,
    SeriesPreprocessor,
    TokenPreprocessor,
    WordPreprocessor,
)

QUICK = {"hidden": 4, "epochs": 1, "batch": 16, "quiet": True, "test_share": 0.2}


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A classifier of series with the channels x and y."""
    folder = tmp_path_factory.mktemp("takes")
    rows = ["take,t,x,y,move"]
    for take in range(30):
        rows += [f"{take},{t},{t if take % 2 else -t},{take % 3},{'up' if take % 2 else 'down'}" for t in range(4)]
    (folder / "takes.csv").write_text("\n".join(rows) + "\n")
    settings = {"series": "take", "time": "t", "label": "move", **QUICK, "epochs": 8, "lr": 0.02}
    return recurra.train("classify", folder / "takes.csv", folder / "run", **settings)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A classifier of texts that leaves a class out and skips bad rows in training."""
    folder = tmp_path_factory.mktemp("films")
    rows = [f"film {n} is {'fine' if n % 3 else 'dull'},{('no', 'yes', 'perhaps')[n % 3]}" for n in range(60)]
    (folder / "films.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    settings = {"rename": ["perhaps="], "on_error": "skip", "bidirectional": False, **QUICK}
    return recurra.train("classify", folder / "films.csv", folder / "run", **settings)


def invoke(*arguments: object, input: str | None = None) -> str:
    result = CliRunner().invoke(app, [*map(str, arguments)], input=input)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: object, input: str | None = None) -> str:
    """The message of a command that fails; nothing else is written but the results before."""
    result = CliRunner().invoke(app, [*map(str, arguments)], input=input)
    assert isinstance(result.exception, RecurraError), result.output
    assert "seed" not in result.output
    return str(result.exception)


def test_columns_in_another_order_are_the_same_channels(takes: Run, tmp_path: Path) -> None:
    (tmp_path / "xy.csv").write_text("take,t,x,y\n" + "".join(f"0,{t},{t},2\n" for t in range(4)))
    (tmp_path / "yx.csv").write_text("take,t,y,x\n" + "".join(f"0,{t},2,{t}\n" for t in range(4)))
    one, other = (json.loads(invoke("predict", takes.path, tmp_path / name, "--json")) for name in ("xy.csv", "yx.csv"))
    assert one == other
    (tmp_path / "labelled.csv").write_text("take,t,y,x,move\n" + "".join(f"0,{t},2,{t},up\n" for t in range(4)))
    evaluated = takes.evaluate(tmp_path / "labelled.csv", baselines=False)
    assert evaluated["metrics"]["nll"] == pytest.approx(-np.log(one["probabilities"]["up"]), abs=1e-5)


def test_other_channels_are_refused_by_name(takes: Run, tmp_path: Path) -> None:
    (tmp_path / "ab.csv").write_text("take,t,a,b\n0,0,1,2\n0,1,1,2\n")
    assert "ab.csv: expected 2 channels (x, y), got 2 (a, b)" in refused("predict", takes.path, tmp_path / "ab.csv")
    (tmp_path / "xyz.csv").write_text("take,t,x,y,z\n0,0,1,2,3\n0,1,1,2,3\n")
    with pytest.raises(DataError, match=r"xyz.csv: expected 2 channels \(x, y\), got 3 \(x, y, z\)"):
        takes.predictor.read_file(str(tmp_path / "xyz.csv"))


def test_channels_without_names_are_read_in_their_order() -> None:
    preprocessor = SeriesPreprocessor.build([np.ones((2, 2)), np.zeros((2, 2))], ["x", "y"], SeriesOptions())
    read = Labelled("series", [np.ones((1, 2), np.float32)], [], ["a.ts, line 1"], ["channel 1", "channel 2"], [])
    assert align_channels(read, preprocessor, "a.ts") is read
    with pytest.raises(DataError, match=r"a\.csv: expected series, as in the training data; got text"):
        align_channels(Labelled("text", ["a"], [], ["a.csv, line 1"], [], []), preprocessor, "a.csv")


def test_a_line_of_a_pipe_that_is_no_series_is_named(takes: Run) -> None:
    message = refused("predict", takes.path, input="[[1, 2]]\n1 2 3\n")
    assert message.startswith("standard input: line 2: expected series of 2 channels (x, y)")
    assert "write [[1, 2], …]" in message
    assert refused("predict", takes.path, "-t", "one").startswith("--text 1: expected a series in the line, got 'one'")


def test_a_row_of_a_file_that_cannot_be_read_is_named(takes: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "inf.npz", x=np.array([[[1.0, 2.0]], [[np.inf, 1.0]]]))
    with pytest.raises(DataError, match=r"inf\.npz: row 2: .*infinite"):
        takes.predictor.read_file(str(tmp_path / "inf.npz"))
    with pytest.raises(DataError, match="input 2: expected a series of real numbers, got 'up'"):
        takes.predict([np.zeros((2, 2)), "up"])


@pytest.mark.parametrize("line", ["", "[]", "  "])
def test_a_series_without_steps_has_a_prediction(takes: Run, line: str) -> None:
    (result,) = takes.predict([takes.predictor.parse(line)], steps=True)
    assert (result["series"], result["steps"]) == ([], [])
    assert sum(result["probabilities"].values()) == pytest.approx(1)
    assert "0 steps" in takes.predictor.format_result(result)


def test_a_gap_in_a_line_stays_a_gap() -> None:
    preprocessor = SeriesPreprocessor.build([np.array([[1.0], [2.0]])], ["value"], SeriesOptions())
    for line in ("1,,3", "1, ?, 3", "1 nan 3", "[1, null, 3]", "[[1], [null], [3]]"):
        np.testing.assert_array_equal(preprocessor.parse(line), np.array([[1], [np.nan], [3]], np.float32))
    for line in ("[[1, 2], [3]]", '{"a": 1}', "[[[1]]]", "1e39"):
        with pytest.raises(DataError):
            preprocessor.parse(line)


def test_what_is_no_text_is_refused() -> None:
    for preprocessor in (WordPreprocessor.build(["a b"]), TokenPreprocessor.build(["a b"], "char")):
        for wrong in (None, 3, ["a", None], b"a"):
            with pytest.raises(DataError, match="expected a text"):
                preprocessor.validate(wrong)


def test_every_row_of_a_file_has_a_prediction(films: Run, tmp_path: Path) -> None:
    """What training leaves out (a class, an empty text) has a prediction all the same: results stay with their rows."""
    path = tmp_path / "new.csv"
    path.write_text('text,label\nfine,yes\n"",no\ndull,perhaps\n"two\nlines",\n')
    columns = zip(*(line.split("\t") for line in invoke("predict", films.path, path).splitlines()), strict=True)
    assert list(columns)[2] == ("text", "fine", "", "dull", "two\\nlines")
    evaluated = films.evaluate(path.parent / "new.csv", baselines=False)
    assert evaluated["count"] == 1
    assert evaluated["skipped"] == 3
    assert any(note.startswith("left out: ") for note in evaluated["details"]["notes"])


def test_texts_for_a_tagger_are_cut_and_tags_of_another_scheme_named(tmp_path: Path) -> None:
    (tmp_path / "n.conll").write_text("Anna\tB-PER\nlives\tO\n\nBela\tB-PER\nsings\tO\n\n" * 20)
    run = recurra.train("tag", tmp_path / "n.conll", tmp_path / "run", **QUICK)
    (result,) = run.predict(["Anna lives"])
    assert result["tokens"] == ["Anna", "lives"]
    (tmp_path / "pos.conll").write_text("Anna\tB-PER\n\nlives\tVERB\n")
    with pytest.raises(DataError, match=r"pos\.conll, line 3: expected tags that mark spans.*; got 'VERB'"):
        run.evaluate(tmp_path / "pos.conll", baselines=False)
    (tmp_path / "towns.conll").write_text("Anna\tB-PER\nWien\tB-LOC\n")
    notes = run.evaluate(tmp_path / "towns.conll", baselines=False)["details"]["notes"]
    assert any(note.endswith("labels that training never saw, which count as wrong: B-LOC (1)") for note in notes)


def test_writing_with_a_classifier_is_refused_before_anything_is_written(films: Run) -> None:
    message = refused("generate", films.path)
    assert message == "generate: a run of 'classify' writes nothing; ask it with `recurra predict`"


def test_labels_that_are_numbers_stand_in_their_order() -> None:
    assert natural_sort({"1", "-1", "10", "9.5", "0.25", "0.5"}) == ["-1", "0.25", "0.5", "1", "9.5", "10"]
    assert natural_sort({"v1.10", "v1.9", "积极", "消极"}) == ["v1.9", "v1.10", "消极", "积极"]


def test_data_that_cannot_be_split_or_hold_nothing_are_named(tmp_path: Path) -> None:
    x = np.stack([np.stack([np.arange(4) + n, np.full(4, np.nan)], 1) for n in range(20)])
    np.savez(tmp_path / "gaps.npz", x=x, y=[n % 2 for n in range(20)])
    with pytest.raises(DataError, match=r"gaps\.npz: 'channel 2' has no value in any training series"):
        recurra.train("classify", tmp_path / "gaps.npz", tmp_path / "run", **QUICK)
    np.savez(tmp_path / "same.npz", x=np.ones((20, 5, 2)), y=[n % 2 for n in range(20)])
    with pytest.raises(DataError, match=r"same\.npz: the split of 20 .*only 1 different"):
        recurra.train("classify", tmp_path / "same.npz", tmp_path / "run", **QUICK)


def test_labels_only_in_the_test_are_noted_once(tmp_path: Path) -> None:
    rows = "".join(f"w{n},{'ab'[n % 2]}\n" for n in range(20))
    (tmp_path / "train.csv").write_text("text,label\n" + rows)
    (tmp_path / "test.csv").write_text("text,label\nq,zzz\nw1,b\n")
    run = recurra.train("classify", tmp_path / "train.csv", tmp_path / "run", test=tmp_path / "test.csv", **QUICK)
    assert [note for note in run.evaluation["details"]["notes"] if "zzz" in note] == [
        "test: labels that training never saw, which count as wrong: zzz (1)"
    ]
    assert run.evaluation["metrics"]["accuracy"] <= 0.5

"""What a trained model of drawings is asked: on the command line, and as a stream that follows a pen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.strokes.inks import write_jsonl, zigzag
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import DataError, UsageError
from recurra.ink import Ink, to_svg
from recurra.runs.run import Run
from recurra.studio.inputs import parse_inputs

SMALL: dict[str, Any] = {"quiet": True, "hidden": 8, "epochs": 2, "threads": 1, "precision": "float32"}


def train(folder: Path, condition: str) -> Run:
    data = write_jsonl(folder / f"{condition}.jsonl", 60, condition=condition)
    return recurra.train("strokes", data, folder / condition, condition=condition, **SMALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strokes")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return train(folder, "none")


@pytest.fixture(scope="module")
def words(folder: Path) -> Run:
    return train(folder, "text")


def call(*given: Any) -> str:
    result = CliRunner().invoke(app, [str(each) for each in given], catch_exceptions=False, standalone_mode=False)
    assert result.exception is None and not result.exit_code
    return result.stdout


def written(run: Run, *given: Any) -> list[Any]:
    return [json.loads(line) for line in call("generate", run.path, *given, "--json").splitlines()]


def test_drawings_are_ranked(run: Run, folder: Path) -> None:
    path = write_jsonl(folder / "new.jsonl", 4, condition="none")
    rows = [line.split("\t") for line in call("score", run.path, path, "--rank").splitlines()]
    values = [float(row[1]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert sorted(row[2] for row in rows) == [f"new.jsonl, line {number}" for number in range(1, 5)]


def test_a_drawing_is_finished_where_it_is(run: Run, tmp_path: Path) -> None:
    half = Ink((np.array([[80, 50], [35, 76]], np.float32),))
    (tmp_path / "half.svg").write_text(to_svg(half))
    (first,) = written(run, "--continue", tmp_path / "half.svg", "--seed", "3")
    assert first["strokes"][0][:2] == [[80, 50], [35, 76]]
    (same,) = run.generate([[[80, 50], [35, 76]]], seed=3)
    assert np.allclose(same.strokes[0][:2], half.strokes[0])
    assert [len(stroke) for stroke in same.strokes] == [len(stroke) for stroke in first["strokes"]]


def test_drawings_are_written_into_files(run: Run, tmp_path: Path) -> None:
    call("generate", run.path, "-n", 4, "-o", tmp_path / "grid.svg", "--seed", 1)
    call("generate", run.path, "-n", 2, "-o", tmp_path / "many", "--seed", 1)
    call("generate", run.path, "-n", 3, "-o", tmp_path / "some.jsonl", "--seed", 1)
    assert "<svg" in (tmp_path / "grid.svg").read_text()
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == ["1.svg", "2.svg"]
    assert len((tmp_path / "some.jsonl").read_text().splitlines()) == 3
    assert len(run.score(str(tmp_path / "many" / "1.svg"))) == 1
    assert call("generate", run.path, "--seed", 1).strip()


def test_a_text_is_written_in_a_hand(words: Run, tmp_path: Path) -> None:
    sample = {"strokes": [stroke.tolist() for stroke in zigzag(2).strokes], "text": "oz"}
    (tmp_path / "sample.jsonl").write_text(json.dumps(sample) + "\n")
    (plain,) = written(words, "--text", "zoz", "--seed", "1")
    (like,) = written(words, "--text", "zoz", "--seed", "1", "--like", tmp_path / "sample.jsonl")
    assert plain["strokes"] and like["strokes"] and plain != like
    for given, reason in (
        (["--text", "zq"], "q"),
        (["--label", "z"], "label"),
        (["--like", tmp_path / "sample.jsonl"], "belongs to a text"),
        (["--text", "zo", "--continue", tmp_path / "gone.svg"], "does not exist"),
        (["-o", "drawing.png"], "expected a file that ends with .svg"),
    ):
        with pytest.raises((UsageError, DataError), match=reason):
            call("generate", words.path, *given)


def test_a_stream_knows_what_predict_knows(run: Run) -> None:
    points = [[0, 0], [4, 1], [7, 3]]
    stream: Any = run.stream()
    with pytest.raises(UsageError, match="the pen is nowhere yet"):
        stream.finish()
    for x, y in points:
        stream.move(x, y)
    stream.lift()
    with pytest.raises(UsageError, match="lifted already"):
        stream.lift()
    with pytest.raises(DataError, match="expected a place"):
        stream.move(float("nan"), 0)
    (known,) = run.predict([[points]])
    found = stream.next()
    assert found["step"] == pytest.approx(known["step"], abs=1e-4)
    assert found["pen"] == pytest.approx(known["pen"], abs=1e-5)
    rest = stream.finish(seed=2)
    assert np.allclose(np.concatenate(rest.strokes), np.concatenate(stream.finish(seed=2).strokes))
    assert stream.next() == found


def test_a_page_hands_over_a_pen(run: Run) -> None:
    assert run.predictor.input_kind == "pen"
    (drawing,) = parse_inputs(run.predictor, [{"strokes": [[[0, 0], [4, 1]]]}])
    assert len(run.predict([drawing])) == 1
    with pytest.raises(DataError, match=r'expected \{"strokes"'):
        parse_inputs(run.predictor, ["/etc/hostname"])


def test_labels_that_are_missing_are_an_error_that_says_where_they_come_from(folder: Path) -> None:
    with pytest.raises(DataError, match=r"60 of 60 drawings have no label.*a folder for each label"):
        recurra.train("strokes", folder / "none.jsonl", folder / "labels", condition="label", **SMALL)

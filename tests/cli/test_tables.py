"""Tables that `predict` prints: a line with the names of the columns above them, and nothing that a program has to guess."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import DataError
from recurra.runs.run import Run

SMALL: dict[str, Any] = {"hidden": 4, "epochs": 1, "quiet": True, "precision": "float32", "threads": 1}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hours = np.arange("2024-01-01", "2024-01-15", dtype="M8[h]").astype("M8[m]").astype(str)
    rows = [f"{time},{np.sin(n / 4):.4f},{n % 5}" for n, time in enumerate(hours)]
    path = tmp_path_factory.mktemp("tables") / "plant.csv"
    path.write_text("\n".join(["time,temp,load", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def forecaster(table: Path) -> Run:
    return recurra.train("forecast", table, table.parent / "forecaster", horizon=3, **SMALL)


@pytest.fixture(scope="module")
def detector(table: Path) -> Run:
    return recurra.train("detect", table, table.parent / "detector", **SMALL | {"epochs": 20})


def predict(run: Run, *options: Any, text: str | None = None) -> str:
    result = CliRunner().invoke(app, ["predict", str(run.path), *map(str, options)], input=text)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(text: str) -> list[dict[str, str]]:
    """Read a table as a spreadsheet does."""
    return list(csv.DictReader(io.StringIO(text), delimiter="\t"))


def test_the_columns_of_forecasts_have_names(forecaster: Run, table: Path) -> None:
    read = rows(predict(forecaster, table))
    results = [json.loads(line) for line in predict(forecaster, table, "--json").splitlines()]
    assert [row["target"] for row in read] == ["temp"] * 3 + ["load"] * 3
    assert [row["time"] for row in read[:3]] == results[0]["time"]
    for row, mean, low in zip(read, results[0]["mean"], results[0]["quantiles"]["0.025"], strict=False):
        assert (float(row["forecast"]), float(row["0.025"])) == pytest.approx((mean, low), rel=1e-6)
    after = rows(predict(forecaster, table, "--steps"))
    assert [row["after"] for row in after] == [
        step["time"] for one in (0, 1) for step in _steps(forecaster, table, one)
    ]


def _steps(run: Run, table: Path, number: int) -> list[dict[str, Any]]:
    return run.predict(run.predictor.read_file(str(table)), steps=True)[number]["steps"]


def test_the_columns_of_what_is_judged_have_names(detector: Run, table: Path) -> None:
    steps = rows(predict(detector, table, "--steps"))
    assert steps[0]["verdict"] == "not judged" and steps[0]["score"] == ""
    assert all(float(row["score"]) > 0 for row in steps[1:])
    lines = table.read_text().splitlines()
    piped = rows(predict(detector, "-", text="\n".join(lines) + "\n"))
    assert [row | {"series": "plant"} for row in piped] == steps
    bad = [*lines[:200], lines[200].split(",")[0] + ",90,2", *lines[201:], "2024-01-15 00:00,,1"]
    answered = rows(predict(detector, "-", text="\n".join(bad) + "\n"))
    assert (answered[199]["verdict"], answered[199]["channel"]) == ("ANOMALY", "temp")
    assert answered[-1]["missing"] == "temp" and len(answered[-1]["expected"].split()) == 2


def test_a_series_without_events_is_a_row_too(detector: Run, table: Path) -> None:
    bad = table.with_name("bad.csv")
    lines = table.read_text().splitlines()
    bad.write_text("\n".join([*lines[:200], lines[200].split(",")[0] + ",90,2", *lines[201:]]) + "\n")
    (row,) = [row for row in rows(predict(detector, bad)) if float(row["score"]) > 10]
    assert (row["series"], row["verdict"], row["channel"]) == ("bad", "ANOMALY", "temp")
    calm = table.with_name("calm.csv")
    calm.write_text("\n".join(lines[:3]) + "\n")
    (quiet,) = rows(predict(detector, calm))
    assert (quiet["verdict"], quiet["start"], quiet["channel"]) == ("normal", "", "") and float(quiet["score"]) < 2
    calm.write_text("\n".join(lines[:2]) + "\n")
    assert rows(predict(detector, calm))[0]["verdict"] == "not judged"  # of a single step nothing was predicted


def test_names_are_left_out_where_they_are_not_wanted(forecaster: Run, table: Path) -> None:
    whole = predict(forecaster, table)
    assert predict(forecaster, table, "--no-header") == whole.split("\n", 1)[1]
    assert not any("forecast" in line for line in predict(forecaster, table, "--json").splitlines())


def test_answers_to_single_texts_have_no_names_above_them(tmp_path: Path) -> None:
    reviews = [f"{'so good' if n % 2 else 'so bad'} {n % 7},{'pos' if n % 2 else 'neg'}" for n in range(60)]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *reviews]) + "\n")
    run = recurra.train("classify", tmp_path / "reviews.csv", tmp_path / "run", **SMALL)
    alone = predict(run, "-t", "so good")
    assert predict(run, text="so good\n") == "label\tprobability\ttext\n" + alone


def test_a_table_through_a_pipe_is_forecast_as_a_file_of_it_is(forecaster: Run, table: Path) -> None:
    whole = rows(predict(forecaster, table))
    for name in ("", "-"):
        piped = rows(predict(forecaster, *([name] if name else []), text=table.read_text()))
        assert [row | {"series": "plant"} for row in piped] == whole
    records = [
        dict(zip(("time", "temp", "load"), line.split(","), strict=True)) for line in table.read_text().splitlines()
    ]
    as_records = "\n".join(map(json.dumps, records[1:])) + "\n"
    assert rows(predict(forecaster, text=as_records)) == piped


def test_a_broken_line_of_a_table_in_a_pipe_is_named(forecaster: Run, table: Path) -> None:
    lines = table.read_text().splitlines()

    def refused(*broken: str) -> str:
        text = "\n".join([*lines[:20], *broken, *lines[20 + len(broken) :]]) + "\n"
        result = CliRunner().invoke(app, ["predict", str(forecaster.path)], input=text)
        assert isinstance(result.exception, DataError) and result.stdout == ""
        return str(result.exception)

    time = lines[20].split(",")[0]
    assert refused(f"{time},x,1").startswith("standard input: line 21: column 'temp': expected a number, got 'x'")
    assert refused("soon,1,1").startswith("standard input: line 21: column 'time': expected a time such as")
    assert refused(lines[19]).startswith(
        "standard input: line 21: series standard input: the time 2024-01-01 18:00 stands in"
    )


def test_lines_of_numbers_are_still_answered_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("y\n" + "\n".join(f"{np.sin(n / 3):.3f}" for n in range(200)) + "\n")
    run = recurra.train("forecast", tmp_path / "bare.csv", tmp_path / "run", horizon=2, **SMALL)
    results = [json.loads(line) for line in predict(run, "--json", text="1 2 3\n[2, null, 3]\n").splitlines()]
    assert [one["time"] for one in results] == [[3, 4], [3, 4]]
    (table,) = [json.loads(line) for line in predict(run, "--json", text="y\n1\n2\n3\n").splitlines()]
    assert table["mean"] == results[0]["mean"]
    broken = CliRunner().invoke(app, ["predict", str(run.path), "--json"], input="1 2 3\n1 x\n")
    assert len(broken.stdout.splitlines()) == 1 and str(broken.exception).startswith("standard input: line 2")


def test_what_is_to_be_known_is_said_once(table: Path, tmp_path: Path) -> None:
    flags = ["--hidden", "4", "--epochs", "1", "--horizon", "3", "-o", str(tmp_path / "run")]
    trained = CliRunner().invoke(app, ["train", "forecast", str(table), *flags])
    measured = CliRunner().invoke(app, ["evaluate", str(tmp_path / "run")])
    for result in (trained, measured):
        lines = result.stderr.splitlines()
        assert sorted(set(lines)) == sorted(lines)
        assert sum("column 'time' holds the times" in line for line in lines) == 1
        assert sum("ETS" in line and "is measured from" in line for line in lines) == 1

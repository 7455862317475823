"""Times that are numbers: results carry those of the column, and held-out files continue by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.forecast.conftest import TINY, series_of, wave

import recurra
from recurra.errors import DataError
from recurra.runs.run import Run
from recurra.tasks.forecast import ForecasterConfig, ForecastingTask


def numbered(path: Path, first: float, apart: float, values: list[float]) -> Path:
    """Write a table of one series whose times are numbers."""
    rows = [f"{first + at * apart:.12g},{value}" for at, value in enumerate(values)]
    path.write_text("\n".join(["t,y", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def tens(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of one series at 5, 15, … 1195."""
    folder = tmp_path_factory.mktemp("tens")
    return recurra.train("forecast", numbered(folder / "tens.csv", 5, 10, wave(120)), folder / "run", **TINY)


def test_results_carry_the_numbers_of_the_column(tmp_path: Path, tens: Run) -> None:
    series = series_of(numbered(tmp_path / "same.csv", 5, 10, wave(120)), tens)
    (found,) = tens.predict([series])
    assert found["time"] == [1205, 1215, 1225, 1235]
    (stepped,) = tens.predict([series], steps=True)
    assert [step["time"] for step in stepped["steps"][:2]] == [5, 15]
    (found,) = tens.predict([series_of(numbered(tmp_path / "late.csv", 100_000, 10, wave(30)), tens)])
    assert found["time"] == [100_300, 100_310, 100_320, 100_330]
    assert tens.predict([np.array(wave(30))])[0]["time"] == [30, 31, 32, 33]  # a bare array counts its rows


def test_results_carry_fractions_as_they_are_written(tmp_path: Path) -> None:
    path = numbered(tmp_path / "tenths.csv", -0.3, 0.1, wave(60))
    run = recurra.train("forecast", path, tmp_path / "run", **TINY)
    (found,) = run.predict([series_of(path, run)])
    assert found["time"] == [5.7, 5.8, 5.9, 6.0]
    assert run.predictor.format_result(found).split("\n")[0].split("\t")[2] == "5.7"


def test_the_spacing_is_the_runs_where_few_rows_do_not_show_it(tmp_path: Path, tens: Run) -> None:
    path = tmp_path / "few.csv"
    path.write_text("t,y\n1205,10\n")
    assert tens.predict([series_of(path, tens)])[0]["time"][0] == 1215
    path.write_text("t,y\n1205,10\n1245,12\n")
    assert len(series_of(path, tens)) == 5
    with pytest.raises(DataError, match=r"hundred\.csv: line 2: .*has a value every 100, expected one every 10"):
        tens.predictor.read_file(str(numbered(tmp_path / "hundred.csv", 0, 100, wave(30))))


def test_the_forecasts_of_a_report_have_the_numbers_too(tens: Run) -> None:
    shown = (tens.evaluation or {})["details"]["forecasts"][0]["time"]
    assert shown[-1] == 1195 and set(np.diff(shown)) == {10}


def test_a_run_that_was_made_before_is_read(tmp_path: Path, tens: Run) -> None:
    tens.predictor.preprocessor.save(tmp_path)
    (path,) = tmp_path.iterdir()
    read = json.loads(path.read_text())
    assert read.pop("apart") == 10
    path.write_text(json.dumps(read))
    task = ForecastingTask(ForecasterConfig())
    task.restore(tmp_path)
    assert task.preprocessor.numeric_step is None
    assert task.preprocessor.targets == tens.predictor.preprocessor.targets


def prepared(
    folder: Path, first: float, count: int = 10, apart: float = 1.0, **more: Any
) -> tuple[ForecastingTask, Any]:
    """Prepare a task of a hundred steps, 1 … 100, that is tested from another on."""
    data = {
        "data": [str(numbered(folder / "learn.csv", 1, 1, wave(100)))],
        "test": [str(numbered(folder / "test.csv", first, apart, wave(count)))],
    }
    config = {"data": data | {"horizon": 4} | more, "model": {"hidden": 4}}
    task = ForecastingTask(ForecasterConfig.model_validate(config))
    return task, task.prepare()


@pytest.mark.parametrize("absent", [0, 4])
def test_held_out_files_continue_by_their_numbers(tmp_path: Path, absent: int) -> None:
    task, summary = prepared(tmp_path, 101 + absent)
    (one,) = task.dataset.series
    assert len(one) == 110 + absent and one.times.tolist() == list(range(1, 111 + absent))
    assert np.flatnonzero(np.isnan(one.values[:, 0])).tolist() == list(range(100, 100 + absent))
    assert any("4 steps are missing between" in note for note in summary.notes) == bool(absent)


@pytest.mark.parametrize(
    ("first", "apart", "message"),
    [
        (50, 1, r"test: series .* begins at 50, before its training data end \(100\)"),
        (100, 1, r"begins at 100, before its training data end"),
        (1, 1, r"begins at 1, .* leave out a column of times that only counts the rows of each file"),
        (101.5, 1, r"begins at 101\.5, which is off the steps of 1 after 100"),
        (101, 2, r"has a value every 2, expected one every 1"),
        (1e6, 1, r"begins at 1000000, 999,899 steps after its training data end \(100\).*is a time wrong"),
    ],
)
def test_held_out_files_that_do_not_continue_are_refused(
    tmp_path: Path, first: float, apart: float, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        prepared(tmp_path, first, apart=apart)


def test_files_without_times_continue_by_their_order(tmp_path: Path) -> None:
    for name, count in (("learn", 60), ("test", 20)):
        (tmp_path / f"{name}.csv").write_text("\n".join(["y", *map(str, wave(count))]) + "\n")
    data = {"data": [str(tmp_path / "learn.csv")], "test": [str(tmp_path / "test.csv")], "horizon": 4}
    task = ForecastingTask(ForecasterConfig.model_validate({"data": data, "model": {"hidden": 4}}))
    task.prepare()
    assert task.dataset.series[0].times.tolist() == list(range(80))


def test_validation_and_test_follow_each_other(tmp_path: Path) -> None:
    task, _ = prepared(tmp_path, 123, valid=[str(numbered(tmp_path / "valid.csv", 111, 1, wave(12)))])
    (one,) = task.dataset.series
    assert len(one) == 132 and np.flatnonzero(np.isnan(one.values[:, 0])).tolist() == list(range(100, 110))

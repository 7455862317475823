"""What a run can be asked, in what form, and what it reports of columns and series that it does not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tasks.forecast.conftest import TINY, ready, series_of, shops, walk, wave, write

import recurra
from recurra import Run
from recurra.errors import DataError, UsageError


def test_a_new_series_and_a_missing_column(tmp_path: Path, sold: Run) -> None:
    table = shops(tmp_path).read_text()
    path = tmp_path / "new.csv"
    path.write_text(table.replace("north", "west"))
    assert {one["series"] for one in sold.predict(sold.predictor.read_file(str(path)))} == {"west", "south"}
    path.write_text(table.replace("sales", "turnover"))
    with pytest.raises(DataError, match=r"new\.csv: line 1.*sales"):
        sold.predictor.read_file(str(path))
    path.write_text(table.replace(",40.0,", ",small,"))
    with pytest.raises(DataError, match=r"series north: static column 'size': expected a number.*got 'small'"):
        sold.predict(sold.predictor.read_file(str(path)))


def test_a_static_zero_is_a_number(tmp_path: Path, sold: Run) -> None:
    preprocessor = sold.predictor.preprocessor
    (size,) = preprocessor.covariates.static
    (series, *_) = sold.predictor.read_file(str(shops(tmp_path))) or []
    (one,) = preprocessor.transform(replace(series, static=(0.0,)))
    assert one.static_covariates.tolist() == pytest.approx([-(size.scale.mean / size.scale.std).item()])
    (one,) = preprocessor.transform(replace(series, static=(float("nan"),)))
    assert one.static_covariates.tolist() == [0.0]


def test_what_is_to_be_known_ahead_has_to_be_there(tmp_path: Path, sold: Run) -> None:
    lines = shops(tmp_path).read_text().split("\n")
    path = tmp_path / "bare.csv"
    path.write_text("\n".join(line for line in lines if not line.startswith(("2024-03-31", "2024-04"))) + "\n")
    with pytest.raises(
        DataError, match=r"series north: 'promotion' is not known at 2024-03-31, 1 step ahead.*add rows"
    ):
        sold.predict(sold.predictor.read_file(str(path)))
    path.write_text("\n".join(line for line in lines if not line.startswith(("2024-04-02", "2024-04-03"))) + "\n")
    series = sold.predictor.read_file(str(path)) or []
    with pytest.raises(DataError, match=r"not known at 2024-04-02, 3 steps ahead.*-k 2"):
        sold.predict(series)
    assert [one["time"] for one in sold.predict(series, 2)] == [["2024-03-31", "2024-04-01"]] * 2


def test_more_steps_than_were_learnt_are_refused(days: Run, tmp_path: Path) -> None:
    series = series_of(write(tmp_path / "some.csv", wave(30)), days)
    with pytest.raises(UsageError, match="k: expected 1 to 4 steps ahead"):
        days.predict([series], 5)


@pytest.mark.parametrize("library", ["pandas", "polars", "dict"])
def test_frames_give_what_the_file_gives(tmp_path: Path, sold: Run, library: str) -> None:
    path = shops(tmp_path)
    if library == "dict":
        held = {name: column.to_numpy() for name, column in pytest.importorskip("pandas").read_csv(path).items()}
    else:
        held = pytest.importorskip(library).read_csv(path)
    found = sold.predict(held)
    wanted = sold.predict(sold.predictor.read_file(str(path)))
    assert isinstance(found, list)
    assert found == wanted


def test_the_index_of_a_pandas_frame_holds_the_times(days: Run, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = write(tmp_path / "some.csv", wave(30))
    held = pandas.read_csv(path, parse_dates=["time"]).set_index("time")
    for frame in (held, held.rename_axis(None), held.to_period("D")):
        (found,) = days.predict(frame)
        wanted = days.predict([series_of(path, days)])[0]
        assert {**found, "series": wanted["series"]} == wanted


def test_a_table_with_a_series_a_row_is_forecast_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    rows = [f"S{row}," + ",".join(map(str, wave(60 - row))) + "," * row for row in range(4)]
    path.write_text("\n".join(["id," + ",".join(f"t{at}" for at in range(60)), *rows]) + "\n")
    run = recurra.train("forecast", path, tmp_path / "run", season=7, **TINY)
    found = run.predict(run.predictor.read_file(str(path)))
    assert [one["series"] for one in found] == ["S0", "S1", "S2", "S3"]
    assert found[3]["time"] == [57, 58, 59, 60]


def test_a_run_that_is_loaded_again_predicts_the_same(sold: Run, tmp_path: Path) -> None:
    again = recurra.load(sold.path)
    inputs = sold.predictor.read_file(str(shops(tmp_path)))
    assert sold.predict(inputs) == again.predict(inputs)
    assert sold.evaluate(baselines=False) == again.evaluate(baselines=False)


def test_bare_numbers_do_not_do_where_more_is_read(days: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"bare numbers say nothing of time stamps.*recurra predict RUN table\.csv"):
        days.predictor.parse("time,y")
    _, forecaster = ready(tmp_path, [line.split(",")[0] for line in walk(tmp_path).read_text().split()[1:]])
    assert len(forecaster.predict([forecaster.parse("1, 2, 3")])[0]["mean"]) == 4


@pytest.mark.parametrize("library", ["pandas", "polars", "dict"])
def test_a_run_learns_from_a_frame_what_it_learns_from_the_file(tmp_path: Path, library: str) -> None:
    pandas = pytest.importorskip("pandas")
    path = shops(tmp_path)
    held = pytest.importorskip("polars").read_csv(path) if library == "polars" else pandas.read_csv(path)
    if library == "dict":
        held = {name: column.to_numpy() for name, column in held.items()}
    columns = {"time": "time", "series": "shop", "target": "sales", "known": "promotion"}
    run = recurra.train("forecast", held, tmp_path / library, **columns, **TINY)
    other = recurra.train("forecast", path, tmp_path / "run", **columns, **TINY)
    inputs = other.predictor.read_file(str(path))
    assert run.predict(held) == other.predict(inputs)
    assert run.configuration.settings.data.data == [str(tmp_path / library / "data.parquet")]
    again = recurra.load(tmp_path / library)
    assert again.evaluate()["metrics"] == (other.evaluation or {})["metrics"]  # the data are there to be read again

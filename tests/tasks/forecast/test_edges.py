"""What odd series give: a documented result, or an error that names the series and the row; never a NaN."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.tasks.forecast.conftest import shops, walk

import recurra
from recurra import Run
from recurra.data.timed import Timed
from recurra.errors import DataError, UsageError
from recurra.kernels import exact
from recurra.tasks.forecast import Forecaster, ForecasterConfig
from recurra.tasks.forecast.asking import backtest
from recurra.tasks.forecast.outputs import make_output

TINY = {"hidden": 8, "lookback": 7, "quiet": True, "epochs": 1, "threads": 1, "horizon": 4, "precision": "float32"}


def write(path: Path, values: Any, *, start: str = "2024-01-01", step: str = "1D") -> Path:
    """Write a table of one series; None leaves the cell empty."""
    length, unit = np.timedelta64(int(step[:-1]), step[-1]), "D" if step.endswith("D") else "m"
    first = np.datetime64(start, unit)
    rows = [f"{first + at * length},{'' if v is None else v}" for at, v in enumerate(values)]
    path.write_text("\n".join(["time,y", *rows]) + "\n")
    return path


def wave(steps: int, season: int = 7) -> list[float]:
    chance = np.random.default_rng(1)
    return [float(f"{10 + 3 * np.sin(2 * np.pi * at / season) + chance.normal():.3f}") for at in range(steps)]


def ready(folder: Path, values: Any, data: dict[str, Any] | None = None, **model: Any) -> tuple[Forecaster, Any]:
    """Give a forecaster that has read a series of counted steps, and a network that has learnt nothing."""
    path = folder / "series.csv"
    path.write_text("\n".join(["y", *(str(value) for value in values)]) + "\n")
    told = {"data": [str(path)], "horizon": 4, "season": 3, "window": 16, **(data or {})}
    config = {"data": told, "model": {"hidden": 4, "lookback": 5, "dropout": 0.0, **model}}
    task = Forecaster(ForecasterConfig.model_validate(config))
    task.prepare()
    task.choose(None, lambda: 1.0)
    torch.manual_seed(0)
    return task, task.network().eval()


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of one series of days."""
    folder = tmp_path_factory.mktemp("days")
    return recurra.train("forecast", write(folder / "days.csv", wave(120)), folder / "run", **TINY)


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two shops, with columns of all kinds."""
    folder = tmp_path_factory.mktemp("sold")
    columns = {"time": "time", "series": "shop", "target": "sales", "known": "promotion", "past": "visits"}
    return recurra.train("forecast", shops(folder), folder / "run", static="size", **columns, **TINY)


def numbers(result: dict[str, Any]) -> np.ndarray:
    return np.array([result["mean"], *result["quantiles"].values()])


# Series that are hardly any


@pytest.mark.parametrize("value", [5.0, 0.0, -3.25])
def test_a_constant_series_goes_on_as_it_is(tmp_path: Path, value: float) -> None:
    run = recurra.train("forecast", write(tmp_path / "flat.csv", [value] * 60), tmp_path / "run", **TINY)
    (found,) = run.predict([str_of(tmp_path / "flat.csv", run)])
    assert (numbers(found) == value).all()
    metrics = (run.evaluation or {})["metrics"]
    assert metrics["mae"] == 0.0
    assert "mase" not in metrics  # there is no step to measure by
    json.dumps(run.evaluation, allow_nan=False)


def str_of(path: Path, run: Run) -> Timed:
    """Read the one series of a file as `recurra predict` does."""
    (series,) = run.task.inputs(str(path)) or []
    return series


def test_a_series_shorter_than_the_horizon_is_learnt_from_beside_others(tmp_path: Path) -> None:
    rows = [f"{np.datetime64('2024-01-01') + at},long,{v}" for at, v in enumerate(wave(60))]
    rows += [f"2024-01-0{day},short,{day}" for day in (1, 2, 3)] + ["2024-01-01,one,4"]
    path = tmp_path / "both.csv"
    path.write_text("\n".join(["time,id,y", *rows]) + "\n")
    run = recurra.train("forecast", path, tmp_path / "run", time="time", series="id", target="y", **TINY)
    found = run.predict(run.task.inputs(str(path)))
    assert [one["series"] for one in found] == ["long", "short", "one"]
    assert all(np.isfinite(numbers(one)).all() and len(one["time"]) == 4 for one in found)
    assert (numbers(found[2]) == 4).all()  # one value: nothing has ever changed


@pytest.mark.parametrize("length", [1, 2])
def test_too_short_a_series_alone_is_refused(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "short.csv", [1.0, 2.0][:length])
    with pytest.raises(DataError, match="expected at least 2 values of a series for training"):
        recurra.train("forecast", path, tmp_path / "run", test_steps=1, **TINY)
    assert not (tmp_path / "run").exists()


def test_lengths_nought_and_one_at_prediction(tmp_path: Path) -> None:
    task, network = ready(tmp_path, wave(40))
    (one,) = task.predict(network, [np.array([3.5])])
    assert (numbers(one) == 3.5).all()
    with pytest.raises(DataError, match="series 1 has no value: there is nothing to forecast from"):
        task.predict(network, [np.array([])])
    with pytest.raises(DataError, match="series 2 has a target without any value"):
        task.predict(network, [np.array([1.0]), np.array([np.nan, np.nan])])


def test_a_series_without_values_does_not_spoil_the_others(tmp_path: Path) -> None:
    rows = [f"{np.datetime64('2024-01-01') + at},good,{v}" for at, v in enumerate(wave(80))]
    rows += [f"{np.datetime64('2024-01-01') + at},dead," for at in range(80)]
    rows += [f"{np.datetime64('2024-01-01') + at},late,{at if at > 77 else ''}" for at in range(80)]
    path = tmp_path / "dead.csv"
    path.write_text("\n".join(["time,id,y", *rows]) + "\n")
    run = recurra.train("forecast", path, tmp_path / "run", time="time", series="id", target="y", **TINY)
    evaluation = run.evaluation or {}
    assert np.isfinite(list(evaluation["metrics"].values())).all()
    assert {"seasonal-naive", "linear"} <= set(evaluation["baselines"])


def test_a_held_out_part_without_values_is_told_of_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "ends.csv", [*wave(90), *[None] * 10])
    run = recurra.train("forecast", path, tmp_path / "run", **TINY)
    facts = run.task.prepare(run.path)
    assert "test: holds no value, so nothing is measured there" in facts.notes
    assert (run.evaluation or {})["data"] == "valid"


# Values


@pytest.mark.parametrize("value", ["inf", "-inf", "1e31", "nan"])
def test_infinite_and_huge_values_are_refused_and_nan_is_missing(tmp_path: Path, value: str) -> None:
    path = write(tmp_path / "odd.csv", wave(60))
    lines = path.read_text().split("\n")
    lines[30] = f"{lines[30].split(',')[0]},{value}"
    path.write_text("\n".join(lines))
    if value == "nan":
        recurra.train("forecast", path, tmp_path / "run", **TINY)
        return
    with pytest.raises(DataError, match=r"odd\.csv: line 31|series odd, step 30"):
        recurra.train("forecast", path, tmp_path / "run", **TINY)


NASTY = st.one_of(
    st.floats(-1e30, 1e30),
    st.sampled_from([np.nan, 0.0, -0.0, 1.0, 1e-300, 1e-13, 1e30, -1e30, 5e-324]),
)


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"scale": "standard", "output": "student-t"},
        {"scale": "robust", "output": "normal", "smoothing": True},
        {"scale": "mean"},
        {"scale": "none"},
        {"form": "autoregressive", "paths": 8},
        {"form": "autoregressive", "paths": 8, "output": "normal", "scale": "robust"},
    ],
    ids=str,
)
def test_a_forecast_never_holds_a_nan(model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    task, network = ready(tmp_path_factory.mktemp("nasty"), wave(60), **model)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(NASTY, min_size=1, max_size=24))
    @example([1e30, -1e30] * 8)
    @example([1e-300] * 5 + [1e30])
    @example([np.nan] * 9 + [1.0])
    @example([0.0] * 20 + [5e-324])
    def holds(values: list[float]) -> None:
        series = np.array(values)
        if np.isnan(series).all():
            return
        (found,) = task.predict(network, [series], steps=True)
        for one in (found, *found["steps"]):
            said = numbers(one)
            assert np.isfinite(said).all()
            assert (np.diff(said[1:], axis=0) >= 0).all()  # quantiles do not cross

    holds()


COUNTS = {"output": "negative-binomial", "scale": "mean"}


@pytest.mark.parametrize("form", ["direct", "autoregressive"])
def test_counts_are_never_negative_nor_nan(tmp_path: Path, form: str) -> None:
    values = [0] * 12 + [0, 0, 3, 0, 0, 1, 0, 7] * 6
    task, network = ready(tmp_path, values, form=form, paths=16, **COUNTS)
    batch = next(iter(task.batches(0, batch=4, seed=1)))
    assert np.isfinite(task.loss(network, batch, None)[0].item())  # the first windows hold nothing but 0
    for series in ([0.0] * 9, [0.0, 0.0, 4.0], [2_000.0, 0.0, 40_000.0, 3.0], [1e9, 2e9]):
        (found,) = task.predict(network, [np.array(series)])
        said = numbers(found)
        assert np.isfinite(said).all()
        assert (said >= 0).all()
        if max(series) < 1e6:  # seven digits are said
            quantiles = np.array(list(found["quantiles"].values()))
            np.testing.assert_allclose(quantiles, np.round(quantiles), atol=1e-3)


def test_drawn_counts_are_whole() -> None:
    output = make_output("negative-binomial", [0.5])
    chance = torch.Generator().manual_seed(1)
    raw, uniform = torch.randn(64, 2, generator=chance), torch.rand(64, generator=chance)
    for unit in (0.0, 0.5, 7.0):
        units = torch.full((64,), unit)
        counts = output.draw(raw, torch.zeros(64), uniform, units) * units
        torch.testing.assert_close(counts, counts.round())


def test_logarithms_need_values_above_nought(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="step 12: expected a value above 0"):
        ready(tmp_path, [*wave(11), 0.0, *wave(20)], transform="log")


# Times


def test_times_that_stand_twice_are_refused_with_both_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "twice.csv", wave(60))
    path.write_text(path.read_text() + "2024-01-05,3\n")
    with pytest.raises(DataError, match=r"line 62.*the time 2024-01-05 stands in line 6 too.*--duplicates"):
        recurra.train("forecast", path, tmp_path / "run", **TINY)
    run = recurra.train("forecast", path, tmp_path / "run", duplicates="last", **TINY)
    assert len(str_of(path, run)) == 60


def test_rows_out_of_order_are_sorted_alike_in_training_and_prediction(tmp_path: Path, days: Run) -> None:
    path = write(tmp_path / "sorted.csv", wave(50))
    head, *rows = path.read_text().split("\n")[:-1]
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join([head, *rows[20:], *rows[:20]]) + "\n")
    one, other = (days.predict([str_of(each, days)])[0] for each in (path, mixed))
    assert numbers(one).tolist() == numbers(other).tolist()
    assert one["time"] == other["time"]


def test_times_are_written_alike_over_midnight(tmp_path: Path) -> None:
    path = write(tmp_path / "pump.csv", wave(300, 12), start="2024-01-01T00:00", step="10m")
    run = recurra.train("forecast", path, tmp_path / "run", season=12, **TINY)
    (found,) = run.predict([str_of(write(tmp_path / "late.csv", wave(142), step="10m"), run)])
    assert found["time"] == ["2024-01-01T23:40", "2024-01-01T23:50", "2024-01-02T00:00", "2024-01-02T00:10"]


def test_a_day_of_daylight_saving_is_told(tmp_path: Path) -> None:
    rows = [f"2024-10-27 0{hour}:00,{hour}" for hour in (0, 1, 2, 2, 3, 4)]
    path = tmp_path / "clock.csv"
    path.write_text("\n".join(["time,y", *rows]) + "\n")
    with pytest.raises(DataError, match=r"line 5.*it looks like the change of daylight saving time"):
        recurra.train("forecast", path, tmp_path / "run", **TINY)


def test_series_of_other_spacings_are_told_apart(tmp_path: Path) -> None:
    rows = [f"{np.datetime64('2024-01-01') + at},day,{v}" for at, v in enumerate(wave(40))]
    rows += [f"{np.datetime64('2024-01-01') + 7 * at},week,{v}" for at, v in enumerate(wave(20))]
    path = tmp_path / "mixed.csv"
    path.write_text("\n".join(["time,id,y", *rows]) + "\n")
    with pytest.raises(DataError, match="line 42: series week has a value every 1w, series day every 1d"):
        recurra.train("forecast", path, tmp_path / "run", series="id", target="y", **TINY)


# What is asked of a run


def test_another_spacing_at_prediction_is_refused(tmp_path: Path, days: Run) -> None:
    path = write(tmp_path / "hours.csv", wave(50), start="2024-01-01T00:00", step="60m")
    with pytest.raises(DataError, match=r"hours\.csv.*has a value every 1h, expected one every 1d"):
        days.task.inputs(str(path))


def test_the_spacing_is_the_runs_where_few_rows_do_not_show_it(tmp_path: Path, days: Run) -> None:
    path = tmp_path / "few.csv"
    path.write_text("time,y\n2024-03-01,10\n2024-03-03,12\n2024-03-05,11\n")
    series = str_of(path, days)
    assert len(series) == 5  # days, two of which are missing; not steps of two days
    assert days.predict([series])[0]["time"][0] == "2024-03-06"
    path.write_text("time,y\n2024-03-01,10\n")
    assert days.predict([str_of(path, days)])[0]["time"][0] == "2024-03-02"


def test_a_new_series_and_a_missing_column(tmp_path: Path, sold: Run) -> None:
    table = shops(tmp_path).read_text()
    path = tmp_path / "new.csv"
    path.write_text(table.replace("north", "west"))
    assert {one["series"] for one in sold.predict(sold.task.inputs(str(path)))} == {"west", "south"}
    path.write_text(table.replace("sales", "turnover"))
    with pytest.raises(DataError, match=r"new\.csv: line 1.*sales"):
        sold.task.inputs(str(path))
    path.write_text(table.replace(",40.0,", ",small,"))
    with pytest.raises(DataError, match=r"series north: static column 'size': expected a number.*got 'small'"):
        sold.predict(sold.task.inputs(str(path)))


def test_what_is_to_be_known_ahead_has_to_be_there(tmp_path: Path, sold: Run) -> None:
    lines = shops(tmp_path).read_text().split("\n")
    path = tmp_path / "bare.csv"
    path.write_text("\n".join(line for line in lines if not line.startswith(("2024-03-31", "2024-04"))) + "\n")
    with pytest.raises(
        DataError, match=r"series north: 'promotion' is not known at 2024-03-31, 1 step ahead.*add rows"
    ):
        sold.predict(sold.task.inputs(str(path)))
    path.write_text("\n".join(line for line in lines if not line.startswith(("2024-04-02", "2024-04-03"))) + "\n")
    series = sold.task.inputs(str(path)) or []
    with pytest.raises(DataError, match=r"not known at 2024-04-02, 3 steps ahead.*-k 2"):
        sold.predict(series)
    assert [one["time"] for one in sold.predict(series, 2)] == [["2024-03-31", "2024-04-01"]] * 2


def test_more_steps_than_were_learnt_are_refused(days: Run, tmp_path: Path) -> None:
    series = str_of(write(tmp_path / "some.csv", wave(30)), days)
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
    wanted = sold.predict(sold.task.inputs(str(path)))
    assert isinstance(found, list)
    assert found == wanted


def test_the_index_of_a_pandas_frame_holds_the_times(days: Run, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = write(tmp_path / "some.csv", wave(30))
    held = pandas.read_csv(path, parse_dates=["time"]).set_index("time")
    for frame in (held, held.rename_axis(None), held.to_period("D")):
        (found,) = days.predict(frame)
        wanted = days.predict([str_of(path, days)])[0]
        assert {**found, "series": wanted["series"]} == wanted


def test_a_table_with_a_series_a_row_is_foretold_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    rows = [f"S{row}," + ",".join(map(str, wave(60 - row))) + "," * row for row in range(4)]
    path.write_text("\n".join(["id," + ",".join(f"t{at}" for at in range(60)), *rows]) + "\n")
    run = recurra.train("forecast", path, tmp_path / "run", season=7, **TINY)
    found = run.predict(run.task.inputs(str(path)))
    assert [one["series"] for one in found] == ["S0", "S1", "S2", "S3"]
    assert found[3]["time"] == [57, 58, 59, 60]


# Held-out files


def held_out(folder: Path, start: str, step: str = "1D") -> dict[str, Path]:
    """Write 60 days, and what is held out from another day on."""
    data = write(folder / "learn.csv", wave(60))
    return {"data": data, "test": write(folder / "test.csv", wave(20), start=start, step=step)}


def test_held_out_files_go_on_where_the_training_files_end(tmp_path: Path) -> None:
    files = held_out(tmp_path, "2024-03-05")  # the first 60 days end on February 29
    task = Forecaster(
        ForecasterConfig.model_validate(
            {"data": {name: [str(path)] for name, path in files.items()} | {"horizon": 4}, "model": {"hidden": 4}}
        )
    )
    facts = task.prepare()
    (row,) = task.examples.rows
    assert len(row) == 60 + 4 + 20
    assert np.isnan(row.values[60:64]).all()
    assert not np.isnan(row.values[64:]).any()
    assert (np.diff(row.times) == np.timedelta64(1, "D")).all()
    assert any("4 steps are missing between" in note for note in facts.notes)


@pytest.mark.parametrize(
    ("start", "step", "said"),
    [
        ("2024-02-20", "1D", "begins at 2024-02-20, before its training data end"),
        ("2024-03-01T06:00", "1440m", "begins at 2024-03-01 06:00, which is off the steps of 1d"),
        ("2024-03-01T00:00", "60m", "has a value every 1h, expected one every 1d"),
    ],
)
def test_held_out_files_that_do_not_go_on_are_refused(tmp_path: Path, start: str, step: str, said: str) -> None:
    files = held_out(tmp_path, start, step)
    with pytest.raises(DataError, match=said):
        recurra.train("forecast", files["data"], tmp_path / "run", test=files["test"], **TINY)


# What a forecast depends on


@pytest.mark.parametrize(
    "model",
    [{}, {"smoothing": True}, {"form": "autoregressive", "paths": 8}, {"layers": 2, "dilations": [1, 3]}],
    ids=str,
)
def test_a_backtest_is_what_predict_says_of_the_same_history(tmp_path: Path, model: dict[str, Any]) -> None:
    task, network = ready(tmp_path, wave(60), **model)
    rows = [row for series in (wave(50), wave(31), [1.0]) for row in task.form.rows(timed(series))]
    origins = [np.arange(3, 50, 6), np.array([30]), np.array([0])]
    with exact(required=False):
        found = {}
        for some in backtest(task, network, rows, origins):
            for at, key in enumerate(zip(some.rows.tolist(), some.origins.tolist(), strict=True)):
                found[key] = some.point[at], some.quantiles[at]
        assert len(found) == sum(map(len, origins))
        for (number, origin), said in found.items():
            (alone,) = task.form.rows(timed((wave(50), wave(31), [1.0])[number][: origin + 1]))
            only = next(backtest(task, network, [alone], [np.array([origin])]))
            np.testing.assert_array_equal(only.point[0], said[0])
            np.testing.assert_array_equal(only.quantiles[0], said[1])


def timed(values: list[float]) -> Timed:
    none = np.zeros((len(values), 0))
    return Timed("", np.array(values)[:, None], np.arange(len(values)), none, none, (), "a test")


def test_the_memory_of_a_backtest_does_not_grow_with_its_origins(tmp_path: Path) -> None:
    task, network = ready(tmp_path, wave(60))
    (row,) = task.form.rows(timed(wave(24_000)))

    def peak(origins: np.ndarray) -> int:
        tracemalloc.start()
        for some in backtest(task, network, [row], [origins]):
            assert np.isfinite(some.point).all()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(np.arange(0, 24_000, 8))
    few, many = peak(np.arange(12_000)), peak(np.arange(24_000))
    assert many < 1.2 * few


def test_a_run_that_is_loaded_again_says_the_same(sold: Run, tmp_path: Path) -> None:
    again = recurra.load(sold.path)
    inputs = sold.task.inputs(str(shops(tmp_path)))
    assert sold.predict(inputs) == again.predict(inputs)
    assert sold.evaluate(baselines=False) == again.evaluate(baselines=False)


def test_a_point_forecaster_covers_nothing_and_says_so(sold: Run) -> None:
    evaluation = sold.evaluation or {}
    plain = evaluation["baselines"]["naive2"]
    assert not any(name.startswith("coverage") for name in plain)
    assert plain["crps"] == pytest.approx(plain["mae"])
    assert any(name.startswith("coverage") for name in evaluation["baselines"]["seasonal-naive"])


def test_bare_numbers_do_not_do_where_more_is_read(days: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"bare numbers say nothing of time stamps.*recurra predict RUN table\.csv"):
        days.task.parse("time,y")
    task, network = ready(tmp_path, [line.split(",")[0] for line in walk(tmp_path).read_text().split()[1:]])
    assert len(task.predict(network, [task.parse("1, 2, 3")])[0]["mean"]) == 4


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
    inputs = other.task.inputs(str(path))
    assert run.predict(held) == other.predict(inputs)
    assert run.configuration.settings.data.data == [str(tmp_path / library / "data.parquet")]
    again = recurra.load(tmp_path / library)
    assert again.evaluate()["metrics"] == (other.evaluation or {})["metrics"]  # the data are there to be read again

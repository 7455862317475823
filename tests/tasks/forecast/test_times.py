"""Times that are odd, and spacings that do not fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.tasks.forecast.conftest import TINY, numbers, series_of, wave, write

import recurra
from recurra import Run
from recurra.errors import DataError


def test_times_that_stand_twice_are_refused_with_both_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "twice.csv", wave(60))
    path.write_text(path.read_text() + "2024-01-05,3\n")
    with pytest.raises(DataError, match=r"line 62.*the time 2024-01-05 stands in line 6 too.*--duplicates"):
        recurra.train("forecast", path, tmp_path / "run", **TINY)
    run = recurra.train("forecast", path, tmp_path / "run", duplicates="last", **TINY)
    assert len(series_of(path, run)) == 60


def test_rows_out_of_order_are_sorted_alike_in_training_and_prediction(tmp_path: Path, days: Run) -> None:
    path = write(tmp_path / "sorted.csv", wave(50))
    head, *rows = path.read_text().split("\n")[:-1]
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join([head, *rows[20:], *rows[:20]]) + "\n")
    one, other = (days.predict([series_of(each, days)])[0] for each in (path, mixed))
    assert numbers(one).tolist() == numbers(other).tolist()
    assert one["time"] == other["time"]


def test_times_are_written_alike_over_midnight(tmp_path: Path) -> None:
    path = write(tmp_path / "pump.csv", wave(300, 12), start="2024-01-01T00:00", step="10m")
    run = recurra.train("forecast", path, tmp_path / "run", season=12, **TINY)
    (found,) = run.predict([series_of(write(tmp_path / "late.csv", wave(142), step="10m"), run)])
    assert found["time"] == ["2024-01-01T23:40", "2024-01-01T23:50", "2024-01-02T00:00", "2024-01-02T00:10"]


@pytest.mark.parametrize(("day", "last", "then"), [(28, 2, "2023-03-28"), (30, 4, "2023-05-30")])
def test_months_continue_at_their_day(tmp_path: Path, day: int, last: int, then: str) -> None:
    months = [f"{2022 + at // 12}-{at % 12 + 1:02}" for at in range(12 + last)]
    stamps = [f"{month}-{28 if month.endswith('-02') else day}" for month in months]
    path = tmp_path / "months.csv"
    path.write_text("\n".join(["time,y", *(f"{stamp},{at % 5}" for at, stamp in enumerate(stamps))]))
    run = recurra.train("forecast", path, tmp_path / "run", every="1m", **TINY)
    assert run.predict([series_of(path, run)])[0]["time"][0] == then


def test_rows_at_odd_times_that_are_steps_each_continue_by_counting(tmp_path: Path) -> None:
    times = np.datetime64("2024-01-01T00:00") + np.cumsum(np.random.default_rng(0).integers(1, 90, (2, 60)), axis=1)
    rows = [
        f"{time},{name},{v}"
        for name, some in zip("ab", times, strict=True)
        for time, v in zip(some, wave(60), strict=True)
    ]
    path = tmp_path / "trades.csv"
    path.write_text("\n".join(["time,series,y", *rows]) + "\n")
    run = recurra.train("forecast", path, tmp_path / "run", gaps="keep", **TINY)
    found = run.predict(run.predictor.read_file(str(path)))
    assert [one["time"] for one in found] == [["+1", "+2", "+3", "+4"]] * 2


def test_a_day_of_daylight_saving_is_reported(tmp_path: Path) -> None:
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


def test_another_spacing_at_prediction_is_refused(tmp_path: Path, days: Run) -> None:
    path = write(tmp_path / "hours.csv", wave(50), start="2024-01-01T00:00", step="60m")
    with pytest.raises(DataError, match=r"hours\.csv.*has a value every 1h, expected one every 1d"):
        days.predictor.read_file(str(path))


def test_the_spacing_is_the_runs_where_few_rows_do_not_show_it(tmp_path: Path, days: Run) -> None:
    path = tmp_path / "few.csv"
    path.write_text("time,y\n2024-03-01,10\n2024-03-03,12\n2024-03-05,11\n")
    series = series_of(path, days)
    assert len(series) == 5  # days, two of which are missing; not steps of two days
    assert days.predict([series])[0]["time"][0] == "2024-03-06"
    path.write_text("time,y\n2024-03-01,10\n")
    assert days.predict([series_of(path, days)])[0]["time"][0] == "2024-03-02"

"""Values brought to another spacing: on which clock, how they are put together, and what is unfinished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.data.timeseries.conftest import column, daily, note, read

from recurra.data.timeseries.anomaly_labels import read_label_column
from recurra.data.timeseries.frequency import local_time
from recurra.data.timeseries.reader import TimeSeriesOptions, read_time_series
from recurra.errors import DataError, UsageError


def hours(first: str, count: int, zone: str = "") -> list[str]:
    times = np.datetime64(first, "m") + np.arange(count) * np.timedelta64(1, "h")
    return [f"{time}{zone}" for time in times.astype(str).tolist()]


def in_berlin(first: str, count: int) -> list[str]:
    """Hours of 2024 as clocks in Berlin show them, with their zones; `first` is in UTC."""
    times = np.datetime64(first, "m") + np.arange(count) * np.timedelta64(1, "h")
    summer = (times >= np.datetime64("2024-03-31T01:00")) & (times < np.datetime64("2024-10-27T01:00"))
    there = [local_time(np.array([time]), 120 if late else 60) for time, late in zip(times, summer, strict=True)]
    return [f"{time[0]}{mark}" for time, mark in there]


@pytest.mark.parametrize("zone", ["+08:00", "-05:00", "Z"])
def test_days_are_those_of_the_clocks_that_wrote_them(tmp_path: Path, zone: str) -> None:
    values = [hour // 24 for hour in range(240)]
    panel = read(tmp_path, daily(hours("2024-01-01", 240, zone), values), every="1d")
    assert column(panel) == [float(day) for day in range(10)] and str(panel.frequency) == "1d"
    assert panel.series[0].times.astype("M8[D]").astype(str).tolist()[:1] == ["2024-01-01"]
    assert panel.series[0].utc_offset is None and note(
        panel, "column 'time': times with a zone are taken as days on their"
    )


@pytest.mark.parametrize(("first", "long"), [("2024-03-29T23:00", 23), ("2024-10-25T22:00", 25)])
def test_a_day_of_23_or_25_hours_is_a_day(tmp_path: Path, first: str, long: int) -> None:
    values = [0] * 24 + [1] * (long - 1) + [30] + [2] * 24
    panel = read(tmp_path, daily(in_berlin(first, 48 + long), values), every="1d")
    assert column(panel) == pytest.approx([0.0, (long + 29) / long, 2.0])


def test_a_time_that_stands_twice_is_found_whatever_its_zone(tmp_path: Path) -> None:
    times = [*hours("2024-10-27", 4, "+02:00"), "2024-10-27T02:00+01:00"]
    with pytest.raises(DataError, match="line 6: series a: the time 2024-10-27 01:00 stands in line 5 too"):
        read(tmp_path, daily(times), every="1d")


def test_rows_that_are_sorted_are_noted_once(tmp_path: Path) -> None:
    days = [f"2024-01-0{day}T00:00+08:00" for day in (3, 1, 2, 4)]
    panel = read(tmp_path, daily(days))
    assert column(panel) == [1.0, 2.0, 0.0, 3.0]
    assert sum("not in the order of their times" in line for line in panel.notes) == 1


@pytest.mark.parametrize(
    ("way", "wanted"), [("mean", [2.0, 3.5, None]), ("sum", [4.0, 7.0, None]), ("last", [3, 4, None])]
)
def test_values_are_put_together_as_is_asked(tmp_path: Path, way: str, wanted: list[float | None]) -> None:
    days = [f"2024-01-0{day} {hour}" for day in (1, 2, 3, 4) for hour in ("00:00", "08:00", "16:00")]
    cells = [1, "", 3, "", 3, 4, "", "", "", 1, 1, 1]
    lines = [f"{time},{cell},{cell},{at % 3}" for at, (time, cell) in enumerate(zip(days, cells, strict=True))]
    text = "\n".join(["time,sold,rain,price", *lines, "2024-01-05 00:00,,,4"]) + "\n"
    options = {"target": ("sold",), "past": ("rain",), "known": ("price",)}
    panel = read(tmp_path, text, every="1d", combine=way, **options)
    one = panel.series[0]
    assert column(panel)[:3] == wanted
    assert np.array_equal(one.past, one.values, equal_nan=True)
    assert one.known[:, 0].tolist() == [1, 1, 1, 1, 4] and len(one) == 4 and len(one.times) == 5


def test_what_is_put_together_needs_a_spacing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"combine: sum .*expected --every beside it"):
        read(tmp_path, daily(["2024-01-01", "2024-01-02"]), combine="sum")


@pytest.mark.parametrize(("way", "kept"), [("mean", [1.0] * 4), ("last", [1.0] * 4), ("sum", [24.0] * 2)])
def test_unfinished_days_are_noted_and_are_no_sums(tmp_path: Path, way: str, kept: list[float]) -> None:
    panel = read(tmp_path, daily(hours("2024-01-01T19:00", 5 + 48 + 13), [1] * 66), every="1d", combine=way)
    assert column(panel) == kept and len(panel.series[0].times) == len(kept)
    done = "left out" if way == "sum" else "the whole step"
    assert note(panel, "series a: its first step, 2024-01-01, has 5 rows where 24 are usual") and note(panel, done)
    assert note(panel, "series a: its last step, 2024-01-04, has 13 rows where 24 are usual")


def test_unfinished_days_of_many_series_are_noted_for_a_few(tmp_path: Path) -> None:
    rows = [f"{time},s{name},1" for name in range(9) for time in hours("2024-01-01", 50)]
    panel = read(tmp_path, "\n".join(["time,s,v", *rows]) + "\n", series="s", every="1d", combine="sum")
    assert [len(one) for one in panel.series] == [2] * 9
    assert sum("where 24 are usual" in line for line in panel.notes) == 3 and note(panel, "6 more steps are unfinished")


@pytest.mark.parametrize(
    ("times", "every", "steps"),
    [
        ([str(day) for day in np.arange("2024-01-01", "2024-03-01", dtype="M8[D]")], "1m", 2),  # February has 29 days
        ([str(day) for day in np.arange("2024-05-01", "2024-06-01", dtype="M8[D]") if np.is_busday(day)], "1m", 1),
        ([f"2024-01-0{day} {hour:02}:00" for day in range(1, 8) for hour in range(9, 18)], "1d", 7),  # while it is open
        (in_berlin("2024-10-25T22:00", 49), "1d", 2),
        (["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30", "2024-05-15"], "1m", 5),  # one a month, on any day
    ],
)
def test_steps_that_are_whole_are_kept(tmp_path: Path, times: list[str], every: str, steps: int) -> None:
    panel = read(tmp_path, daily(times, [1] * len(times)), every=every, combine="sum")
    assert len(column(panel)) == steps and sum(column(panel)) == len(times)
    assert not note(panel, "are usual")


def test_what_is_unfinished_ends_at_the_last_value_where_rows_continue(tmp_path: Path) -> None:
    rows = [f"{time},{1 if at < 60 else ''},0" for at, time in enumerate(hours("2024-01-01", 96))]
    text = "\n".join(["time,v,sale", *rows]) + "\n"
    one = read(tmp_path, text, known=("sale",), target=("v",), every="1d", combine="sum").series[0]
    assert one.values[:, 0].tolist() == [24, 24] and len(one.times) == len(one.known) == 4


def test_a_single_row_stands_on_its_step(tmp_path: Path) -> None:
    panel = read(tmp_path, daily(["2024-01-01 05:25"]), every="1h")
    assert panel.series[0].times.astype("M8[m]").astype(str).tolist() == ["2024-01-01T05:00"]
    panel = read(tmp_path, daily(["2024-01-01 05:25"], [7]), every="1h", combine="sum")
    assert column(panel) == [7.0] and note(panel, "series a: its one row counts as the whole step 2024-01-01 05:00")


@pytest.mark.parametrize(("way", "marks"), [("mean", [1, 0, 1]), ("last", [1, 0, 1]), ("sum", [1, 0])])
def test_a_step_is_abnormal_where_a_row_of_it_is(tmp_path: Path, way: Any, marks: list[int]) -> None:
    odd = {3, 50}
    rows = [f"{time},{at},{int(at in odd)}" for at, time in enumerate(hours("2024-01-01", 60))]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time,v,odd", *rows]) + "\n")
    options = TimeSeriesOptions(target=("v",), every="1d", combine=way)
    assert read_label_column([path], options, "odd")["a"].tolist() == [bool(mark) for mark in marks]
    assert len(read_time_series([path], options).series[0]) == len(marks)


def test_half_hours_and_business_days_put_together_to_weeks(tmp_path: Path) -> None:
    days = [day for day in np.arange("2024-01-01", "2024-01-25", dtype="M8[D]") if np.is_busday(day)]
    panel = read(tmp_path, daily([str(day) for day in days], [1] * len(days)), every="1w", combine="sum")
    assert column(panel) == [5.0, 5.0, 5.0] and note(panel, "its last step, 2024-01-22, has 3 rows where 5 are usual")
    times = np.datetime64("2024-01-01T00:10", "m") + np.arange(46) * np.timedelta64(30, "m")
    panel = read(tmp_path, daily([str(time) for time in times], [1] * 46), every="3h", combine="sum")
    assert column(panel) == [6.0] * 7 and note(panel, "its last step, 2024-01-01 21:00, has 4 rows where 6 are usual")


def test_whole_series_in_a_row_are_not_put_together(tmp_path: Path) -> None:
    days = np.arange("2024-01-01", "2024-01-15", dtype="M8[D]")
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([f"id,{','.join(map(str, days))}", *(f"{name}{',1' * 14}" for name in "ab")]) + "\n")
    assert len(read_time_series([path]).series[0]) == 14
    with pytest.raises(UsageError, match=r"every: 7d puts rows together, and in .*wide\.csv a row is a whole series"):
        read_time_series([path], TimeSeriesOptions(every="7d"))

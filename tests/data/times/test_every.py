"""Values brought to another spacing: on which clock, how they are put together, and what is unfinished."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.data.times.conftest import column, daily, note, read

from recurra.data.moments import on_clock
from recurra.errors import DataError


def hours(first: str, count: int, zone: str = "") -> list[str]:
    times = np.datetime64(first, "m") + np.arange(count) * np.timedelta64(1, "h")
    return [f"{time}{zone}" for time in times.astype(str).tolist()]


def in_berlin(first: str, count: int) -> list[str]:
    """Hours of 2024 as clocks in Berlin show them, with their zones; `first` is in UTC."""
    times = np.datetime64(first, "m") + np.arange(count) * np.timedelta64(1, "h")
    summer = (times >= np.datetime64("2024-03-31T01:00")) & (times < np.datetime64("2024-10-27T01:00"))
    there = [on_clock(np.array([time]), 120 if late else 60) for time, late in zip(times, summer, strict=True)]
    return [f"{time[0]}{mark}" for time, mark in there]


@pytest.mark.parametrize("zone", ["+08:00", "-05:00", "Z"])
def test_days_are_those_of_the_clocks_that_wrote_them(tmp_path: Path, zone: str) -> None:
    values = [hour // 24 for hour in range(240)]
    panel = read(tmp_path, daily(hours("2024-01-01", 240, zone), values), every="1d")
    assert column(panel) == [float(day) for day in range(10)] and str(panel.step) == "1d"
    assert panel.series[0].times.astype("M8[D]").astype(str).tolist()[:1] == ["2024-01-01"]
    assert panel.series[0].zone is None and note(panel, "column 'time': times with a zone are taken as days on their")


@pytest.mark.parametrize(("first", "long"), [("2024-03-29T23:00", 23), ("2024-10-25T22:00", 25)])
def test_a_day_of_23_or_25_hours_is_a_day(tmp_path: Path, first: str, long: int) -> None:
    values = [0] * 24 + [1] * (long - 1) + [30] + [2] * 24
    panel = read(tmp_path, daily(in_berlin(first, 48 + long), values), every="1d")
    assert column(panel) == pytest.approx([0.0, (long + 29) / long, 2.0])


def test_a_moment_that_stands_twice_is_found_whatever_its_zone(tmp_path: Path) -> None:
    times = [*hours("2024-10-27", 4, "+02:00"), "2024-10-27T02:00+01:00"]
    with pytest.raises(DataError, match="line 6: series a: the time 2024-10-27 01:00 stands in line 5 too"):
        read(tmp_path, daily(times), every="1d")


def test_rows_that_are_sorted_are_told_of_once(tmp_path: Path) -> None:
    days = [f"2024-01-0{day}T00:00+08:00" for day in (3, 1, 2, 4)]
    panel = read(tmp_path, daily(days))
    assert column(panel) == [1.0, 2.0, 0.0, 3.0]
    assert sum("not in the order of their times" in line for line in panel.notes) == 1

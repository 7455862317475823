"""The grid that times stand on: spacings, times that stand twice or nowhere, gaps and averages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.data.timeseries.conftest import column, daily, note, read

from recurra.data.timeseries.frequency import Frequency, parse_frequency
from recurra.data.timeseries.grid import NumericTimes, future_times
from recurra.data.timeseries.reader import panel_from_frame
from recurra.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("cells", "step", "first"),
    [
        (["1717160400", "1717164000", "1717167600"], "1h", "2024-05-31T13:00"),
        (["1717160400000", "1717160400250", "1717160400500"], "250ms", "2024-05-31T13:00"),
        (["20240531", "20240601", "20240602"], "1d", "2024-05-31"),
        (["2024-05-31", "2024-06-07", "2024-06-14"], "1w", "2024-05-31"),
        (["1981-01", "1981-02", "1981-03"], "1m", "1981-01-01"),
        (["2023-11-30", "2023-12-31", "2024-01-31", "2024-02-29"], "1m", "2023-11-30"),
        (["2023Q3", "2023Q4", "2024Q1"], "1q", "2023-07-01"),
        (["2021-07-01", "2022-07-01", "2023-07-01"], "1y", "2021-07-01"),
        (["2020-01-01", "2022-01-01", "2024-01-01"], "2y", "2020-01-01"),
    ],
)
def test_the_spacing_is_found(tmp_path: Path, cells: list[str], step: str, first: str) -> None:
    panel = read(tmp_path, daily(cells))
    assert str(panel.frequency) == step and len(panel.series[0]) == len(cells)
    assert panel.series[0].times[0] == np.datetime64(first, "us")


def test_years_are_years_and_steps_are_steps(tmp_path: Path) -> None:
    panel = read(tmp_path, "year,v\n1990,1\n1991,2\n1993,3\n")
    assert str(panel.frequency) == "1y" and column(panel) == [1.0, 2.0, None, 3.0]
    panel = read(tmp_path, "t,v\n3,1\n4,2\n6,3\n")
    assert (
        panel.frequency is None
        and panel.series[0].times.tolist() == [3, 4, 5, 6]
        and column(panel) == [1.0, 2.0, None, 3.0]
    )
    panel = read(tmp_path, "t,v\n0.1,1\n0.2,2\n0.3,3\n")
    assert panel.series[0].times.tolist() == [1, 2, 3] and note(panel, "counted in steps of 0.1")
    panel = read(tmp_path, "t,v\n7,1\n17,2\n37,3\n")
    assert panel.series[0].times.tolist() == [0, 1, 2, 3] and note(panel, "counted in steps of 10")
    with pytest.raises(DataError, match=r"line 5: series a: the time 25 is none of the steps of 10; --gaps keep"):
        read(tmp_path, "t,v\n0,1\n10,2\n20,3\n25,3\n")
    with pytest.raises(UsageError, match=r"every: 1h needs times that are dates"):
        read(tmp_path, "t,v\n0,1\n10,2\n", every="1h")


def test_numbers_keep_what_stands_in_their_column(tmp_path: Path) -> None:
    panel = read(tmp_path, "t,v\n1200005,1\n1200015,2\n1200045,3\n1200055,3\n")
    (series,) = panel.series
    assert series.numeric_times is not None and panel.numeric_step == 10
    assert series.numeric_times.to_numbers(series.times) == [1200005, 1200015, 1200025, 1200035, 1200045, 1200055]
    assert note(panel, "2 of 6 steps are missing, the longest from 1200025 to 1200035")
    panel = read(tmp_path, "t,v\n-1.2,1\n-1.1,2\n-0.9,3\n")
    series = panel.series[0]
    assert series.numeric_times is not None and series.numeric_times.to_numbers(np.append(series.times, 0)) == [
        -1.2,
        -1.1,
        -1.0,
        -0.9,
        0.0,
    ]
    assert read(tmp_path, "v\n5\n6\n").numeric_step is None


def test_numbers_are_spaced_as_is_expected(tmp_path: Path) -> None:
    (series,) = read(tmp_path, "t,v\n15,1\n35,2\n", numeric_step=10.0).series
    assert len(series) == 3 and series.numeric_times == NumericTimes(15.0, 10.0)
    with pytest.raises(
        DataError, match=r"a.csv: line 2: series a has a value every 2, expected one every 10; write times"
    ):
        read(tmp_path, "t,v\n2,1\n4,2\n6,3\n8,4\n", numeric_step=10.0)


def test_rows_out_of_order_are_sorted_with_a_note(tmp_path: Path) -> None:
    panel = read(tmp_path, daily(["2024-01-03", "2024-01-01", "2024-01-02"]))
    assert column(panel) == [1.0, 2.0, 0.0] and note(panel, "the rows are not in the order of their times: sorted")


TWICE = "time,v\n2024-05-01 00:00,1\n2024-05-01 01:00,2\n2024-05-01 01:00,\n2024-05-01 01:00,6\n2024-05-01 02:00,9\n"


@pytest.mark.parametrize(("way", "middle"), [("first", 2.0), ("last", 6.0), ("mean", 4.0)])
def test_a_time_twice(tmp_path: Path, way: str, middle: float) -> None:
    with pytest.raises(
        DataError, match=r"a.csv: line 4: series a: the time 2024-05-01 01:00 stands in line 3 too; say --duplicates"
    ):
        read(tmp_path, TWICE)
    panel = read(tmp_path, TWICE, duplicates=way)
    assert column(panel) == [1.0, middle, 9.0] and note(panel, "2 rows repeat a time of their series")


def test_many_times_twice_ask_for_the_series(tmp_path: Path) -> None:
    text = "time,sensor,v\n" + "".join(f"2024-01-0{day},{name},1\n" for day in (1, 2, 3) for name in "ab")
    with pytest.raises(DataError, match=r"name the column that says which series a row belongs to .--series sensor."):
        read(tmp_path, text)
    assert read(tmp_path, text, series="sensor").names == ["a", "b"]


def test_the_hour_that_is_missing_in_spring_is_a_gap(tmp_path: Path) -> None:
    times = [f"2024-03-31 0{hour}:00" for hour in (0, 1, 3, 4)]
    panel = read(tmp_path, daily(times))
    assert column(panel) == [0.0, 1.0, None, 2.0, 3.0]


def test_the_hour_that_comes_twice_in_autumn_is_explained(tmp_path: Path) -> None:
    local = [f"2024-10-27 0{hour}:{minute}" for hour in (1, 2, 2, 3) for minute in ("00", "30")]
    with pytest.raises(
        DataError, match=r"change of daylight saving time: write times with their zone .* or say --duplicates"
    ):
        read(tmp_path, daily(local))
    zoned = [f"{time}:00+0{2 - (at > 3)}:00" for at, time in enumerate(local)]
    panel = read(tmp_path, daily(zoned))
    assert column(panel) == [float(at) for at in range(8)] and str(panel.frequency) == "30min"
    assert note(panel, "column 'time': times with a zone are taken in UTC")


def test_days_with_zones_are_days_on_their_own_clocks(tmp_path: Path) -> None:
    days = [f"2024-03-{day}T00:00+0{1 + (day > 30)}:00" for day in (29, 30, 31)] + ["2024-04-01T00:00+02:00"]
    panel = read(tmp_path, daily(days))
    assert (
        str(panel.frequency) == "1d"
        and str(panel.series[0].times[-1])[:10] == "2024-04-01"
        and len(panel.series[0]) == 4
    )
    assert note(panel, "taken as days on their own clocks")
    with pytest.raises(DataError, match=r"line 3: column 'time': 2024-01-02 has no zone, and others have"):
        read(tmp_path, daily(["2024-01-01T00:00Z", "2024-01-02"]))


def test_a_time_off_the_grid(tmp_path: Path) -> None:
    times = ["2024-01-01 00:00", "2024-01-01 00:10", "2024-01-01 00:20:03", "2024-01-01 00:30", "2024-01-01 00:40"]
    times += ["2024-01-01 00:50"]
    with pytest.raises(
        DataError, match=r"line 4: series a: the time 2024-01-01 00:20:03 is off the steps of 10min .*--every 10min"
    ):
        read(tmp_path, daily(times))
    panel = read(tmp_path, daily(times), every="10min")
    assert column(panel) == [float(at) for at in range(6)] and str(panel.frequency) == "10min"
    panel = read(tmp_path, daily(times), gaps="keep")
    assert column(panel) == [float(at) for at in range(6)] and str(panel.frequency) == "10min"
    assert panel.series[0].times[2] == np.datetime64("2024-01-01T00:20:03")


def test_days_of_months_are_found_to_be_months(tmp_path: Path) -> None:
    text = daily(["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30", "2024-05-31"])
    with pytest.raises(DataError, match="average to even steps: --every 1m;"):
        read(tmp_path, text)
    panel = read(tmp_path, text, every="1m")
    assert column(panel) == [0, 1, 2, 3, 4] and str(panel.frequency) == "1m"


def test_averages(tmp_path: Path) -> None:
    times = [f"2024-01-01 {hour:02}:{minute}" for hour in (0, 1, 3) for minute in ("10", "20", "40")]
    panel = read(tmp_path, daily(times, [1, 2, "", 4, 5, 6, 7, "", 9]), every="1h")
    assert column(panel) == [1.5, 5.0, None, 8.0] and str(panel.frequency) == "1h"
    assert panel.series[0].times[0] == np.datetime64("2024-01-01T00:00")
    months = read(tmp_path, daily(["2024-01-05", "2024-01-20", "2024-02-01", "2024-04-01"], [1, 3, 5, 7]), every="1m")
    assert column(months) == [2.0, 5.0, None, 7.0] and str(months.frequency) == "1m"
    weeks = read(tmp_path, daily(["2024-01-03", "2024-01-07", "2024-01-08"], [1, 3, 5]), every="1w")
    assert column(weeks) == [2.0, 5.0] and str(weeks.series[0].times[0])[:10] == "2024-01-01"


def test_a_spacing_that_is_the_datas_own_keeps_their_minutes(tmp_path: Path) -> None:
    times = ["2024-01-01 00:07", "2024-01-01 00:17", "2024-01-01 00:37"]
    panel = read(tmp_path, daily(times), every="10min")
    assert column(panel) == [0.0, 1.0, None, 2.0] and panel.series[0].times[0] == np.datetime64("2024-01-01T00:07")
    panel = read(tmp_path, daily(times[:1]), every="10min")  # which cannot show where the steps stand
    assert str(panel.frequency) == "10min" and panel.series[0].times[0] == np.datetime64("2024-01-01T00:00")


def test_business_days(tmp_path: Path) -> None:
    days = future_times(np.array(["2024-05-01"], "M8[us]"), Frequency(1, "b"), 20).astype("M8[D]").astype(str).tolist()
    panel = read(tmp_path, daily(days[:7] + days[8:]))
    assert str(panel.frequency) == "1b" and column(panel)[6:9] == [6.0, None, 7.0] and len(panel.series[0]) == 20
    assert note(panel, "the steps are business days; with --every 1d weekends are gaps")
    panel = read(tmp_path, daily(days), every="1d")
    assert str(panel.frequency) == "1d" and len(panel.series[0]) == 28
    assert str(read(tmp_path, daily(days[:3])).frequency) == "1d"  # too short to tell


def test_series_that_are_spaced_otherwise(tmp_path: Path) -> None:
    text = "time,s,v\n" + "".join(f"2024-01-01 {hour:02}:00,fast,1\n" for hour in range(10))
    text += "".join(f"2024-01-0{day} 00:00,slow,{day}\n" for day in range(1, 6))
    with pytest.raises(
        DataError, match=r"line 12: series slow has a value every 1d, series fast every 1h; .*--every 1d"
    ):
        read(tmp_path, text, series="s")
    panel = read(tmp_path, text, series="s", every="1d")
    assert column(panel) == [1.0] and column(panel, 1) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_wrong_century_is_no_gap(tmp_path: Path) -> None:
    times = [f"2024-01-01 00:{minute:02}" for minute in range(30)] + ["2042-01-01 00:30"]
    with pytest.raises(
        DataError,
        match=r"line 32: series a: its 31 values spread over .* steps of 1min, with none from 2024-01-01 00:29 to 2042",
    ):
        read(tmp_path, daily(times))


def test_a_year_of_readings_with_gaps(tmp_path: Path) -> None:
    """Every ten minutes for a year, as a logger writes them: gaps of hours and days, empty cells, a file in two orders."""
    rng = np.random.default_rng(3)
    times = np.datetime64("2024-01-01T00:03", "us") + np.arange(366 * 144) * np.timedelta64(10, "m")
    truth = 20 + rng.normal(size=len(times))
    there = np.ones(len(times), bool)
    for start, length in ((1000, 1), (2000, 36), (9000, 1008), (40_000, 3)):
        there[start : start + length] = False
    empty = rng.choice(np.flatnonzero(there), 500, replace=False)
    cells = [f"{value:.6f}" for value in truth]
    for at in empty:
        cells[at] = ""
    rows = [f"{str(times[at])[:16].replace('T', ' ')};{cells[at]}" for at in np.flatnonzero(there)]
    panel = read(tmp_path, "\n".join(["timestamp;temp", *rows[20_000:], *rows[:20_000]]) + "\n")
    (one,) = panel.series
    wanted = np.round(truth, 6)
    wanted[~there] = np.nan
    wanted[empty] = np.nan
    assert str(panel.frequency) == "10min" and np.array_equal(one.times, times)
    assert np.array_equal(one.values[:, 0], wanted, equal_nan=True)
    assert note(
        panel,
        "series a: 4 gaps, 1,048 of 52,704 steps are missing, the longest from 2024-03-03 12:03 to 2024-03-10 11:53",
    )
    assert note(panel, "500 of 51,656 values of 'temp' are missing") and note(
        panel, "not in the order of their times: sorted"
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), step=st.sampled_from(["10min", "1h", "1d", "1w", "1m", "1q"]))
def test_a_panel_written_and_shuffled_reads_the_same(tmp_path: Path, data: st.DataObject, step: str) -> None:
    frequency = parse_frequency(step)
    number = st.one_of(st.none(), st.floats(-1e300, 1e300, allow_nan=False))
    rows = []
    wanted: dict[str, tuple[np.ndarray, list[float | None]]] = {}
    for name in data.draw(st.lists(st.sampled_from(["泵一", "b", "c d", "7"]), min_size=1, max_size=3, unique=True)):
        cells = data.draw(st.lists(number, min_size=4, max_size=12))
        first = np.datetime64(data.draw(st.sampled_from(["2023-01-01", "2024-04-01", "1999-10-01T06:30"])), "us")
        times = np.concatenate([[first], future_times(np.array([first]), frequency, len(cells) - 1)])
        wanted[name] = times, cells
        rows += [f"{name},{time},{'' if cell is None else repr(cell)}" for time, cell in zip(times, cells, strict=True)]
    shuffled = data.draw(st.permutations(rows))
    assume(any(cell is not None for _, cells in wanted.values() for cell in cells))  # else it is no column of numbers
    panel = read(tmp_path, "\n".join(["series,time,v", *shuffled]) + "\n", series="series", target=("v",))
    assert panel.frequency == frequency or (step == "1d" and panel.frequency == Frequency(1, "b"))
    assert set(panel.names) == set(wanted)
    for one in panel.series:
        times, cells = wanted[one.name]
        assert np.array_equal(one.times, times)
        assert np.array_equal(one.values[:, 0], np.array(cells, float), equal_nan=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=6, max_size=60), st.sampled_from(["30s", "1h", "1d", "1m"]))
def test_gaps_are_where_rows_are_not(there: list[bool], step: str) -> None:
    there = [True, True, True, *there, True]
    first = np.datetime64("2020-01-31T00:00", "us") if step == "1m" else np.datetime64("2020-01-04T00:00", "us")
    times = np.concatenate([[first], future_times(np.array([first]), parse_frequency(step), len(there) - 1)])
    if step == "1d":  # a Saturday is the first
        assert not np.is_busday(times[0].astype("M8[D]"))
    kept = np.flatnonzero(there)
    differences = np.unique(np.diff(kept), return_counts=True)
    assume(differences[0][np.argmax(differences[1])] == 1)
    panel = panel_from_frame({"time": times[kept], "v": kept.astype(float)})
    assert str(panel.frequency) == step
    assert np.array_equal(np.isnan(panel.series[0].values[:, 0]), ~np.array(there))
    assert np.array_equal(panel.series[0].times, times)

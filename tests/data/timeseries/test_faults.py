"""Values and columns that cannot be used, and series of hardly any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.data.timeseries.conftest import column, daily, note, read

from recurra.data.timeseries.reader import TimeSeriesOptions, read_time_series
from recurra.errors import DataError, UsageError


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_infinity_has_its_series_and_line(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match=r"a.csv: line 3: series b: column 'v' is infinite"):
        read(tmp_path, f"s,time,v\na,2024-01-01,1\nb,2024-01-01,{cell}\n", series="s", target=("v",))


def test_what_is_no_number_has_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: column 'v': expected a number, got 'off'"):
        read(tmp_path, daily(["2024-01-01", "2024-01-02"], [1, "off"]), target=("v",))
    with pytest.raises(DataError, match=r"expected a number, got '1,5'; write decimals with a point"):
        read(tmp_path, 'time,v\n2024-01-01,1\n2024-01-02,"1,5"\n', target=("v",))


def test_missing_values_are_noted(tmp_path: Path) -> None:
    panel = read(tmp_path, daily([f"2024-01-0{day}" for day in range(1, 7)], ["1", "", "NA", "nan", "null", "7"]))
    assert column(panel) == [1.0, None, None, None, None, 7.0] and note(panel, "4 of 6 values of 'v' are missing")


def test_constant_short_and_single(tmp_path: Path) -> None:
    text = "time,s,v\n2024-01-01,flat,5\n2024-01-02,flat,5\n2024-01-03,flat,5\n2024-01-02,one,7\n"
    panel = read(tmp_path, text, series="s")
    assert column(panel) == [5.0, 5.0, 5.0] and column(panel, 1) == [7.0]
    assert note(panel, "1 series have fewer than two values: one")
    text = "time,s,v,promo\n2024-01-01,new,,1\n2024-01-02,new,,0\n2024-01-01,old,5,1\n"
    panel = read(tmp_path, text, series="s", known=("promo",))
    assert len(panel.series[0]) == 0 and panel.series[0].known.shape == (2, 1)


def test_a_static_column_that_changes(tmp_path: Path) -> None:
    text = "time,s,v,site\n2024-01-01,a,1,north\n2024-01-02,a,2,\n2024-01-03,a,3,south\n"
    with pytest.raises(DataError, match=r"line 4: series a: static column 'site': expected north as before, got south"):
        read(tmp_path, text, series="s", static=("site",))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"target": ("temprature",)}, "did you mean 'temperature'"),
        ({"time": "tme"}, "did you mean 'time'"),
        ({"known": ("holiday",)}, "field 'holiday' is missing; the fields there are: time, temperature, word"),
        ({"target": ("temperature",), "past": ("temperature",)}, "named as target too"),
        ({"target": ("time",), "time": "time"}, "named as time too"),
        ({"every": "often"}, "every: expected a spacing"),
    ],
)
def test_columns_that_are_not_there_and_settings_that_clash(tmp_path: Path, options: Any, problem: str) -> None:
    text = "time,temperature,word\n2024-01-01,1,x\n2024-01-02,2,y\n"
    with pytest.raises((DataError, UsageError), match=problem):
        read(tmp_path, text, **options)


def test_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no column of numbers is left for the values; .*name them: --target NAME"):
        read(tmp_path, "time,word\n2024-01-01,x\n")
    with pytest.raises(DataError, match=r"holds no rows"):
        read(tmp_path, "time,v\n")
    with pytest.raises(DataError, match=r"column 's' names no series"):
        read(tmp_path, "time,s,v\n2024-01-01,a,1\n2024-01-02,,2\n", series="s")


def test_no_series_has_its_file(tmp_path: Path) -> None:
    np.save(tmp_path / "none.npy", np.zeros((0, 5, 1)))
    with pytest.raises(DataError, match=r"none\.npy: holds no series"):
        read_time_series([str(tmp_path / "none.npy")], TimeSeriesOptions())


def test_lists_name_series_as_they_are_written(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    times = np.array(["2024-01-01", "2024-01-02"] * 2, "M8[D]")
    table = pa.table({"time": times, "s": [["a"], ["a"], ["b"], ["b"]], "v": [1.0, 2.0, 3.0, 4.0]})
    pq.write_table(table, tmp_path / "lists.parquet")
    options = TimeSeriesOptions(series="s", target=("v",))
    panel = read_time_series([str(tmp_path / "lists.parquet")], options)
    assert [one.name for one in panel.series] == ["['a']", "['b']"]

"""Series in time of tables without a header, of columns by position, and named by several columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.data.timeseries.conftest import column, note, read

from recurra.data.timeseries.reader import TimeSeriesOptions, panel_from_frame
from recurra.errors import DataError

DAYS = [f"2024-01-{day:02}" for day in range(1, 9)]


def test_the_first_row_is_data(tmp_path: Path) -> None:
    text = "".join(f"{day},{n * 1.5},{'ab'[n % 2]}\n" for n, day in enumerate(DAYS))
    for options in ({}, {"time": "1"}, {"time": "1", "target": ("2",)}, {"target": ("2",)}):
        panel = read(tmp_path, text, **options)
        assert panel.targets == ("2",) and len(panel.series[0]) == 8 and str(panel.frequency) == "1d"
        assert note(panel, "a.csv: no header") and panel.columns == ("1", "2", "3")
    assert len(read(tmp_path, text, header="yes").series[0]) == 7
    with pytest.raises(DataError, match=r"field 'sold' is missing; .*the table has no header"):
        read(tmp_path, text, target=("sold",))


def test_numbers_by_position(tmp_path: Path) -> None:
    text = "".join(f"{10 * n},{n % 3},{n % 4}\n" for n in range(20))
    panel = read(tmp_path, text, time="1", target=("last",))
    assert panel.targets == ("3",) and panel.numeric_step == 10 and column(panel)[:4] == [0.0, 1.0, 2.0, 3.0]
    assert read(tmp_path, text, target=("2",)).targets == ("channel 2",)
    assert len(read(tmp_path, text, header="yes").series[0]) == 19


def test_positions_below_a_header(tmp_path: Path) -> None:
    panel = read(tmp_path, "day,shop,sold\n2024-01-01,a,3\n2024-01-02,a,4\n", time="1", series="2", target=("last",))
    assert panel.targets == ("sold",) and panel.names == ["a"]


def test_a_day_and_a_time_in_two_columns(tmp_path: Path) -> None:
    rows = "".join(f"{10 + n // 24}/03/2004;{n % 24:02}.00.00;{n},5;-200;;\n" for n in range(96))
    panel = read(tmp_path, "Date;Time;CO(GT);T;;\n" + rows + ";;;;;\n" * 3)
    assert str(panel.frequency) == "1h" and column(panel)[:2] == [0.5, 1.5] and len(panel.series[0]) == 96
    assert panel.series[0].times[25] == np.datetime64("2004-03-11T01:00") and not note(panel, "left out")


@pytest.mark.parametrize("name", ["hour", "hr", "Stunde", "时"])
def test_a_day_and_an_hour_in_two_columns(tmp_path: Path, name: str) -> None:
    text = f"day;{name};sold\n" + "".join(f"{DAYS[n // 24]};{n % 24};{n}\n" for n in range(72))
    for options in ({}, {"time": "day"}):
        panel = read(tmp_path, text, **options)
        assert panel.targets == ("sold",) and str(panel.frequency) == "1h" and column(panel)[30] == 30
    assert note(read(tmp_path, text), f"columns 'day' and '{name}' hold the times")
    ending = f"day,{name},sold\n" + "".join(f"{DAYS[n // 24]},{n % 24 + 1},{n}\n" for n in range(48))
    times = read(tmp_path, ending).series[0].times
    assert times[[0, 23]].astype("M8[h]").tolist() == np.array(["2024-01-01T01", "2024-01-02T00"], "M8[h]").tolist()


def test_hours_of_days_that_come_once_are_values(tmp_path: Path) -> None:
    text = "shop,day,hour\n" + "".join(f"{shop},{day},{n}\n" for shop in "ab" for n, day in enumerate(DAYS))
    panel = read(tmp_path, text, series="shop")
    assert panel.targets == ("hour",) and str(panel.frequency) == "1d"


def test_minutes_too_and_broken_hours(tmp_path: Path) -> None:
    text = "date,hour,minute,v\n" + "".join(f"20240531,{n // 4},{n % 4 * 15},{n}\n" for n in range(8))
    assert str(read(tmp_path, text).frequency) == "15min"
    with pytest.raises(DataError, match=r"line 3: column 'hour' has no time"):
        read(tmp_path, "date,hour,v\n2024-01-01,0,1\n2024-01-01,,2\n2024-01-01,2,2\n")


@pytest.mark.parametrize("names", ["year,month,date_of_month", "yr,mnth,mday", "Jahr,Monat,Tag", "年,月,日"])
def test_year_month_and_day_in_three_columns(tmp_path: Path, names: str) -> None:
    rows = "".join(f"2000,{month},{day},{day % 7 + 1},{day}\n" for month in (1, 2) for day in range(1, 30))
    panel = read(tmp_path, f"{names},day_of_week,births\n" + rows, target=("births",))
    assert str(panel.frequency) == "1d" and panel.series[0].times[-1] == np.datetime64("2000-02-29")
    assert note(panel, f"columns {names.replace(',', ', ')} are read as the times")


def test_series_by_two_columns(tmp_path: Path) -> None:
    rows = [(store, dept, day) for store in (1, 2) for dept in ("a", "b") for day in DAYS]
    text = "store,dept,day,sold\n" + "".join(f"{store},{dept},{day},{n}\n" for n, (store, dept, day) in enumerate(rows))
    panel = read(tmp_path, text, series=("store", "dept"))
    assert panel.names == ["1/a", "1/b", "2/a", "2/b"] and panel.targets == ("sold",)
    assert column(panel, 2)[:2] == [16.0, 17.0]
    assert read(tmp_path, text, series=("1", "2")).names == panel.names
    frame = {"store": np.array([1, 1, 2]), "dept": np.array(["a", "b", "a"]), "sold": np.array([3, 4, 5])}
    assert panel_from_frame(frame, TimeSeriesOptions(series=("store", "dept"))).names == ["1/a", "1/b", "2/a"]
    with pytest.raises(DataError, match=r"line 3: column 'dept' names no series"):
        read(tmp_path, "store,dept,sold\n1,a,3\n1,,4\n", series=("store", "dept"))
    with pytest.raises(DataError, match=r"store 'x', dept 'y/z' and of store 'x/y', dept 'z' have one name, x/y/z"):
        read(tmp_path, "store,dept,sold\nx,y/z,3\nx/y,z,4\n", series=("store", "dept"))
    wide = read(tmp_path, "store,dept,t1,t2,t3\n1,a,1,2,3\n1,b,4,5,6\n", series=("store", "dept"), layout="series")
    assert wide.names == ["1/a", "1/b"]

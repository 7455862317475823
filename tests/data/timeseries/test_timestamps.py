"""Times: how they are written, and in which columns they stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.data.timeseries.conftest import column, daily, note, read

from recurra.data.timeseries.frequency import Frequency
from recurra.data.timeseries.timestamps import read_timestamps
from recurra.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-05-31", "2024-05-31"),
        ("2024-05-31 13:00", "2024-05-31T13:00"),
        ("2024-05-31T13:00:05.25", "2024-05-31T13:00:05.25"),
        ("2024-05-31T13:00:00Z", "2024-05-31T13:00"),
        ("2024-05-31T13:00:00+02:00", "2024-05-31T11:00"),
        ("2024-05-31 13:00 -0530", "2024-05-31T18:30"),
        ("2024/5/31 9:05", "2024-05-31T09:05"),
        ("31.05.2024 13:00", "2024-05-31T13:00"),
        ("1.6.2024", "2024-06-01"),
        ("05/31/2024", "2024-05-31"),
        ("31/05/2024 23:59:59", "2024-05-31T23:59:59"),
        ("05/31/2024 1:00 PM", "2024-05-31T13:00"),
        ("05/31/2024 12:15 am", "2024-05-31T00:15"),
        ("1981-01", "1981-01-01"),
        ("2024Q3", "2024-07-01"),
        ("2024年5月31日 13时30分", "2024-05-31T13:30"),
        ("2024年5月", "2024-05-01"),
    ],
)
def test_stamps_are_read_as_they_are_written(cell: str, moment: str) -> None:
    read = read_timestamps([cell], "t")
    assert not read.wrong
    assert read.values[0] == np.datetime64(moment, "us")


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("2024-02-30", "is no time"),
        ("31.13.2024", "is no time"),
        ("2024-05-31 25:00", "is no time"),
        ("soon", "expected a time such as 2024-05-31"),
        ("5/31/24", "expected a time such as"),
        ("now", "expected a time such as"),
        ("NaT", "expected a time such as"),
        ("", "has no time"),
        ("NA", "has no time"),
    ],
)
def test_what_is_no_time_is_reported_with_its_line(tmp_path: Path, cell: str, problem: str) -> None:
    with pytest.raises(DataError, match=f"a.csv: line 3: column 'time'.*{problem}"):
        read(tmp_path, f"time,v\n2024-05-30,1\n{cell},2\n2024-05-31,3\n", time="time")
    panel = read(tmp_path, f"time,v\n2024-05-30,1\n{cell},2\n2024-05-31,3\n", time="time", on_error="skip")
    assert column(panel) == [1.0, 3.0] and len(panel.skipped) == 1


def test_days_and_months_are_told_apart_by_the_data(tmp_path: Path) -> None:
    panel = read(tmp_path, daily(["30/05/2024", "31/05/2024", "01/06/2024"]))
    assert str(panel.series[0].times[-1]) == "2024-06-01T00:00:00.000000"
    assert note(panel, "column 'time' is read as day/month/year")
    panel = read(tmp_path, daily(["05/30/2024", "05/31/2024", "06/01/2024"]))
    assert str(panel.series[0].times[-1]) == "2024-06-01T00:00:00.000000"
    with pytest.raises(
        DataError,
        match=r"line 2: .*cannot tell whether 05/06/2024 begins with the day or the month; write 2024-06-05 or",
    ):
        read(tmp_path, daily(["05/06/2024", "06/06/2024", "07/06/2024"]))
    with pytest.raises(DataError, match=r"line 3: .*is no time"):
        read(tmp_path, daily(["31/05/2024", "05/31/2024"]))


def test_times_in_several_columns(tmp_path: Path) -> None:
    panel = read(tmp_path, "No,year,month,day,hour,pm2.5\n1,2010,1,1,0,NA\n2,2010,1,1,1,129\n3,2010,1,1,3,148\n")
    assert str(panel.frequency) == "1h" and panel.targets == ("pm2.5",) and column(panel) == [None, 129.0, None, 148.0]
    assert note(panel, "columns year, month, day, hour are read as the times") and note(panel, "left out: No")
    panel = read(tmp_path, "Date,Time,v\n2024-05-31,23:50,1\n2024-06-01,00:00,2\n")
    assert str(panel.frequency) == "10min" and note(panel, "columns 'Date' and 'Time' hold the times")
    panel = read(tmp_path, "year,month,v\n2010,11,5\n2010,12,6\n2011,1,7\n")
    assert str(panel.frequency) == "1m"
    with pytest.raises(DataError, match=r"line 3: column 'year, month': '2010-13' is no time"):
        read(tmp_path, "year,month,v\n2010,12,5\n2010,13,6\n")


@pytest.mark.parametrize("name", ["time", "Date", "timestamp", "ds", "时间", "日期", "Month", "when it was"])
def test_the_column_of_times_is_found(tmp_path: Path, name: str) -> None:
    panel = read(tmp_path, f"v,{name}\n1,2024-05-31\n2,2024-06-01\n")
    assert panel.frequency == Frequency(1, "d") and note(panel, f"column '{name}' holds the times")


@pytest.mark.parametrize(("name", "options"), [("month", {}), ("period", {"time": "period"})])
def test_months_may_be_numbers(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    panel = read(tmp_path, f"{name},v\n202311,1\n202312,2\n202401,3\n", **options)
    assert str(panel.frequency) == "1m" and len(panel.series[0]) == 3 and panel.targets == ("v",)
    panel = read(tmp_path, f"{name},v\n202311,1\n202312,2\n202313,3\n", time=name)
    assert panel.frequency is None and panel.series[0].times.tolist() == [202311, 202312, 202313]


def test_no_column_of_times_is_the_order_of_the_rows(tmp_path: Path) -> None:
    panel = read(tmp_path, "Month,Sales\n1-01,266\n1-02,145.9\n")
    assert panel.frequency is None and panel.series[0].times.tolist() == [0, 1]
    assert note(
        panel, "the order of the rows is taken (column 'Month' holds no times that can be read, such as '1-01')"
    )


def test_two_columns_of_dates_are_open(tmp_path: Path) -> None:
    text = "begun,ended,v\n2024-01-01,2024-01-02,1\n2024-01-02,2024-01-03,2\n"
    with pytest.raises(UsageError, match=r"columns begun, ended hold times; say which it is: --time begun"):
        read(tmp_path, text)
    assert read(tmp_path, text, time="ended").series[0].times[0] == np.datetime64("2024-01-02")

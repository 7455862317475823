"""Tables in memory as people have them: an index that holds the times, periods, clocks that are set back, and what is odd."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.data.timeseries.conftest import column

from recurra.data.timeseries.reader import TimeSeriesOptions, panel_from_frame, read_time_series
from recurra.errors import DataError, UsageError


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_the_hours_in_which_clocks_are_set_back_are_two(library: str, pandas: Any) -> None:
    module = pytest.importorskip(library)
    hours = pandas.date_range("2024-10-26 22:00", periods=9, freq="h", tz="Europe/Berlin")
    frame = pandas.DataFrame({"when": hours, "v": np.arange(9.0)})
    if library == "polars":
        frame = module.from_pandas(frame)
    elif library == "pyarrow":
        frame = module.Table.from_pandas(frame)
    (series,) = panel_from_frame(frame).series
    assert series.values[:, 0].tolist() == list(range(9))
    assert (np.diff(series.times) == np.timedelta64(1, "h")).all()


def test_an_index_that_is_a_column_too(pandas: Any) -> None:
    days = pandas.date_range("2024-01-01", periods=5)
    frame = pandas.DataFrame({"day": days, "v": np.arange(5.0)}).set_index("day", drop=False)
    panel = panel_from_frame(frame)
    assert panel.targets == ("v",) and str(panel.frequency) == "1d"
    with pytest.raises(DataError, match="the index and a column are both called 'day'"):
        panel_from_frame(frame.assign(day=days + pandas.Timedelta(days=1)))
    panel = panel_from_frame(pandas.DataFrame({"time": np.arange(5.0)}, index=days))
    assert panel.targets == ("time",) and str(panel.frequency) == "1d"


def test_a_column_of_periods_holds_times(pandas: Any) -> None:
    months = pandas.period_range("2024-01", periods=5, freq="M")
    assert str(panel_from_frame(pandas.DataFrame({"p": months, "v": np.arange(5.0)})).frequency) == "1m"


def test_frames_that_cannot_be_read(pandas: Any) -> None:
    frame = pandas.DataFrame(np.zeros((4, 2)))
    frame.columns = ["a", "a"]
    with pytest.raises(DataError, match="two columns are called 'a'"):
        panel_from_frame(frame)
    with pytest.raises(DataError, match="holds no rows"):
        panel_from_frame(pandas.DataFrame({"time": [], "v": []}))


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "dict"])
def test_frames_read_as_files_do(tmp_path: Path, library: str) -> None:
    text = "pump,time,bar,kind\na,2024-05-31 13:00,1.5,x\na,2024-05-31 13:10,,x\na,2024-05-31 13:30,3,x\nb,2024-05-31 13:00,4,y\n"
    path = tmp_path / "w.csv"
    path.write_text(text)
    options = TimeSeriesOptions(series="pump", static=("kind",))
    wanted = read_time_series([path], options)
    rows = [line.split(",") for line in text.split("\n")[1:-1]]
    columns: dict[str, Any] = {
        "pump": np.array([row[0] for row in rows]),
        "time": np.array([row[1] for row in rows], "M8[us]"),
        "bar": np.array([float(row[2] or "nan") for row in rows]),
        "kind": np.array([row[3] for row in rows]),
    }
    frame: Any = columns
    if library == "pyarrow":
        frame = pytest.importorskip("pyarrow").table(columns)
    elif library != "dict":
        frame = pytest.importorskip(library).DataFrame(
            {k: v.tolist() if v.dtype.kind == "U" else v for k, v in columns.items()}
        )
    found = panel_from_frame(frame, options)
    assert found.names == wanted.names and found.frequency == wanted.frequency and found.targets == wanted.targets
    for one, other in zip(found.series, wanted.series, strict=True):
        assert np.array_equal(one.values, other.values, equal_nan=True)
        assert np.array_equal(one.times, other.times) and one.static == other.static
    assert found.series[0].place == "data, row 1"


def test_frames_with_zones_strings_and_faults() -> None:
    pandas = pytest.importorskip("pandas")
    hours = pandas.date_range("2024-10-26 22:00", periods=6, freq="h", tz="Europe/Berlin")
    panel = panel_from_frame(pandas.DataFrame({"when": hours, "v": range(6)}))
    assert str(panel.frequency) == "1h" and str(panel.series[0].times[0]) == "2024-10-26T20:00:00.000000"
    assert "column 'when': times with a zone are taken in UTC" in panel.notes
    panel = panel_from_frame(
        pandas.DataFrame({"day": ["2024-01-01", "2024-01-02"], "v": [1, None], "text": ["a", "b"]})
    )
    assert column(panel) == [1.0, None] and "data: left out: text" in panel.notes
    with pytest.raises(DataError, match=r"row 2: column 'v' is infinite"):
        panel_from_frame(pandas.DataFrame({"day": ["2024-01-01", "2024-01-02"], "v": [1, float("inf")]}))
    with pytest.raises(
        UsageError, match=r"expected a table of pandas, polars or pyarrow, or a dict of arrays, got list"
    ):
        panel_from_frame([1, 2, 3])
    with pytest.raises(UsageError, match=r"arrays \(T\) of one length, got a \(3,\), b \(2,\)"):
        panel_from_frame({"a": np.zeros(3), "b": np.zeros(2)})

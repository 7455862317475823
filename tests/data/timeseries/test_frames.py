"""Tables in memory as people have them: an index that says the time, periods, clocks that are set back, and what is odd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recurra.data.timeseries.reader import panel_of
from recurra.errors import DataError


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_the_hours_in_which_clocks_are_set_back_are_two(library: str, pandas: Any) -> None:
    module = pytest.importorskip(library)
    hours = pandas.date_range("2024-10-26 22:00", periods=9, freq="h", tz="Europe/Berlin")
    held = pandas.DataFrame({"when": hours, "v": np.arange(9.0)})
    if library == "polars":
        held = module.from_pandas(held)
    elif library == "pyarrow":
        held = module.Table.from_pandas(held)
    (series,) = panel_of(held).series
    assert series.values[:, 0].tolist() == list(range(9))
    assert (np.diff(series.times) == np.timedelta64(1, "h")).all()


def test_an_index_that_is_a_column_too(pandas: Any) -> None:
    days = pandas.date_range("2024-01-01", periods=5)
    held = pandas.DataFrame({"day": days, "v": np.arange(5.0)}).set_index("day", drop=False)
    panel = panel_of(held)
    assert panel.targets == ("v",) and str(panel.step) == "1d"
    with pytest.raises(DataError, match="the index and a column are both called 'day'"):
        panel_of(held.assign(day=days + pandas.Timedelta(days=1)))
    panel = panel_of(pandas.DataFrame({"time": np.arange(5.0)}, index=days))
    assert panel.targets == ("time",) and str(panel.step) == "1d"


def test_a_column_of_periods_holds_times(pandas: Any) -> None:
    months = pandas.period_range("2024-01", periods=5, freq="M")
    assert str(panel_of(pandas.DataFrame({"p": months, "v": np.arange(5.0)})).step) == "1m"


def test_frames_that_cannot_be_read(pandas: Any) -> None:
    held = pandas.DataFrame(np.zeros((4, 2)))
    held.columns = ["a", "a"]
    with pytest.raises(DataError, match="two columns are called 'a'"):
        panel_of(held)
    with pytest.raises(DataError, match="holds no rows"):
        panel_of(pandas.DataFrame({"time": [], "v": []}))

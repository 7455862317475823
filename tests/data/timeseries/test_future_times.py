"""Times after a series continue its spacing."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.timeseries.frequency import Frequency
from recurra.data.timeseries.grid import future_times
from recurra.errors import UsageError

FREQUENCIES = [
    Frequency(10, "min"),
    Frequency(1, "h"),
    Frequency(2, "d"),
    Frequency(1, "w"),
    Frequency(1, "m"),
    Frequency(1, "q"),
    Frequency(1, "y"),
    Frequency(1, "b"),
]


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(1, 40))
def test_they_continue_evenly(last: datetime, count: int) -> None:
    ahead = future_times(np.array([last], "M8[us]"), Frequency(10, "min"), count)
    assert ahead.dtype == np.dtype("M8[us]")
    assert ahead.tolist() == [last + timedelta(minutes=10 * step) for step in range(1, count + 1)]


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_two_parts_are_the_whole(frequency: Frequency) -> None:
    first = np.datetime64("2024-02-15T06:30", "us")
    whole = future_times(np.array([first]), frequency, 30)
    assert np.array_equal(whole[10:], future_times(whole[:10], frequency, 20))
    assert np.all(np.diff(whole) > np.timedelta64(0))


def test_ends_of_months_stay_ends() -> None:
    ahead = future_times(np.array(["2023-11-30"], "M8[us]"), Frequency(1, "m"), 4).astype("M8[D]").astype(str).tolist()
    assert ahead == ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]


def test_business_days_pass_over_the_weekend() -> None:
    ahead = future_times(np.array(["2024-05-30"], "M8[us]"), Frequency(1, "b"), 3).astype("M8[D]").astype(str).tolist()
    assert ahead == ["2024-05-31", "2024-06-03", "2024-06-04"]


def test_counted_steps_continue_and_uneven_dates_do_not() -> None:
    assert future_times(np.array([7]), None, 2).tolist() == [8, 9]
    with pytest.raises(UsageError, match="not evenly spaced; say --every"):
        future_times(np.array(["2024-05-30"], "M8[us]"), None, 3)

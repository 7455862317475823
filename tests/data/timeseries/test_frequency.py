"""Spacings have names, times go on, and the calendar says only what can differ."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.timeseries.frequency import (
    Step,
    calendar,
    later,
    parse_step,
    season,
    shifted,
    shown,
    step_of,
    step_of_months,
)
from recurra.errors import UsageError

STEPS = [
    Step(10, "min"),
    Step(1, "h"),
    Step(2, "d"),
    Step(1, "w"),
    Step(1, "m"),
    Step(1, "q"),
    Step(1, "y"),
    Step(1, "b"),
]


@pytest.mark.parametrize("text", ["10min", "1h", "2d", "1w", "1m", "1q", "1y", "1b", "30s", "250ms"])
def test_a_spacing_reads_as_it_is_written(text: str) -> None:
    assert str(parse_step(text)) == text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("60min", "1h"),
        ("24 hours", "1d"),
        ("7d", "1w"),
        ("3 months", "1q"),
        ("12m", "1y"),
        ("h", "1h"),
        ("15T", "15min"),
    ],
)
def test_a_spacing_has_one_name(text: str, same: str) -> None:
    assert str(parse_step(text)) == same


@pytest.mark.parametrize("text", ["", "10", "0h", "-1h", "fortnight", "1.5h", "10 10min"])
def test_what_is_no_spacing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="every: expected a spacing such as"):
        parse_step(text)


@given(st.integers(1, 10**9), st.sampled_from(["s", "min", "h", "d", "w"]))
def test_names_lose_nothing(count: int, unit: str) -> None:
    step = parse_step(f"{count}{unit}")
    sizes = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
    assert step.microseconds == count * sizes[unit] * 10**6
    assert step_of(step.microseconds) == step


@given(st.integers(1, 500))
def test_months_lose_nothing(months: int) -> None:
    assert step_of_months(months).months == months


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(1, 40))
def test_later_goes_on_evenly(last: datetime, count: int) -> None:
    ahead = later(np.datetime64(last, "us"), Step(10, "min"), count)
    assert ahead.dtype == np.dtype("M8[us]")
    assert ahead.tolist() == [last + timedelta(minutes=10 * step) for step in range(1, count + 1)]


@pytest.mark.parametrize("step", STEPS)
def test_later_in_two_parts_is_later_at_once(step: Step) -> None:
    first = np.datetime64("2024-02-15T06:30", "us")
    whole = later(first, step, 30)
    assert np.array_equal(whole[10:], later(whole[9], step, 20))
    assert np.all(np.diff(whole) > np.timedelta64(0))


def test_ends_of_months_stay_ends() -> None:
    ahead = later(np.datetime64("2023-11-30", "us"), Step(1, "m"), 4).astype("M8[D]").astype(str).tolist()
    assert ahead == ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]


def test_business_days_pass_over_the_weekend() -> None:
    ahead = later(np.datetime64("2024-05-30", "us"), Step(1, "b"), 3).astype("M8[D]").astype(str).tolist()
    assert ahead == ["2024-05-31", "2024-06-03", "2024-06-04"]


def test_counted_steps_go_on_and_uneven_dates_do_not() -> None:
    assert later(7, None, 2).tolist() == [8, 9]
    with pytest.raises(UsageError, match="not evenly spaced; say --every"):
        later(np.datetime64("2024-05-30", "us"), None, 3)


@pytest.mark.parametrize(
    ("step", "steps"),
    [
        ("10min", 144),
        ("15min", 96),
        ("1h", 24),
        ("2h", 12),
        ("1d", 7),
        ("1b", 5),
        ("1w", 52),
        ("1m", 12),
        ("1q", 4),
        ("1y", 1),
        ("1s", 3600),
        ("5h", 1),
        ("2d", 1),
    ],
)
def test_the_usual_season(step: str, steps: int) -> None:
    assert season(parse_step(step)) == steps
    assert season(None) == 1


@pytest.mark.parametrize(
    ("step", "cycles"),
    [
        ("10s", ["minute", "hour", "day", "week", "month", "year"]),
        ("10min", ["hour", "day", "week", "month", "year"]),
        ("1h", ["day", "week", "month", "year"]),
        ("1d", ["week", "month", "year"]),
        ("1b", ["week", "month", "year"]),
        ("1w", ["month", "year"]),
        ("1m", ["year"]),
        ("1q", ["year"]),
        ("1y", []),
    ],
)
def test_the_calendar_says_what_can_differ(step: str, cycles: list[str]) -> None:
    spaced = parse_step(step)
    counts = np.random.default_rng(1).integers(0, int(5 * 365 * 86_400 / spaced.seconds) + 1, size=400)
    times = shifted(np.repeat(np.datetime64("2023-12-31T00:00", "us"), 400), spaced, counts)
    said, names = calendar(times, spaced)
    assert names == [f"{cycle} {part}" for cycle in cycles for part in ("sin", "cos")]
    assert said.shape == (400, len(names)) and said.dtype == np.float32
    assert np.abs(said).max(initial=0) <= 1
    assert all(np.ptp(column) > 1 for column in said.T)  # each of them does differ


def test_the_calendar_knows_noon_and_monday() -> None:
    said, names = calendar(np.array(["2024-06-03T12:00", "2024-06-10T12:00"], "M8[us]"), Step(1, "h"))
    assert said[0, names.index("day cos")] == -1
    assert np.allclose(
        said[0, [names.index("week sin"), names.index("week cos")]], [np.sin(np.pi / 7), np.cos(np.pi / 7)]
    )
    assert np.array_equal(said[0, :4], said[1, :4])


def test_counted_steps_have_no_calendar() -> None:
    said, names = calendar(np.arange(5), None)
    assert said.shape == (5, 0) and names == []


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2024-05-31T13:00:05", "2024-05-31 13:00:05"),
        ("2024-05-31T13:10", "2024-05-31 13:10"),
        ("2024-05-31", "2024-05-31"),
    ],
)
def test_times_are_shown_without_noughts(time: str, text: str) -> None:
    assert shown(np.datetime64(time, "us")) == text

"""Spacings have names, and calendar features are only of what can differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.data.timeseries.frequency import (
    Frequency,
    calendar_features,
    default_season,
    format_time,
    frequency_of,
    frequency_of_months,
    parse_frequency,
    shift_times,
)
from recurra.errors import UsageError


@pytest.mark.parametrize("text", ["10min", "1h", "2d", "1w", "1m", "1q", "1y", "1b", "30s", "250ms"])
def test_a_spacing_reads_as_it_is_written(text: str) -> None:
    assert str(parse_frequency(text)) == text


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
    assert str(parse_frequency(text)) == same


@pytest.mark.parametrize("text", ["", "10", "0h", "-1h", "fortnight", "1.5h", "10 10min"])
def test_what_is_no_spacing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="every: expected a spacing such as"):
        parse_frequency(text)


@given(st.integers(1, 10**9), st.sampled_from(["s", "min", "h", "d", "w"]))
def test_names_lose_nothing(count: int, unit: str) -> None:
    frequency = parse_frequency(f"{count}{unit}")
    sizes = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
    assert frequency.microseconds == count * sizes[unit] * 10**6
    assert frequency_of(frequency.microseconds) == frequency


@given(st.integers(1, 500))
def test_months_lose_nothing(months: int) -> None:
    assert frequency_of_months(months).months == months


@pytest.mark.parametrize(
    ("text", "steps"),
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
def test_the_usual_season(text: str, steps: int) -> None:
    assert default_season(parse_frequency(text)) == steps
    assert default_season(None) == 1


@pytest.mark.parametrize(
    ("text", "cycles"),
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
def test_calendar_features_are_of_what_can_differ(text: str, cycles: list[str]) -> None:
    frequency = parse_frequency(text)
    counts = np.random.default_rng(1).integers(0, int(5 * 365 * 86_400 / frequency.seconds) + 1, size=400)
    times = shift_times(np.repeat(np.datetime64("2023-12-31T00:00", "us"), 400), frequency, counts)
    features, names = calendar_features(times, frequency)
    assert names == [f"{cycle} {part}" for cycle in cycles for part in ("sin", "cos")]
    assert features.shape == (400, len(names)) and features.dtype == np.float32
    assert np.abs(features).max(initial=0) <= 1
    assert all(np.ptp(column) > 1 for column in features.T)  # each of them does differ


def test_the_calendar_knows_noon_and_monday() -> None:
    features, names = calendar_features(np.array(["2024-06-03T12:00", "2024-06-10T12:00"], "M8[us]"), Frequency(1, "h"))
    assert features[0, names.index("day cos")] == -1
    assert np.allclose(
        features[0, [names.index("week sin"), names.index("week cos")]], [np.sin(np.pi / 7), np.cos(np.pi / 7)]
    )
    assert np.array_equal(features[0, :4], features[1, :4])


def test_counted_steps_have_no_calendar() -> None:
    features, names = calendar_features(np.arange(5), None)
    assert features.shape == (5, 0) and names == []


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2024-05-31T13:00:05", "2024-05-31 13:00:05"),
        ("2024-05-31T13:10", "2024-05-31 13:10"),
        ("2024-05-31", "2024-05-31"),
    ],
)
def test_times_are_written_without_zeros(time: str, text: str) -> None:
    assert format_time(np.datetime64(time, "us")) == text

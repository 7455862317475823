"""The even grid that timestamps stand on: its spacing, and where on it each of them stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurra.data.timeseries.frequency import Frequency, frequency_of, frequency_of_months, shift_times
from recurra.errors import UsageError

_DAY = 86_400 * 10**6
MIN_DIFFERENCES = 3
"""Differences between times from which on a series' own spacing is believed."""
_DECIMALS = 9  # of the spacing of numbers
_STEP_TOLERANCE = 1e-3  # share of a step by which a number may lie beside it


@dataclass(frozen=True)
class InferredFrequency:
    """The commonest difference of sorted timestamps, of `count` differences.

    frequency: None for numbers.  difference: in microseconds, 0 where the frequency counts months; or of numbers.
    """

    frequency: Frequency | None
    difference: float
    count: int

    def __str__(self) -> str:
        return f"{self.difference:g}" if self.frequency is None else str(self.frequency)


@dataclass(frozen=True)
class NumericTimes:
    """What stands in a column of times that are numbers: at the step n, origin + n · step.

    >>> NumericTimes(5.0, 10.0).to_numbers([0, 120]), NumericTimes(0.0, 0.1).to_numbers([3])
    ([5, 1205], [0.3])
    """

    origin: float
    step: float

    def to_numbers(self, steps: Sequence[int] | np.ndarray) -> list[int | float]:
        """Give the numbers of steps (T), each as short as it is written: what differs from it by less is rounding."""
        numbers = np.round(self.origin + np.asarray(steps, np.int64) * self.step, _DECIMALS)
        if self.origin.is_integer() and self.step.is_integer():
            return numbers.astype(np.int64).tolist()
        return [float(f"{number:.15g}") for number in numbers.tolist()]

    def to_steps(self, numbers: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the steps (T) that numbers are nearest to, and where (T) a number is off them.

        >>> NumericTimes(5.0, 10.0).to_steps([15.0, 24.0])
        (array([1, 2]), array([False,  True]))
        """
        exact = (np.asarray(numbers, np.float64) - self.origin) / self.step
        nearest = np.round(exact).astype(np.int64)
        return nearest, np.abs(exact - nearest) > _STEP_TOLERANCE


def infer_frequency(times: np.ndarray) -> InferredFrequency | None:
    """Find the spacing of sorted, distinct timestamps (T), datetime64[us] or float64; None for fewer than two.

    Months, quarters and years are those of the calendar: all timestamps on the same day of a month, or on its last.

    >>> str(infer_frequency(np.array(["2024-01-31", "2024-02-29", "2024-03-31"], "M8[us]")).frequency)
    '1m'
    """
    if len(times) < 2:
        return None
    if times.dtype.kind != "M":
        differences = np.diff(times)
        usual = float(_most_common(np.round(differences, _DECIMALS))) or float(_most_common(differences))
        return InferredFrequency(None, usual, len(times) - 1)
    differences = np.diff(times).astype(np.int64)
    if differences.min() >= 28 * _DAY and _same_day_of_month(times):
        months = times.astype("M8[M]").astype(np.int64)
        return InferredFrequency(frequency_of_months(int(_most_common(np.diff(months)))), 0.0, len(differences))
    usual = int(_most_common(differences))
    return InferredFrequency(frequency_of(usual), float(usual), len(differences))


def _most_common(values: np.ndarray) -> np.generic:
    found, counts = np.unique(values, return_counts=True)
    return found[int(np.argmax(counts))]


def _same_day_of_month(times: np.ndarray) -> bool:
    days = times.astype("M8[D]")
    first = times.astype("M8[M]").astype("M8[D]")
    ends = (times.astype("M8[M]") + 1).astype("M8[D]") - 1
    return bool(
        np.ptp((times - days).astype(np.int64)) == 0
        and (np.ptp((days - first).astype(int)) == 0 or np.all(days == ends))
    )


def weekdays_only(times: np.ndarray, longest: int) -> bool:
    """Say whether no timestamp of any series is on a Saturday or Sunday, though a series is `longest` days long.

    >>> weekdays_only(np.array(["2024-05-31", "2024-06-03"], "M8[us]"), 7)
    True
    """
    return longest >= 7 and bool(np.all(np.is_busday(times.astype("M8[D]"))))


def common_frequency(found: list[InferredFrequency | None]) -> InferredFrequency | None:
    """Give the spacing that most of the differences of all series have; None where no series has two timestamps."""
    counts: dict[tuple[Frequency | None, float], int] = {}
    for one in found:
        if one is not None:
            key = one.frequency, one.difference
            counts[key] = counts.get(key, 0) + one.count
    if not counts:
        return None
    (frequency, difference), count = max(counts.items(), key=lambda item: item[1])
    return InferredFrequency(frequency, difference, count)


def differs(one: InferredFrequency | None, common: InferredFrequency) -> bool:
    """Say whether a series is spaced otherwise than the others, and long enough to be believed."""
    if one is None or one.count < MIN_DIFFERENCES:
        return False
    return (one.frequency, one.difference) != (common.frequency, common.difference)


def grid_positions(times: np.ndarray, frequency: Frequency) -> tuple[np.ndarray, np.ndarray]:
    """Give the steps (T) from the first of sorted timestamps to each of them, and where (T) one is off the grid.

    >>> grid_positions(np.array(["2024-01-01", "2024-01-02", "2024-01-04T01"], "M8[us]"), Frequency(1, "d"))
    (array([0, 1, 3]), array([False, False,  True]))
    """
    if frequency.microseconds is not None:
        positions, rest = np.divmod((times - times[0]).astype(np.int64), frequency.microseconds)
        return positions, rest != 0
    if frequency.unit == "b":
        days = times.astype("M8[D]")
        positions, rest = np.divmod(np.busday_count(days[0], days), frequency.count)
        return positions, (rest != 0) | ~np.is_busday(days) | ((times - days) != (times[0] - days[0]))
    months = times.astype("M8[M]").astype(np.int64)
    positions, rest = np.divmod(months - months[0], frequency.months or 1)
    return positions, (rest != 0) | (grid_times(times, frequency, positions) != times)


def grid_times(times: np.ndarray, frequency: Frequency, positions: np.ndarray) -> np.ndarray:
    """Give the timestamps of some steps of the grid that begins at the first of the timestamps."""
    if frequency.months is None or not len(times):
        return shift_times(np.repeat(times[:1], len(positions)), frequency, positions)
    days, months = times.astype("M8[D]"), times.astype("M8[M]")
    ends = bool(np.all(days == (months + 1).astype("M8[D]") - 1))
    day = int((days[0] - months[0].astype("M8[D]")).astype(int)) if not ends else 31
    target = months[0] + positions * frequency.months
    lasts = (target + 1).astype("M8[D]") - 1
    return np.minimum(target.astype("M8[D]") + day, lasts).astype("M8[us]") + (times[0] - days[0])


def future_times(times: np.ndarray, frequency: Frequency | None, count: int) -> np.ndarray:
    """Give the next `count` times after those of a series (T ≥ 1), (count): datetime64[us], or int64 where steps are only counted.

    The series shows on which day its months are: on the same one, or on the last. Raises `UsageError` for dates without a spacing.

    >>> future_times(np.array([6, 7]), None, 3).tolist()
    [8, 9, 10]
    >>> future_times(np.array(["2023-01-28", "2023-02-28"], "M8[us]"), Frequency(1, "m"), 1).astype("M8[D]").tolist()
    [datetime.date(2023, 3, 28)]
    """
    ahead = np.arange(1, count + 1)
    if times.dtype.kind != "M":
        return int(times[-1]) + ahead
    if frequency is None:
        raise UsageError(
            f"cannot tell which times follow {times[-1]}: the rows are not evenly spaced; say --every, such as 1h"
        )
    if frequency.months is None:
        return shift_times(np.repeat(times[-1], count).astype("M8[us]"), frequency, ahead)
    first, last = times[[0, -1]].astype("M8[M]").astype(np.int64).tolist()
    return grid_times(times, frequency, (last - first) // frequency.months + ahead)


def floor_to(times: np.ndarray, frequency: Frequency) -> np.ndarray:
    """Give the start (T) of the step that each timestamp falls into, of a grid that goes through 1970, weeks from Monday on.

    >>> floor_to(np.array(["2024-05-31T13:07"], "M8[us]"), Frequency(10, "min")).astype("M8[m]")
    array(['2024-05-31T13:00'], dtype='datetime64[m]')
    """
    if frequency.months is not None:
        months = times.astype("M8[M]").astype(np.int64)
        return (months // frequency.months * frequency.months).astype("M8[M]").astype("M8[us]")
    if frequency.unit == "b":
        days = np.busday_offset(times.astype("M8[D]"), 0, roll="backward")
        count = np.busday_count(np.datetime64("1970-01-01"), days) // frequency.count * frequency.count
        return np.busday_offset(np.datetime64("1970-01-01"), count, roll="forward").astype("M8[us]")
    origin = np.datetime64("1970-01-05" if frequency.unit == "w" else "1970-01-01", "us")
    size = frequency.microseconds or 1
    return origin + (times - origin).astype(np.int64) // size * np.timedelta64(size, "us")


def aggregate_onto(values: np.ndarray, positions: np.ndarray, count: int, combine: str = "mean") -> np.ndarray:
    """Put rows (N, C) on their positions (N) of `count`: NaN where there is none; of several the mean, the sum, or the last.

    What is missing of several is passed over.

    >>> aggregate_onto(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 2]), 3).ravel()
    array([ 2., nan,  5.])
    >>> aggregate_onto(np.array([[1.0], [3.0], [np.nan]]), np.zeros(3, int), 1, "sum")[0]
    array([4.])
    >>> aggregate_onto(np.eye(2), np.zeros(2, int), 1, "last")
    array([[0., 1.]])
    """
    result = np.full((count, values.shape[1]), np.nan)
    if np.all(np.diff(positions) > 0):
        result[positions] = values
        return result
    there = ~np.isnan(values)
    if combine == "last":
        rows, columns = np.nonzero(there)
        result[positions[rows], columns] = values[rows, columns]  # of several on one position the last is kept
        return result
    sums, counts = np.zeros_like(result), np.zeros_like(result)
    np.add.at(sums, positions, np.where(there, values, 0.0))
    np.add.at(counts, positions, there)
    return np.divide(sums, 1.0 if combine == "sum" else counts, out=result, where=counts > 0)


def mean_of_rows(values: np.ndarray) -> np.ndarray:
    """Give the mean (C) of rows (N, C), of the values that are there."""
    return aggregate_onto(values, np.zeros(len(values), np.int64), 1)[0]


def is_clock_change(times: np.ndarray) -> bool:
    """Say whether all of some times, which stand twice, are in the night of a Sunday in which clocks are changed.

    >>> is_clock_change(np.array(["2024-10-27T02:30"], "M8[us]")), is_clock_change(np.array(["2024-10-28T02:30"], "M8[us]"))
    (True, False)
    """
    if times.dtype.kind != "M":
        return False
    days = times.astype("M8[D]")
    hours = (times - days).astype(np.int64) // 3_600_000_000
    months = times.astype("M8[M]").astype(np.int64) % 12 + 1
    sundays = (days.astype(np.int64) + 3) % 7 == 6
    return bool(np.all(sundays & (hours <= 3) & np.isin(months, (3, 4, 9, 10, 11))))

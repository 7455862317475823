"""The even grid that time stamps stand on: its spacing, and where on it each stamp stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurra.data.timeseries.frequency import Step, later, shifted, step_of, step_of_months

_DAY = 86_400 * 10**6
SURE = 3
"""Differences from which a spacing of its own is believed."""
_DECIMALS = 9  # of the spacing of numbers
_OFF = 1e-3  # of a step, from which on a number is none of it


@dataclass(frozen=True)
class Spacing:
    """The commonest difference of sorted stamps, of how many differences there are.

    step: None for numbers, which are `apart`.
    """

    step: Step | None
    apart: float
    count: int


@dataclass(frozen=True)
class Numbers:
    """What stands in a column of times that are numbers: of the step n, origin + n · apart.

    >>> Numbers(5.0, 10.0).of([0, 120]), Numbers(0.0, 0.1).of([3])
    ([5, 1205], [0.3])
    """

    origin: float
    apart: float

    def of(self, steps: Sequence[int] | np.ndarray) -> list[int | float]:
        """Give the numbers of steps (T), each as short as it is written: what differs from it by less is rounding."""
        numbers = np.round(self.origin + np.asarray(steps, np.int64) * self.apart, _DECIMALS)
        if self.origin.is_integer() and self.apart.is_integer():
            return numbers.astype(np.int64).tolist()
        return [float(f"{number:.15g}") for number in numbers.tolist()]

    def steps(self, numbers: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the steps (T) of numbers, the next ones, and where (T) a number is off them.

        >>> Numbers(5.0, 10.0).steps([15.0, 24.0])
        (array([1, 2]), array([False,  True]))
        """
        exact = (np.asarray(numbers, np.float64) - self.origin) / self.apart
        found = np.round(exact).astype(np.int64)
        return found, np.abs(exact - found) > _OFF


def spacing_of(times: np.ndarray) -> Spacing | None:
    """Find the spacing of sorted, distinct stamps (T), datetime64[us] or float64; None for fewer than two.

    Months, quarters and years are those of the calendar: all stamps on the same day of a month, or on its last.

    >>> str(spacing_of(np.array(["2024-01-31", "2024-02-29", "2024-03-31"], "M8[us]")).step)
    '1m'
    """
    if len(times) < 2:
        return None
    if times.dtype.kind != "M":
        return Spacing(None, float(_commonest(np.round(np.diff(times), _DECIMALS))), len(times) - 1)
    apart = np.diff(times).astype(np.int64)
    if apart.min() >= 28 * _DAY and _same_day(times):
        months = times.astype("M8[M]").astype(np.int64)
        return Spacing(step_of_months(int(_commonest(np.diff(months)))), 0.0, len(apart))
    usual = int(_commonest(apart))
    return Spacing(step_of(usual), float(usual), len(apart))


def _commonest(values: np.ndarray) -> np.generic:
    found, counts = np.unique(values, return_counts=True)
    return found[int(np.argmax(counts))]


def _same_day(times: np.ndarray) -> bool:
    days = times.astype("M8[D]")
    first = times.astype("M8[M]").astype("M8[D]")
    ends = (times.astype("M8[M]") + 1).astype("M8[D]") - 1
    return bool(
        np.ptp((times - days).astype(np.int64)) == 0
        and (np.ptp((days - first).astype(int)) == 0 or np.all(days == ends))
    )


def weekdays_only(times: np.ndarray, longest: int) -> bool:
    """Say whether no stamp of any series is on a Saturday or Sunday, though a series is `longest` days long.

    >>> weekdays_only(np.array(["2024-05-31", "2024-06-03"], "M8[us]"), 7)
    True
    """
    return longest >= 7 and bool(np.all(np.is_busday(times.astype("M8[D]"))))


def common_spacing(found: list[Spacing | None]) -> Spacing | None:
    """Give the spacing that most of the differences of all series have; None where no series has two stamps."""
    counts: dict[tuple[Step | None, float], int] = {}
    for one in found:
        if one is not None:
            counts[one.step, one.apart] = counts.get((one.step, one.apart), 0) + one.count
    if not counts:
        return None
    (step, apart), count = max(counts.items(), key=lambda item: item[1])
    return Spacing(step, apart, count)


def differs(one: Spacing | None, common: Spacing) -> bool:
    """Say whether a series is spaced otherwise than the others, and long enough to be believed."""
    return one is not None and one.count >= SURE and (one.step, one.apart) != (common.step, common.apart)


def positions(times: np.ndarray, step: Step) -> tuple[np.ndarray, np.ndarray]:
    """Give the steps (T) from the first of sorted stamps to each of them, and where (T) a stamp is off the grid.

    >>> positions(np.array(["2024-01-01", "2024-01-02", "2024-01-04T01"], "M8[us]"), Step(1, "d"))
    (array([0, 1, 3]), array([False, False,  True]))
    """
    if step.microseconds is not None:
        places, rest = np.divmod((times - times[0]).astype(np.int64), step.microseconds)
        return places, rest != 0
    if step.unit == "b":
        days = times.astype("M8[D]")
        places, rest = np.divmod(np.busday_count(days[0], days), step.count)
        return places, (rest != 0) | ~np.is_busday(days) | ((times - days) != (times[0] - days[0]))
    months = times.astype("M8[M]").astype(np.int64)
    places, rest = np.divmod(months - months[0], step.months or 1)
    return places, (rest != 0) | (on_grid(times, step, places) != times)


def on_grid(times: np.ndarray, step: Step, places: np.ndarray) -> np.ndarray:
    """Give the stamps of some steps of the grid that begins at the first of the stamps."""
    if step.months is None or not len(times):
        return shifted(np.repeat(times[:1], len(places)), step, places)
    days, months = times.astype("M8[D]"), times.astype("M8[M]")
    ends = bool(np.all(days == (months + 1).astype("M8[D]") - 1))
    day = int((days[0] - months[0].astype("M8[D]")).astype(int)) if not ends else 31
    target = months[0] + places * step.months
    lasts = (target + 1).astype("M8[D]") - 1
    return np.minimum(target.astype("M8[D]") + day, lasts).astype("M8[us]") + (times[0] - days[0])


def following(times: np.ndarray, step: Step | None, count: int) -> np.ndarray:
    """Give the next `count` times after those of a series (T ≥ 1), which says of months what is theirs: a day, or the end.

    Numbers of steps are counted on. Raises `UsageError` for dates without a spacing.

    >>> following(np.array(["2023-01-28", "2023-02-28"], "M8[us]"), Step(1, "m"), 1).astype("M8[D]").tolist()
    [datetime.date(2023, 3, 28)]
    """
    if step is None or step.months is None or times.dtype.kind != "M":
        return later(times[-1], step, count)
    first, last = times[[0, -1]].astype("M8[M]").astype(np.int64).tolist()
    return on_grid(times, step, (last - first) // step.months + np.arange(1, count + 1))


def buckets(times: np.ndarray, step: Step) -> np.ndarray:
    """Give the beginning (T) of the step that each stamp falls into, of a grid that goes through 1970, weeks from Monday on.

    >>> buckets(np.array(["2024-05-31T13:07"], "M8[us]"), Step(10, "min")).astype("M8[m]")
    array(['2024-05-31T13:00'], dtype='datetime64[m]')
    """
    if step.months is not None:
        months = times.astype("M8[M]").astype(np.int64)
        return (months // step.months * step.months).astype("M8[M]").astype("M8[us]")
    if step.unit == "b":
        days = np.busday_offset(times.astype("M8[D]"), 0, roll="backward")
        count = np.busday_count(np.datetime64("1970-01-01"), days) // step.count * step.count
        return np.busday_offset(np.datetime64("1970-01-01"), count, roll="forward").astype("M8[us]")
    origin = np.datetime64("1970-01-05" if step.unit == "w" else "1970-01-01", "us")
    size = step.microseconds or 1
    return origin + (times - origin).astype(np.int64) // size * np.timedelta64(size, "us")


def placed(values: np.ndarray, places: np.ndarray, count: int, combine: str = "mean") -> np.ndarray:
    """Put rows (N, C) on their places (N) of `count`: NaN where there is none; of several the mean, the sum, or the last.

    What is missing of several is passed over.

    >>> placed(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 2]), 3).ravel()
    array([ 2., nan,  5.])
    >>> placed(np.array([[1.0], [3.0], [np.nan]]), np.array([0, 0, 0]), 1, "sum")[0], placed(np.eye(2), np.zeros(2, int), 1, "last")
    (array([4.]), array([[0., 1.]]))
    """
    made = np.full((count, values.shape[1]), np.nan)
    if np.all(np.diff(places) > 0):
        made[places] = values
        return made
    there = ~np.isnan(values)
    if combine == "last":
        rows, columns = np.nonzero(there)
        made[places[rows], columns] = values[rows, columns]  # of several on one place the last is kept
        return made
    sums, counts = np.zeros_like(made), np.zeros_like(made)
    np.add.at(sums, places, np.where(there, values, 0.0))
    np.add.at(counts, places, there)
    return np.divide(sums, 1.0 if combine == "sum" else counts, out=made, where=counts > 0)


def mean_of(values: np.ndarray) -> np.ndarray:
    """Give the mean (C) of rows (N, C), of the values that are there."""
    return placed(values, np.zeros(len(values), np.int64), 1)[0]


def in_a_clock_change(times: np.ndarray) -> bool:
    """Say whether all of some times, which stand twice, are in the night of a Sunday in which clocks are changed.

    >>> in_a_clock_change(np.array(["2024-10-27T02:30"], "M8[us]")), in_a_clock_change(np.array(["2024-10-28T02:30"], "M8[us]"))
    (True, False)
    """
    if times.dtype.kind != "M":
        return False
    days = times.astype("M8[D]")
    hours = (times - days).astype(np.int64) // 3_600_000_000
    months = times.astype("M8[M]").astype(np.int64) % 12 + 1
    sundays = (days.astype(np.int64) + 3) % 7 == 6
    return bool(np.all(sundays & (hours <= 3) & np.isin(months, (3, 4, 9, 10, 11))))

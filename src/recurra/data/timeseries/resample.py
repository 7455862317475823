"""Steps that several rows fall into: which of them, at the ends of a series, rows are missing of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recurra.data.timeseries.frequency import Step, shifted
from recurra.data.timeseries.grid import SURE, common_spacing, spacing_of, weekdays_only
from recurra.data.timeseries.types import Timed

_USUAL = 0.9  # share of the steps within, of which those at the ends may begin as late or end as early as any


@dataclass(frozen=True)
class Unfinished:
    """The first or last step of a series, into which fewer rows fall than usual.

    place: of the step on the grid.  rows: how many it has.  usual: how many the steps within have.
    """

    place: int
    rows: int
    usual: int


def spacings(times: list[np.ndarray]) -> list[Step | None]:
    """Give how far apart the rows of each series are: as most of all rows, where a series is too short to tell.

    times: (T) datetime64[us] of each series, in any order.

    >>> hours = np.arange("2024-01-01T00", "2024-01-01T05", dtype="M8[h]").astype("M8[us]")
    >>> [str(step) for step in spacings([hours, hours[:1]])]
    ['1h', '1h']
    """
    distinct = [np.unique(some) for some in times]
    found = [spacing_of(some) for some in distinct]
    common = common_spacing(found)
    usual = None if common is None else common.step
    steps = [one.step if one is not None and one.count >= SURE else usual for one in found]
    if Step(1, "d") in steps and on_business_days(distinct):
        steps = [Step(1, "b") if step == Step(1, "d") else step for step in steps]
    return steps


def on_business_days(times: list[np.ndarray]) -> bool:
    """Say whether no row of any series is of a Saturday or Sunday, though one series is long enough to tell."""
    longest = max(int((some[-1] - some[0]).astype(np.int64)) for some in times)
    return weekdays_only(np.concatenate(times), longest // 86_400_000_000)


def unfinished(times: np.ndarray, places: np.ndarray, grid: np.ndarray, every: Step, apart: Step) -> list[Unfinished]:
    """Give the first and the last step of a series where they are unfinished: another row would have been in them.

    times: (N) of its rows, `apart` from each other.  places: (N), rising, on the grid (T) of steps that are `every` long. Where
    most of the steps within begin as late or end as early, as at the opening hours of a shop, the first and last are whole; so is a
    single row where there usually is one.

    >>> hours = np.arange("2024-01-01T00", "2024-01-02T13", dtype="M8[h]").astype("M8[us]")
    >>> days = np.array(["2024-01-01", "2024-01-02"], "M8[us]")
    >>> unfinished(hours, np.repeat([0, 1], [24, 13]), days, Step(1, "d"), Step(1, "h"))
    [Unfinished(place=1, rows=13, usual=24)]
    """
    if not len(times):
        return []
    steps, firsts, counts = np.unique(places, return_index=True, return_counts=True)
    begins, ends = grid[steps], shifted(grid[steps], every, 1)
    first, last = times[firsts], times[np.append(firsts[1:], len(times)) - 1]
    late, early = (first - begins).astype(np.int64), (ends - last).astype(np.int64)
    usual = round(float(np.median(counts[1:-1]))) if len(steps) > 2 else round(every.seconds / apart.seconds)
    if usual < 2:
        return []
    found = []
    if _is_odd(late) and shifted(first[:1], apart, -1)[0] >= begins[0]:
        found.append(0)
    if _is_odd(early[::-1]) and shifted(last[-1:], apart, 1)[0] < ends[-1] and (len(steps) > 1 or not found):
        found.append(-1)
    return [Unfinished(int(steps[at]), int(counts[at]), max(usual, int(counts[at]) + 1)) for at in found]


def _is_odd(spans: np.ndarray) -> bool:
    """Say whether the first of some spans is longer than most of those within."""
    within = spans[1:-1]
    return not len(within) or bool(spans[0] > np.quantile(within, _USUAL, method="lower"))


def without(one: Timed, odd: Sequence[Unfinished]) -> Timed:
    """Leave out unfinished steps at the ends of a series; what is known of the last step is known ahead then."""
    begin = int(any(each.place == 0 for each in odd))
    end = len(one) - any(each.place == len(one) - 1 for each in odd)
    until = len(one.times) if one.known.shape[1] else max(begin, end)
    return replace(
        one,
        values=one.values[begin:end],
        times=one.times[begin:until],
        known=one.known[begin:until],
        past=one.past[begin:end],
    )

"""Steps that several rows fall into: which of them, at the ends of a series, rows are missing of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recurra.data.timeseries.frequency import Frequency, shift_times
from recurra.data.timeseries.grid import MIN_DIFFERENCES, common_frequency, infer_frequency, weekdays_only
from recurra.data.timeseries.types import TimeSeries

_USUAL_SHARE = 0.9  # share of the steps within, of which those at the ends may begin as late or end as early as any


@dataclass(frozen=True)
class PartialStep:
    """The first or last step of a series, into which fewer rows fall than usual.

    position: of the step on the grid.  rows: how many it has.  usual: how many the steps within have.
    """

    position: int
    rows: int
    usual: int


def row_frequencies(times: list[np.ndarray]) -> list[Frequency | None]:
    """Give how far apart the rows of each series are: as most of all rows, where a series is too short to tell.

    times: (T) datetime64[us] of each series, in any order.

    >>> hours = np.arange("2024-01-01T00", "2024-01-01T05", dtype="M8[h]").astype("M8[us]")
    >>> [str(frequency) for frequency in row_frequencies([hours, hours[:1]])]
    ['1h', '1h']
    """
    distinct = [np.unique(some) for some in times]
    found = [infer_frequency(some) for some in distinct]
    common = common_frequency(found)
    usual = None if common is None else common.frequency
    frequencies = [one.frequency if one is not None and one.count >= MIN_DIFFERENCES else usual for one in found]
    if Frequency(1, "d") in frequencies and on_business_days(distinct):
        daily, weekdays = Frequency(1, "d"), Frequency(1, "b")
        frequencies = [weekdays if one == daily else one for one in frequencies]
    return frequencies


def on_business_days(times: list[np.ndarray]) -> bool:
    """Say whether no row of any series is of a Saturday or Sunday, though one series is long enough to tell."""
    longest = max(int((some[-1] - some[0]).astype(np.int64)) for some in times)
    return weekdays_only(np.concatenate(times), longest // 86_400_000_000)


def partial_steps(
    times: np.ndarray, positions: np.ndarray, grid: np.ndarray, every: Frequency, row_frequency: Frequency
) -> list[PartialStep]:
    """Give the first and the last step of a series where they are partial: another row would have been in them.

    times: (N) of its rows, `row_frequency` from each other.  positions: (N), rising, on the grid (T) of steps that are `every`
    long. Where most of the steps within begin as late or end as early, as at the opening hours of a shop, the first and last are
    whole; so is a single row where there usually is one.

    >>> hours = np.arange("2024-01-01T00", "2024-01-02T13", dtype="M8[h]").astype("M8[us]")
    >>> days = np.array(["2024-01-01", "2024-01-02"], "M8[us]")
    >>> partial_steps(hours, np.repeat([0, 1], [24, 13]), days, Frequency(1, "d"), Frequency(1, "h"))
    [PartialStep(position=1, rows=13, usual=24)]
    """
    if not len(times):
        return []
    steps, firsts, counts = np.unique(positions, return_index=True, return_counts=True)
    starts, ends = grid[steps], shift_times(grid[steps], every, 1)
    first, last = times[firsts], times[np.append(firsts[1:], len(times)) - 1]
    late, early = (first - starts).astype(np.int64), (ends - last).astype(np.int64)
    usual = round(float(np.median(counts[1:-1]))) if len(steps) > 2 else round(every.seconds / row_frequency.seconds)
    if usual < 2:
        return []
    found = []
    if _is_longer(late) and shift_times(first[:1], row_frequency, -1)[0] >= starts[0]:
        found.append(0)
    if (
        _is_longer(early[::-1])
        and shift_times(last[-1:], row_frequency, 1)[0] < ends[-1]
        and (len(steps) > 1 or not found)
    ):
        found.append(-1)
    return [PartialStep(int(steps[at]), int(counts[at]), max(usual, int(counts[at]) + 1)) for at in found]


def _is_longer(spans: np.ndarray) -> bool:
    """Say whether the first of some spans is longer than most of those within."""
    within = spans[1:-1]
    return not len(within) or bool(spans[0] > np.quantile(within, _USUAL_SHARE, method="lower"))


def drop_partial_steps(one: TimeSeries, partial: Sequence[PartialStep]) -> TimeSeries:
    """Leave out partial steps at the ends of a series; what is known of the last step is known ahead then."""
    start = int(any(each.position == 0 for each in partial))
    end = len(one) - any(each.position == len(one) - 1 for each in partial)
    until = len(one.times) if one.known.shape[1] else max(start, end)
    return replace(
        one,
        values=one.values[start:end],
        times=one.times[start:until],
        known=one.known[start:until],
        past=one.past[start:end],
    )

"""Series that are continued: what is held out in files of its own, appended to the training data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.data.timeseries.frequency import Frequency
from recurra.data.timeseries.grid import future_times, grid_positions
from recurra.data.timeseries.types import Panel, TimeSeries, format_times
from recurra.errors import DataError

MAX_MISSING_PER_VALUE = 50
"""Steps of a gap for each value that there is, from which on a time counts as wrong."""


def append_panel(panel: Panel, more: Panel, name: str) -> tuple[Panel, list[str]]:
    """Append to series those of the same name in other files; gives notes of steps that are missing in between.

    Raises `DataError` where they do not fit.
    """
    if more.targets != panel.targets or more.known != panel.known or more.past != panel.past:
        raise DataError(
            f"{name}: expected the columns of the training data, {_list_columns(panel)}; got {_list_columns(more)}"
        )
    known = {series.name: series for series in more.series}
    if len(panel) == 1 == len(more):
        known = {panel.series[0].name: more.series[0]}  # one series needs no name
    if unknown := sorted(set(known) - set(panel.names)):
        raise DataError(
            f"{name}: series {unknown[0]} is not among those of training",
            source=known[unknown[0]].place,
            hint="held-out files continue where the training files end; measure on other series by `recurra evaluate RUN FILE`",
        )
    notes: list[str] = []
    series = [
        _append(one, known[one.name], panel.frequency, name, notes) if one.name in known else one
        for one in panel.series
    ]
    return replace(panel, series=series), notes


def _list_columns(panel: Panel) -> str:
    return ", ".join([*panel.targets, *panel.known, *panel.past])


def _append(one: TimeSeries, then: TimeSeries, step: Frequency | None, name: str, notes: list[str]) -> TimeSeries:
    """Append one series to another, with the steps that are missing in between where their times tell so."""
    times, absent = then.times, 0
    if np.issubdtype(times.dtype, np.integer) != np.issubdtype(one.times.dtype, np.integer):
        raise DataError(f"{name}: series {one.name}: expected times as in its training data", source=then.place)
    if len(one) and len(then):
        absent = _missing_steps(one, then, step, name)
    if len(one) and times.dtype.kind != "M":
        times = one.times[len(one) - 1] + 1 + absent + np.arange(len(times))
    if absent:
        notes.append(f"{name}: series {one.name}: {absent:,} steps are missing between its training data and these")
    gap = np.full((absent, one.values.shape[1]), np.nan)
    known = np.full((absent, one.known.shape[1]), np.nan)
    ahead = one.known[len(one) : len(one) + absent]  # what was known ahead when the training data were written
    known[: len(ahead)] = ahead
    past = np.full((absent, one.past.shape[1]), np.nan)
    skipped = future_times(one.times[: len(one)], step, absent) if absent else times[:0]
    return replace(
        one,
        values=np.concatenate([one.values, gap, then.values]),
        times=np.concatenate([one.times[: len(one)], skipped, times]),
        known=np.concatenate([one.known[: len(one)], known, then.known]),
        past=np.concatenate([one.past, past, then.past]),
        numeric_times=one.numeric_times if len(one) else then.numeric_times,
    )


def _missing_steps(one: TimeSeries, then: TimeSeries, step: Frequency | None, name: str) -> int:
    """Count the steps between the end of a series and the beginning of what follows; raises `DataError` where it does not."""
    counted = one.times.dtype.kind != "M"
    (last,), (first,) = format_times(one, one.times[len(one) - 1 : len(one)]), format_times(then, then.times[:1])
    starts, spacing = (
        f"{name}: series {one.name} begins at {first}",
        one.numeric_times.step if one.numeric_times else step,
    )
    steps, off = _steps_apart(one, then, step)
    if steps < 1:
        counts = "; leave out a column of times that only counts the rows of each file" if counted else ""
        hint = f"held-out files continue where the training files end{counts}"
        raise DataError(f"{starts}, before its training data end ({last})", source=then.place, hint=hint)
    if off:
        spacing = f"{spacing:g}" if isinstance(spacing, float) else f"{spacing}"
        raise DataError(f"{starts}, which is off the steps of {spacing} after {last}", source=then.place)
    if steps > MAX_MISSING_PER_VALUE * (len(one) + len(then)) + 1000:
        problem = f"{starts}, {steps - 1:,} steps after its training data end ({last})"
        raise DataError(problem, source=then.place, hint="is a time wrong, or in another unit?")
    return steps - 1


def _steps_apart(one: TimeSeries, then: TimeSeries, step: Frequency | None) -> tuple[int, bool]:
    """Give the steps from the end of a series to the beginning of another, below 1 where it is not later, and whether it is off them.

    Where rows are only counted, it is the next.
    """
    last, first = one.times[len(one) - 1], then.times[0]
    if one.times.dtype.kind == "M":
        if step is None or first <= last:
            return int(first > last), False
        places, off = grid_positions(np.array([last, first]), step)
    elif one.numeric_times is None or then.numeric_times is None:
        return 1, False
    else:
        numbers = [*one.numeric_times.to_numbers([int(last)]), *then.numeric_times.to_numbers([int(first)])]
        if numbers[1] <= numbers[0]:
            return 0, False
        places, off = one.numeric_times.to_steps(numbers)
    return int(places[1] - places[0]), bool(off[1])

"""Series that go on: what is held out in files of its own, behind the training data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recurra.data.grids import following, positions
from recurra.data.moments import Step, shown
from recurra.data.timed import Panel, Timed
from recurra.errors import DataError


def joined(panel: Panel, more: Panel, name: str) -> tuple[Panel, list[str]]:
    """Let series go on by those of the same name in other files; gives notes of steps that are missing in between.

    Raises `DataError` where they do not fit.
    """
    if more.targets != panel.targets or more.known != panel.known or more.past != panel.past:
        raise DataError(f"{name}: expected the columns of the training data, {_listed(panel)}; got {_listed(more)}")
    known = {series.name: series for series in more.series}
    if len(panel) == 1 == len(more):
        known = {panel.series[0].name: more.series[0]}  # one series needs no name
    if unknown := sorted(set(known) - set(panel.names)):
        raise DataError(
            f"{name}: series {unknown[0]} is not among those of training",
            source=known[unknown[0]].place,
            hint="held-out files go on where the training files end; measure on other series by `recurra evaluate RUN FILE`",
        )
    notes: list[str] = []
    series = [
        _followed(one, known[one.name], panel.step, name, notes) if one.name in known else one for one in panel.series
    ]
    return replace(panel, series=series), notes


def _listed(panel: Panel) -> str:
    return ", ".join([*panel.targets, *panel.known, *panel.past])


def _followed(one: Timed, then: Timed, step: Step | None, name: str, notes: list[str]) -> Timed:
    """Put one series behind another, with steps that are missing in between where their times say so."""
    times, absent = then.times, 0
    if np.issubdtype(times.dtype, np.integer) != np.issubdtype(one.times.dtype, np.integer):
        raise DataError(f"{name}: series {one.name}: expected times as in its training data", source=then.place)
    if np.issubdtype(times.dtype, np.integer):
        times = times - times[0] + len(one) if len(times) else times
    elif len(one) and len(then):
        absent = _between(one, then, step, name)
    if absent:
        notes.append(f"{name}: series {one.name}: {absent:,} steps are missing between its training data and these")
    gap = np.full((absent, one.values.shape[1]), np.nan)
    known = np.full((absent, one.known.shape[1]), np.nan)
    said = one.known[len(one) : len(one) + absent]  # what was known ahead when the training data were written
    known[: len(said)] = said
    past = np.full((absent, one.past.shape[1]), np.nan)
    skipped = following(one.times[: len(one)], step, absent) if absent else times[:0]
    return replace(
        one,
        values=np.concatenate([one.values, gap, then.values]),
        times=np.concatenate([one.times[: len(one)], skipped, times]),
        known=np.concatenate([one.known[: len(one)], known, then.known]),
        past=np.concatenate([one.past, past, then.past]),
    )


def _between(one: Timed, then: Timed, step: Step | None, name: str) -> int:
    """Count the steps between the end of a series and the beginning of what follows; raises `DataError` where it does not."""
    last, first = one.times[len(one) - 1], then.times[0]
    if first <= last:
        raise DataError(
            f"{name}: series {one.name} begins at {shown(first)}, before its training data end ({shown(last)})",
            source=then.place,
            hint="held-out files go on where the training files end",
        )
    if step is None:
        return 0
    places, off = positions(np.array([last, first]), step)
    if off[1]:
        raise DataError(
            f"{name}: series {one.name} begins at {shown(first)}, which is off the steps of {step} after {shown(last)}",
            source=then.place,
        )
    return int(places[1]) - 1

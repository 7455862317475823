"""Notes on series that were put on their grids: where rows are missing, and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.data.timeseries.resample import PartialStep
from recurra.data.timeseries.types import TimeSeries, format_times

_MAX_GAPS_SHOWN = 5  # series with gaps, and columns with missing values, that are noted one by one
_MAX_SERIES_SHOWN = 3  # of other notes
_PARTIAL_STEPS = {"mean": "their mean stands for the whole step", "last": "the last of them stands for the whole step"}
_PARTIAL_STEPS["sum"] = "left out, since the sum of a part is none of the whole"


@dataclass
class NoteCollector:
    """Collects what is found, series by series, and notes it, in few notes however many series there are.

    gaps: the steps of a series that no row is of.  partial: its first or last step.  lone: series of one row.  missing: of each
    column, how many of `rows` hold no value.
    """

    notes: list[str]
    gaps: list[tuple[TimeSeries, np.ndarray]] = field(default_factory=list)
    partial: list[tuple[TimeSeries, PartialStep]] = field(default_factory=list)
    lone: list[TimeSeries] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    rows: int = 0

    def note_missing(self) -> None:
        """Note how many values of which columns are missing."""
        some = [(name, gone) for name, gone in self.missing.items() if gone]
        lines = [f"{gone:,} of {self.rows:,} values of '{name}' are missing" for name, gone in some[:_MAX_GAPS_SHOWN]]
        self._add(lines, len(some), "columns have missing values")

    def note_ends(self, series: Sequence[TimeSeries]) -> None:
        """Note which series end before the last of them does, though rows of what is known ahead may continue."""
        there = [one for one in series if len(one)]
        if not there:
            return
        longest = max(there, key=lambda one: one.times[len(one) - 1])
        last = longest.times[len(longest) - 1]
        early = [one for one in there if one.times[len(one) - 1] < last]
        if not early:
            return
        named = ", ".join(
            f"{one.name} ({format_times(one, one.times[[len(one) - 1]])[0]})" for one in early[:_MAX_SERIES_SHOWN]
        )
        named += f", and {len(early) - _MAX_SERIES_SHOWN:,} more" if len(early) > _MAX_SERIES_SHOWN else ""
        self.notes.append(
            f"{len(early):,} of {len(series):,} series end{'s' * (len(early) == 1)} before series {longest.name} does, at "
            f"{format_times(longest, np.array([last]))[0]}: {named}; what follows is forecast from the end of each"
        )

    def note_gaps(self) -> None:
        """Note which steps no row is of."""
        for one, absent in self.gaps[:_MAX_GAPS_SHOWN]:
            cuts = np.split(absent, np.flatnonzero(np.diff(absent) > 1) + 1)
            longest = max(cuts, key=len)
            first, last = format_times(one, one.times[longest[[0, -1]]])
            self.notes.append(
                f"series {one.name}: {len(cuts):,} gap{'s' * (len(cuts) > 1)}, {len(absent):,} of {len(one.times):,} steps are missing, "
                f"the longest from {first} to {last}"
            )
        if len(self.gaps) > _MAX_GAPS_SHOWN:
            self.notes.append(f"{len(self.gaps) - _MAX_GAPS_SHOWN:,} more series have gaps")

    def note_partial_steps(self, combine: str) -> None:
        """Note which first and last steps have fewer rows than usual, and what becomes of them."""
        lines = [
            f"series {one.name}: its {'last' if step.position else 'first'} step, {format_times(one, one.times[[step.position]])[0]}, "
            f"has {step.rows:,} row{'s' * (step.rows > 1)} where {step.usual:,} are usual: {_PARTIAL_STEPS[combine]}"
            for one, step in self.partial[:_MAX_SERIES_SHOWN]
        ]
        self._add(lines, len(self.partial), f"steps are unfinished: {_PARTIAL_STEPS[combine]}")
        lines = [
            f"series {one.name}: its one row counts as the whole step {format_times(one, one.times[:1])[0]}"
            for one in self.lone[:_MAX_SERIES_SHOWN]
        ]
        self._add(lines, len(self.lone), "series have one row, which counts as the whole step")

    def _add(self, lines: Sequence[str], count: int, others: str) -> None:
        self.notes += lines
        if count > len(lines):
            self.notes.append(f"{count - len(lines):,} more {others}")

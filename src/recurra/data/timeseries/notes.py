"""What is to be said of series that were put on their grids: where rows are missing, and what of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.data.timeseries.resample import Unfinished
from recurra.data.timeseries.types import Timed, told

_SHOWN = 5  # series with gaps, and columns with missing values, that are told of one by one
_FEW = 3  # of other things
_STANDS = {"mean": "their mean stands for the whole step", "last": "the last of them stands for the whole step"}
_STANDS["sum"] = "left out, since the sum of a part is none of the whole"


@dataclass
class Told:
    """Gathers what is found, series by series, and says it in notes, of which there are few however many series there are.

    holes: the steps of a series that no row is of.  unfinished: its first or last step.  lone: series of one row.  missing: of each
    column, how many of `rows` hold no value.
    """

    notes: list[str]
    holes: list[tuple[Timed, np.ndarray]] = field(default_factory=list)
    unfinished: list[tuple[Timed, Unfinished]] = field(default_factory=list)
    lone: list[Timed] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    rows: int = 0

    def tell_missing(self) -> None:
        """Note how many values of which columns are missing."""
        some = [(name, gone) for name, gone in self.missing.items() if gone]
        said = [f"{gone:,} of {self.rows:,} values of '{name}' are missing" for name, gone in some[:_SHOWN]]
        self._tell(said, len(some), "columns have missing values")

    def tell_ends(self, series: Sequence[Timed]) -> None:
        """Note which series end before the last of them does, though rows of what is known ahead may go on."""
        there = [one for one in series if len(one)]
        if not there:
            return
        longest = max(there, key=lambda one: one.times[len(one) - 1])
        last = longest.times[len(longest) - 1]
        early = [one for one in there if one.times[len(one) - 1] < last]
        if not early:
            return
        named = ", ".join(f"{one.name} ({told(one, one.times[[len(one) - 1]])[0]})" for one in early[:_FEW])
        named += f", and {len(early) - _FEW:,} more" if len(early) > _FEW else ""
        self.notes.append(
            f"{len(early):,} of {len(series):,} series end{'s' * (len(early) == 1)} before series {longest.name} does, at "
            f"{told(longest, np.array([last]))[0]}: {named}; what follows is foretold from the end of each"
        )

    def tell_gaps(self) -> None:
        """Note which steps no row is of."""
        for one, absent in self.holes[:_SHOWN]:
            cuts = np.split(absent, np.flatnonzero(np.diff(absent) > 1) + 1)
            longest = max(cuts, key=len)
            first, last = told(one, one.times[longest[[0, -1]]])
            self.notes.append(
                f"series {one.name}: {len(cuts):,} gap{'s' * (len(cuts) > 1)}, {len(absent):,} of {len(one.times):,} steps are missing, "
                f"the longest from {first} to {last}"
            )
        if len(self.holes) > _SHOWN:
            self.notes.append(f"{len(self.holes) - _SHOWN:,} more series have gaps")

    def tell_unfinished(self, combine: str) -> None:
        """Note which first and last steps have fewer rows than usual, and what becomes of them."""
        said = [
            f"series {one.name}: its {'last' if odd.place else 'first'} step, {told(one, one.times[[odd.place]])[0]}, "
            f"has {odd.rows:,} row{'s' * (odd.rows > 1)} where {odd.usual:,} are usual: {_STANDS[combine]}"
            for one, odd in self.unfinished[:_FEW]
        ]
        self._tell(said, len(self.unfinished), f"steps are unfinished: {_STANDS[combine]}")
        said = [
            f"series {one.name}: its one row is taken for the whole step {told(one, one.times[:1])[0]}"
            for one in self.lone[:_FEW]
        ]
        self._tell(said, len(self.lone), "series have one row, which is taken for the whole step")

    def _tell(self, said: Sequence[str], count: int, others: str) -> None:
        self.notes += said
        if count > len(said):
            self.notes.append(f"{count - len(said):,} more {others}")

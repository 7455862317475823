"""What is to be said of series that were put on their grids: where rows are missing, and what of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.data.panels import Timed, told
from recurra.data.timed_steps import Unfinished

_SHOWN = 5  # series with gaps that are told of one by one
_FEW = 3  # of other things
_STANDS = {"mean": "their mean stands for the whole step", "last": "the last of them stands for the whole step"}
_STANDS["sum"] = "left out, since the sum of a part is none of the whole"


@dataclass
class Told:
    """Gathers what is found, series by series, and says it in notes, of which there are few however many series there are.

    holes: the steps of a series that no row is of.  unfinished: its first or last step.  lone: series of one row.
    """

    notes: list[str]
    holes: list[tuple[Timed, np.ndarray]] = field(default_factory=list)
    unfinished: list[tuple[Timed, Unfinished]] = field(default_factory=list)
    lone: list[Timed] = field(default_factory=list)

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

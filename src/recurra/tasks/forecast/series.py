"""One series, or one channel of it, as a network reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.data.timeseries.grid import Numbers
from recurra.tasks.forecast.scaling import Measured


@dataclass(frozen=True)
class Row:
    """One series, or one of its channels, ready to be read.

    values: (T, C) float64, transformed and counted from `reference` (C), NaN where one is missing.  ahead: (T + F, K), of the
    steps after the last value too.  beside: (T, P).  about: (S).  times: (T + F), and their numbers, as of the series
    (`Timed`).  channels: which of the targets.
    """

    series: str
    channels: tuple[int, ...]
    values: np.ndarray
    reference: np.ndarray
    measured: Measured
    times: np.ndarray
    ahead: np.ndarray
    beside: np.ndarray
    about: np.ndarray
    place: str
    numbers: Numbers | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def begin(self) -> int:
        """The first step at which all channels have had a value, T where there is none: nothing can be foretold before it."""
        return first_known(self.values)

    @property
    def name(self) -> str:
        """A name for the row, which differs from that of a series' other rows."""
        return f"{self.series}\0{self.channels[0]}"


def first_known(values: np.ndarray) -> int:
    """Give the first step at which all channels of (T, C) have had a value, T where there is none.

    >>> first_known(np.array([[np.nan, 1.0], [2.0, np.nan], [3.0, 4.0]])), first_known(np.array([[np.nan]]))
    (1, 1)
    """
    known = np.logical_or.accumulate(~np.isnan(values), axis=0).all(axis=1)
    return int(np.argmax(known)) if known.any() else len(values)

"""What series in time are once they are read, and how they are to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from recurra.data.header import Header
from recurra.data.timeseries.frequency import Frequency, format_time
from recurra.data.timeseries.grid import NumericTimes
from recurra.errors import UsageError
from recurra.text import resolve_column

_ROLES = ("target", "known", "past", "static")


@dataclass(frozen=True)
class TimeSeriesOptions:
    """How series in time are to be read; every field has a default."""

    time: str | None = None
    """column with the timestamps (ISO dates and times, or numbers); None: the one that looks like it, or the order of the rows"""

    series: str | tuple[str, ...] | None = None
    """column that says which series a row belongs to, or several that do so together"""

    target: tuple[str, ...] = ()
    """columns to forecast, or to watch; none: all that hold numbers and are not named otherwise"""

    known: tuple[str, ...] = ()
    """columns that are known ahead, such as holidays; they may continue after the last target"""

    past: tuple[str, ...] = ()
    """columns that are known only as far as the target is"""

    static: tuple[str, ...] = ()
    """columns that are the same in all rows of a series"""

    layout: Literal["auto", "steps", "series"] = "auto"
    """tables: a row is a step of time, or a whole series"""

    every: str | None = None
    """a spacing such as "10min", "1h", "1d", which values are brought to"""

    combine: Literal["mean", "sum", "last"] = "mean"
    """what becomes of several values that fall into a step of `every`; of what is known ahead the mean is taken"""

    frequency: Frequency | None = None
    """the spacing that is expected, as a run knows it; None: the one that the series show"""

    numeric_step: float | None = None
    """the same of times that are numbers"""

    duplicates: Literal["error", "first", "last", "mean"] = "error"
    """what is done with a time that a series has twice"""

    gaps: Literal["fill", "keep"] = "fill"
    """"fill": steps that are missing are there, as NaN; "keep": a step is a row, whatever the time between two of them"""

    header: Header = "auto"
    """whether the first row of a CSV or TSV table names its columns; "auto": as it looks. Columns may be named by their
    numbers, from 1, and as "last" too"""

    on_error: Literal["stop", "skip"] = "stop"
    """what is done with a row or file that cannot be used: stop there, or list it"""

    @property
    def series_columns(self) -> tuple[str, ...]:
        """The columns that name the series a row belongs to; none where a file is a series."""
        return (self.series,) if isinstance(self.series, str) else self.series or ()

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that are named."""
        time = () if self.time is None else (self.time,)
        return (*time, *self.series_columns, *self.target, *self.known, *self.past, *self.static)

    def with_names(self, names: Sequence[str]) -> TimeSeriesOptions:
        """Give the same for a table with columns of these names, without positions.

        >>> TimeSeriesOptions(time="1", target=("last",)).with_names(["day", "shop", "sold"]).named
        ('day', 'sold')
        """
        several = {role: tuple(resolve_column(name, names) for name in getattr(self, role)) for role in _ROLES}
        series = tuple(resolve_column(name, names) for name in self.series_columns)
        time = None if self.time is None else resolve_column(self.time, names)
        return replace(self, time=time, series=series, **several)

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be done to rows that are kept as they are."""
        combining = {"duplicates": None if self.duplicates == "error" else self.duplicates, "every": self.every}
        for name, given in combining.items():
            if self.gaps == "keep" and given is not None:
                raise UsageError(
                    f"{name}: with gaps = keep each row is a step, as in a live stream, and none is put together with another; "
                    f"expected --gaps fill beside --{name} {given}"
                )
        if self.combine != "mean" and self.every is None:
            raise UsageError(
                f"combine: {self.combine} is how values are put together to a spacing; expected --every beside it, such as --every 1d"
            )


@dataclass(frozen=True)
class TimeSeries:
    """One series on an even grid of time.

    values: (T, C) float64, NaN where one is missing.  times: (T + F) datetime64[us], or int64 numbers of steps.  known:
    (T + F, K), of the F steps after the last value too, F ≥ 0.  past: (T, P).  static: a word or number for each static column.
    utc_offset: times are in UTC, and were written by clocks so many minutes ahead of it, or by several (0); None: they name no zone.
    numeric_times: which numbers stand in the column of times; None: times are dates, or the order of the rows.
    """

    name: str
    values: np.ndarray
    times: np.ndarray
    known: np.ndarray
    past: np.ndarray
    static: tuple[str | float, ...]
    place: str
    utc_offset: int | None = None
    numeric_times: NumericTimes | None = None

    @classmethod
    def from_values(
        cls,
        name: str,
        values: np.ndarray,
        place: str,
        times: np.ndarray | None = None,
        static: Sequence[str | float] = (),
    ) -> TimeSeries:
        """Make a series (T, C) without covariates that change; its steps are counted where no times are given."""
        times = np.arange(len(values), dtype=np.int64) if times is None else times[: len(values)]
        none = np.zeros((len(values), 0))
        return cls(name, values, times, none, none, tuple(static), place)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Panel:
    """Series that belong together: the same columns, the same spacing in time.

    frequency: the spacing, the commonest one where gaps are kept; None where steps are only counted.  skipped, notes: as in `Labelled`.
    columns: all that the first table has, in their order; () of other files.
    """

    series: list[TimeSeries]
    targets: tuple[str, ...]
    known: tuple[str, ...]
    past: tuple[str, ...]
    static: tuple[str, ...]
    frequency: Frequency | None
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.series)

    @property
    def names(self) -> list[str]:
        """The names of the series, in their order."""
        return [one.name for one in self.series]

    @property
    def numeric_step(self) -> float | None:
        """The spacing of times that are numbers; None where they are dates, or the order of the rows."""
        return next((one.numeric_times.step for one in self.series if one.numeric_times is not None), None)


def format_times(series: TimeSeries, times: np.ndarray) -> list[str]:
    """Write times of a series for a reader, as they stand in its column.

    >>> none = np.zeros((0, 0))
    >>> series = TimeSeries("a", none, np.zeros(0, int), none, none, (), "", numeric_times=NumericTimes(5.0, 10.0))
    >>> format_times(series, np.array([0, 120_000]))
    ['5', '1200005']
    """
    if times.dtype.kind == "M":
        return [format_time(time) for time in times]
    numbers = times.tolist() if series.numeric_times is None else series.numeric_times.to_numbers(times)
    return [str(number) for number in numbers]

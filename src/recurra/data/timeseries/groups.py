"""The rows of all tables in one: by series, in the order of their times, each time once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.data.sources import location
from recurra.data.timeseries.columns import ColumnRoles
from recurra.data.timeseries.frequency import format_time, utc_offset
from recurra.data.timeseries.grid import is_clock_change, mean_of_rows
from recurra.data.timeseries.rows import Rows, series_name
from recurra.data.timeseries.types import TimeSeriesOptions
from recurra.errors import DataError
from recurra.text import Place

# Shares of duplicate times from which on the rows may be of several series; less, where a column is left that may name them.
_MANY_DUPLICATES, _MANY_DUPLICATES_WITH_COLUMN = 0.45, 0.2


@dataclass
class Group:
    """The rows (T) of one series, in the order of their times (T)."""

    name: str
    rows: np.ndarray
    times: np.ndarray
    place: str


class RowTable:
    """The rows of all tables, one below the other, and which series each is of.

    `values`, `known` and `past` hold a row for each row of the tables, in the order in which they were read, and `times`
    its time; `local` its time on the clock where it was taken, where all were written with a zone and `times` are in UTC.
    A `Group` names rows by their numbers here.
    """

    def __init__(
        self, parts: list[Rows], options: TimeSeriesOptions, roles: ColumnRoles, folder: str, notes: list[str]
    ) -> None:
        self._parts, self._options, self._roles, self._folder, self._notes = parts, options, roles, folder, notes
        self._part_indices = np.repeat(np.arange(len(parts)), [len(part.indices) for part in parts])
        self._table_rows = np.concatenate([part.indices for part in parts])
        self.values, self.known, self.past = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("values", "known", "past")
        )
        self._static = [_concatenate([part.static[at] for part in parts]) for at in range(len(roles.static))]
        self.times, self.local = self._concatenate_times()
        numbers: dict[str, int] = {}
        self._ids = np.array(
            [numbers.setdefault(name, len(numbers)) for part in parts for name in part.names], np.int64
        )
        self._names = list(numbers)

    def _concatenate_times(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Give the times of all rows, and those of the clocks where they were taken, if all have zones."""
        times = [part.times for part in self._parts if part.times is not None]
        if len(times) < len(self._parts):
            return None, None
        odd = next((at for at, some in enumerate(times) if some.dtype.kind != times[0].dtype.kind), None)
        if odd is not None:
            what, other = ("dates", "numbers") if times[odd].dtype.kind == "M" else ("numbers", "dates")
            problem = f"the times are {what}, those of {self._parts[0].table.name} {other}"
            raise DataError(problem, source=self._parts[odd].table.name)
        local = [part.local for part in self._parts if part.local is not None]
        return np.concatenate(times), np.concatenate(local) if len(local) == len(times) else None

    def error_location(self, row: int) -> dict[str, Any]:
        """Say where a row stands, as a `DataError` takes it."""
        table = self._parts[self._part_indices[row]].table
        return {"source": table.name, **table.place(int(self._table_rows[row]))}

    def groups(self) -> list[Group]:
        """Give the series, in the order in which they first occur; their rows by time, unless gaps are kept."""
        keep = self._options.gaps == "keep"
        order = np.lexsort((self._ids,) if self.times is None or keep else (self.times, self._ids))
        cuts = np.flatnonzero(np.diff(self._ids[order])) + 1
        groups = []
        unsorted = 0
        for rows in np.split(order, cuts):
            unsorted += bool(np.any(np.diff(rows) < 0))
            first = int(rows.min())
            table = self._parts[self._part_indices[first]].table
            place: Place = {} if not self._roles.series else table.place(int(self._table_rows[first]))
            times = np.arange(len(rows)) if self.times is None else self.times[rows]
            name = self._names[self._ids[rows[0]]]
            groups.append(Group(name, rows, times, location(table.name, place, self._folder)))
        if unsorted:
            which = "" if len(groups) == 1 else f" of {unsorted:,} of {len(groups):,} series"
            self._notes.append(f"the rows{which} are not in the order of their times: sorted")
        return groups

    def utc_offset(self, group: Group) -> int | None:
        """Give the UTC offset of a series, as `TimeSeries` has it."""
        if self.local is None or self.times is None:
            return None
        return utc_offset(self.times[group.rows], self.local[group.rows])

    def use_local_times(self, groups: list[Group]) -> None:
        """Take the times of series as those of the clocks where they were taken, `local`; rows stay in the order of UTC."""
        if self.local is None:
            return
        self.times, self.local = self.local, None
        for group in groups:
            group.times = self.times[group.rows]
        self._notes[:] = [
            note.replace("taken in UTC", "taken as days on their own clocks") if "with a zone" in note else note
            for note in self._notes
        ]

    def sort_by_time(self, groups: list[Group]) -> None:
        """Bring the rows of series into the order of their times, which changes of clocks may have broken."""
        for group in groups:
            order = np.argsort(group.times, kind="stable")
            group.rows, group.times = group.rows[order], group.times[order]

    def drop_duplicate_times(self, groups: list[Group]) -> None:
        """Make each time of a series occur once, as `duplicates` says; raises `DataError` where that is an error."""
        twice = 0
        for group in groups:
            duplicate = np.append(False, group.times[1:] == group.times[:-1])
            twice += int(duplicate.sum())
            if not duplicate.any() or self._options.gaps == "keep":
                continue
            if self._options.duplicates == "error":
                self._raise_duplicate(group, duplicate)
            starts = np.flatnonzero(~duplicate)
            ends = np.append(starts[1:], len(duplicate))
            if self._options.duplicates == "mean":
                for start in starts[ends - starts > 1]:
                    rows = group.rows[start : ends[np.searchsorted(starts, start)]]
                    for array in (self.values, self.known, self.past):
                        array[rows[0]] = mean_of_rows(array[rows])
            keep = ends - 1 if self._options.duplicates == "last" else starts
            group.rows, group.times = group.rows[keep], group.times[keep]
        if twice:
            done = {"mean": "their mean is taken", "first": "the first is taken", "last": "the last is taken"}
            what = "each row is a step" if self._options.gaps == "keep" else done[self._options.duplicates]
            self._notes.append(f"{twice:,} rows repeat a time of their series: {what}")

    def _raise_duplicate(self, group: Group, duplicate: np.ndarray) -> None:
        at = int(np.flatnonzero(duplicate)[0])
        here, before = self.error_location(int(group.rows[at])), self.error_location(int(group.rows[at - 1]))
        file = f"{before['source']}, " if before["source"] != here["source"] else ""
        also = file + ", ".join(f"{word} {number}" for word, number in before.items() if word != "source")
        hint = "say --duplicates first, last or mean"
        if self.local is None and is_clock_change(group.times[duplicate]):
            zone = (
                "it looks like the change of daylight saving time: write times with their zone (2024-10-27T02:00+01:00)"
            )
            hint = f"{zone}, or {hint}"
        elif not self._roles.series and duplicate.mean() > (
            _MANY_DUPLICATES_WITH_COLUMN if self._roles.ignored else _MANY_DUPLICATES
        ):
            name = self._roles.ignored[0] if self._roles.ignored else "NAME"
            hint = f"name the column that says which series a row belongs to (--series {name}), or {hint}"
        raise DataError(
            f"series {group.name}: the time {format_time(group.times[at])} stands in {also} too", hint=hint, **here
        )

    def static_value(self, group: Group, at: int) -> str | float:
        """Give the value of a static column for a series; raises `DataError` where it has two."""
        cells = self._static[at][group.rows]
        there = np.flatnonzero([cell is not None and cell == cell for cell in cells])
        if not there.size:
            return float("nan") if cells.dtype.kind == "f" else ""
        first = cells[there[0]]
        odd = next((row for row in there if cells[row] != first), None)
        if odd is not None:
            problem = f"series {group.name}: static column '{self._roles.static[at]}': expected {first} as before, got {cells[odd]}"
            hint = "a column that changes is --past or --known"
            raise DataError(problem, hint=hint, **self.error_location(int(group.rows[odd])))
        return first if isinstance(first, str) else float(first)


def _concatenate(columns: list[np.ndarray]) -> np.ndarray:
    """Join a static column of several tables; where it holds words in one, it does in all."""
    if len({column.dtype.kind for column in columns}) == 1:
        return np.concatenate(columns)
    return np.array([None if cell != cell else series_name(cell) for column in columns for cell in column], object)

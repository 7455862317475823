"""Rows of tables to series: sorted, each time once, on an even grid, with what is known beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurra.data.grids import buckets, common_spacing, differs, on_grid, positions, spacing_of, weekdays_only
from recurra.data.labelled import place_of
from recurra.data.moments import Step, parse_step
from recurra.data.panels import Timed, TimedReading
from recurra.data.stamps import read_stamps
from recurra.data.timed_tables import Roles, Table
from recurra.errors import DataError, UsageError
from recurra.series import column_numbers, is_missing
from recurra.text import Faults

_SHOWN = 5  # series with gaps that are told of one by one
_ROOM = 50  # steps of the grid for each row, above which a time is taken for wrong


@dataclass
class Rows:
    """The rows of one table that can be used, column by column, N of them."""

    table: Table
    at: np.ndarray
    names: list[str]
    times: np.ndarray | None
    local: np.ndarray | None
    values: np.ndarray
    known: np.ndarray
    past: np.ndarray
    static: list[np.ndarray] = field(default_factory=list)


def read_rows(table: Table, roles: Roles, alone: str, faults: Faults, notes: list[str]) -> Rows:
    """Read the columns of a table that are needed; rows that cannot be used are met as `faults` says.

    alone: the name of the series where no column names one.
    """
    for name in roles.all:
        if name not in table.columns:
            raise table.missing(name)
    wrong: dict[int, str] = {}

    def take(found: dict[int, str], column: str = "") -> None:
        for row, problem in found.items():
            between = " " if problem.startswith("is ") else ": "
            wrong.setdefault(row, f"column '{column}'{between}{problem}" if column else problem)

    def numbers(columns: Sequence[str], truths: bool) -> np.ndarray:
        read = np.zeros((len(table), len(columns)))
        for at, column in enumerate(columns):
            read[:, at], found = column_numbers(table.columns[column], commas=table.commas, truths=truths)
            take(found, column)
        return read

    times = local = None
    if roles.time:
        cells, column = _time_cells(table, roles.time)
        stamps = read_stamps(cells, column)
        times, local = stamps.values, stamps.local
        take(stamps.wrong)
        notes += [note for note in stamps.notes if note not in notes]
    names = [alone] * len(table)
    if roles.series is not None:
        column = roles.series
        names = [_name(cell) for cell in table.columns[column]]
        take({row: f"column '{column}' names no series" for row, name in enumerate(names) if name == ""})
    values, known, past = numbers(roles.target, False), numbers(roles.known, True), numbers(roles.past, True)
    static = [_words(table.columns[column]) for column in roles.static]
    for row in sorted(wrong):
        said = f"series {names[row]}: {wrong[row]}" if roles.series is not None and names[row] else wrong[row]
        faults.meet(DataError(said, source=table.name, **table.place(row)))
    at = np.setdiff1d(np.arange(len(table)), list(wrong)) if wrong else np.arange(len(table))
    if wrong:
        names = [names[row] for row in at]
        values, known, past, static = values[at], known[at], past[at], [words[at] for words in static]
        times, local = (None if some is None else some[at] for some in (times, local))
    return Rows(table, at, names, times, local, values, known, past, static)


def _time_cells(table: Table, columns: tuple[str, ...]) -> tuple[Any, str]:
    """Give the cells with the times, those of several columns put together."""
    if len(columns) == 1:
        return table.columns[columns[0]], columns[0]
    cells = [table.columns[column] for column in columns]
    if len(columns) == 2 and isinstance(cells[1][0], str) and ":" in cells[1][0]:
        return [f"{day} {clock}" for day, clock in zip(*cells, strict=True)], " and ".join(columns)
    forms = ("{:04.0f}", "-{:02.0f}", "-{:02.0f}", " {:02.0f}:00", ":{:02.0f}", ":{:02.0f}")
    parts = [column_numbers(column)[0] for column in cells]
    form = "".join(forms[: len(columns)])
    if len(columns) > 4:
        form = form.replace(":00", "", 1)
    gone = np.isnan(np.stack(parts)).any(axis=0)
    said = [None if missing else form.format(*row) for missing, *row in zip(gone, *parts, strict=True)]
    return said, ", ".join(columns)


def _name(cell: Any) -> str:
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else str(int(cell)) if float(cell).is_integer() else str(cell)
    return "" if cell is None or (isinstance(cell, str) and not cell.strip()) else str(cell).strip()


def _words(cells: Any) -> np.ndarray:
    numbers, wrong = column_numbers(cells)
    if not wrong:
        return numbers
    return np.array([None if is_missing(cell) else str(cell).strip() for cell in cells], object)


@dataclass
class _Group:
    """The rows of one series, in the order of their times."""

    name: str
    rows: np.ndarray
    times: np.ndarray | None
    place: str


class Assembly:
    """Puts the rows of all tables together into series."""

    def __init__(self, parts: list[Rows], how: TimedReading, roles: Roles, folder: str, notes: list[str]) -> None:
        self.how, self.roles, self.notes, self.folder = how, roles, notes, folder
        self.parts = parts
        self.holes: list[tuple[str, np.ndarray, np.ndarray]] = []
        self.part = np.repeat(np.arange(len(parts)), [len(part.at) for part in parts])
        self.row = np.concatenate([part.at for part in parts])
        self.values, self.known, self.past = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("values", "known", "past")
        )
        self.static = [_joined([part.static[at] for part in parts]) for at in range(len(roles.static))]
        self.times = self._times()
        numbers: dict[str, int] = {}
        names = [name for part in parts for name in part.names]
        self.ids = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
        self.names = list(numbers)

    def _times(self) -> np.ndarray | None:
        times = [part.times for part in self.parts]
        if any(some is None for some in times):
            return None
        kinds = {some.dtype.kind for some in times if some is not None}
        if len(kinds) > 1:
            odd = next(
                part for part in self.parts if part.times is not None and part.times.dtype.kind != times[0].dtype.kind
            )  # type: ignore[union-attr]
            raise DataError(
                f"the times are {'dates' if odd.times is not None and odd.times.dtype.kind == 'M' else 'numbers'}, "
                f"those of {self.parts[0].table.name} are not",
                source=odd.table.name,
            )
        return np.concatenate([some for some in times if some is not None])

    def where(self, row: int) -> dict[str, Any]:
        """Say where a row stands, as a `DataError` takes it."""
        table = self.parts[self.part[row]].table
        return {"source": table.name, **table.place(int(self.row[row]))}

    def series(self) -> tuple[list[Timed], Step | None]:
        """Give all series, on the grid, in the order in which they first occur, and their spacing; notes what is missing."""
        made = self._made()
        self._gaps()
        return made

    def _made(self) -> tuple[list[Timed], Step | None]:
        groups = self._groups()
        if self.times is None:
            return [self._counted(group) for group in groups], None
        self._once(groups)
        if self.times.dtype.kind != "M":
            return self._numbered(groups), None
        if self.how.gaps == "keep":
            return self._kept(groups)
        step = self._step(groups)
        if self.how.every is not None:
            every = parse_step(self.how.every)
            if (
                step is None
                or step != every
                or any(
                    positions(group.times, every)[1].any()
                    for group in groups
                    if group.times is not None and len(group.times)
                )
            ):
                return [self._averaged(group, every) for group in groups], every
        return [self._filled(group, step) for group in groups], step

    def _groups(self) -> list[_Group]:
        sorting = self.times is not None and self.how.gaps == "fill"
        order = np.lexsort([self.times, self.ids] if sorting else [self.ids])
        cuts = np.flatnonzero(np.diff(self.ids[order])) + 1
        groups = []
        unsorted = 0
        for rows in np.split(order, cuts):
            unsorted += bool(len(rows) > 1 and np.any(np.diff(rows) < 0))
            first = int(rows.min())
            part = self.parts[self.part[first]]
            place = part.table.place(int(self.row[first])) if self.roles.series is not None else {}
            times = None if self.times is None else self.times[rows]
            name = self.names[self.ids[rows[0]]]
            groups.append(_Group(name, rows, times, place_of(part.table.name, place, self.folder)))
        if unsorted:
            which = "" if len(groups) == 1 else f" of {unsorted:,} of {len(groups):,} series"
            self.notes.append(f"the rows{which} are not in the order of their times: sorted")
        return groups

    def _once(self, groups: list[_Group]) -> None:
        """See to times that a series has twice."""
        twice = 0
        for group in groups:
            times = group.times
            if times is None or len(times) < 2:
                continue
            again = np.append(False, times[1:] == times[:-1])
            if not again.any():
                continue
            twice += int(again.sum())
            if self.how.gaps == "keep":
                continue
            if self.how.duplicates == "error":
                self._refuse(group, again)
            begins = np.flatnonzero(~again)
            ends = np.append(begins[1:], len(times))
            if self.how.duplicates == "mean":
                for begin, end in zip(begins, ends, strict=True):
                    if end - begin > 1:
                        rows, first = group.rows[begin:end], group.rows[begin]
                        for array in (self.values, self.known, self.past):
                            array[first] = _mean(array[rows])
            keep = ends - 1 if self.how.duplicates == "last" else begins
            group.rows, group.times = group.rows[keep], times[keep]
        if twice:
            done = {"mean": "their mean is taken", "first": "the first is taken", "last": "the last is taken"}
            what = "each row is a step" if self.how.gaps == "keep" else done[self.how.duplicates]
            self.notes.append(f"{twice:,} rows repeat a time of their series: {what}")

    def _refuse(self, group: _Group, again: np.ndarray) -> None:
        assert group.times is not None
        at = int(np.flatnonzero(again)[0])
        row, before = int(group.rows[at]), self.where(int(group.rows[at - 1]))
        also = ", ".join(f"{word} {number}" for word, number in before.items() if word != "source")
        if before["source"] != self.where(row)["source"]:
            also = f"{before['source']}, {also}"
        hint = "say --duplicates first, last or mean"
        if self.roles.series is None and again.mean() > 0.2:
            hint = f"name the column that says which series a row belongs to: --series NAME; or {hint}"
        elif _looks_like_autumn(group.times[again]):
            hint = f"it looks like a change of daylight saving time: write times with their zone (2024-10-27T02:00+01:00), or {hint}"
        raise DataError(
            f"series {group.name}: the time {shown(group.times[at])} stands in {also} too", hint=hint, **self.where(row)
        )

    def _step(self, groups: list[_Group]) -> Step | None:
        """Find the spacing that all series have."""
        found = [None if group.times is None else spacing_of(group.times) for group in groups]
        common = common_spacing(found)
        if common is None or common.step is None:
            return None
        if self.how.every is None:
            for group, one in zip(groups, found, strict=True):
                if one is not None and differs(one, common):
                    usual = groups[
                        next(
                            at
                            for at, other in enumerate(found)
                            if other is not None and not differs(other, common) and other.count >= 1
                        )
                    ]
                    raise DataError(
                        f"series {group.name} has a value every {one.step}, series {usual.name} every {common.step}",
                        hint=f"read one kind at a time, or average all of them: --every {_longer(one.step, common.step)}",
                        **self.where(int(group.rows[0])),
                    )
        if common.step == Step(1, "d"):
            times = [group.times for group in groups if group.times is not None and len(group.times)]
            longest = max(int((some[-1] - some[0]).astype(np.int64)) // 86_400_000_000 for some in times)
            if weekdays_only(np.concatenate(times), longest):
                self.notes.append("no value is of a Saturday or Sunday: the steps are business days")
                return Step(1, "b")
        return common.step

    def _kept(self, groups: list[_Group]) -> tuple[list[Timed], Step | None]:
        steps = {
            one.step for group in groups if group.times is not None and (one := spacing_of(group.times)) is not None
        }
        made = []
        uneven = 0
        for group in groups:
            assert group.times is not None
            uneven += len(np.unique(np.diff(group.times))) > 1
            made.append(self._timed(group, group.times, np.arange(len(group.rows))))
        if uneven:
            self.notes.append(f"{uneven:,} of {len(groups):,} series are not evenly spaced: each row is a step")
        return made, steps.pop() if len(steps) == 1 else None

    def _counted(self, group: _Group) -> Timed:
        count = len(group.rows)
        return self._timed(group, np.arange(count, dtype=np.int64), np.arange(count))

    def _numbered(self, groups: list[_Group]) -> list[Timed]:
        if self.how.every is not None:
            raise UsageError(f"every: {self.how.every} needs times that are dates, and the times are numbers")
        times = self.times
        assert times is not None
        if self.how.gaps == "keep":
            return [self._counted(group) for group in groups]
        found = [spacing_of(group.times) for group in groups if group.times is not None]
        common = common_spacing(found)
        apart = common.apart if common is not None else 1.0
        for group, one in zip(groups, found, strict=True):
            if common is not None and one is not None and differs(one, common):
                raise DataError(
                    f"series {group.name} has a value every {one.apart:g}, others every {apart:g}",
                    hint="read one kind at a time",
                    **self.where(int(group.rows[0])),
                )
        whole = np.abs(times / apart - np.round(times / apart)).max() < 1e-6
        origin = 0.0 if whole else float(times.min())
        if apart != 1 or origin:
            self.notes.append(f"the times are numbers {apart:g} apart: counted in steps of {apart:g}")
        made = []
        for group in groups:
            assert group.times is not None
            exact = (group.times - origin) / apart
            number = np.round(exact).astype(np.int64)
            off = np.flatnonzero(np.abs(exact - number) > 1e-3)
            if off.size:
                row = int(group.rows[off[0]])
                problem = f"series {group.name}: the time {group.times[off[0]]:g} is none of the steps of {apart:g}"
                raise DataError(problem, hint="leave out --time to take the rows one after another", **self.where(row))
            places = number - number[0]
            self._beware(group, places, f"{apart:g}")
            made.append(self._timed(group, number[0] + np.arange(places[-1] + 1), places))
        return made

    def _filled(self, group: _Group, step: Step | None) -> Timed:
        assert group.times is not None
        if step is None:
            return self._timed(group, group.times, np.arange(len(group.rows)))
        places, off = positions(group.times, step)
        if off.any():
            row = int(group.rows[np.flatnonzero(off)[0]])
            raise DataError(
                f"series {group.name}: the time {shown(group.times[off][0])} is off the steps of {step} "
                f"that begin at {shown(group.times[0])}",
                hint=f"average to even steps: --every {step}",
                **self.where(row),
            )
        self._beware(group, places, str(step))
        grid = on_grid(group.times, step, np.arange(places[-1] + 1))
        return self._timed(group, grid, places)

    def _beware(self, group: _Group, places: np.ndarray, step: str) -> None:
        """Raise `DataError` for a grid with room for many times the values there are: a time is wrong, or the spacing."""
        if places[-1] + 1 > _ROOM * len(places) + 1000:
            widest = int(np.argmax(np.diff(places))) + 1
            assert group.times is not None
            raise DataError(
                f"series {group.name}: its {len(places):,} values spread over {int(places[-1]) + 1:,} steps of {step}, "
                f"with none from {shown(group.times[widest - 1])} to {shown(group.times[widest])}",
                hint="is a time wrong? Otherwise choose wider steps, such as --every 1d",
                **self.where(int(group.rows[widest])),
            )

    def _averaged(self, group: _Group, every: Step) -> Timed:
        assert group.times is not None
        begins = buckets(group.times, every)
        distinct, at = np.unique(begins, return_inverse=True)
        places, _ = positions(distinct, every)
        self._beware(_Group(group.name, group.rows, distinct, group.place), places, str(every))
        grid = on_grid(distinct, every, np.arange(places[-1] + 1))
        return self._timed(group, grid, places[at])

    def _timed(self, group: _Group, grid: np.ndarray, places: np.ndarray) -> Timed:
        """Set the rows of a series on its grid; several on one place are averaged."""
        count, rows = len(grid), group.rows
        absent = np.setdiff1d(np.arange(count), places)
        if absent.size:
            self.holes.append((group.name, grid, absent))
        values, known, past = (_placed(array[rows], places, count) for array in (self.values, self.known, self.past))
        end = count
        if self.roles.known:  # what comes after the last value is the future
            there = np.flatnonzero(~np.isnan(values).all(axis=1))
            end = int(there[-1]) + 1 if there.size else 0
        static = tuple(self._static(group, at) for at in range(len(self.roles.static)))
        return Timed(group.name, values[:end], grid, known, past[:end], static, group.place)

    def _static(self, group: _Group, at: int) -> str | float:
        cells = self.static[at][group.rows]
        there = np.flatnonzero([not (cell is None or cell != cell) for cell in cells])
        if not there.size:
            return float("nan") if cells.dtype.kind == "f" else ""
        first = cells[there[0]]
        odd = next((row for row in there if cells[row] != first), None)
        if odd is not None:
            raise DataError(
                f"series {group.name}: the static column '{self.roles.static[at]}' is {cells[odd]} here and {first} before",
                hint="a column that changes is --past or --known",
                **self.where(int(group.rows[odd])),
            )
        return first if isinstance(first, str) else float(first)

    def _gaps(self) -> None:
        """Note which steps no row is of."""
        for name, grid, absent in self.holes[:_SHOWN]:
            cuts = np.split(absent, np.flatnonzero(np.diff(absent) > 1) + 1)
            longest = max(cuts, key=len)
            self.notes.append(
                f"series {name}: {len(cuts):,} gap{'s' * (len(cuts) > 1)}, {len(absent):,} of {len(grid):,} steps are missing, "
                f"the longest from {shown(grid[longest[0]])} to {shown(grid[longest[-1]])}"
            )
        if len(self.holes) > _SHOWN:
            self.notes.append(f"{len(self.holes) - _SHOWN:,} more series have gaps")


def _placed(values: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """Put rows (N, C) on their places of `count`, NaN where there is none, the mean where there are several."""
    if len(places) < 2 or np.all(np.diff(places) > 0):
        placed = np.full((count, values.shape[1]), np.nan)
        placed[places] = values
        return placed
    there = ~np.isnan(values)
    sums, counts = np.zeros((count, values.shape[1])), np.zeros((count, values.shape[1]))
    np.add.at(sums, places, np.where(there, values, 0.0))
    np.add.at(counts, places, there)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _mean(values: np.ndarray) -> np.ndarray:
    return _placed(values, np.zeros(len(values), np.int64), 1)[0]


def _joined(columns: list[np.ndarray]) -> np.ndarray:
    if len({column.dtype.kind for column in columns}) == 1:
        return np.concatenate(columns)
    return np.concatenate(
        [np.array([None if cell != cell else _name(cell) for cell in column], object) for column in columns]
    )


def shown(time: Any) -> str:
    """Write a time as a reader would: without seconds, or a time of day, that are nought.

    >>> shown(np.datetime64("2024-05-31T13:00:00", "us")), shown(np.datetime64("2024-05-31", "us")), shown(7)
    ('2024-05-31 13:00', '2024-05-31', '7')
    """
    if not isinstance(time, np.datetime64):
        return f"{time:g}"
    text = str(time.astype("M8[us]")).replace("T", " ")
    for tail in (".000000", ":00", " 00:00"):
        if not text.endswith(tail):
            break
        text = text.removesuffix(tail)
    return text


def _looks_like_autumn(times: np.ndarray) -> bool:
    """Say whether all times that stand twice are in the night of a Sunday in autumn, of either half of the earth."""
    if times.dtype.kind != "M":
        return False
    days = times.astype("M8[D]")
    hours = (times - days).astype(np.int64) // 3_600_000_000
    months = times.astype("M8[M]").astype(np.int64) % 12 + 1
    sunday = (days.astype(np.int64) + 3) % 7 == 6
    return bool(np.all(sunday & (hours <= 3) & np.isin(months, (9, 10, 11, 3, 4))))


def _longer(one: Step | None, other: Step) -> Step:
    def length(step: Step) -> float:
        return step.microseconds or (step.months or 1) * 28 * 86_400e6

    return other if one is None or length(other) >= length(one) else one

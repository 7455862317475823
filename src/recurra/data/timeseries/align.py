"""Rows to series: sorted, each time once, on an even grid, with what is known beside them."""

from __future__ import annotations

import numpy as np

from recurra.data.timeseries.columns import Roles
from recurra.data.timeseries.frequency import Step, parse_step, shown
from recurra.data.timeseries.grid import (
    SURE,
    Numbers,
    Spacing,
    buckets,
    common_spacing,
    differs,
    on_grid,
    placed,
    positions,
    spacing_of,
)
from recurra.data.timeseries.groups import Gathered, Group
from recurra.data.timeseries.notes import Told
from recurra.data.timeseries.resample import on_business_days, spacings, unfinished, without
from recurra.data.timeseries.rows import Rows
from recurra.data.timeseries.types import Timed, TimedReading
from recurra.errors import DataError, UsageError

_ROOM = 50  # steps of the grid for each row, above which a time is taken for wrong
_LOCAL = 20 * 3600  # seconds of a spacing, the data's or `every`, from which on days count, rather than hours


class Assembly:
    """Puts the rows of all tables together into series."""

    def __init__(self, parts: list[Rows], how: TimedReading, roles: Roles, folder: str, notes: list[str]) -> None:
        self._how, self._roles, self._notes = how, roles, notes
        self._all = Gathered(parts, how, roles, folder, notes)
        self._told = Told(notes)

    def series(self) -> tuple[list[Timed], Step | None]:
        """Give all series, on the grid, in the order in which they first occur, and their spacing; notes what is missing."""
        groups, step = self._all.groups(), None
        if self._all.times is None:
            made = [self._timed(group, group.times, np.arange(len(group.rows))) for group in groups]
        elif self._all.times.dtype.kind == "M":
            made, step = self._dated(groups)
        else:
            made = self._numbered(groups)
        self._told.tell_missing()
        self._told.tell_gaps()
        if self._roles.known and self._all.times is not None and self._how.gaps == "fill":
            self._told.tell_ends(made)
        return made, step

    def _dated(self, groups: list[Group]) -> tuple[list[Timed], Step | None]:
        every = None if self._how.every is None else parse_step(self._how.every)
        days = max(_apart(groups), 0.0 if every is None else every.seconds) >= _LOCAL
        own = self._all.local is not None and days
        # A moment that stands twice is known in UTC: on clocks that are set back, two moments look like one.
        self._all.once(groups)
        if own:
            self._all.on_their_own_clocks(groups)
        if self._how.gaps == "keep":
            return self._kept(groups)
        if every is not None and _need_buckets(groups, every):
            apart = spacings([group.times for group in groups])
            made = [self._combined(group, every, one) for group, one in zip(groups, apart, strict=True)]
            self._told.tell_unfinished(self._how.combine)
            return made, every
        if own:
            self._all.in_order(groups)
            self._all.once(groups)
        step = self._step(groups)
        if every is None:
            return [self._filled(group, step) for group in groups], step
        if step is not None and every.seconds < step.seconds:
            self._notes.append(f"every {every} is finer than the data's {step}: the steps between are missing values")
        return [self._filled(group, every) for group in groups], every

    def _step(self, groups: list[Group]) -> Step | None:
        """Find the spacing that all series have; with `every` they may differ, and it is the commonest."""
        found = [spacing_of(group.times) for group in groups]
        common = common_spacing(found)
        if self._how.every is None:
            if self._how.step is not None:
                self._as_expected(groups, found, self._how.step)
                return self._how.step
            if common is not None and common.step is not None:
                self._same(groups, found, common)
        if common is None or common.step is None:
            return None
        if common.step == Step(1, "d") and on_business_days([group.times for group in groups]):
            if self._how.every is None:
                self._notes.append(
                    "no value is of a Saturday or Sunday: the steps are business days; with --every 1d weekends are gaps"
                )
            return Step(1, "b")
        return common.step

    def _same(self, groups: list[Group], found: list[Spacing | None], common: Spacing) -> None:
        """Raise `DataError` for a series that is spaced otherwise than most."""
        for group, one in zip(groups, found, strict=True):
            if one is None or not differs(one, common):
                continue
            usual = groups[found.index(common)] if common in found else None
            other = next((g.name for g, f in zip(groups, found, strict=True) if f and f.step == common.step), "others")
            other = usual.name if usual else other
            steps = [f"{each.step}" if each.step else f"{each.apart:g}" for each in (one, common)]
            hint = "read one kind at a time"
            if one.step and common.step:
                hint += f", or average all of them: --every {max(one.step, common.step, key=lambda step: step.seconds)}"
            problem = f"series {group.name} has a value every {steps[0]}, series {other} every {steps[1]}"
            raise DataError(problem, hint=hint, **self._all.where(int(group.rows[0])))

    def _as_expected(self, groups: list[Group], found: list[Spacing | None], step: Step) -> None:
        """Raise `DataError` for a series that is long enough to be believed and spaced otherwise than expected."""
        for group, one in zip(groups, found, strict=True):
            if one is None or one.count < SURE or one.step == step:
                continue
            if step.unit == "b" and not positions(group.times, step)[1].any():
                continue
            got = str(one.step) if one.step else f"{one.apart:g}"
            hint = f"a run that is trained with --every {step} averages finer values in all that it reads"
            problem = f"series {group.name} has a value every {got}, expected one every {step}"
            raise DataError(problem, hint=hint, **self._all.where(int(group.rows[0])))

    def _kept(self, groups: list[Group]) -> tuple[list[Timed], Step | None]:
        """Take each row as a step, in the order of the file."""
        made = [self._timed(group, group.times, np.arange(len(group.rows))) for group in groups]
        apart = [np.diff(group.times) for group in groups]
        back = sum(bool((each < np.timedelta64(0)).any()) for each in apart)
        if back:
            self._notes.append(f"{back:,} of {len(groups):,} series have times that go back: each row is a step")
        uneven = sum(len(np.unique(each)) > 1 for each in apart)
        if uneven:
            self._notes.append(f"{uneven:,} of {len(groups):,} series are not evenly spaced: each row is a step")
        steps = {one.step for group in groups if (one := spacing_of(np.unique(group.times))) is not None}
        return made, steps.pop() if len(steps) == 1 else None

    def _numbered(self, groups: list[Group]) -> list[Timed]:
        """Put series whose times are numbers on steps that are counted."""
        if self._how.every is not None:
            raise UsageError(f"every: {self._how.every} needs times that are dates, and the times are numbers")
        if self._how.gaps == "keep":
            return [self._timed(group, np.arange(len(group.rows)), np.arange(len(group.rows))) for group in groups]
        self._all.once(groups)
        apart, times = self._numbers_apart(groups), np.concatenate([group.times for group in groups])
        whole = not Numbers(0.0, apart).steps(times)[1].any()
        origin = 0.0 if whole else float(times.min())
        numbers = Numbers(origin, apart)
        if apart != 1 or origin:
            self._notes.append(f"the times are numbers {apart:g} apart: counted in steps of {apart:g}")
        made = []
        for group in groups:
            number, odd = numbers.steps(group.times)
            if (off := np.flatnonzero(odd)).size:
                problem = (
                    f"series {group.name}: the time {shown(group.times[off[0]])} is none of the steps of {apart:g}"
                )
                hint = "--gaps keep takes the rows one after another"
                raise DataError(problem, hint=hint, **self._all.where(int(group.rows[off[0]])))
            places = number - number[0]
            self._beware(group, places, f"{apart:g}")
            made.append(self._timed(group, number[0] + np.arange(places[-1] + 1), places, numbers))
        return made

    def _numbers_apart(self, groups: list[Group]) -> float:
        """Find how far apart the numbers of all series are, or take what is expected."""
        found = [spacing_of(group.times) for group in groups]
        if self._how.apart is None:
            common = common_spacing(found) or Spacing(None, 1.0, 0)
            self._same(groups, found, common)
            return common.apart
        apart = self._how.apart
        for group, one in zip(groups, found, strict=True):
            if one is not None and differs(one, Spacing(None, apart, SURE)):
                problem = f"series {group.name} has a value every {one.apart:g}, expected one every {apart:g}"
                hint = "write times in the unit, and values at the spacing, of the training data"
                raise DataError(problem, hint=hint, **self._all.where(int(group.rows[0])))
        return apart

    def _filled(self, group: Group, step: Step | None) -> Timed:
        """Put a series on its grid, which begins at its first time."""
        if step is None:
            return self._timed(group, group.times, np.arange(len(group.rows)))
        places, off = positions(group.times, step)
        if off.any():
            problem = (
                f"series {group.name}: the time {shown(group.times[off][0])} is off the steps of {step} "
                f"that begin at {shown(group.times[0])}"
            )
            # Ends of business, or the thirtieth: days of months, which lie otherwise apart than the months do.
            even = Step(1, "m") if step.unit == "d" and 28 <= step.count <= 31 else step
            hint = f"average to even steps: --every {even}; or take each row as a step: --gaps keep"
            raise DataError(problem, hint=hint, **self._all.where(int(group.rows[off][0])))
        self._beware(group, places, str(step))
        return self._timed(group, on_grid(group.times, step, np.arange(places[-1] + 1)), places)

    def _combined(self, group: Group, every: Step, apart: Step | None) -> Timed:
        """Put a series on the grid of a spacing: the mean, the sum or the last of what falls into a step.

        apart: the spacing of its rows, by which steps at its ends are found unfinished; sums of such are left out.
        """
        distinct, at = np.unique(buckets(group.times, every), return_inverse=True)
        places = positions(distinct, every)[0][at]
        self._beware(group, places, str(every))
        grid = on_grid(distinct, every, np.arange(places[-1] + 1))
        made = self._timed(group, grid, places)
        if apart is None:
            self._told.lone.append(made)
            return made
        past = self._past(group)
        odd = unfinished(group.times[:past], places[:past], grid, every, apart)
        self._told.unfinished += [(made, one) for one in odd]
        return without(made, odd) if self._how.combine == "sum" else made

    def _beware(self, group: Group, places: np.ndarray, step: str) -> None:
        """Raise `DataError` for a grid with room for many times the values there are: a time is wrong, or the spacing."""
        if places[-1] + 1 <= _ROOM * len(places) + 1000:
            return
        widest = int(np.argmax(np.diff(places))) + 1
        problem = (
            f"series {group.name}: its {len(places):,} values spread over {int(places[-1]) + 1:,} steps of {step}, "
            f"with none from {shown(group.times[widest - 1])} to {shown(group.times[widest])}"
        )
        hint = (
            "is a time wrong? Otherwise choose wider steps, such as --every 1d, or take each row as a step: --gaps keep"
        )
        raise DataError(problem, hint=hint, **self._all.where(int(group.rows[widest])))

    def _timed(self, group: Group, grid: np.ndarray, places: np.ndarray, numbers: Numbers | None = None) -> Timed:
        """Set the rows of a series on its grid; several on one place are put together as `combine` says, what is known averaged."""
        count, rows = len(grid), group.rows
        ways = (self._all.values, self._how.combine), (self._all.known, "mean"), (self._all.past, self._how.combine)
        values, known, past = (placed(array[rows], places, count, way) for array, way in ways)
        end = count
        if self._roles.known:  # what comes after the last value is the future
            some = np.flatnonzero(~np.isnan(values).all(axis=1))
            end = int(some[-1]) + 1 if some.size else 0
        self._count_missing(rows[: self._past(group)])
        static = tuple(self._all.constant(group, at) for at in range(len(self._roles.static)))
        zone = self._all.zone(group)
        made = Timed(group.name, values[:end], grid, known, past[:end], static, group.place, zone, numbers)
        if len(absent := np.setdiff1d(np.arange(count), places)):
            self._told.holes.append((made, absent))
        return made

    def _past(self, group: Group) -> int:
        """Count the rows of a series up to its last value; those after it are of the future, where columns are known ahead."""
        if not self._roles.known:
            return len(group.rows)
        some = np.flatnonzero(~np.isnan(self._all.values[group.rows]).all(axis=1))
        return int(some[-1]) + 1 if some.size else 0

    def _count_missing(self, rows: np.ndarray) -> None:
        """Count the cells that are missing in rows."""
        roles, cells = self._roles, self._all
        for names, array in ((roles.target, cells.values), (roles.past, cells.past), (roles.known, cells.known)):
            for name, gone in zip(names, np.isnan(array[rows]).sum(axis=0).tolist(), strict=True):
                self._told.missing[name] = self._told.missing.get(name, 0) + gone
        self._told.rows += len(rows)


def _need_buckets(groups: list[Group], every: Step) -> bool:
    """Say whether rows have to be put together, or brought to where steps begin.

    Rows that stand on steps of their own stay where they are; a row alone cannot show that it does.
    """
    return all(len(group.rows) == 1 for group in groups) or any(
        positions(group.times, every)[1].any() for group in groups
    )


def _apart(groups: list[Group]) -> float:
    """Give the commonest spacing of series, in seconds; 0 where there is none."""
    common = common_spacing([spacing_of(np.unique(group.times)) for group in groups])
    return common.step.seconds if common is not None and common.step is not None else 0.0

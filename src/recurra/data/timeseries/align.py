"""Rows to series: sorted, each time once, on an even grid, with their covariates."""

from __future__ import annotations

import numpy as np

from recurra.data.timeseries.columns import ColumnRoles
from recurra.data.timeseries.frequency import Frequency, format_time, parse_frequency
from recurra.data.timeseries.grid import (
    MIN_DIFFERENCES,
    InferredFrequency,
    NumericTimes,
    aggregate_onto,
    common_frequency,
    differs,
    floor_to,
    grid_positions,
    grid_times,
    infer_frequency,
)
from recurra.data.timeseries.groups import Group, RowTable
from recurra.data.timeseries.notes import NoteCollector
from recurra.data.timeseries.resample import drop_partial_steps, on_business_days, partial_steps, row_frequencies
from recurra.data.timeseries.rows import Rows
from recurra.data.timeseries.types import TimeSeries, TimeSeriesOptions
from recurra.errors import DataError, UsageError

_MAX_STEPS_PER_ROW = 50  # of the grid; above it a time counts as wrong
_MIN_LOCAL_SECONDS = 20 * 3600  # of a spacing, the data's or `every`, from which on days count, rather than hours


class Aligner:
    """Aligns the rows of all tables to series."""

    def __init__(
        self, parts: list[Rows], options: TimeSeriesOptions, roles: ColumnRoles, folder: str, notes: list[str]
    ) -> None:
        self._options, self._roles, self._notes = options, roles, notes
        self._rows = RowTable(parts, options, roles, folder, notes)
        self._collector = NoteCollector(notes)

    def align(self) -> tuple[list[TimeSeries], Frequency | None]:
        """Give all series, on the grid, in the order in which they first occur, and their spacing; notes what is missing."""
        groups, frequency = self._rows.groups(), None
        if self._rows.times is None:
            series = [self._make_series(group, group.times, np.arange(len(group.rows))) for group in groups]
        elif self._rows.times.dtype.kind == "M":
            series, frequency = self._align_dates(groups)
        else:
            series = self._align_numbers(groups)
        self._collector.note_missing()
        self._collector.note_gaps()
        if self._roles.known and self._rows.times is not None and self._options.gaps == "fill":
            self._collector.note_ends(series)
        return series, frequency

    def _align_dates(self, groups: list[Group]) -> tuple[list[TimeSeries], Frequency | None]:
        every = None if self._options.every is None else parse_frequency(self._options.every)
        seconds = max(_spacing_seconds(groups), 0.0 if every is None else every.seconds)
        use_local = self._rows.local is not None and seconds >= _MIN_LOCAL_SECONDS
        # Duplicate times are found in UTC: on clocks that are set back, two times look like one.
        self._rows.drop_duplicate_times(groups)
        if use_local:
            self._rows.use_local_times(groups)
        if self._options.gaps == "keep":
            return self._keep_rows(groups)
        if every is not None and _need_resampling(groups, every):
            frequencies = row_frequencies([group.times for group in groups])
            series = [self._resample(group, every, one) for group, one in zip(groups, frequencies, strict=True)]
            self._collector.note_partial_steps(self._options.combine)
            return series, every
        if use_local:
            self._rows.sort_by_time(groups)
            self._rows.drop_duplicate_times(groups)
        frequency = self._find_frequency(groups)
        if every is None:
            return [self._fill(group, frequency) for group in groups], frequency
        if frequency is not None and every.seconds < frequency.seconds:
            self._notes.append(
                f"every {every} is finer than the data's {frequency}: the steps between are missing values"
            )
        return [self._fill(group, every) for group in groups], every

    def _find_frequency(self, groups: list[Group]) -> Frequency | None:
        """Find the spacing that all series have; with `every` they may differ, and it is the commonest."""
        found = [infer_frequency(group.times) for group in groups]
        common = common_frequency(found)
        if self._options.every is None:
            if self._options.frequency is not None:
                self._check_expected(groups, found, self._options.frequency)
                return self._options.frequency
            if common is not None and common.frequency is not None:
                self._check_same(groups, found, common)
        if common is None or common.frequency is None:
            return None
        if common.frequency == Frequency(1, "d") and on_business_days([group.times for group in groups]):
            if self._options.every is None:
                self._notes.append(
                    "no value is of a Saturday or Sunday: the steps are business days; with --every 1d weekends are gaps"
                )
            return Frequency(1, "b")
        return common.frequency

    def _check_same(
        self, groups: list[Group], found: list[InferredFrequency | None], common: InferredFrequency
    ) -> None:
        """Raise `DataError` for a series that is spaced otherwise than most."""
        for group, one in zip(groups, found, strict=True):
            if one is None or not differs(one, common):
                continue
            if common in found:
                other = groups[found.index(common)].name
            else:
                alike = [g.name for g, f in zip(groups, found, strict=True) if f and f.frequency == common.frequency]
                other = alike[0] if alike else "others"
            hint = "read one kind at a time"
            if one.frequency and common.frequency:
                widest = max(one.frequency, common.frequency, key=lambda frequency: frequency.seconds)
                hint += f", or average all of them: --every {widest}"
            problem = f"series {group.name} has a value every {one}, series {other} every {common}"
            raise DataError(problem, hint=hint, **self._rows.error_location(int(group.rows[0])))

    def _check_expected(self, groups: list[Group], found: list[InferredFrequency | None], expected: Frequency) -> None:
        """Raise `DataError` for a series that is long enough to be believed and spaced otherwise than expected."""
        for group, one in zip(groups, found, strict=True):
            if one is None or one.count < MIN_DIFFERENCES or one.frequency == expected:
                continue
            if expected.unit == "b" and not grid_positions(group.times, expected)[1].any():
                continue
            hint = f"a run that is trained with --every {expected} averages finer values in all that it reads"
            problem = f"series {group.name} has a value every {one}, expected one every {expected}"
            raise DataError(problem, hint=hint, **self._rows.error_location(int(group.rows[0])))

    def _keep_rows(self, groups: list[Group]) -> tuple[list[TimeSeries], Frequency | None]:
        """Take each row as a step, in the order of the file."""
        series = [self._make_series(group, group.times, np.arange(len(group.rows))) for group in groups]
        differences = [np.diff(group.times) for group in groups]
        back = sum(bool((each < np.timedelta64(0)).any()) for each in differences)
        if back:
            self._notes.append(f"{back:,} of {len(groups):,} series have times that go back: each row is a step")
        uneven = sum(len(np.unique(each)) > 1 for each in differences)
        if uneven:
            self._notes.append(f"{uneven:,} of {len(groups):,} series are not evenly spaced: each row is a step")
        found = [infer_frequency(np.unique(group.times)) for group in groups]
        frequencies = {one.frequency for one in found if one is not None}
        return series, frequencies.pop() if len(frequencies) == 1 else None

    def _align_numbers(self, groups: list[Group]) -> list[TimeSeries]:
        """Put series whose times are numbers on steps that are counted."""
        if self._options.every is not None:
            raise UsageError(f"every: {self._options.every} needs times that are dates, and the times are numbers")
        if self._options.gaps == "keep":
            counts = [np.arange(len(group.rows)) for group in groups]
            return [self._make_series(group, count, count) for group, count in zip(groups, counts, strict=True)]
        self._rows.drop_duplicate_times(groups)
        step, times = self._numeric_step(groups), np.concatenate([group.times for group in groups])
        whole = not NumericTimes(0.0, step).to_steps(times)[1].any()
        origin = 0.0 if whole else float(times.min())
        numeric_times = NumericTimes(origin, step)
        if step != 1 or origin:
            self._notes.append(f"the times are numbers {step:g} apart: counted in steps of {step:g}")
        series = []
        for group in groups:
            steps, off = numeric_times.to_steps(group.times)
            if off.any():
                problem = (
                    f"series {group.name}: the time {format_time(group.times[off][0])} is none of the steps of {step:g}"
                )
                hint = "--gaps keep takes the rows one after another"
                raise DataError(problem, hint=hint, **self._rows.error_location(int(group.rows[off][0])))
            positions = steps - steps[0]
            self._check_size(group, positions, f"{step:g}")
            grid = steps[0] + np.arange(positions[-1] + 1)
            series.append(self._make_series(group, grid, positions, numeric_times))
        return series

    def _numeric_step(self, groups: list[Group]) -> float:
        """Find how far apart the numbers of all series are, or take what is expected."""
        found = [infer_frequency(group.times) for group in groups]
        if self._options.numeric_step is None:
            common = common_frequency(found) or InferredFrequency(None, 1.0, 0)
            self._check_same(groups, found, common)
            return common.difference
        expected = InferredFrequency(None, self._options.numeric_step, MIN_DIFFERENCES)
        for group, one in zip(groups, found, strict=True):
            if one is not None and differs(one, expected):
                problem = f"series {group.name} has a value every {one}, expected one every {expected}"
                hint = "write times in the unit, and values at the spacing, of the training data"
                raise DataError(problem, hint=hint, **self._rows.error_location(int(group.rows[0])))
        return expected.difference

    def _fill(self, group: Group, frequency: Frequency | None) -> TimeSeries:
        """Put a series on its grid, which begins at its first time."""
        if frequency is None:
            return self._make_series(group, group.times, np.arange(len(group.rows)))
        positions, off = grid_positions(group.times, frequency)
        if off.any():
            problem = (
                f"series {group.name}: the time {format_time(group.times[off][0])} is off the steps of {frequency} "
                f"that begin at {format_time(group.times[0])}"
            )
            # Ends of business, or the thirtieth: days of months, which lie otherwise apart than the months do.
            monthly = frequency.unit == "d" and 28 <= frequency.count <= 31
            even = Frequency(1, "m") if monthly else frequency
            hint = f"average to even steps: --every {even}; or take each row as a step: --gaps keep"
            raise DataError(problem, hint=hint, **self._rows.error_location(int(group.rows[off][0])))
        self._check_size(group, positions, str(frequency))
        return self._make_series(group, grid_times(group.times, frequency, np.arange(positions[-1] + 1)), positions)

    def _resample(self, group: Group, every: Frequency, row_frequency: Frequency | None) -> TimeSeries:
        """Put a series on the grid of a spacing: the mean, the sum or the last of what falls into a step.

        row_frequency: the spacing of its rows, by which steps at its ends are found partial; sums of such are left out.
        """
        distinct, at = np.unique(floor_to(group.times, every), return_inverse=True)
        positions = grid_positions(distinct, every)[0][at]
        self._check_size(group, positions, str(every))
        grid = grid_times(distinct, every, np.arange(positions[-1] + 1))
        series = self._make_series(group, grid, positions)
        if row_frequency is None:
            self._collector.lone.append(series)
            return series
        past = self._count_past(group)
        partial = partial_steps(group.times[:past], positions[:past], grid, every, row_frequency)
        self._collector.partial += [(series, step) for step in partial]
        return drop_partial_steps(series, partial) if self._options.combine == "sum" else series

    def _check_size(self, group: Group, positions: np.ndarray, step: str) -> None:
        """Raise `DataError` for a grid with room for many times the values there are: a time is wrong, or the spacing."""
        if positions[-1] + 1 <= _MAX_STEPS_PER_ROW * len(positions) + 1000:
            return
        widest = int(np.argmax(np.diff(positions))) + 1
        problem = (
            f"series {group.name}: its {len(positions):,} values spread over {int(positions[-1]) + 1:,} steps of {step}, "
            f"with none from {format_time(group.times[widest - 1])} to {format_time(group.times[widest])}"
        )
        hint = (
            "is a time wrong? Otherwise choose wider steps, such as --every 1d, or take each row as a step: --gaps keep"
        )
        raise DataError(problem, hint=hint, **self._rows.error_location(int(group.rows[widest])))

    def _make_series(
        self, group: Group, grid: np.ndarray, positions: np.ndarray, numeric_times: NumericTimes | None = None
    ) -> TimeSeries:
        """Set the rows of a series on its grid; of several on one position `combine` is taken, of known covariates the mean."""
        count, rows, combine = len(grid), group.rows, self._options.combine
        ways = (self._rows.values, combine), (self._rows.known, "mean"), (self._rows.past, combine)
        values, known, past = (aggregate_onto(array[rows], positions, count, way) for array, way in ways)
        end = count
        if self._roles.known:  # what comes after the last value is the future
            some = np.flatnonzero(~np.isnan(values).all(axis=1))
            end = int(some[-1]) + 1 if some.size else 0
        self._count_missing(rows[: self._count_past(group)])
        static = tuple(self._rows.static_value(group, at) for at in range(len(self._roles.static)))
        offset = self._rows.utc_offset(group)
        covariates = (known, past[:end], static)
        series = TimeSeries(group.name, values[:end], grid, *covariates, group.place, offset, numeric_times)
        if len(absent := np.setdiff1d(np.arange(count), positions)):
            self._collector.gaps.append((series, absent))
        return series

    def _count_past(self, group: Group) -> int:
        """Count the rows of a series up to its last value; those after it are of the future, where columns are known ahead."""
        if not self._roles.known:
            return len(group.rows)
        some = np.flatnonzero(~np.isnan(self._rows.values[group.rows]).all(axis=1))
        return int(some[-1]) + 1 if some.size else 0

    def _count_missing(self, rows: np.ndarray) -> None:
        """Count the cells that are missing in rows."""
        roles, cells = self._roles, self._rows
        for names, array in ((roles.target, cells.values), (roles.past, cells.past), (roles.known, cells.known)):
            for name, gone in zip(names, np.isnan(array[rows]).sum(axis=0).tolist(), strict=True):
                self._collector.missing[name] = self._collector.missing.get(name, 0) + gone
        self._collector.rows += len(rows)


def _need_resampling(groups: list[Group], every: Frequency) -> bool:
    """Say whether rows have to be put together, or brought to where steps begin.

    Rows that stand on steps of their own stay where they are; a row alone cannot show that it does.
    """
    return all(len(group.rows) == 1 for group in groups) or any(
        grid_positions(group.times, every)[1].any() for group in groups
    )


def _spacing_seconds(groups: list[Group]) -> float:
    """Give the commonest spacing of series, in seconds; 0 where there is none."""
    common = common_frequency([infer_frequency(np.unique(group.times)) for group in groups])
    return common.frequency.seconds if common is not None and common.frequency is not None else 0.0

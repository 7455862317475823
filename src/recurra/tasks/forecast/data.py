"""Series in time, ready for training: as rows, and which of their steps are for training, validation and test."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recurra.baselines import Linear
from recurra.data.timeseries.append import append_panel
from recurra.data.timeseries.frequency import calendar
from recurra.data.timeseries.frequency import season as usual_season
from recurra.data.timeseries.reader import Panel, TimedReading, read_timed
from recurra.errors import DataError
from recurra.tasks.base.dataset import left_out
from recurra.tasks.base.inference import spread
from recurra.tasks.forecast.config import Data, Model
from recurra.tasks.forecast.preprocessing import Form, Row, is_nameless

FEWEST = 2
"""Values that a series has to have to be learnt from."""
LIMIT = 1024
"""Numbers of a look back that is chosen, at most; the user may choose a longer one."""
LOOKING = 10**10
"""Multiplications that choosing the look back is worth: less than a second of one core."""
SERIES = 1_000
"""Series that it is chosen by."""
AHEAD = 96
"""Steps ahead that it is chosen by: what tells of them tells of later ones."""
AS_WELL = 1.02
"""Squared error, beside the least, that is as good: a longer look back takes longer to learn, and more to learn from."""


@dataclass(frozen=True)
class Part:
    """What is foretold for a measurement.

    firsts, ends: for each row the steps that are foretold, firsts ≤ step < ends; what comes before is known.
    """

    name: str
    firsts: list[int]
    ends: list[int]


@dataclass(frozen=True)
class Examples:
    """Rows, and their parts.

    ends: how much of each row is trained on.  scales, sizes: (C) for each row, its mean seasonal step and its values' mean
    size in training, both as transformed.
    """

    rows: list[Row]
    ends: list[int]
    scales: list[np.ndarray]
    sizes: list[np.ndarray]
    valid: Part | None
    test: Part | None
    form: Form
    notes: list[str]
    fingerprint: str

    @cached_property
    def share(self) -> float:
        """The mean over all series of a seasonal step beside the values' size; of logarithms, of the step itself."""
        if self.form.transform == "log":
            return float(np.mean(self.scales))
        return float(np.mean([np.mean(step / size) for step, size in zip(self.scales, self.sizes, strict=True)]))


def reading(data: Data, form: Form | None = None) -> TimedReading:
    """Give how the run reads all its data: once it is known which columns are the targets and how far apart steps are, so."""
    how = replace(data.reading(), known=tuple(data.known))
    if form is None:
        return how
    targets = how.target if form.nameless else tuple(form.targets)
    return replace(how, step=form.step, apart=form.apart, target=targets)


def read_examples(data: Data, model: Model, form: Form | None) -> Examples:
    """Read all that a run needs; the form is made from the training part unless it is given.

    Raises `DataError` where nothing is left to learn from, or test files do not go on where the training data end.
    """
    panel = read_timed(data.given, reading(data, form))
    notes = [*panel.notes, *left_out(panel.skipped)]
    parts: dict[str, list[int]] = {}
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            more = read_timed(files, _as_before(panel, data))
            if not any(len(series) for series in more.series):
                raise DataError(f"{name}: holds no values to measure on", source=" ".join(files[:3]))
            parts[name] = [len(series) for series in panel.series]
            panel, missing = append_panel(panel, more, name)
            notes += missing
            notes += [f"{name}: {note}" for note in [*more.notes, *left_out(more.skipped)]]
    panel = _cut(panel, data)
    if model.output == "negative-binomial":
        notes += _check_counts(panel)
    cuts = [_cuts(len(series), data, parts, at) for at, series in enumerate(panel.series)]
    ends = [train for train, _, _ in cuts]
    if form is None:
        form = make_form(panel, ends, data, model)
    short = [series.name for series, end in zip(panel.series, ends, strict=True) if end < FEWEST]
    if len(short) == len(panel):
        raise DataError(
            f"expected at least {FEWEST} values of a series for training, got none of {len(panel)} with as many",
            source=" ".join(data.data[:3]),
            hint="hold less out: --test-steps, --valid-steps",
        )
    if short:
        listed = ", ".join(short[:5]) + (", …" if len(short) > 5 else "")
        notes.append(f"{len(short):,} of {len(panel):,} series are too short to learn from: {listed}")
    if form.lookback == 1 and form.scale != "none":
        notes.append(
            f"lookback 1 with scale {form.scale}: a value that is measured by itself says nothing, so the model does not see the values; "
            f"read more of them at once, such as --lookback {max(2, 2 * form.season)}, or say --scale none"
        )
    return _examples(panel, cuts, form, notes, model.smoothing)


def _check_counts(panel: Panel) -> list[str]:
    """Note that values are no whole numbers; raises `DataError` for one below 0, which is no count."""
    fractions = 0
    for series in panel.series:
        if len(wrong := np.argwhere(series.values < 0)):
            step, channel = wrong[0]
            raise DataError(
                f"series {series.name}, step {step + 1}: expected a count from 0, as output = negative-binomial needs it; "
                f"got {series.values[step, channel]:g}",
                source=series.place,
                hint="train with another output, such as --output student-t",
            )
        fractions += int((series.values % 1 > 0).sum())
    return [f"{fractions:,} values are no whole numbers: they are learnt from as counts, rounded"] if fractions else []


def _as_before(panel: Panel, data: Data) -> TimedReading:
    """Give how held-out files are read: as those before them, of the same columns and spacing."""
    how = reading(data)
    targets = () if is_nameless(panel.targets) else panel.targets
    return replace(how, target=targets, step=panel.step, apart=panel.apart)


def _examples(
    panel: Panel, cuts: Sequence[tuple[int, int, int]], form: Form, notes: list[str], smoothing: bool
) -> Examples:
    rows, ends, valid, test = [], [], ([], []), ([], [])
    digest = hashlib.sha256(repr((panel.targets, form.horizon)).encode())
    for series, (train, checked, whole) in zip(panel.series, cuts, strict=True):
        for row in form.rows(series):
            rows.append(row)
            ends.append(train)
            for part, first, end in ((valid, train, checked), (test, checked, whole)):
                part[0].append(max(1, first))
                part[1].append(max(1, first, end))
        digest.update(f"{series.name}\0{train},{checked},{whole}\0".encode() + series.values.tobytes())
        digest.update(
            series.times.tobytes() + series.known.tobytes() + series.past.tobytes() + repr(series.static).encode()
        )
    parts = [_part(rows, name, *part) for name, part in (("valid", valid), ("test", test))]
    notes = notes + [f"{what}: holds no value, so nothing is measured there" for what in _empty(parts, valid, test)]
    if smoothing and not form.smoothed:
        form.smoothed = [row.name for row in rows]
    scales = [scale_of(row, end, form.season) for row, end in zip(rows, ends, strict=True)]
    sizes = [size_of(row, end) for row, end in zip(rows, ends, strict=True)]
    return Examples(rows, ends, scales, sizes, parts[0], parts[1], form, notes, digest.hexdigest())


def _part(rows: Sequence[Row], name: str, firsts: list[int], ends: list[int]) -> Part | None:
    """Give a part; None where there is no value in it that was to be foretold."""
    for row, first, end in zip(rows, firsts, ends, strict=True):
        if not np.isnan(row.values[max(first, row.begin + 1) : end]).all():
            return Part(name, firsts, ends)
    return None


def _empty(parts: Sequence[Part | None], *asked: tuple[list[int], list[int]]) -> list[str]:
    """Name the parts that hold steps, and no value in any of them."""
    names = ("valid", "test")
    return [
        name
        for name, part, (firsts, ends) in zip(names, parts, asked, strict=True)
        if part is None and any(end > first for first, end in zip(firsts, ends, strict=True))
    ]


def scale_of(row: Row, end: int, season: int) -> np.ndarray:
    """Give the mean step from a value to the one a season later in the training part, (C): what errors are measured by.

    Where the series is shorter than that, from a value to the next; of a constant series, 1.
    """
    values = row.values[:end]
    for lag in (season, 1):
        if len(values) > lag:
            steps = np.abs(values[lag:] - values[:-lag])
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.nansum(steps, 0) / (~np.isnan(steps)).sum(0)
            if np.all(mean > 0):
                return mean
    return np.ones(values.shape[1])


def size_of(row: Row, end: int) -> np.ndarray:
    """Give the mean size of the values of the training part, (C); 1 where they are all zero."""
    values = np.abs(row.values[:end] + row.reference)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, 0) / (~np.isnan(values)).sum(0)
    return np.where(mean > 0, mean, 1.0)


def make_form(panel: Panel, ends: Sequence[int], data: Data, model: Model) -> Form:
    """Decide what series have to look like, from the training part."""
    season = data.season or usual_season(panel.step)
    horizon = data.horizon or (season if season > 1 else 12)
    if model.lookback is None:
        model.lookback = _lookback(panel, ends, season, horizon, model)
    data.season, data.horizon = season, horizon
    form = Form(
        targets=list(panel.targets),
        known=list(panel.known),
        past=list(panel.past),
        static=list(panel.static),
        step=panel.step,
        apart=panel.apart,
        season=season,
        horizon=horizon,
        lookback=model.lookback,
        scale=model.scale,
        transform=model.transform,
        together=model.channels == "together",
    )
    if data.calendar and panel.step is not None and panel.series:
        form.calendar = calendar(panel.series[0].times[:1], panel.step)[1]
    form.learn(panel, ends)
    return form


def _lookback(panel: Panel, ends: Sequence[int], season: int, horizon: int, model: Model) -> int:
    """Choose how much is read at once: the least that a plain linear model does as well with as with more.

    But two seasons, to see what has changed, and no more than most series have.
    """
    usual, told = int(np.median(ends)) if len(ends) else 1, 0
    if histories := list(_histories(panel, ends, model.transform)):
        with contextlib.suppress(DataError):  # too short for a line, or nothing that changes
            errors = Linear.window_errors(histories, season, min(horizon, AHEAD), LOOKING)
            told = min((w for w in errors if errors[w] <= AS_WELL * min(errors.values())), default=0)
    together = len(panel.targets) if model.channels == "together" else 1
    return max(season, min(LIMIT // together, max(2 * season, 16, told), usual))


def _histories(panel: Panel, ends: Sequence[int], transform: str) -> Iterator[np.ndarray]:
    """Give the training part of some series as it is learnt from; what has no logarithm is refused later, with its place."""
    for number in spread(len(ends), SERIES):
        values = panel.series[number].values[: ends[number]].astype(np.float64)
        if len(values):
            yield np.log(np.where(values > 0, values, np.nan)) if transform == "log" else values


def _cuts(length: int, data: Data, parts: dict[str, list[int]], at: int) -> tuple[int, int, int]:
    """Give where the training and the validation part of a series end, and the test: its end."""
    test = _held(length, data.test_steps, data.test_share)
    checked = parts["test"][at] if "test" in parts else length - test
    share = 0.1 if data.valid_share is None else data.valid_share
    train = parts["valid"][at] if "valid" in parts else checked - _held(checked, data.valid_steps, share)
    return max(0, train), max(0, checked), length


def _held(length: int, steps: int | None, share: float) -> int:
    return min(length, steps) if steps is not None else round(length * share)


def _cut(panel: Panel, data: Data) -> Panel:
    if data.end is None:
        return panel
    end = data.end
    series = [
        replace(
            one,
            values=one.values[:end],
            times=one.times[: min(end, len(one))],
            known=one.known[: min(end, len(one))],
            past=one.past[:end],
        )
        for one in panel.series
    ]
    return replace(panel, series=series)


def cut_part(rows: Sequence[Row], data: Data) -> Part:
    """Choose what of other series is foretold: their end, as much as the run holds out of its own; what comes before is known."""
    firsts = [max(1, len(row) - _held(len(row), data.test_steps, data.test_share or 0.1)) for row in rows]
    return Part("test", firsts, [max(len(row), first) for row, first in zip(rows, firsts, strict=True)])

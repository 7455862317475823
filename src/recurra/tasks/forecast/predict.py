"""Forecasts for people and programs: of files, frames, arrays and lines, as tables and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from recurra.data.datasets.locate import named_files
from recurra.data.timeseries.reader import Panel, Timed, is_frame, panel_of, read_piped, read_timed
from recurra.errors import DataError, DivergedError, UsageError
from recurra.report.numbers import decimal
from recurra.series import is_missing, is_number
from recurra.tasks.forecast.backtest import Forecasts, backtest
from recurra.tasks.forecast.data import reading
from recurra.tasks.forecast.results import rounded, write_times, written_times
from recurra.text import STANDARD_INPUT

if TYPE_CHECKING:
    from recurra.tasks.forecast.task import Forecaster


def read_inputs(task: Forecaster, source: str) -> list[Timed] | None:
    """Read the series of a file; None for standard input and lines of numbers, where each line is a series."""
    if source == "-":
        return None
    files, settings = named_files([source])
    how = reading(task.config.data.model_copy(update=settings), task.form)
    return _noted(task, read_timed(files, how), source)


def read_table(task: Forecaster, data: bytes) -> list[Timed]:
    """Read the series of a table that came through a pipe."""
    return _noted(task, read_piped(data, reading(task.config.data, task.form)), STANDARD_INPUT)


def begins_table(first: bytes) -> bool:
    """Tell by its first line whether a pipe holds a table, rather than a series in each line.

    >>> begins_table(b"time,sold\\n"), begins_table(b"1.5, 2, nan\\n"), begins_table(b"[1, null]\\n"), begins_table(b'[{"sold": 1}]')
    (True, False, False, True)
    """
    text = first.decode("utf-8", "replace").strip()
    if text.startswith("["):
        return text[1:].lstrip().startswith("{")
    cells = text.replace(",", " ").split()
    return not all(is_number(cell) or is_missing(cell) for cell in cells)


def _noted(task: Forecaster, panel: Panel, source: str) -> list[Timed]:
    """Give the series of a panel; what there is to be said of their reading is no result."""
    for message in [*panel.notes, *panel.skipped]:
        print(message, file=sys.stderr)  # noqa: T201
    return checked(task, panel, source)


def checked(task: Forecaster, panel: Panel, source: str) -> list[Timed]:
    """Give the series of a panel; raises `DataError` where they are not spaced as those of training are, or hold other targets."""
    form = task.form
    if len(panel.targets) != len(form.targets):
        expected, got = (f"{len(names)} ({', '.join(names[:8])})" for names in (form.targets, panel.targets))
        raise DataError(
            f"expected as many columns of values as in the training data, {expected}; got {got}", source=source
        )
    if task.config.data.gaps == "fill" and panel.step != form.step and any(len(series) > 1 for series in panel.series):
        expected, got = (str(step) if step else "steps that are only counted" for step in (form.step, panel.step))
        hint = f"--every {form.step} averages finer ones when training and asking alike" if form.step else None
        raise DataError(
            f"expected a spacing of {expected}, as in the training data; got {got}", source=source, hint=hint
        )
    return panel.series


def parsed(task: Forecaster, line: str) -> Timed:
    """Read a series from a line: numbers with commas or blanks between them, or a JSON list."""
    _beware_of_bare(task)
    try:
        values = json.loads(line) if line.lstrip().startswith("[") else line.replace(",", " ").split()
        return given(task, np.array([np.nan if v is None else v for v in values], dtype=np.float64))
    except (ValueError, TypeError):
        raise DataError(
            f"expected a series of numbers, got {line.strip()[:40]!r}", hint="write 1.5, 2, 3 or [1.5, 2, 3]"
        ) from None


def given(task: Forecaster, values: Any) -> Timed:
    """Give an array (T) or (T, C) as a series whose steps are only counted."""
    form, array = task.form, np.asarray(values, np.float64)
    array = array[:, None] if array.ndim == 1 else array
    targets = len(form.targets)
    if array.ndim != 2 or array.shape[1] != targets:
        got = f"{array.shape[1]}" if array.ndim == 2 else f"numbers in {array.ndim} dimensions"
        raise DataError(f"expected series of {targets} targets ({', '.join(form.targets[:8])}), got {got}")
    if len(wrong := np.argwhere(np.isinf(array))):
        raise DataError(f"step {wrong[0][0] + 1}: expected a finite number, got infinity")
    _beware_of_bare(task)
    none = np.zeros((len(array), 0))
    return Timed("", array, np.arange(len(array)), none, none, (), "the input")


def _beware_of_bare(task: Forecaster) -> None:
    """Raise `UsageError` where bare numbers do not say all that the run reads."""
    form = task.form
    if form.known or form.past or form.static or form.calendar:
        needed = ", ".join([*form.known, *form.past, *form.static]) or "time stamps"
        raise UsageError(
            f"input: bare numbers say nothing of {needed}, which this run reads; give a table with them, as in "
            "`recurra predict RUN table.csv`, or a data frame"
        )


def taken(task: Forecaster, inputs: Sequence[Any]) -> list[Timed]:
    """Give what a user hands over as series: series, arrays, or data frames with any number of them."""
    found: list[Timed] = []
    for one in inputs:
        if isinstance(one, Timed):
            found.append(one)
        elif is_frame(one):
            found += checked(task, panel_of(one, reading(task.config.data, task.form)), "the data frame")
        else:
            found.append(given(task, one))
    return found


def predict(
    task: Forecaster, network: nn.Module, inputs: Sequence[Any], *, k: int | None, steps: bool
) -> list[dict[str, Any]]:
    """Give {"series", "target", "time", "mean", "quantiles": {level: …}} for each series, and for each target one.

    "time" holds the h time stamps, or numbers of steps; "mean" the point forecast, which is the median where quantiles are
    learnt, or logarithms.  k: only so many steps ahead.  steps: also "steps", what is foretold after each step from the first
    value on: its own "time", and of the steps ahead "mean" and "quantiles".

    Raises `UsageError` for more steps than the run foretells, and `DataError` for a series without any value, or of which
    something that is to be known ahead is missing.
    """
    ahead = task.form.horizon if k is None else k
    if not 1 <= ahead <= task.form.horizon:
        raise UsageError(f"k: expected 1 to {task.form.horizon} steps ahead, as many as this run has learnt; got {k}")
    rows, owners = [], []
    for number, one in enumerate(taken(task, inputs), 1):
        if not len(one) or np.isnan(one.values).all(axis=0).any():
            what = "has a target without any value" if len(one) else "has no value"
            raise DataError(f"series {one.name or number} {what}: there is nothing to forecast from", source=one.place)
        _check_known(task, one, ahead)
        made = task.form.rows(one)
        rows += made
        owners += [one] * len(made)
    origins = [np.arange(row.begin if steps else len(row) - 1, len(row)) for row in rows]
    found: list[dict[int, tuple[np.ndarray, np.ndarray]]] = [{} for _ in rows]
    for some in backtest(task, network, rows, origins):
        _check_finite(some, owners)
        width = some.quantiles[..., -1] - some.quantiles[..., 0]
        written = rounded(some.point, width), rounded(some.quantiles, width[..., None])
        for number, origin, point, quantiles in zip(some.rows.tolist(), some.origins.tolist(), *written, strict=True):
            found[number][origin] = point[:k], quantiles[:k]
    said = []
    for row, owner, forecasts in zip(rows, owners, found, strict=True):
        for place, channel in enumerate(row.channels):
            result = {
                "series": owner.name,
                "target": task.form.targets[channel],
                "time": written_times(owner, ahead, task),
                **_said(task, *forecasts[len(row) - 1], place),
            }
            if steps:
                begun = sorted(forecasts)
                times = write_times(row.times[begun], task.form.step, owner.zone, owner.numbers)
                result["steps"] = [
                    {"time": time, **_said(task, *forecasts[origin], place)}
                    for time, origin in zip(times, begun, strict=True)
                ]
            said.append(result)
    return said


def _check_known(task: Forecaster, one: Timed, ahead: int) -> None:
    """Raise `DataError` where a column that is known ahead is not, at one of the steps to be foretold."""
    form = task.form
    if not form.known:
        return
    known = np.full((ahead, len(form.known)), np.nan)
    there = one.known[len(one) : len(one) + ahead]
    known[: len(there)] = there
    if not np.isnan(known).any():
        return
    step, column = np.argwhere(np.isnan(known))[0].tolist()
    enough = f", or ask for fewer steps: -k {step}" if step else ""
    named = f"series {one.name}: " if one.name else ""
    raise DataError(
        f"{named}'{form.known[column]}' is not known at {written_times(one, step + 1, task)[step]}, {step + 1} step{'s' * bool(step)} ahead",
        source=one.place,
        hint=f"add rows for the {ahead} steps ahead, with {', '.join(form.known)} and no {form.targets[0]}{enough}",
    )


def _check_finite(some: Forecasts, owners: Sequence[Timed]) -> None:
    """Raise `DivergedError` for a forecast that is no number."""
    for values in (some.point, some.quantiles):
        if not np.isfinite(values).all():
            at = int(np.argwhere(~np.isfinite(values))[0][0])
            name, step = owners[int(some.rows[at])].name, int(some.origins[at]) + 1
            raise DivergedError(f"series {name}: what is foretold after step {step} is no finite number")


def _said(task: Forecaster, point: np.ndarray, quantiles: np.ndarray, place: int) -> dict[str, Any]:
    levels = [f"{level:g}" for level in task.levels]
    columns = quantiles[:, place].T.tolist()
    return {"mean": point[:, place].tolist(), "quantiles": dict(zip(levels, columns, strict=True))}


def few_lines(task: Forecaster, network: nn.Module, seed: int) -> str | None:
    """Show in a few lines how a forecast of the validation part compares: one series, chosen by the seed."""
    part = task.examples.valid
    if part is None:
        return None
    rows = task.examples.rows
    there = [at for at, (first, end) in enumerate(zip(part.firsts, part.ends, strict=True)) if end > first]
    number = there[seed % len(there)]
    row, first = rows[number], part.firsts[number]
    found = next(backtest(task, network, [row], [np.array([first - 1])]))
    steps = min(task.form.horizon, part.ends[number] - first, 6)
    actual = task.form.back(row.values[first : first + steps], row.reference)[:, 0]
    name = " ".join([row.series, task.form.targets[row.channels[0]]]).strip()
    foretold = ", ".join(decimal(value) for value in found.point[0, :steps, 0])
    return (
        f"{name}: {foretold} …\nit was: {', '.join('–' if np.isnan(value) else decimal(value) for value in actual)} …"
    )

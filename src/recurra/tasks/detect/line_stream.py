"""Lines of a pipe as the steps of one stream, and a line as a whole series."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data.timeseries.reader import Timed
from recurra.data.timeseries.timestamps import is_stamp
from recurra.errors import DataError
from recurra.tasks.detect.preprocessing import Readings

if TYPE_CHECKING:
    from recurra.tasks.detect.stream import DetectorStream
    from recurra.tasks.detect.task import Detector

_NONE = ("", "?", "nan", "na", "null", "none")


class LineStream:
    """Answers each line with what is said of it as the next step: CSV cells, a JSON list, or a JSON object by names.

    A first line with the names of columns is a header, and has no answer; neither has an empty line. Without a header the
    cells are the time, where the run was trained with stamps and there is one more cell than values, then the values, then the
    covariates. An object has a time (under "time", or any name) and the channels by their names, or "value" where there is one.

    Where the run was trained with a column that names the series, and a header or an object has it, each series is a stream of
    its own, and its name stands in the answer; memory grows with the number of series, not with their steps.
    A line that raises leaves every stream as it was.
    """

    def __init__(self, task: Detector, stream: DetectorStream) -> None:
        self._readings, self._begun_stream = task.readings, stream
        self._streams: dict[str, DetectorStream] = {"": stream.fork()}
        self._time, self._static = task.config.data.time, task.config.data.static
        self._series = task.config.data.series
        self._header: list[str] | None = None
        self._begun = False

    def __call__(self, line: str) -> dict[str, Any] | None:
        """Answer one line; None for one that is no step. Raises `DataError` for what cannot be read."""
        text = line.strip()
        if not text:
            return None
        if text[0] in "[{":
            try:
                read = json.loads(text)
            except (ValueError, RecursionError):
                raise DataError(f"expected JSON, got {text[:40]!r}") from None
            self._begun = True
            return self._of_names(read) if isinstance(read, dict) else self._of_cells(read)
        cells = [cell.strip() for cell in next(csv.reader([text], delimiter=_mark(text)))]
        if not self._begun:
            if _is_header(cells):
                lacking = [name for name in self._needed() if name not in cells]
                if lacking:
                    raise DataError(
                        f"expected the columns {', '.join(self._needed())} in the header; {lacking[0]!r} is not there"
                    )
                self._header, self._begun = cells, True
                return None
            self._begun = True
        if self._header is None:
            return self._of_cells(cells)
        if len(cells) != len(self._header):
            raise DataError(f"expected {len(self._header)} cells, as in the header; got {len(cells)}")
        named = dict(zip(self._header, cells, strict=True))
        time = self._time_of(named)
        kept = {*self._needed(), *self._readings.past, *self._static, self._series, time}
        return self._of_names({name: cell for name, cell in named.items() if name in kept})

    def _needed(self) -> list[str]:
        return self._readings.targets

    def _time_of(self, named: Mapping[str, Any]) -> str | None:
        """Find the name that the time has: the run's, one that is usual, or that of a value which is a stamp."""
        others = {*self._needed(), *self._readings.past, *self._static, self._series}
        names = [name for name in named if name not in others]
        usual = (self._time, "time", "timestamp", "date", "datetime", "ds")
        found = next((name for name in usual if name in names), None)
        return found or next((name for name in names if is_stamp(named[name])), None)

    def _of_cells(self, cells: Any) -> dict[str, Any]:
        own, beside = len(self._readings.targets), len(self._readings.past)
        if not isinstance(cells, list) or any(isinstance(cell, list | dict) for cell in cells):
            raise DataError(f"expected the values of one step, got {cells!r:.60}")
        time = None
        if len(cells) in (own + 1, own + beside + 1) and (len(cells) != own + beside or is_stamp(cells[0])):
            time, *cells = cells
        if len(cells) not in (own, own + beside):
            raise DataError(
                f"expected {own} values ({', '.join(self._readings.targets[:8])}) or a time and them, got {len(cells)} cell{'s' * (len(cells) != 1)}"
            )
        past = [_number(cell) for cell in cells[own:]] if len(cells) > own and beside else None
        return self._answer([_number(cell) for cell in cells[:own]], time, past, ())

    def _of_names(self, named: dict[str, Any]) -> dict[str, Any]:
        targets = self._readings.targets
        time_name = self._time_of(named)
        given = {name: value for name, value in named.items() if name not in (time_name, self._series)}
        series = "" if self._series is None else str(named.get(self._series) or "")
        if list(given) in (["value"], ["values"]) and targets != ["value"]:
            values = given.popitem()[1]
            values = values if isinstance(values, list) else [values]
        else:
            values = [given.pop(name, None) for name in targets]
            if all(name not in named for name in targets):
                raise DataError(
                    f"expected {', '.join(targets[:8])} among the names, got {', '.join(list(named)[:8]) or 'none'}"
                )
        past = [_number(given.pop(name, None)) for name in self._readings.past]
        static = [given.pop(name, "") for name in self._static]
        if given:
            raise DataError(
                f"expected {', '.join([*targets, *self._readings.past][:8])}; {next(iter(given))!r} is none of these"
            )
        time = named.get(time_name) if time_name else None
        return self._answer([_number(value) for value in values], time, past, static, series)

    def _answer(self, values: list[Any], time: Any, past: Any, static: Any, series: str = "") -> dict[str, Any]:
        stream = self._streams.get(series)
        if stream is None:
            stream = self._begun_stream.fork(series)
        said = stream.step(values, time=None if time == "" else time, past=past, static=static)
        self._streams[series] = stream
        return {"series": series, **said} if series else said


def parse(readings: Readings, line: str) -> Timed:
    """Read a line as a whole series: numbers, a JSON list of them, or of steps that are lists; raises `DataError`."""
    from recurra.tasks.sequence.preprocessing.series import parse_series

    return as_series(readings, parse_series(line))


def as_series(readings: Readings, given: Any, name: str = "series") -> Timed:
    """Take an array (T,) or (T, C), covariates behind the channels, as a series without times; raises `DataError`."""
    try:
        rows = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"expected a series of numbers, got {given!r:.40}") from None
    own, beside = len(readings.targets), len(readings.past)
    if rows.ndim == 1 and (own + beside == 1 or not len(rows)):
        rows = rows.reshape(len(rows), own + beside)
    if rows.ndim != 2 or rows.shape[1] != own + beside:
        got = f"{rows.shape[1]}" if rows.ndim == 2 else f"numbers in {rows.ndim} dimension{'s' * (rows.ndim > 1)}"
        names = ", ".join([*readings.targets, *readings.past][:8])
        raise DataError(
            f"expected series of {own + beside} columns ({names}), got {got}",
            hint="write [[1, 2, …], …], a list for each step",
        )
    static = ("",) * len(readings.static)
    return Timed(name, rows[:, :own], np.arange(len(rows)), np.zeros((len(rows), 0)), rows[:, own:], static, "input")


def _mark(text: str) -> str:
    return next((mark for mark in ("\t", ";", ",") if mark in text), ",")


def _is_header(cells: list[str]) -> bool:
    """A header has no number, and no time stamp; a step has one of them."""
    there = [cell for cell in cells if cell.lower() not in _NONE]
    return bool(there) and not any(_is_number(cell) or is_stamp(cell) for cell in there)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: Any) -> float | None:
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in _NONE):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"expected a number, got {str(cell)[:40]!r}") from None

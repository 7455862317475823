"""Lines of a pipe as the steps of one stream."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any

from recurra.data.timeseries.timestamps import is_timestamp
from recurra.errors import DataError
from recurra.formatting import abbreviate
from recurra.series import is_missing, is_number, join_names
from recurra.tasks.detect.config import Data
from recurra.tasks.detect.preprocessing import DetectorPreprocessor
from recurra.tasks.detect.stream import DetectorStream
from recurra.tasks.timeseries.data import MAX_NAMES_SHOWN

TIME_NAMES = ("time", "timestamp", "date", "datetime", "ds")
"""Usual names of the column with the times."""


class LineStream:
    """Scores each line as the next step: CSV cells, a JSON list, or a JSON object by names.

    A first line with the names of columns is a header, and has no result; neither has an empty line. Without a header the
    cells are the time, where the run was trained with stamps and there is one more cell than values, then the values, then the
    covariates. An object has a time (under "time", or any name) and the channels by their names, or "value" where there is one.

    Where the run was trained with columns that name the series, and a header or an object has them, each series is a stream of
    its own, and its name stands in the result; memory grows with the number of series, not with their steps.
    A line that raises leaves every stream as it was.

    data: the run's settings, which name its columns.  stream: before its first step.
    """

    def __init__(self, preprocessor: DetectorPreprocessor, data: Data, stream: DetectorStream) -> None:
        self._targets, self._past, self._static = preprocessor.targets, preprocessor.covariates.past, data.static
        self._time, self._series = data.time, data.series
        self._initial = stream
        self._streams: dict[str, DetectorStream] = {"": stream.fork()}
        self._header: list[str] | None = None
        self._may_be_header = True

    def __call__(self, line: str) -> dict[str, Any] | None:
        """Score one line; None for one that is no step. Raises `DataError` for what cannot be read."""
        text = line.strip()
        if not text:
            return None
        if text[0] in "[{":
            try:
                read = json.loads(text)
            except (ValueError, RecursionError):
                raise DataError(f"expected JSON, got {text[:40]!r}") from None
            self._may_be_header = False
            return self._step_by_names(read) if isinstance(read, dict) else self._step_by_place(read)
        cells = _cells(text)
        if self._may_be_header and _is_header(cells):
            self._read_header(cells)
            return None
        self._may_be_header = False
        if self._header is None:
            return self._step_by_place(cells)
        if len(cells) != len(self._header):
            raise DataError(f"expected {len(self._header)} cells, as in the header; got {len(cells)}")
        named = dict(zip(self._header, cells, strict=True))
        kept = {*self._targets, *self._past, *self._static, *self._series, self._time_name(named)}
        return self._step_by_names({name: cell for name, cell in named.items() if name in kept})

    def _read_header(self, cells: list[str]) -> None:
        lacking = [name for name in self._targets if name not in cells]
        if lacking:
            raise DataError(
                f"expected the columns {', '.join(self._targets)} in the header; {lacking[0]!r} is not there"
            )
        self._header, self._may_be_header = cells, False

    def _time_name(self, named: Mapping[str, Any]) -> str | None:
        """Find the name that the time has: the run's, one that is usual, or that of a value which is a stamp."""
        others = {*self._targets, *self._past, *self._static, *self._series}
        names = [name for name in named if name not in others]
        found = next((name for name in (self._time, *TIME_NAMES) if name in names), None)
        return found or next((name for name in names if is_timestamp(named[name])), None)

    def _step_by_place(self, cells: Any) -> dict[str, Any]:
        """Score values that have no names: the time or none, the channels, the covariates or none."""
        channels, past = len(self._targets), len(self._past)
        if not isinstance(cells, list) or any(isinstance(cell, list | dict) for cell in cells):
            raise DataError(f"expected the values of one step, got {abbreviate(cells, 60)}")
        time = None
        if len(cells) in (channels + 1, channels + past + 1) and (
            len(cells) != channels + past or is_timestamp(cells[0])
        ):
            time, *cells = cells
        if len(cells) not in (channels, channels + past):
            shown = ", ".join(self._targets[:MAX_NAMES_SHOWN])
            raise DataError(
                f"expected {channels} values ({shown}) or a time and them, got {len(cells)} cell{'s' * (len(cells) != 1)}"
            )
        covariates = [_number(cell) for cell in cells[channels:]] if len(cells) > channels and past else None
        return self._step([_number(cell) for cell in cells[:channels]], time, covariates, ())

    def _step_by_names(self, named: dict[str, Any]) -> dict[str, Any]:
        """Score values by the names of their columns."""
        time_name = self._time_name(named)
        given = {name: value for name, value in named.items() if name not in (time_name, *self._series)}
        names = [str(named.get(name) or "") for name in self._series]
        series = join_names(names) if any(names) else ""
        if list(given) in (["value"], ["values"]) and self._targets != ["value"]:
            values = given.popitem()[1]
            values = values if isinstance(values, list) else [values]
        else:
            values = [given.pop(name, None) for name in self._targets]
            if all(name not in named for name in self._targets):
                wanted, got = (", ".join(list(names)[:MAX_NAMES_SHOWN]) for names in (self._targets, named))
                raise DataError(f"expected {wanted} among the names, got {got or 'none'}")
        past = [_number(given.pop(name, None)) for name in self._past]
        static = [given.pop(name, "") for name in self._static]
        if given:
            wanted = ", ".join([*self._targets, *self._past][:MAX_NAMES_SHOWN])
            raise DataError(f"expected {wanted}; {next(iter(given))!r} is none of these")
        time = named.get(time_name) if time_name else None
        return self._step([_number(value) for value in values], time, past, static, series)

    def _step(self, values: list[Any], time: Any, past: Any, static: Any, series: str = "") -> dict[str, Any]:
        stream = self._streams.get(series)
        if stream is None:
            stream = self._initial.fork(series)
        result = stream.step(values, time=None if time == "" else time, past=past, static=static)
        self._streams[series] = stream
        return {"series": series, **result} if series else result


def _cells(text: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=_delimiter(text)))]
    except csv.Error as error:
        raise DataError(f"expected the cells of one step, got {text[:40]!r}… ({error})") from None


def _delimiter(text: str) -> str:
    return next((mark for mark in ("\t", ";", ",") if mark in text), ",")


def _is_header(cells: list[str]) -> bool:
    """A header has no number, and no time stamp; a step has one of them."""
    present = [cell for cell in cells if not is_missing(cell)]
    return bool(present) and not any(is_number(cell) or is_timestamp(cell) for cell in present)


def _number(cell: Any) -> float | None:
    if is_missing(cell):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"expected a number, got {str(cell)[:40]!r}") from None

"""What is known to be abnormal: columns, windows, lists of events and arrays, as data sets for evaluation have them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from recurra.data.timeseries.reader import read_time_series
from recurra.data.timeseries.timestamps import read_timestamps
from recurra.data.timeseries.types import TimeSeries, TimeSeriesOptions
from recurra.errors import DataError
from recurra.series import array_labels_name, read_npy
from recurra.text import Faults, Source, iter_rows

Segment = tuple[int, int]
"""First step, and the step behind the last."""
_TO_JSON_LISTS = str.maketrans("()", "[]")  # pairs may be written as Python's tuples


@dataclass(frozen=True)
class AnomalyLabels:
    """What a file says is abnormal.

    limits: for the name of a series, or the end of its file's path, the first and last step or time of each event.  flags: or for
    the series in their order (N), or the steps of the only one, whether each is abnormal.  source: the file.
    """

    source: str
    limits: Mapping[str, Sequence[tuple[Any, Any]]] | None = None
    flags: np.ndarray | None = None

    def knows(self, series: TimeSeries) -> bool:
        """Tell whether the file has labels for a series; of one that it does not name nothing is known."""
        return self.flags is not None or self._key(series) is not None

    def events(self, series: TimeSeries) -> list[Segment]:
        """Give the events of a series as steps, in their order; raises `DataError` for one that lies outside."""
        if self.limits is None:
            return []
        events = []
        for first, last in self.limits.get(self._key(series) or "", ()):
            start, stop = self._step(series, first), self._step(series, last, end=True)
            if start < stop:
                events.append((start, stop))
        return sorted(events)

    def _key(self, series: TimeSeries) -> str | None:
        keys = [] if self.limits is None else list(self.limits)
        for key in keys:
            if key == series.name or f"/{series.place}".endswith(f"/{key}"):
                return key
        stems = [key for key in keys if PurePath(key).stem == series.name]
        return stems[0] if len(stems) == 1 else None

    def _step(self, series: TimeSeries, limit: Any, *, end: bool = False) -> int:
        """Give the step that a limit is; behind the last one it lies on or after, for an end."""
        if isinstance(limit, int):
            if not 0 <= limit < max(1, len(series)):
                raise DataError(
                    f"series {series.name!r} has {len(series)} steps, got {str(limit)[:20]}", source=self.source
                )
            return limit + end
        if series.times.dtype.kind != "M":
            raise DataError(f"names times ({limit}), and series {series.name!r} has none", source=self.source)
        times = series.times[: len(series)]
        read = read_timestamps([limit] if isinstance(limit, str) else [], "the labels")
        if read.wrong or read.values.dtype.kind != "M" or not len(read.values):
            raise DataError(f"expected a time, got {str(limit)[:40]!r}", source=self.source)
        (time,) = read.values
        return int(np.searchsorted(times, time, side="right" if end else "left"))


def read_anomaly_labels(path: str | Path) -> AnomalyLabels:
    """Read a file that says what is abnormal.

    JSON: for each file or series a list of windows [first time, last time], or of times (as NAB's labels).  CSV with chan_id and
    anomaly_sequences: lists of [first step, last step] from 0 (as telemanom's labels).  `.npy`, or a text of numbers: one for
    each series, or for each step of the only one; what is not 0 is abnormal.
    Raises `DataError` for anything else.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels.csv")
    ...     _ = path.write_text('chan_id,spacecraft,anomaly_sequences\\nP-1,SMAP,"[[2, 4], [9, 9]]"\\n')
    ...     labels = read_anomaly_labels(path)
    >>> labels.limits
    {'P-1': [(2, 4), (9, 9)]}
    """
    name = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", source=name) from None
    if data[:6] == b"\x93NUMPY":
        return AnomalyLabels(name, flags=_flags(read_npy(Source(name, "npy", data, False)), name))
    text = data.decode("utf-8-sig", "replace").strip()
    if text.startswith("{"):
        return AnomalyLabels(name, limits=_windows(text, name))
    if "anomaly_sequences" in text.partition("\n")[0]:
        return AnomalyLabels(name, limits=_sequences(data, name))
    try:
        return AnomalyLabels(
            name, flags=_flags(np.array([float(cell) for cell in text.replace(",", " ").split()]), name)
        )
    except ValueError:
        raise DataError(
            f"expected windows in JSON, a table with chan_id and anomaly_sequences, or numbers; got {text[:40]!r}",
            source=name,
        ) from None


def labels_among(files: Sequence[str | Path]) -> str | None:
    """Find the file, among those of a data set, that says what is abnormal in the others; None where there is none.

    >>> labels_among(["a/test_data.npy", "a/test_labels.npy"]), labels_among(["a/P-1.npy", "labeled_anomalies.csv"])
    ('a/test_labels.npy', 'labeled_anomalies.csv')
    >>> labels_among(["a/plant.csv"]) is None
    True
    """
    named = [str(file) for file in files]
    of_arrays = {array_labels_name(name) for name in named}
    for name in named:
        path = PurePath(name)
        if len(named) > 1 and (name in of_arrays or path.name in ("labeled_anomalies.csv", "combined_windows.json")):
            return name
    return None


def read_label_column(arguments: Sequence[str | Path], how: TimeSeriesOptions, label: str) -> dict[str, np.ndarray]:
    """Read the column that says which steps are abnormal: for each series by its name (T) bool, on the grid of its values.

    Raises `DataError` where it holds no numbers and no truths. A step that several are put together to is abnormal where one of them is.
    """
    combine = "mean" if how.combine == "last" else how.combine
    panel = read_time_series(arguments, replace(how, past=(label,), static=(), combine=combine))
    if any(not one.past.shape[1] for one in panel.series):
        raise DataError(f"has no column {label!r}, which says what is abnormal", source=" ".join(map(str, arguments)))
    return {one.name: np.nan_to_num(one.past[: len(one), 0]) > 0 for one in panel.series}


def segments(marks: np.ndarray) -> list[Segment]:
    """Give the segments of marked steps, (T) bool.

    >>> segments(np.array([0, 1, 1, 0, 1], bool))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(marks, np.int8), [0]])))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _flags(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim != 1 or array.dtype.kind not in "fiub":
        raise DataError(
            f"expected one number for each series or step, got shape {array.shape} of {array.dtype}", source=name
        )
    return np.nan_to_num(array.astype(np.float64)) != 0


def _windows(text: str, name: str) -> dict[str, list[tuple[Any, Any]]]:
    try:
        read = json.loads(text)
        return {
            str(key): [(one, one) if isinstance(one, str | int) else (one[0], one[1]) for one in events]
            for key, events in read.items()
        }
    except (ValueError, TypeError, LookupError, RecursionError):
        raise DataError('expected {"file": [["first time", "last time"], …], …}', source=name) from None


def _sequences(data: bytes, name: str) -> dict[str, list[tuple[Any, Any]]]:
    limits: dict[str, list[tuple[Any, Any]]] = {}
    columns = ("chan_id", "anomaly_sequences")
    for row in iter_rows(Source(name, "csv", data, False), columns, Faults("stop")):
        channel, cell = (row.cells[column] for column in columns)
        try:
            pairs = json.loads(cell.translate(_TO_JSON_LISTS))
            events = [(int(first), int(last)) for first, last in pairs]
        except (ValueError, TypeError, OverflowError, RecursionError):
            problem = "expected a chan_id and anomaly_sequences such as [[10, 20]]"
            raise DataError(problem, source=name, **row.place) from None
        limits.setdefault(channel, []).extend(events)
    return limits

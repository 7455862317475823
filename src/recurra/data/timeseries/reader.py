"""Series in time: their values on an even grid, the times, and their covariates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from recurra.data.frames import is_frame
from recurra.data.header import find_header, first_text
from recurra.data.labelled.formats import TABLE_KINDS, file_kind
from recurra.data.sources import common_folder, open_data, to_utf8
from recurra.data.timeseries.align import Aligner
from recurra.data.timeseries.arrays import read_arrays, read_number_lines
from recurra.data.timeseries.columns import ColumnRoles, infer_roles
from recurra.data.timeseries.grid import common_frequency, infer_frequency
from recurra.data.timeseries.rows import Rows, read_rows
from recurra.data.timeseries.table import Table, read_table, table_from_frame
from recurra.data.timeseries.types import Panel, TimeSeries, TimeSeriesOptions
from recurra.data.timeseries.wide import infer_layout, read_wide
from recurra.errors import DataError, UsageError
from recurra.series import channel_names, is_headerless
from recurra.text import (
    COMPRESSIONS,
    LAST_COLUMN,
    STANDARD_INPUT,
    Faults,
    Source,
    record_kind_from_content,
    sample_records,
)

__all__ = [
    "Panel",
    "TimeSeries",
    "TimeSeriesOptions",
    "is_frame",
    "panel_from_frame",
    "read_time_series",
    "read_time_series_bytes",
]


def read_time_series(arguments: Sequence[str | Path], options: TimeSeriesOptions | None = None) -> Panel:
    """Read series in time from files, folders, globs, archives and standard input, compressed or not.

    What is read: tables (CSV, TSV, JSON, JSONL, Parquet) with a row a step, of one series or of many, or a row a series; lines of
    numbers without a header; `.npy` and `.npz`, (T) or (T, C) one series, (N, T, C) many.

    Raises `UsageError` where the files leave open what is what, and `DataError`, with file and line or row, and the series,
    for the first thing that cannot be used; `on_error="skip"` lists such rows and files instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "pump.csv")
    ...     _ = path.write_text("time,bar\\n2024-05-31 13:00,1.5\\n2024-05-31 13:10,1.25\\n2024-05-31 13:30,2\\n")
    ...     panel = read_time_series([path])
    >>> str(panel.frequency), panel.series[0].name, panel.series[0].values.ravel().tolist()
    ('10min', 'pump', [1.5, 1.25, nan, 2.0])
    """
    options = options or TimeSeriesOptions()
    faults, notes = Faults(options.on_error), []
    sources = open_data(arguments, file_kind, faults, notes)
    return _Reader(options, faults, notes, [source.name for source in sources]).read(sources)


def read_time_series_bytes(data: bytes, options: TimeSeriesOptions | None = None) -> Panel:
    """Read series in time from all that came through a pipe, as from a file that holds it; raises as `read_time_series` does.

    >>> read_time_series_bytes(b"day,sold\\n2024-05-31,3\\n2024-06-01,4\\n").series[0].values.ravel().tolist()
    [3.0, 4.0]
    """
    options = options or TimeSeriesOptions()
    faults, notes = Faults(options.on_error), []
    kind = "parquet" if data.startswith(b"PAR1") else "text"
    source = to_utf8(Source(STANDARD_INPUT, kind, data, False), notes)
    return _Reader(options, faults, notes, [source.name]).read([source])


def panel_from_frame(frame: Any, options: TimeSeriesOptions | None = None) -> Panel:
    """Read series in time from a table in memory: pandas, polars, pyarrow, or a dict of arrays, as from a file of the same rows.

    Raises as `read_time_series` does; places are numbers of rows, from 1.

    >>> frame = {"day": np.array(["2024-05-31", "2024-06-01"]), "sold": np.array([3, 4])}
    >>> panel_from_frame(frame).series[0].times.astype("M8[D]").tolist()
    [datetime.date(2024, 5, 31), datetime.date(2024, 6, 1)]
    """
    options = options or TimeSeriesOptions()
    faults, notes = Faults(options.on_error), []
    reader = _Reader(options, faults, notes, [])
    if isinstance(frame, dict):
        columns = {str(name): np.asarray(cells) for name, cells in frame.items()}
        lengths = {name: len(cells) if cells.ndim == 1 else -1 for name, cells in columns.items()}
        if len(set(lengths.values())) != 1 or -1 in lengths.values():
            raise UsageError(
                f"expected arrays (T) of one length, got {', '.join(f'{k} {columns[k].shape}' for k in columns) or 'none'}"
            )
        columns = {name: cells.tolist() if cells.dtype.kind in "OU" else cells for name, cells in columns.items()}
        table = Table("data", columns, np.arange(1, next(iter(lengths.values())) + 1))
    else:
        table = table_from_frame(frame, "data")
    reader.add_table(table, "series")
    return reader.result()


class _Reader:
    """Reads one file after another and collects what fits together."""

    def __init__(self, options: TimeSeriesOptions, faults: Faults, notes: list[str], names: list[str]) -> None:
        self._options, self._faults, self._notes = options, faults, notes
        self._names, self._folder = names, common_folder(names) if names else ""
        self._series_names = _series_names(names, self._folder)
        self._roles: ColumnRoles | None = None
        self._first = names[0] if names else ""
        self._columns: tuple[str, ...] = ()
        self._rows: list[Rows] = []
        self._whole_series: list[TimeSeries] = []

    def read(self, sources: list[Source]) -> Panel:
        """Read all files."""
        for source in sources:
            if len(sources) > 1 and _is_labels_file(source.name):
                self._faults.skip(f"{source.name}: labels, by its name")
                continue
            try:
                self._read_source(source)
            except DataError as error:
                self._faults.handle(error)
        return self.result()

    def _read_source(self, source: Source) -> None:
        options, folder, notes = self._options, self._folder, self._notes
        name = self._series_names.get(source.name, PurePath(source.name).stem)
        if source.kind in ("npy", "npz"):
            for one in read_arrays(source, options, folder, name):
                if isinstance(one, TimeSeries):
                    self._whole_series.append(one)
                else:
                    self.add_table(one[1], one[0])
            return
        if source.kind in ("text", "csv", "tsv"):
            source, read = self._read_text(source, name)
            if read:
                return
        if source.kind not in TABLE_KINDS:
            raise UsageError(
                f"{source.name}: expected a table or an array of numbers, got a file of the kind {source.kind}"
            )
        if source.kind != "parquet":
            sample = sample_records(source)
            columns = list(sample[0]) if sample else []
            if infer_layout(columns, sample[:30], options.with_names(columns), source.name) == "series":
                self._whole_series += read_wide(source, options, self._faults, folder, notes)
                return
        self.add_table(read_table(source, self._faults), name)

    def _read_text(self, source: Source, name: str) -> tuple[Source, bool]:
        """Read a file of lines of numbers, or find out what table a file of text is; gives that, and whether it was read."""
        options = self._options
        head = first_text(source)
        if source.kind == "text" and not is_headerless(head, 1):
            source = replace(source, kind=record_kind_from_content(source.data))
            tabbed = source.kind == "csv" and "\t" in head.split("\n")[0]
            source = replace(source, kind="tsv") if tabbed else source
        table = source if source.kind != "text" else replace(source, kind="tsv" if "\t" in head else "csv")
        notes: list[str] = []
        table = find_header(table, options.header, options.named, notes)
        by_position = any(column.isdecimal() for column in options.named if column != LAST_COLUMN)
        if (
            is_headerless(head, 1)
            and not table.header
            and not ((by_position and options.time) or options.series_columns)
        ):
            read = read_number_lines(source, options, self._faults, self._folder, self._notes)
            if isinstance(read, Table):
                self.add_table(read, name)
            else:
                self._whole_series += read
            return source, True
        self._notes += notes
        return table, False

    def add_table(self, table: Table, default_name: str) -> None:
        """Add a table with a row a step."""
        if not len(table):
            raise DataError("holds no rows", source=table.name)
        if self._roles is None:
            self._roles, self._first = infer_roles(table, self._options, self._notes), table.name
            self._columns = tuple(table.columns)
            self._width = len(table.columns)
        elif table.headerless and not self._options.target and len(table.columns) != self._width:
            raise DataError(
                f"has {len(table.columns)} channels, {self._first} has {self._width}",
                source=table.name,
                hint="read files of one kind at a time, or name the channels that all have: --target 'channel 1'",
            )
        self._rows.append(read_rows(table, self._roles, default_name, self._faults, self._notes))

    def _check_static(self) -> None:
        """Raise `UsageError` where columns are named of series that are arrays, which have none."""
        for one in self._whole_series:
            if len(one.static) != len(self._options.static):
                raise UsageError(
                    f"static: expected a table, got the series of an array: {one.place}; leave --static out"
                )

    def result(self) -> Panel:
        """Give all series; raises `DataError` when there are none."""
        rows, skipped = [part for part in self._rows if len(part.indices)], self._faults.skipped
        if self._whole_series and rows:
            raise UsageError("some files have a row for each step, others for each series: read one kind at a time")
        if self._whole_series:
            self._check_static()
            widths = {one.values.shape[1] for one in self._whole_series}
            if len(widths) > 1:
                raise DataError(
                    f"the series have {min(widths)} to {max(widths)} channels", source=self._whole_series[0].place
                )
            names, frequency = channel_names(widths.pop()), None
            if self._whole_series[0].times.dtype.kind == "M":
                common = common_frequency([infer_frequency(one.times) for one in self._whole_series])
                frequency = None if common is None else common.frequency
            panel = Panel(self._whole_series, names, (), (), self._options.static, frequency, skipped, self._notes)
        elif rows and self._roles is not None:
            roles = self._roles
            series, frequency = Aligner(rows, self._options, roles, self._folder, self._notes).align()
            panel = Panel(
                series,
                roles.target,
                roles.known,
                roles.past,
                roles.static,
                frequency,
                skipped,
                self._notes,
                self._columns,
            )
        else:
            shown = " | ".join(skipped[:3])
            raise DataError(
                "holds no series",
                source=self._first or ", ".join(self._names[:3]) or None,
                hint=f"left out: {shown}" if shown else None,
            )
        short = [one.name for one in panel.series if len(one) < 2]
        if short:
            self._notes.append(f"{len(short):,} series have fewer than two values: {', '.join(short[:5])}")
        return panel


_LABELS_FILE = re.compile(r"(.*_)?(labels?|windows|labell?ed_anomalies)(_.*)?\.(json|csv|npy)", re.IGNORECASE)


def _is_labels_file(name: str) -> bool:
    """Say whether a file beside the series holds labels of what is abnormal in them, by its name.

    >>> _is_labels_file("nab/labels/combined_windows.json"), _is_labels_file("test_labels.npy"), _is_labels_file("windows-2024.csv")
    (True, True, False)
    """
    return _LABELS_FILE.fullmatch(PurePath(name).name) is not None


def _series_names(names: Sequence[str], folder: str) -> dict[str, str]:
    """Name the series of each file by the file, and by its folder too where two files have one name.

    >>> _series_names(["a/x.csv.gz", "a/y.csv"], "a"), _series_names(["a/x.csv", "b/x.csv"], "")
    ({'a/x.csv.gz': 'x', 'a/y.csv': 'y'}, {'a/x.csv': 'a/x', 'b/x.csv': 'b/x'})
    """
    bare = {}
    for name in names:
        packed = next((suffix for suffix in COMPRESSIONS if name.lower().endswith(suffix)), "")
        bare[name] = PurePath(name[: len(name) - len(packed)])
    if len({path.stem for path in bare.values()}) == len(bare):
        return {name: path.stem for name, path in bare.items()}
    inner = {name: path.relative_to(folder) if folder not in ("", ".") else path for name, path in bare.items()}
    return {name: path.with_suffix("").as_posix() for name, path in inner.items()}

"""Series in time: their values on an even grid, the times, and what is known beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from recurra.data.frames import is_frame
from recurra.data.labelled.formats import TABLE_KINDS, file_kind
from recurra.data.sources import common_folder, open_data, to_utf8
from recurra.data.timeseries.align import Assembly
from recurra.data.timeseries.columns import Roles, Table, frame_table, roles_of, table_of
from recurra.data.timeseries.grid import common_spacing, spacing_of
from recurra.data.timeseries.rows import Rows, read_rows
from recurra.data.timeseries.timestamps import is_stamp
from recurra.data.timeseries.types import Panel, Timed, TimedReading, steps_of
from recurra.data.timeseries.wide import layout_of, read_array, read_numbers, read_wholes
from recurra.errors import DataError, UsageError
from recurra.series import channel_names, is_headerless
from recurra.text import (
    COMPRESSIONS,
    STANDARD_INPUT,
    Faults,
    Source,
    record_kind_from_content,
    sample_records,
)

__all__ = ["Panel", "Timed", "TimedReading", "is_frame", "panel_of", "read_piped", "read_timed", "steps_of"]


def read_timed(arguments: Sequence[str | Path], how: TimedReading | None = None) -> Panel:
    """Read series in time from files, folders, globs, archives and standard input, compressed or not.

    What is read: tables (CSV, TSV, JSON, JSONL, Parquet) with a row a step, of one series or of many, or a row a series; lines of
    numbers without a header; `.npy` and `.npz`, (T) or (T, C) one series, (N, T, C) many.

    Raises `UsageError` where the files leave open what is what, and `DataError`, with file and line or row, and the series,
    for the first thing that cannot be used; `on_error="skip"` lists such rows and files instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "pump.csv")
    ...     _ = path.write_text("time,bar\\n2024-05-31 13:00,1.5\\n2024-05-31 13:10,1.25\\n2024-05-31 13:30,2\\n")
    ...     panel = read_timed([path])
    >>> str(panel.step), panel.series[0].name, panel.series[0].values.ravel().tolist()
    ('10min', 'pump', [1.5, 1.25, nan, 2.0])
    """
    how = how or TimedReading()
    faults, notes = Faults(how.on_error), []
    sources = open_data(arguments, file_kind, faults, notes)
    return _Reader(how, faults, notes, [source.name for source in sources]).panel(sources)


def read_piped(data: bytes, how: TimedReading | None = None) -> Panel:
    """Read series in time from all that came through a pipe, as from a file that holds it; raises as `read_timed` does.

    >>> read_piped(b"day,sold\\n2024-05-31,3\\n2024-06-01,4\\n").series[0].values.ravel().tolist()
    [3.0, 4.0]
    """
    how = how or TimedReading()
    faults, notes = Faults(how.on_error), []
    kind = "parquet" if data.startswith(b"PAR1") else "text"
    source = to_utf8(Source(STANDARD_INPUT, kind, data, False), notes)
    return _Reader(how, faults, notes, [source.name]).panel([source])


def panel_of(frame: Any, how: TimedReading | None = None) -> Panel:
    """Read series in time from a table in memory: pandas, polars, pyarrow, or a dict of arrays, as from a file of the same rows.

    Raises as `read_timed` does; places are numbers of rows, from 1.

    >>> held = {"day": np.array(["2024-05-31", "2024-06-01"]), "sold": np.array([3, 4])}
    >>> panel_of(held).series[0].times.astype("M8[D]").tolist()
    [datetime.date(2024, 5, 31), datetime.date(2024, 6, 1)]
    """
    how = how or TimedReading()
    faults, notes = Faults(how.on_error), []
    reader = _Reader(how, faults, notes, [])
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
        table = frame_table(frame, "data")
    reader.table(table, "series")
    return reader.whole()


class _Reader:
    """Reads one file after another and holds what fits together."""

    def __init__(self, how: TimedReading, faults: Faults, notes: list[str], names: list[str]) -> None:
        self._how, self._faults, self._notes = how, faults, notes
        self._folder = common_folder(names) if names else ""
        self._stems = _stems(names, self._folder)
        self._roles: Roles | None = None
        self._first = ""
        self._rows: list[Rows] = []
        self._wholes: list[Timed] = []

    def panel(self, sources: list[Source]) -> Panel:
        """Read all files."""
        for source in sources:
            if len(sources) > 1 and _is_label(source.name):
                self._faults.skip(f"{source.name}: labels, by its name")
                continue
            try:
                self._source(source)
            except DataError as error:
                self._faults.handle(error)
        return self.whole()

    def _source(self, source: Source) -> None:
        how, folder, notes = self._how, self._folder, self._notes
        stem = self._stems.get(source.name, PurePath(source.name).stem)
        if source.kind in ("npy", "npz"):
            for one in read_array(source, how, folder, stem):
                if isinstance(one, Timed):
                    self._wholes.append(one)
                else:
                    self.table(one[1], one[0])
            return
        if source.kind in ("text", "csv", "tsv"):
            head = source.data[:100_000].decode("utf-8", "replace").lstrip("\ufeff").replace("\r\n", "\n")
            if is_headerless(head, 1):
                read = read_numbers(source, how, self._faults, folder, notes)
                if isinstance(read, Table):
                    self.table(read, stem)
                else:
                    self._wholes += read
                return
            if source.kind == "text":
                source = replace(source, kind=record_kind_from_content(source.data))
                source = replace(source, kind="tsv") if source.kind == "csv" and "\t" in head.split("\n")[0] else source
        if source.kind not in TABLE_KINDS:
            raise UsageError(
                f"{source.name}: expected a table or an array of numbers, got a file of the kind {source.kind}"
            )
        if source.kind != "parquet":
            sample = sample_records(source)
            names = list(sample[0]) if sample else []
            if any(is_stamp(name) and all(is_stamp(row.get(name)) for row in sample) for name in names):
                problem = "the first line holds values, not names of columns"
                raise DataError(problem, source=source.name, line=1, hint="put a line such as time,value above")
            if layout_of(names, sample[:30], how, source.name) == "series":
                self._wholes += read_wholes(source, how, self._faults, folder, notes)
                return
        self.table(table_of(source, self._faults), stem)

    def table(self, table: Table, alone: str) -> None:
        """Take a table with a row a step."""
        if not len(table):
            raise DataError("holds no rows", source=table.name)
        if self._roles is None:
            self._roles, self._first = roles_of(table, self._how, self._notes), table.name
            self._width = len(table.columns)
        elif table.bare and not self._how.target and len(table.columns) != self._width:
            raise DataError(
                f"has {len(table.columns)} channels, {self._first} has {self._width}",
                source=table.name,
                hint="read files of one kind at a time, or name the channels that all have: --target 'channel 1'",
            )
        self._rows.append(read_rows(table, self._roles, alone, self._faults, self._notes))

    def whole(self) -> Panel:
        """Give all series; raises `DataError` when there are none."""
        rows, skipped = [part for part in self._rows if len(part.at)], self._faults.skipped
        if self._wholes and rows:
            raise UsageError("some files have a row for each step, others for each series: read one kind at a time")
        if self._wholes:
            widths = {one.values.shape[1] for one in self._wholes}
            if len(widths) > 1:
                raise DataError(
                    f"the series have {min(widths)} to {max(widths)} channels", source=self._wholes[0].place
                )
            names, step = channel_names(widths.pop()), None
            times = self._wholes[0].times
            if times.dtype.kind == "M":
                found = [spacing_of(one.times) for one in self._wholes]
                common = common_spacing(found)
                step = None if common is None else common.step
            panel = Panel(self._wholes, names, (), (), self._how.static, step, skipped, self._notes)
        elif rows and self._roles is not None:
            roles = self._roles
            series, step = Assembly(rows, self._how, roles, self._folder, self._notes).series()
            panel = Panel(series, roles.target, roles.known, roles.past, roles.static, step, skipped, self._notes)
        else:
            shown = " | ".join(skipped[:3])
            raise DataError("holds no series", source=self._first or None, hint=f"left out: {shown}" if shown else None)
        short = [one.name for one in panel.series if len(one) < 2]
        if short:
            self._notes.append(f"{len(short):,} series have fewer than two values: {', '.join(short[:5])}")
        return panel


_LABELS = re.compile(r"(.*_)?(labels?|windows|labell?ed_anomalies)(_.*)?\.(json|csv|npy)", re.IGNORECASE)


def _is_label(name: str) -> bool:
    """Say whether a file beside the series tells what is abnormal in them, by its name.

    >>> _is_label("nab/labels/combined_windows.json"), _is_label("test_labels.npy"), _is_label("windows-2024.csv")
    (True, True, False)
    """
    return _LABELS.fullmatch(PurePath(name).name) is not None


def _stems(names: Sequence[str], folder: str) -> dict[str, str]:
    """Name the series of each file by the file, and by its folder too where two files have one name.

    >>> _stems(["a/x.csv.gz", "a/y.csv"], "a"), _stems(["a/x.csv", "b/x.csv"], "")
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

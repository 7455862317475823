"""Arrays, and lines of numbers without a header, to series or to tables with a step a row."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np

from recurra.data.sources import location
from recurra.data.timeseries.table import Table
from recurra.data.timeseries.types import TimeSeries, TimeSeriesOptions
from recurra.data.timeseries.wide import layout_error
from recurra.errors import DataError, UsageError
from recurra.series import (
    are_concatenated,
    channel_names,
    check_lengths,
    mask_infinite,
    match_arrays,
    parse_numbers,
    read_npy,
    read_npz,
    split_cells,
)
from recurra.text import Faults, Source, decode, iter_lines

_MIN_LINES_PER_COLUMN = 5  # from which lines of numbers are steps
_MAX_CHANNELS = 100  # of an array (T, C) that is read as a series without being asked


def read_number_lines(
    source: Source, options: TimeSeriesOptions, faults: Faults, folder: str, notes: list[str]
) -> list[TimeSeries] | Table:
    """Read lines of numbers without a header: each a step, as a table, or each a series.

    Raises `UsageError` where it is open which, `DataError`, with the line, for what is no number and for steps that differ in
    how many they have.
    """
    rows: list[np.ndarray] = []
    lines: list[int] = []
    for number, line in enumerate(iter_lines(decode(source.data, source.name)), start=1):
        cells = split_cells(line)
        if not cells:
            continue
        try:
            rows.append(parse_numbers(cells, source.name, {"line": number}, "column", float64=True))
            lines.append(number)
        except DataError as error:
            faults.handle(error)
    widths = {len(row) for row in rows}
    layout = options.layout
    if layout == "auto":
        layout = "series" if len(widths) > 1 else "steps"
        if layout == "steps" and len(rows) < _MIN_LINES_PER_COLUMN * max(widths) and max(widths) > 1:
            raise layout_error(source.name, max(widths), len(rows))
        what = "series" if layout == "series" else "step of time"
        notes.append(
            f"{PurePath(source.name).name}: has no header: each of its {len(rows):,} lines is read as a {what}"
        )
    if layout == "series":
        series = []
        for row, line in zip(rows, lines, strict=True):
            there = np.flatnonzero(~np.isnan(row))
            end = int(there[-1]) + 1 if there.size else 0
            place = location(source.name, {"line": line}, folder)
            series.append(TimeSeries.from_values(str(len(series) + 1), row[:end, None], place))
        return series
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            problem = f"the line has {len(row)} values, the first {len(rows[0])}"
            raise DataError(problem, source=source.name, line=line)
    return table_from_array(source.name, np.stack(rows), np.array(lines), "line")


def table_from_array(name: str, values: np.ndarray, lines: np.ndarray | None = None, word: str = "row") -> Table:
    """Make a table of an array (T) or (T, C), its channels numbered."""
    values = values[:, None] if values.ndim == 1 else values
    columns = dict(zip(channel_names(values.shape[1]), values.T, strict=True))
    return Table(name, columns, np.arange(1, len(values) + 1) if lines is None else lines, word, headerless=True)


def read_arrays(
    source: Source, options: TimeSeriesOptions, folder: str, name: str
) -> list[TimeSeries] | list[tuple[str, Table]]:
    """Read the arrays of a `.npy` or `.npz` file: (T) or (T, C) a series, as a table with its name, (N, T, C) many.

    (N, T), one channel each, is read so with `layout="series"`, or where an array of labels or lengths says it.
    """
    if source.kind == "npy":
        arrays: dict[str, np.ndarray] = {name: read_npy(source)}
    else:
        arrays = read_npz(source)
        try:
            found = match_arrays(arrays, source.name)
        except DataError:
            found = []
        if any(labels or lengths for _, labels, lengths in found):
            return [
                one
                for x, _, lengths in found
                for one in _split_array(arrays[x], arrays[lengths] if lengths else None, source, folder, "")
            ]
    tables: list[tuple[str, Table]] = []
    series: list[TimeSeries] = []
    for key, array in arrays.items():
        _check_array(array, source)
        if 0 in array.shape[1:]:
            sizes = " x ".join(map(str, array.shape))
            raise DataError(f"{key}: expected at least one channel and one step, got {sizes}", source=source.name)
        if array.ndim == 3 or (array.ndim == 2 and options.layout == "series"):
            series += _split_array(array, None, source, folder, f"{key} " if len(arrays) > 1 else "")
            continue
        many_channels = array.ndim == 2 and array.shape[1] > min(_MAX_CHANNELS, len(array))
        if many_channels and options.layout == "auto":
            raise layout_error(source.name, array.shape[1], array.shape[0])
        tables.append((key, table_from_array(source.name, array)))
    if tables and series:
        raise UsageError(f"{source.name}: some arrays are whole series, others many: keep them in files of their own")
    return series or tables


def _check_array(array: np.ndarray, source: Source) -> None:
    """Raise `DataError` for what is no array of numbers of one to three axes."""
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 2, 3):
        sizes = " x ".join(map(str, array.shape)) or "one number"
        problem = f"expected an array (T), (T, C) or (N, T, C) of numbers, got {sizes} of {array.dtype}"
        raise DataError(problem, source=source.name)


def _split_array(
    array: np.ndarray, lengths: np.ndarray | None, source: Source, folder: str, prefix: str
) -> list[TimeSeries]:
    """Give the series of an array with many, (N, T) or (N, T, C), or one after another with their lengths; names: the numbers of rows."""
    series = []
    _check_array(array, source)
    lengths = None if lengths is None else check_lengths(array, lengths, source.name)
    running = lengths is not None and are_concatenated(array, lengths)
    ends = None if lengths is None else np.cumsum(lengths)
    for row in range(len(array) if lengths is None else len(lengths)):
        if running and ends is not None and lengths is not None:
            piece = array[int(ends[row] - lengths[row]) : int(ends[row])]
        else:
            piece = array[row] if lengths is None else array[row][: int(lengths[row])]
        values = piece.astype(np.float64)
        values = values[:, None] if values.ndim == 1 else values
        _, wrong = mask_infinite(values.ravel(), {})
        if wrong:
            raise DataError(
                f"series {row + 1}: step {next(iter(wrong)) // values.shape[1] + 1} is infinite",
                source=source.name,
                row=row + 1,
            )
        place = location(source.name, {"row": row + 1}, folder)
        series.append(TimeSeries.from_values(f"{prefix}{row + 1}", values, place))
    return series

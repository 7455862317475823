"""Tables in memory: what is one, and one kept as a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recurra.errors import DataError, UsageError, require

FRAME = "data.parquet"
"""What a table in memory is called as a file."""


def is_frame(value: Any) -> bool:
    """Tell whether something is a table in memory: a data frame of any library, or a dict of columns.

    >>> is_frame({"sold": [1, 2]}), is_frame([1, 2]), is_frame(np.zeros(2))
    (True, False, False)
    """
    return isinstance(value, Mapping) or hasattr(value, "columns")


@contextmanager
def as_paths(data: Any) -> Iterator[list[str]]:
    """Give the paths of what is one path, several, or a table in memory, which is a file as long as this lasts."""
    if not is_frame(data):
        yield [str(path) for path in ([data] if isinstance(data, str | os.PathLike) else data)]
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, FRAME)
        write_frame(data, path)
        with named_as_frame(path):
            yield [str(path)]


@contextmanager
def named_as_frame(path: Path) -> Iterator[None]:
    """Let errors name the data frame that the caller knows, in place of the file that it is kept in meanwhile."""
    try:
        yield
    except (DataError, UsageError) as error:
        kind = DataError if isinstance(error, DataError) else UsageError
        raise kind(str(error).replace(str(path), "the data frame")) from None


def index_to_columns(frame: Any) -> Any:
    """Make the index of a pandas frame columns where it holds something: times, or what has a name; others stay as they are.

    Its sparse columns become dense ones, which is all that other libraries know.

    Raises `DataError` where two columns, or a column and an index that hold other values, have one name.
    """
    columns: Any = getattr(frame, "columns", ())
    if not getattr(columns, "is_unique", True):
        twice = columns[columns.duplicated()][0]
        raise DataError(f"two columns are called '{twice}': rename one of them", source="the data frame")
    index: Any = getattr(frame, "index", None)
    if index is not None and hasattr(frame, "dtypes"):
        sparse = {name: dtype.subtype for name, dtype in frame.dtypes.items() if type(dtype).__name__ == "SparseDtype"}
        frame = frame.astype(sparse) if sparse else frame
    kind, names = type(index).__name__, list(getattr(index, "names", []))
    if not any(names) and kind not in ("DatetimeIndex", "PeriodIndex", "MultiIndex"):
        return frame
    if kind == "PeriodIndex":
        frame = frame.set_axis(index.to_timestamp(), axis=0)
    lone_name = "time" if "time" not in columns else "index"
    named = [name or (lone_name if len(names) == 1 else f"index {at}") for at, name in enumerate(names, 1)]
    frame = frame.rename_axis(named)
    repeated = [name for name in named if name in columns]
    for name in repeated:
        if not (frame[name].to_numpy() == frame.index.get_level_values(name).to_numpy()).all():
            problem = f"the index and a column are both called '{name}', and hold different values: rename one of them"
            raise DataError(problem, source="the data frame")
        frame = frame.reset_index(level=name, drop=True)
    return frame if len(repeated) == len(named) else frame.reset_index()


def write_frame(frame: Any, path: Path) -> None:
    """Keep a table (`is_frame`) as a Parquet file.

    Raises `UsageError` for what is no table, and `DataError` for columns that hold values of several kinds.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_frame({"sold": [1, 2]}, Path(folder, "data.parquet"))
    ...     Path(folder, "data.parquet").read_bytes()[:4]
    b'PAR1'
    """
    arrow = require("pyarrow", "data", "a table in memory")
    parquet = require("pyarrow.parquet", "data", "a table in memory")
    narwhals = require("narwhals.stable.v2", "data", "a table in memory")
    try:
        if isinstance(frame, Mapping):
            frame = arrow.table({str(name): np.asarray(cells) for name, cells in frame.items()})
        table = narwhals.from_native(index_to_columns(frame), eager_only=True).to_arrow()
    except TypeError:
        raise UsageError(
            f"expected a table of pandas, polars or pyarrow, or a dict of arrays, got {type(frame).__name__}"
        ) from None
    except arrow.ArrowException as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise DataError(f"the table cannot be kept: {reason}", source="the data frame") from None
    parquet.write_table(table, path)

"""Parquet, which pyarrow decodes: whatever it raises is an error with a place, and no more is decoded than is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from recurra.errors import DataError, as_data_error, error_reason, require
from recurra.text.read.allowance import Allowance
from recurra.text.read.faults import Faults
from recurra.text.read.sources import Source
from recurra.text.read.tables import Row, missing_field_error

_ROWS_PER_BATCH = 4096


def parquet_rows(source: Source, fields: Sequence[str], faults: Faults) -> Iterator[Row]:
    """Yield the rows of a Parquet file, of which only the columns of the fields are read; all of them for no fields.

    Raises `DataError` for a damaged file, a missing column and a cell that cannot be read, as a string that is not UTF-8,
    `MissingExtraError` without pyarrow.
    """
    number = 0
    for batch in parquet_batches(source, fields, rows=_ROWS_PER_BATCH if fields else 1):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        for index in range(batch.num_rows):
            number += 1
            try:
                cells = {name: read_cell(column[index], name, source, number) for name, column in columns.items()}
            except DataError as error:
                faults.handle(error)
            else:
                yield Row(cells, {"row": number})


def parquet_batches(source: Source, fields: Sequence[str] = (), rows: int = _ROWS_PER_BATCH) -> Iterator[Any]:
    """Yield pyarrow's batches of so many rows, with the columns that the fields lead into; with all of them for no fields.

    Raises `DataError` for a damaged file, a missing column, and one that unfolds to more than is allowed (`Allowance`).
    """
    arrow = require("pyarrow", "data", "a Parquet file")
    parquet = require("pyarrow.parquet", "data", "a Parquet file")
    is_one = source.data.startswith(b"PAR1")
    problem = "the Parquet data is cut off or damaged" if is_one else "is no Parquet file, whatever its name says"
    allowance = Allowance()
    with as_data_error(problem, source=source.name):
        file = parquet.ParquetFile(arrow.BufferReader(source.data))
        names = file.schema_arrow.names
        # A dotted name leads into a column, or is the name of one.
        found_columns = {field: [name for name in names if f"{field}.".startswith(f"{name}.")] for field in fields}
        absent = next((field for field, found in found_columns.items() if not found), None)
        if absent is not None:
            raise missing_field_error(absent, names, source, {})
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise DataError(f"two columns are called '{twice}': rename one of them", source=source.name)
        wanted = list(dict.fromkeys(name for found in found_columns.values() for name in found)) if fields else names
        for batch in file.iter_batches(batch_size=rows, columns=wanted):
            allowance.spend(batch.nbytes, source.name)
            yield batch


def read_cell(cell: Any, name: str, source: Source, row: int) -> Any:
    """Give one of pyarrow's values as one of Python's; raises `DataError` for one that is none: beyond a calendar, say, or no UTF-8."""
    try:
        return cell.as_py()
    except UnicodeDecodeError as error:
        problem = f"expected UTF-8 text, got byte 0x{error.object[error.start]:02x}"
    except Exception as error:  # noqa: BLE001 (time zones and calendars raise errors of their own)
        problem = f"column '{name}' cannot be read ({error_reason(error)})"
    raise DataError(problem, source=source.name, row=row)

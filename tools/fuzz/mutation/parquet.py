"""Mutation of Parquet: by bytes, by the types of columns, and by what they hold."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from tools.fuzz.mutation import raw


def column(rng: Random, rows: int) -> Any:
    """Give a column of a type or with values that nobody expects."""
    import pyarrow as pa

    makers: list[Callable[[], Any]] = [
        lambda: pa.array([2**64 - 1] * rows, pa.uint64()), lambda: pa.array([None] * rows, pa.null()), lambda: pa.array([float("nan")] * rows, pa.float64()),
        lambda: pa.array([1e300] * rows, pa.float64()), lambda: pa.array([Decimal("1.23")] * rows, pa.decimal128(38, 2)), lambda: pa.array([b"\xff\xfe"] * rows, pa.binary()),
        lambda: pa.array([0] * rows, pa.timestamp("us", tz="Mars/Olympus")), lambda: pa.array([2**62] * rows, pa.timestamp("us")), lambda: pa.array([-(2**62)] * rows, pa.timestamp("ns")),
        lambda: pa.array([2**30] * rows, pa.date32()), lambda: pa.array([1] * rows, pa.time64("us")), lambda: pa.array([1] * rows, pa.duration("ns")),
        lambda: pa.array(["a", "b"] * rows)[:rows].dictionary_encode(), lambda: pa.array([{"a": 1, "b": None}] * rows), lambda: pa.array([[1, 2], None] * rows)[:rows], lambda: pa.array([[["a"]]] * rows),
        lambda: pa.array([True, None] * rows)[:rows], lambda: pa.array(["a" * 1000] * rows), lambda: pa.array([[("k", 1)]] * rows, pa.map_(pa.string(), pa.int32())),
        lambda: pa.Array.from_buffers(pa.string(), rows, [None, pa.array(range(0, 2 * rows + 1, 2), pa.int32()).buffers()[1], pa.py_buffer(b"\xc3\x28" * rows)]),
    ]  # fmt: skip
    return rng.choice(makers)()


def mutate_parquet(data: bytes, rng: Random) -> bytes:
    """Mutate a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if rng.random() < 0.45:
        return raw.mutate(data, rng)
    table = pq.read_table(io.BytesIO(data), use_threads=False)
    rows = rng.choice([0, 1, table.num_rows, table.num_rows])
    table = table.slice(0, rows)
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(table.num_columns)
        name = rng.choice([table.column_names[at]] * 4 + ["", "a\nb", "漢" * 50])
        table = table.set_column(at, pa.field(name, (made := column(rng, rows)).type), made)
    made = io.BytesIO()
    try:
        pq.write_table(table, made)
    except Exception:  # noqa: BLE001  what cannot be stored is no case; the bytes are
        return raw.mutate(data, rng)
    return made.getvalue()

"""Tables are read by their columns, in memory that goes with their size."""

from __future__ import annotations

import tracemalloc

import pytest

from recurra.text import Source
from recurra.text.read import tables
from recurra.text.read.faults import Faults
from recurra.text.read.tables import csv_columns, csv_rows


def test_a_table_is_not_held_row_by_row() -> None:
    text = "a,b\n" * 200_000
    source = Source("a.csv", "csv", b"", False)
    csv_columns(text[:400], source)
    tracemalloc.start()
    try:
        read = csv_columns(text, source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read is not None and len(read[1]) == 199_999
    assert peak < 20 * len(text)  # a list for each row takes 50 times its four letters


@pytest.mark.parametrize("rows_at_a_time", [1, 2, 10_000])
def test_blank_rows_may_stand_at_the_end_alone(monkeypatch: pytest.MonkeyPatch, rows_at_a_time: int) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_A_TIME", rows_at_a_time)
    source = Source("a.csv", "csv", b"", False)
    wanted = {"x": ["1", "3"], "y": ["2", "4"]}, [2, 4]
    columns, lines = csv_columns("x,y\n1,2\n\n3,4\n,\n\n,,,\n", source) or ({}, [])
    assert (columns, list(lines)) == wanted
    assert csv_columns("x,y\n1,2\n,,,\n3,4\n", source) is None
    assert csv_columns("x,y\n,\n", source) is None


@pytest.mark.parametrize("quoted", ["", '"b\tc"\td\n'])
def test_the_rows_of_a_table_of_tabs_are_not_held(quoted: str) -> None:
    text = "a\tb\n" * 100_000 + quoted
    source = Source("a.tsv", "tsv", text.encode(), False, header=False)
    tracemalloc.start()
    try:
        for row in csv_rows(text, source, (), Faults("stop")):
            last = row.cells
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last == ({"1": "b\tc", "2": "d"} if quoted else {"1": "a", "2": "b"})
    assert peak < 4 * len(text)

"""Series in tables: a series a row, a step a row, or a file a series in the folder of its class."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.data.labelled.reader import LabelledOptions, read_labelled
from recurra.errors import DataError, UsageError

from ..conftest import Files

LONG = """id,when,x,y,note,kind
b,2024-05-02,1,10,,run
a,2024-05-01,3,30,,walk
b,2024-05-01,2,20,,run
a,2024-04-30 12:00,4,,sick,walk
"""
HOW = LabelledOptions(series="id", time="when", label="kind")


def test_wide_tables(files: Files) -> None:
    read = read_labelled(files({"wide.csv": "id,t0,t1,t2,label\n1,0.5,,2,up\n2,1,2,,down\n"}))
    np.testing.assert_array_equal(read.sequences[0], np.array([[0.5], [np.nan], [2]], np.float32))
    assert read.sequences[1].tolist() == [[1], [2]]  # the row ends early: a shorter series
    assert (read.labels, read.places) == ([("up",), ("down",)], ["wide.csv, line 2", "wide.csv, line 3"])
    assert read.notes == ["wide.csv: a row is a series; left out of it: id"]
    named = read_labelled(files({"wide.csv": "a,b,c,y\n1,2,3,0\n"}), LabelledOptions(columns=("c", "a"), label="y"))
    assert named.sequences[0].ravel().tolist() == [3, 1]


def test_decimal_commas_of_office_programs(files: Files) -> None:
    read = read_labelled(files({"wide.csv": "\ufefft0;t1;class\r\n0,5;-1,25e1;a\r\n1;2;b\r\n"}))
    assert [sequence.ravel().tolist() for sequence in read.sequences] == [[0.5, -12.5], [1, 2]]
    with pytest.raises(
        DataError, match=r"wide\.csv: line 2: column 't1': expected a number, got '1,5'; write decimals with a point"
    ):
        read_labelled(files({"wide.csv": 't0,t1,class\n0,"1,5",a\n'}), LabelledOptions(columns=("t0", "t1")))


def test_wide_records(files: Files) -> None:
    lines = '{"t0": 1, "t1": 2.5, "label": "a"}\n{"t0": null, "t1": 3, "label": "b"}\n'
    read = read_labelled(files({"wide.jsonl": lines}))
    np.testing.assert_array_equal(read.sequences[1], np.array([[np.nan], [3]], np.float32))


def test_long_tables(files: Files) -> None:
    read = read_labelled(files({"long.csv": LONG}), HOW)
    assert read.sequences[0].tolist() == [[2, 20], [1, 10]]
    np.testing.assert_array_equal(read.sequences[1], np.array([[4, np.nan], [3, 30]], np.float32))
    assert read.labels == [("run",), ("walk",)]
    assert (read.channels, read.places) == (["x", "y"], ["long.csv, line 2", "long.csv, line 3"])
    unsorted = read_labelled(files({"long.csv": LONG}), LabelledOptions(series="id", label="kind", columns=("y",)))
    assert unsorted.sequences[0].tolist() == [[10], [20]]
    bare = LONG.replace(",kind", ",other")
    assert (
        read_labelled(files({"new.csv": bare}), LabelledOptions(series="id", label="kind", need_labels=False)).labels
        == []
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("a,2024-04-30 12:00", "a,2024-05-01", 5, "series a: the time 2024-05-01 00:00:00 occurs twice"),
        (
            "a,2024-05-01",
            "a,yesterday",
            3,
            "column 'when': expected a number or a date such as 2024-05-31 13:00, got 'yesterday'",
        ),
        ("b,2024-05-02", "b,7", 2, "series b: some times are numbers, some dates"),
        ("sick,walk", "sick,run", 5, "series a: expected the label 'walk' as before, got 'run'"),
        ("3,30", "3,x", 3, "column 'y': expected a number, got 'x'"),
        ("3,30", "inf,30", 3, "column 'x' is infinite"),
        ("a,2024-05-01", ",2024-05-01", 3, "column 'id' names no series"),
    ],
)
def test_a_broken_row_is_named(files: Files, old: str, new: str, line: int, problem: str) -> None:
    options = LabelledOptions(series="id", time="when", label="kind", columns=("x", "y"))
    with pytest.raises(DataError, match=rf"long\.csv: line {line}: {problem}"):
        read_labelled(files({"long.csv": LONG.replace(old, new)}), options)


def test_a_long_table_is_not_read_as_a_wide_one(files: Files) -> None:
    table = "id,time,x,y,label\n1,0,0.5,1,a\n1,1,0.7,2,a\n2,0,0.1,3,b\n"
    with pytest.raises(UsageError, match=r"a row for every step.*--series id --time time"):
        read_labelled(files({"long.csv": table}))
    assert len(read_labelled(files({"long.csv": table}), LabelledOptions(series="id", time="time")).sequences) == 2


def test_columns_that_are_not_there(files: Files) -> None:
    with pytest.raises(DataError, match=r"field 'wen' is missing; .*did you mean 'when'\?"):
        read_labelled(files({"long.csv": LONG}), LabelledOptions(series="id", time="wen", label="kind"))
    with pytest.raises(UsageError, match="no column of numbers is left for the values"):
        read_labelled(files({"long.csv": "id,label\na,1\na,1\n"}), LabelledOptions(series="id"))
    with pytest.raises(UsageError, match="cannot tell which column is the label; the fields there are: t0, t1"):
        read_labelled(files({"wide.csv": "t0,t1\n1,2.5\n"}))


def test_a_folder_of_series_per_class(files: Files, tmp_path) -> None:
    files({"walk/1.txt": "1 2 3\n4 5 6\n", "walk/2.txt": "7 8 9\n", "run/1.txt": "1 1 1\n"})
    read = read_labelled([tmp_path / "data"])
    assert [sequence.tolist() for sequence in read.sequences] == [[[1, 1, 1]], [[1, 2, 3], [4, 5, 6]], [[7, 8, 9]]]
    assert (read.labels[0], read.places[1]) == (("run",), "walk/1.txt")
    files({"walk/2.txt": "7 8 9\n1 2\n"})
    with pytest.raises(DataError, match=r"walk/2\.txt: line 2: the line has 2 values, the first 3"):
        read_labelled([tmp_path / "data"])


def test_a_folder_of_tables_per_class(files: Files, tmp_path) -> None:
    files({"walk/1.csv": "time,x,y\n0,1,2\n1,3,4\n", "run/1.csv": "time,x,y\n0,5,6\n"})
    read = read_labelled([tmp_path / "data"], LabelledOptions(columns=("x", "y")))
    assert [sequence.tolist() for sequence in read.sequences] == [[[5, 6]], [[1, 2], [3, 4]]]
    assert (read.labels, read.channels) == ([("run",), ("walk",)], ["x", "y"])

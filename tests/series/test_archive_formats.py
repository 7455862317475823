"""`.ts`, `.arff` and the UCR archive's tables, as the archives write them, and broken in every way that a line can be."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.data.labelled.reader import LabelledOptions, read_labelled
from recurra.errors import DataError

from ..conftest import Files

HEAD = "#about\n@problemName Toy\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength false\n@classLabel true up down\n@data\n"


def test_ts_of_several_dimensions_and_lengths(files: Files) -> None:
    read = read_labelled(files({"toy.ts": HEAD + "1,2,3:4,5,6:up\n\n7:8:down\n?,1.5:NaN,2e1:up\n"}))
    assert read.kind == "series"
    assert [sequence.tolist() for sequence in read.sequences[:2]] == [[[1, 4], [2, 5], [3, 6]], [[7, 8]]]
    np.testing.assert_array_equal(read.sequences[2], np.array([[np.nan, np.nan], [1.5, 20]], np.float32))
    assert {sequence.dtype for sequence in read.sequences} == {np.dtype(np.float32)}
    assert read.labels == [("up",), ("down",), ("up",)]
    assert read.places == ["toy.ts, line 9", "toy.ts, line 11", "toy.ts, line 12"]
    assert read.channels == ["channel 1", "channel 2"]


def test_ts_with_times(files: Files) -> None:
    head = "@timestamps true\n@classLabel true a b\n@data\n"
    read = read_labelled(files({"toy.ts": head + "(2004-01-01 10:30:00,1.5),(2004-01-01 11:00:00,2):(0,3),(1,?):b\n"}))
    np.testing.assert_array_equal(read.sequences[0], np.array([[1.5, 3], [2, np.nan]], np.float32))
    assert read.labels == [("b",)]


def test_ts_without_labels(files: Files) -> None:
    paths = files({"new.ts": "@univariate true\n@classLabel false\n@data\n1,2\n3\n"})
    read = read_labelled(paths, LabelledOptions(need_labels=False))
    assert ([len(sequence) for sequence in read.sequences], read.labels, read.channels) == ([2, 1], [], ["value"])
    with pytest.raises(DataError, match=r"new\.ts: line 4: the label is missing"):
        read_labelled(paths)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1,2:3,4:left", "expected one of up, down after the last colon, got 'left'"),
        ("1,2:3,4:", "expected one of up, down after the last colon, got ''"),
        ("1,2:up", "expected 2 dimensions, got 1"),
        ("1,2:3,4:5,6:up", "expected 2 dimensions, got 3"),
        ("1,2:3:up", "dimension 2 has 1 values, the first 2"),
        ("1,2:3,x4:up", "dimension 2, value 2: expected a number, got 'x4'"),
        ("1,2:3,inf:up", "dimension 2, value 2 is infinite; leave the cell empty, or write NaN"),
        ("1,2:1e39,3:up", r"dimension 2, value 1 is 1e\+39, too large for float32"),
    ],
)
def test_a_broken_case_is_named_with_its_line(files: Files, line: str, problem: str) -> None:
    paths = files({"toy.ts": f"{HEAD}1:2:up\n{line}\n3:4:down\n"})
    with pytest.raises(DataError, match=rf"toy\.ts: line 10: {problem}"):
        read_labelled(paths)
    read = read_labelled(paths, LabelledOptions(on_error="skip"))
    assert (len(read.sequences), len(read.skipped)) == (2, 1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("@univariate true\n", "ends before its line @data"),
        ("const x: number = 1;\n", r"line 1: expected a line such as @classLabel, got 'const x: number = 1;'"),
        ("@targetlabel true\n@data\n1,2:0.5\n", "line 1: the cases have a number to predict"),
        (HEAD, "holds no examples"),
    ],
)
def test_a_broken_header(files: Files, content: str, problem: str) -> None:
    with pytest.raises(DataError, match=rf"toy\.ts: {problem}"):
        read_labelled(files({"toy.ts": content}))


def test_files_with_other_channels_do_not_mix(files: Files) -> None:
    one = "@classLabel true up down\n@data\n1,2:up\n"
    with pytest.raises(DataError, match=r"b\.ts: line 9: a series of 2 channels, where .*a\.ts has 1"):
        read_labelled(files({"a.ts": one, "b.ts": HEAD + "1,2:3,4:up\n"}))


ARFF = "%about\n@relation toy\n@attribute x relational\n\t@attribute t1 numeric\n\t@attribute t2 numeric\n@end x\n@attribute 'the class' {'a b',c}\n\n@data\n"


def test_arff_of_several_channels(files: Files) -> None:
    read = read_labelled(files({"toy.arff": ARFF + "'1,2,?\\n3,4,?','a b'\n\"5,?,7\\n8,9,10\",c\n"}))
    assert read.sequences[0].tolist() == [[1, 3], [2, 4]]  # what misses at the end, in all channels, is padding
    np.testing.assert_array_equal(read.sequences[1], np.array([[5, 8], [np.nan, 9], [7, 10]], np.float32))
    assert read.labels == [("a b",), ("c",)]


def test_arff_of_one_channel(files: Files) -> None:
    head = "@RELATION toy\n@ATTRIBUTE t1 NUMERIC\n@ATTRIBUTE t2 REAL\n@ATTRIBUTE target {1,2}\n@DATA\n"
    read = read_labelled(files({"toy.arff": head + "0.5,1,2\n-1,?,1\n"}))
    assert [sequence.tolist() for sequence in read.sequences] == [[[0.5], [1]], [[-1]]]
    assert (read.labels, read.channels) == ([("2",), ("1",)], ["value"])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("'1,2\\n3,4',d", "expected one of a b, c, got 'd'"),
        ("'1,2\\n3,4'", "the case has 1 values, the header 2 attributes"),
        ("'1,2\\n3',c", "the channels differ in length: 2, 1"),
        ("'1,2\\n3,y',c", "channel 2, value 2: expected a number, got 'y'"),
    ],
)
def test_a_broken_arff_case(files: Files, line: str, problem: str) -> None:
    with pytest.raises(DataError, match=rf"toy\.arff: line 11: {problem}"):
        read_labelled(files({"toy.arff": f"{ARFF}'1,2\\n3,4',c\n{line}\n"}))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("@relation x\n", "ends before its line @data"),
        (
            "@relation x\n@attribute day date\n@data\n",
            "line 2: expected a numeric, relational or nominal attribute, got 'date'",
        ),
        ("hello\n", "line 1: expected a line such as @attribute, got 'hello'"),
    ],
)
def test_a_broken_arff_header(files: Files, content: str, problem: str) -> None:
    with pytest.raises(DataError, match=rf"toy\.arff: {problem}"):
        read_labelled(files({"toy.arff": content}))


@pytest.mark.parametrize(("name", "gap"), [("Toy_TRAIN.txt", "  "), ("Toy_TRAIN.tsv", "\t"), ("Toy_TRAIN.csv", ",")])
def test_tables_of_the_ucr_archive(files: Files, name: str, gap: str) -> None:
    rows = [["1.0000e+00", "0.5", "NaN", "2"], ["-1", "1.5", "2.5", "NaN"], ["2", "3", "4", "5"]]
    paths = files({name: "\n".join(gap.join(row) for row in rows) + "\n"})
    for options in (LabelledOptions(), LabelledOptions(need_labels=False)):
        read = read_labelled(paths, options)
        np.testing.assert_array_equal(read.sequences[0], np.array([[0.5], [np.nan], [2]], np.float32))
        assert [len(sequence) for sequence in read.sequences] == [3, 2, 3]
        assert read.labels == [("1",), ("-1",), ("2",)]
        assert read.places == [f"{name}, line {line}" for line in (1, 2, 3)]
    broken = files({name: "\n".join(gap.join(row) for row in [*rows * 2, ["1", "2", "x", "3"]])})
    with pytest.raises(DataError, match=rf"{name}: line 7: value 2: expected a number, got 'x'"):
        read_labelled(broken)

"""Files that no reader of a library survives, each kind once: an error with the file and the place, or a result."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.data.labelled.reader import LabelledOptions, read_labelled
from recurra.data.timeseries.anomaly_labels import read_anomaly_labels
from recurra.data.timeseries.reader import TimeSeriesOptions, read_time_series
from recurra.errors import RecurraError
from recurra.text import Faults, open_sources, read_corpus, read_vectors

Files = Callable[..., list[Path]]


def message(read: Callable[[], object]) -> str:
    with pytest.raises(RecurraError) as failed:
        read()
    return str(failed.value)


def test_line_ends_of_carriage_returns_alone(files: Files) -> None:
    (path,) = files({"a.csv": "time,a\r" + "".join(f"2024-01-{day:02},{day}\r" for day in range(1, 10))})
    assert read_time_series([path]).series[0].values.ravel().tolist() == list(range(1, 10))
    (path,) = files({"b.csv": "text,label\r" + "".join(f"hello {at},{at % 2}\r" for at in range(4))})
    assert read_labelled([path]).sequences[3] == "hello 3"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"])
def test_times_that_leave_the_calendar_in_utc(files: Files, time: str) -> None:
    (path,) = files({"a.csv": f"time,a\n2024-01-01T00:00:00Z,2\n{time},1\n"})
    assert f"a.csv: line 3: column 'time': {time} is beyond the years 1 to 9999 in UTC" in message(
        lambda: read_time_series([path])
    )
    assert len(read_time_series([path], TimeSeriesOptions(on_error="skip")).series[0]) == 1


def zipped(name: str, content: bytes = b"a text", version: int | None = None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), content)
    data = bytearray(stream.getvalue())
    if version is not None:
        data[data.rindex(b"PK\x01\x02") + 6] = version
    return bytes(data)


@pytest.mark.parametrize("read", [read_labelled, read_corpus, read_time_series])
def test_zip_entries_without_a_name_or_of_an_unknown_version(files: Files, read: Any) -> None:
    first, second = files({"a.zip": zipped(""), "b.zip": zipped("b.txt", version=99)})
    assert message(lambda: read([first])).endswith("a.zip: the archive has an entry without a name; pack it again")
    assert "b.zip: cannot be unpacked (zip file version 9.9); unpack the archive" in message(lambda: read([second]))


def test_a_line_break_in_the_name_of_an_archives_member(files: Files) -> None:
    (path,) = files({"a.zip": zipped("a\n\x1b[31mb.csv", b"text,label\n")})
    found = message(lambda: read_labelled([path]))
    assert "a.zip/a\\n\\x1b[31mb.csv: " in found and "\n" not in found and "\x1b" not in found
    faults = Faults("skip")
    assert list(open_sources(files({"b.zip": zipped("a\nb.bin", b"\0\1")}), faults)) == []
    assert [skipped.split("b.zip/")[1] for skipped in faults.skipped] == ["a\\nb.bin: a binary file, not text"]


def test_halves_of_surrogate_pairs(files: Files) -> None:
    lines = [json.dumps({"text": "abc", "label": label}) for label in ("a", "\ud800x", "b")]
    (path,) = files({"a.jsonl": "\n".join(lines)})
    assert message(lambda: read_labelled([path])).endswith("line 2: the label holds half of a surrogate pair, \\ud800")
    assert read_labelled([path], LabelledOptions(on_error="skip")).labels == [("a",), ("b",)]
    records = [{"text": "abc", "label": "x"}, {"text": "abc", "\udfff": 1}]
    jsonl, array = files({"b.jsonl": "\n".join(map(json.dumps, records)), "b.json": json.dumps(records)})
    for path, place in ((jsonl, "line"), (array, "row")):
        expected = f"{place} 2: the name of a field holds half of a surrogate pair, \\udfff"
        assert message(lambda path=path: read_corpus([path], field="text")).endswith(expected)
    rows = [{"v": day, "unique_id": "p\udc00" if day == 4 else "p", "time": f"2024-01-0{day}"} for day in range(1, 8)]
    (path,) = files({"c.jsonl": "\n".join(map(json.dumps, rows))})
    assert "line 4: series p\\udc00: column 'unique_id': holds half of" in message(lambda: read_time_series([path]))
    unused = [{"text": "abc", "label": "x", "by": "\ud800"}, {"text": "def", "label": "y", "by": "me"}]
    (path,) = files({"d.jsonl": "\n".join(map(json.dumps, unused))})
    assert read_labelled([path], LabelledOptions(text="text", label="label")).sequences == ["abc", "def"]


@pytest.mark.parametrize("digits", [400, 4000])
def test_integers_beyond_float64(files: Files, digits: int) -> None:
    number = "7" * digits
    rows = "".join(f'{{"time": {time}, "a": {value}}}\n' for time, value in ((1, 1), (number, 2), (3, 3), (4, 4)))
    (path,) = files({"a.jsonl": rows})
    options = TimeSeriesOptions(time="time")
    assert "a.jsonl: line 2: column 'time' has a number too large for a time" in message(
        lambda: read_time_series([path], options)
    )
    rows = "".join(f'{{"time": "2024-01-0{day}", "a": {day if day != 4 else number}}}\n' for day in range(1, 9))
    (path,) = files({"b.jsonl": rows})
    assert "b.jsonl: line 4: column 'a' is infinite" in message(lambda: read_time_series([path]))


def test_a_cell_of_many_digits_is_no_year_and_no_column(files: Files) -> None:
    (path,) = files({"rows.txt": f"1,2,0\n3,{'9' * 5000},1\n" * 4})
    options = LabelledOptions(text="text", label="9" * 5000)
    assert "rows.txt: " in message(lambda: read_labelled([path], options))


def packed(write: Any, *values: Any, **named: Any) -> bytes:
    stream = io.BytesIO()
    write(stream, *values, **named)
    return stream.getvalue()


ODD_ARRAYS = {
    "structured": np.zeros(5, [("a", "f4"), ("b", "i4")]),
    "scalar": np.float64(3),
    "four axes": np.zeros((2, 3, 4, 5)),
    "complex": np.zeros((4, 5), complex),
    "times": np.zeros((3, 4), "M8[s]"),
    "bytes": np.zeros((3, 4), "V8"),
}


@pytest.mark.parametrize("kind", ODD_ARRAYS)
def test_arrays_that_are_no_series(files: Files, kind: str) -> None:
    array = ODD_ARRAYS[kind]
    whole = {"x.npz": packed(np.savez, x=array), "X.npy": packed(np.save, array)}
    whole["lengths.npz"] = packed(np.savez, x=np.zeros(12), lengths=array)
    for path in files(whole):
        for read in (lambda p: read_labelled([p], LabelledOptions(need_labels=False)), lambda p: read_time_series([p])):
            assert f"{path.name}: expected" in message(lambda read=read, path=path: read(path))


@pytest.mark.parametrize(
    ("lengths", "problem"),
    [
        ([-5, 17], "length 1 is -5, expected a whole number from 0 to 12"),
        ([6.5, 5.5], "length 1 is 6.5"),
        ([6, np.nan], "length 2 is nan"),
        ([6, np.inf], "length 2 is inf"),
        (np.array([2**62] * 4, np.uint64), "length 1 is 4611686018427387904"),
        ([6, 7], "the 2 lengths have 13 steps in all, the array 12"),
        (["a", "b"], "expected lengths (N), whole numbers, got 2 of <U1"),
    ],
)
def test_lengths_that_fit_no_array(files: Files, lengths: Any, problem: str) -> None:
    (path,) = files({"a.npz": packed(np.savez, x=np.zeros(12), lengths=lengths)})
    assert f"a.npz: {problem}" in message(lambda: read_labelled([path], LabelledOptions(need_labels=False)))
    assert f"a.npz: {problem}" in message(lambda: read_time_series([path]))


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,", "is damaged"),
        ("-" * 9000 + "1", "is damaged"),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }",
            "take 80000000000000 bytes, of which 8",
        ),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }", "there is no array of -3 values"),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 100000000000000000000), }",
            "there is no array of 0 x 1",
        ),
        ("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }", "there is no array of"),
    ],
)
def test_headers_of_arrays(files: Files, header: str, problem: str) -> None:
    data = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(8)
    path, packed_path = files({"X.npy": data, "a.npz": zipped("x.npy", data)})
    for read in (lambda: read_time_series([path]), lambda: read_anomaly_labels(path)):
        assert "X.npy: is damaged" in (found := message(read)) and problem in found
    assert "a.npz/x.npy: is damaged" in message(lambda: read_time_series([packed_path]))


def test_an_array_unfolds_to_no_more_than_is_allowed(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_UNPACK_LIMIT", "100K")
    (path,) = files({"a.npz": packed(np.savez_compressed, x=np.zeros((200, 100)))})
    assert path.stat().st_size < 2000
    assert "a.npz/x.npy: unfolds to more than the 102,400 bytes" in message(lambda: read_time_series([path]))


@pytest.fixture
def parquet() -> Callable[..., bytes]:
    arrow, write = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet").write_table
    return lambda columns: packed(lambda stream: write(arrow.table(columns), stream))


def test_parquet_cells_that_python_has_no_value_for(files: Files, parquet: Callable[..., bytes]) -> None:
    arrow = pytest.importorskip("pyarrow")
    offsets = arrow.py_buffer(np.array([0, 1, 2, 3], np.int32).tobytes())
    broken = arrow.StringArray.from_buffers(3, offsets, arrow.py_buffer(b"AB\xff"))
    odd = {
        "time zone": (arrow.array([1, 2, 3], arrow.timestamp("us", "Mars/Olympus")), 1, "cannot be read"),
        "no UTF-8": (broken, 3, "can't decode byte 0xff"),
        "year 35 million": (arrow.array([0, 2**50, 0], arrow.timestamp("ms")), 2, "is beyond the years 1 to 9999"),
        "far off with a zone": (arrow.array([0, 2**60, 0], arrow.timestamp("ms", "UTC")), 2, "cannot be read"),
        "duration": (arrow.array([0, 0, 2**60], arrow.duration("ms")), 3, "cannot be read"),
    }
    for name, (column, row, problem) in odd.items():
        (path,) = files({"a.parquet": parquet({"odd": column, "v": [1.0, 2, 3], "text": ["a", "b", "c"]})})
        found = message(lambda path=path: read_time_series([path]))
        assert f"a.parquet: row {row}: column 'odd' cannot be read" in found and problem in found, name
        found = message(lambda path=path: read_labelled([path], LabelledOptions(text="text", label="odd")))
        assert "a.parquet: row " in found, name


def test_whole_numbers_of_parquet_beyond_int64(files: Files, parquet: Callable[..., bytes]) -> None:
    arrow = pytest.importorskip("pyarrow")
    large = arrow.array([2**63 + 2**40, 2, None], arrow.uint64())
    (path,) = files({"a.parquet": parquet({"v": large, "time": ["2024-01-01", "2024-01-02", "2024-01-03"]})})
    assert read_time_series([path]).series[0].values.ravel()[:2].tolist() == [float(2**63 + 2**40), 2.0]


def test_parquet_decodes_to_no_more_than_is_allowed(
    files: Files, parquet: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = files({"a.parquet": parquet({"v": np.zeros(200_000), "text": ["a" * 50] * 200_000})})
    monkeypatch.setenv("RECURRA_UNPACK_LIMIT", "1M")
    assert path.stat().st_size < 100_000
    for read in (lambda: read_time_series([path]), lambda: read_corpus([path], field="text")):
        assert "a.parquet: unfolds to more than the 1,048,576 bytes" in message(read)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('chan_id,anomaly_sequences\na,"' + "[" * 200_000 + '"\n', "line 2: expected a chan_id and anomaly_sequences"),
        ('chan_id,anomaly_sequences\na,"[[1,' + "2" * 200_000 + ']]"\n', "line 2: expected a chan_id and"),
        ("chan_id,anomaly_sequences\na,[[1e999,2]]\n", "line 2: the row has 3 cells"),
        ('chan_id,anomaly_sequences\na,"[[1e999, 2]]"\n', "line 2: expected a chan_id and anomaly_sequences"),
    ],
)
def test_anomaly_labels_that_no_reader_survives(files: Files, text: str, problem: str) -> None:
    (path,) = files({"labels.csv": text})
    assert f"labels.csv: {problem}" in message(lambda: read_anomaly_labels(path))


def test_anomaly_labels_with_carriage_returns(files: Files) -> None:
    (path,) = files({"labels.csv": 'chan_id,anomaly_sequences\ra,"[(1, 2)]"\r'})
    assert read_anomaly_labels(path).limits == {"a": [(1, 2)]}


@pytest.mark.parametrize("line", ["5" * 5000 + " " + "5" * 5000, "5 " + "5" * 5000, "3 99999999999999"])
def test_the_first_line_of_vectors(files: Files, line: str) -> None:
    (path,) = files({"v.txt": line + "\nword 1 2\n"})
    assert "v.txt: line 1: expected vectors of at most 524,288 numbers" in message(lambda: read_vectors(path, ["word"]))


def test_sizes_of_images_that_no_array_has(files: Files) -> None:
    (path,) = files({"images-idx3-ubyte": bytes([0, 0, 8, 4]) + b"\xff" * 12 + bytes(4)})
    assert "images-idx3-ubyte: is damaged" in message(lambda: read_labelled([path], LabelledOptions(need_labels=False)))


def test_a_table_whose_first_rows_are_broken(files: Files) -> None:
    (path,) = files({"rows.txt": '1,2,"0\n3,4,1\n' * 5})
    assert "rows.txt: " in message(lambda: read_time_series([path]))


def test_an_archive_of_no_arrays_is_named(files: Files) -> None:
    (path,) = files({"a.npz": zipped("x.txt")})
    assert "a.npz: holds no series" in message(lambda: read_time_series([path]))


def test_times_of_anomaly_labels_with_a_zone(files: Files) -> None:
    hours = "".join(f"2024-05-01T0{hour}:00:00Z,{hour}\n" for hour in range(9))
    table, labels, word = files(
        {
            "a.csv": "time,v\n" + hours,
            "l.json": '{"a": [["2024-05-01 04:00+02:00", "2024-05-01T03:00Z"]]}',
            "w.json": '{"a": [["now", "now"]]}',
        }
    )
    series = read_time_series([table]).series[0]
    assert read_anomaly_labels(labels).events(series) == [(2, 4)]
    assert "w.json: expected a time, got 'now'" in message(lambda: read_anomaly_labels(word).events(series))

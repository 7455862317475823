"""Each layout is read as what it says, and hundreds of malformed files are an error of one line each."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recurra.data.drawings import read_drawings
from recurra.data.drawings.options import DrawingOptions
from recurra.errors import DataError, RecurraError

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g transform="scale(2)"><path d="M0 0C1 1 2 2 3 4"/></g><circle cx="5" cy="5" r="1"/></svg>'
CSV = b"drawing,stroke,x,y,label\n1,1,0,0,a\n1,1,3,4,a\n1,2,5,5,a\n2,1,0,0,b\n2,1,1,1,b\n"
LIFTED = b"x,y,lifted\n0,0,0\n1,1,1\n2,2,0\n3,3,1\n"
INKML = (
    b'<ink xmlns="http://www.w3.org/2003/InkML"><annotation type="truth">to</annotation><trace>1 2, 3 4</trace></ink>'
)
UNIPEN = b'.COORD X Y\n.SEGMENT WORD 0-1 OK "to"\n.PEN_DOWN\n1 2\n3 4\n.PEN_UP\n.PEN_DOWN\n5 6\n7 8\n'
JSON = b'{"strokes": [[[0, 0], [1, 2]], [[3, 3]]], "text": "to"}\n{"strokes": [[[0, 0], [5, 2]]], "text": "be"}\n'
QUICK = b'{"word": "cat", "drawing": [[[0, 3], [0, 4]], [[5], [5]]]}\n'


def npz() -> bytes:
    made = np.empty(2, object)
    made[0] = np.array([[1, 2, 0], [3, 4, 1], [1, 1, 0], [2, 2, 1]], np.int16)
    made[1] = np.array([[1, 0, 0], [0, 1, 1]], np.int16)
    stream = io.BytesIO()
    np.savez(stream, train=made, test=made[:1])
    return stream.getvalue()


FILES = {
    "a.svg": SVG, "points.csv": CSV, "lifted.csv": LIFTED, "a.inkml": INKML, "a.dat": UNIPEN, "a.jsonl": JSON,
    "cats.ndjson": QUICK, "kanji.npz": npz(),
}  # fmt: skip
COUNTS = {"a.svg": 1, "points.csv": 2, "lifted.csv": 1, "a.inkml": 1, "a.dat": 1, "a.jsonl": 2, "cats.ndjson": 1}
COUNTS["kanji.npz"] = 3


@pytest.mark.parametrize("name", FILES)
def test_each_layout_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    found = read_drawings([tmp_path / name])
    assert len(found) == COUNTS[name]
    assert all(one.ink.points >= 2 for one in found)


def test_what_each_says_of_a_drawing(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    found = {name: read_drawings([tmp_path / name]) for name in FILES}
    assert [one.text for one in found["points.csv"]] == ["a", "b"]
    assert [len(one.ink.strokes) for one in found["points.csv"]] == [2, 1]
    assert len(found["lifted.csv"][0].ink.strokes) == 2
    assert found["a.inkml"][0].text == found["a.dat"][0].text == "to"
    assert found["cats.ndjson"][0].text == "cat"
    assert {one.split for one in found["kanji.npz"]} == {"train", "test"}
    assert len(read_drawings([tmp_path], DrawingOptions(on_error="skip"))) == sum(COUNTS.values())


def test_folders_of_svg_files_are_labels(tmp_path: Path) -> None:
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "1.svg").write_bytes(SVG)
    assert [one.text for one in read_drawings([tmp_path])] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"x,y\n1,nan\n2,3\n", r"a.csv: .*row|line .*expected a number"),
        ("a.csv", b"x,y\n1,1e30\n2,3\n", "expected coordinates within"),
        ("a.jsonl", b'{"strokes": []}\n', "holds no points"),
        ("a.jsonl", b'{"text": "to"}\n', "strokes|file"),
        ("a.npz", b"PK nothing", "a.npz"),
        ("a.txt", b"no ink here\n", "holds no strokes; expected SVG"),
        ("a.svg", b"<html/>", "expected SVG, got a document of <html>"),
        ("a.svg", b'<!DOCTYPE a [<!ENTITY b "c">]><svg/>', "without entities"),
    ],
)
def test_what_is_none_is_named(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RecurraError, match=message) as caught:
        read_drawings([tmp_path / name])
    assert "\n" not in str(caught.value)


def mutants(name: str, data: bytes, count: int) -> Iterator[bytes]:
    """Cut a file off, change and double bytes of it, and put numbers in that are none."""
    random = np.random.default_rng(len(data))
    odd = [b"nan", b"1e999", b"-", b"", b"[[[[", b"\x00", b"\xff\xfe", b"999999999999999999999", b"<", b'"']
    for number in range(count):
        place = int(random.integers(len(data)))
        if number % 4 == 0:
            yield data[:place]
        elif number % 4 == 1:
            yield data[:place] + bytes([int(random.integers(256))]) + data[place + 1 :]
        elif number % 4 == 2:
            yield data[:place] + odd[number // 4 % len(odd)] + data[place + int(random.integers(4)) :]
        else:
            yield data[:place] + data[place // 2 :]


def test_malformed_files_are_one_line_each(tmp_path: Path) -> None:
    tried = refused = 0
    for name, data in FILES.items():
        for number, broken in enumerate(mutants(name, data, 48)):
            path = tmp_path / f"{number}-{name}"
            path.write_bytes(broken)
            tried += 1
            try:
                for one in read_drawings([path]):
                    assert np.isfinite(np.concatenate(one.ink.strokes)).all()
            except RecurraError as error:
                refused += 1
                assert "\n" not in str(error) and str(error)
    assert tried >= 200 and refused >= 200


def test_skipping_counts_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(SVG)
    (tmp_path / "b.svg").write_bytes(SVG[:50])
    with pytest.raises(DataError, match=r"b\.svg"):
        read_drawings([tmp_path])
    assert len(read_drawings([tmp_path], DrawingOptions(on_error="skip"))) == 1


def test_written_strokes_are_read_again(tmp_path: Path) -> None:
    path = tmp_path / "made.jsonl"
    path.write_text(json.dumps({"strokes": [[[0, 0], [1, 1]], [[4, 4]]]}) + "\n")
    assert [len(stroke) for stroke in read_drawings([path])[0].ink.strokes] == [2, 1]

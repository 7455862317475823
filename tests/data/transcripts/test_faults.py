"""What cannot be used is one clear line with its place; any bytes give a result or one of our errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.data.test_any_bytes import check_names_file, damage
from tests.data.transcripts.conftest import Write, page_bytes, wav_bytes
from tests.data.transcripts.test_layouts import ONE
from tests.data.transcripts.test_pages_and_inks import ALTO, PAGE, UNIPEN

from recurra.data.transcripts import TranscriptOptions, iter_transcripts, read_transcripts
from recurra.errors import DataError, RecurraError, UsageError
from recurra.text import Faults

DAMAGED_FILES_PER_FORMAT = 60
NAMED = TranscriptOptions(label_from="{text}_*")
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><ink><annotation type="truth">&b;</annotation></ink>'


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({"1.wav": ONE}, {}, "has no text for .*1.wav; expected name.txt beside name.wav, .*--label-from PATTERN"),
        ({"1.txt": "one"}, {}, "holds no signals with a text: .*1.txt: no text of a signal, by its name"),
        ({"1.wav": ONE, "1.txt": " \n"}, {}, r"1\.txt: the text is empty; write it, or leave it out"),
        ({"1.wav": ONE, "1.txt": "a" * 2001}, {}, r"1\.txt: expected a text of at most 2,000 characters, got 2,001"),
        ({"1.wav": ONE, "1.txt": b"\xff\xfe\xfa"}, {}, r"1\.txt: "),
        ({"1.wav": ONE[:60], "1.txt": "one"}, {}, r"1\.wav: byte 60: is cut off"),
        ({"1.wav": b"", "1.txt": "one"}, {}, r"has no text|holds no"),
        ({"1.png": b"none", "1.gt.txt": "one"}, {}, r"1\.png: is no picture that can be read"),
        ({"bob.wav": ONE}, {"label_from": "{text}_{speaker}"}, r"bob\.wav: the name does not fit the pattern \{text\}_\{speaker\}; mend --label-from"),
        ({"a_1.wav": ONE, "b_2.png": page_bytes()}, {"label_from": "{text}_*"}, r"b_2\.png: expected a sound, as .*a_1\.wav is, got a picture; name those of one kind"),
        ({"a_1.raw": bytes(10)}, {"label_from": "{text}_*"}, r"a_1\.raw: is no sound that can be read; .*--rate"),
        ({"t.csv": "file,text\n1.wav,one\n2.wav,two\n3.wav,x\n", "1.wav": ONE}, {}, r"t\.csv: line 3: the file 2\.wav is not there \(2 are missing\); say where the files are"),
        ({"t.csv": "file,text\n1.wav,one\n1.wav,two\n", "1.wav": ONE}, {}, r"t\.csv: line 3: another text of 1\.wav stands in t\.csv"),
        ({"t.csv": "file,text\n1.wav,\n", "1.wav": ONE}, {}, r"t\.csv: line 2: the text is empty"),
        ({"t.csv": "file,text\n,one\n", "1.wav": ONE}, {}, r"t\.csv: line 2: field 'file' is no name of a file"),
        ({"t.jsonl": '{"file": "1.wav", "text": ["a"]}\n', "1.wav": ONE}, {}, r"t\.jsonl: line 1: field 'text' is no text"),
        ({"t.jsonl": '{"file": "1.wav", "text": "a", "offset": 9, "duration": 1}\n', "1.wav": ONE}, {}, r"t\.jsonl: line 1: begins at 9 s, and 1\.wav has 0\.02 s"),
        ({"t.jsonl": '{"file": "1.wav", "text": "a", "offset": -1, "duration": 1}\n', "1.wav": ONE}, {}, "line 1: expected an offset and a duration"),
        ({"wav.scp": "a sox x.wav - |\n", "text": "a one\n"}, {}, r"wav\.scp: line 1: a: expected the name of a file, got a command, which is not run"),
        ({"wav.scp": "a 1.wav\n", "text": "b one\n", "1.wav": ONE}, {}, r"text: line 1: no sound has the name b in wav\.scp"),
        ({"wav.scp": "a 1.wav\na 2.wav\n", "text": "a one\n", "1.wav": ONE}, {}, r"wav\.scp: line 2: a stands in line 1 already"),
        ({"wav.scp": "r 1.wav\n", "text": "a x\n", "segments": "a r 2 1\n", "1.wav": ONE}, {}, r"segments: line 1: expected a recording, a start and a later end"),
        ({"a.inkml": BOMB}, {}, r"a\.inkml: expected XML without entities of its own"),
        ({"a.inkml": "<ink><trace>1 2"}, {}, r"a\.inkml: line 1: is no XML"),
        ({"a.inkml": "<ink><trace>1 2</trace></ink>"}, {}, r"a\.inkml: row 1: has no text"),
        ({"a.inkml": '<ink><annotation type="truth">a</annotation><trace>1</trace></ink>'}, {}, r"a\.inkml: row 1: expected a point of numbers, got '1'"),
        ({"a.inkml": '<ink><annotation type="truth">a</annotation></ink>'}, {}, r"a\.inkml: holds no points"),
        ({"a.inkml": '<ink><traceGroup><annotation type="truth">a</annotation><traceView traceDataRef="#x"/></traceGroup></ink>'}, {}, "a group has the trace x, which is not there"),
        ({"p.xml": PAGE.replace('points="0,0 60,0 60,20 0,20"', 'points="0,0 1"'), "p1.png": page_bytes()}, {}, r"p\.xml: row 1: expected the corners of the line"),
        ({"p.xml": PAGE.replace("0,0 60,0 60,20 0,20", "90,90 99,90 99,99"), "p1.png": page_bytes()}, {}, r"p\.xml: row 1: the line lies beside the picture p1\.png, which has 60 x 40 pixels"),
        ({"p.xml": ALTO.replace(">pixel<", ">mm10<"), "p1.png": page_bytes()}, {}, r"p\.xml: expected places in pixels, got mm10"),
        ({"p.xml": PAGE}, {}, r"p\.xml: row 1: the file p1\.png is not there"),
        ({"a.dat": '.SEGMENT WORD 0 OK "a"\n.PEN_DOWN\n1 2\n3\n'}, {}, r"a\.dat: line 2: expected 2 numbers a point \(X Y\), got 3 in all"),
        ({"a.dat": '.SEGMENT WORD 0 OK "a"\n.PEN_DOWN\n1 x\n'}, {}, r"a\.dat: line 2: expected the numbers of points, got '1 x'"),
        ({"a.dat": '.SEGMENT WORD 0-4 OK "a"\n.PEN_DOWN\n1 2\n'}, {}, r"a\.dat: line 1: component 4 is not there, of 1"),
        ({"a.dat": '.SEGMENT WORD x OK "a"\n.PEN_DOWN\n1 2\n'}, {}, r"a\.dat: line 1: expected components such as 4-7 or 10, got 'x'"),
        ({"a.dat": '.INCLUDE b.dat\n.SEGMENT WORD 0 OK "a"\n'}, {}, r"a\.dat: line 1: includes b\.dat, which is not there; name the folder"),
        ({"a.dat": '.COORD P T\n.SEGMENT WORD 0 OK "a"\n'}, {}, r"a\.dat: line 1: expected X and Y among the coordinates, got 'P T'"),
        ({"a.jsonl": '{"strokes": [[[0]]], "text": "a"}\n'}, {}, r"a\.jsonl: line 1: expected a point \[x, y\], got \[0\]"),
        ({"a.jsonl": '{"strokes": [[[0, 1e99]]], "text": "a"}\n'}, {}, r"a\.jsonl: line 1: expected a point"),
        ({"a.jsonl": '{"strokes": [[[0, NaN]]], "text": "a"}\n'}, {}, r"a\.jsonl: line 1: expected a point"),
        ({"a.jsonl": '{"strokes": [[]], "text": "a"}\n'}, {}, r"a\.jsonl: line 1: holds no points"),
        ({"a.jsonl": '{"strokes": [{"x": [1], "y": []}], "text": "a"}\n'}, {}, r"a\.jsonl: line 1: expected as many numbers x as y"),
        ({"a.jsonl": '{"strokes": [[[0, 1]]]}\n'}, {}, r"a\.jsonl: which field is the text\?"),
        ({"a.jsonl": f'{{"drawing": [[{list(range(200_001))}, {list(range(200_001))}]], "text": "a"}}\n'}, {}, "expected an ink of at most 200,000 points, got 200,001"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(
    write: Write, files: dict[str, str | bytes], options: dict[str, str], message: str
) -> None:
    folder = write(files)
    with pytest.raises((DataError, UsageError), match=message) as caught:
        read_transcripts([folder], TranscriptOptions(**options))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_file_that_is_named_and_is_nothing(write: Write) -> None:
    folder = write({"notes.txt": "hello", "a.xml": "<html/>", "1.wav": ONE})
    with pytest.raises(DataError, match=r"notes\.txt: is no table, and no text beside a signal of its name"):
        read_transcripts([folder / "notes.txt", folder / "1.wav"])
    with pytest.raises(DataError, match=r"a\.xml: expected PAGE XML, ALTO or InkML, got a document of <html>"):
        read_transcripts([folder / "a.xml", folder / "1.wav"])


def test_what_cannot_be_used_is_left_out_if_a_user_says_so(write: Write) -> None:
    folder = write({"a_1.wav": ONE, "b_1.wav": ONE[:50], "c.wav": ONE, "d_1.wav": wav_bytes(0)})
    faults = Faults("skip")
    read = read_transcripts([folder], NAMED, faults)
    assert [one.text for one in read] == ["a"]
    assert len(faults.skipped) == 3 and all(str(folder) in one for one in faults.skipped)


def test_signals_are_read_one_by_one(write: Write) -> None:
    folder = write({"a_1.wav": ONE, "b_1.wav": ONE[:50]})
    found = iter_transcripts([folder], NAMED)
    assert next(found).text == "a"
    with pytest.raises(DataError, match=r"b_1\.wav"):
        next(found)


FORMATS: dict[str, str | bytes] = {
    "t.csv": "file,text,speaker\n1.wav,one,ann\n1.wav,one,bob\n",
    "t.jsonl": '{"audio": "1.wav", "text": "one", "offset": 0, "duration": 0.01}\n{"audio": "1.wav", "text": "two"}\n',
    "a.jsonl": json.dumps({"strokes": [[[0, 1], [2, 3]], {"x": [0, 2], "y": [1, 3]}], "text": "to"}) + "\n",
    "d.jsonl": json.dumps({"drawing": [[[0, 2], [1, 3]]], "word": "to"}) + "\n",
    "wav.scp": "u1 1.wav\nu2 1.wav\n",
    "text": "u1 one\nu2 two\n",
    "segments": "u1 u1 0 0.01\nu2 u2 0.01 0.02\n",
    "1.txt": "one",
    "1.wav": ONE,
    "p.png": page_bytes(),
    "p.xml": PAGE.replace("scans/p1.png", "p.png"),
    "p2.xml": ALTO.replace("p1.png", "p.png"),
    "a.inkml": '<ink><annotation type="truth">to</annotation><trace>0 1, \'2 \'3, "1 "0, * 4</trace></ink>',
    "a.dat": '.COORD X Y\n.SEGMENT WORD 0-1:1 OK "to"\n.PEN_DOWN\n0 1\n2 3\n.PEN_UP\n.PEN_DOWN\n4 5\n6 7\n',
}


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    content = FORMATS[name]
    good, rng = content if isinstance(content, bytes) else content.encode(), np.random.default_rng(len(name))
    (tmp_path / "1.wav").write_bytes(ONE)
    (tmp_path / "p.png").write_bytes(page_bytes())
    if name in ("wav.scp", "text", "segments"):
        for other in ("wav.scp", "text", "segments"):
            (tmp_path / other).write_text(str(FORMATS[other]), encoding="utf-8")
    path = tmp_path / name
    for number in range(DAMAGED_FILES_PER_FORMAT):
        path.write_bytes(data := damage(good, rng) if number else good)
        check_names_file(lambda: read_transcripts([tmp_path]), path, data)
        check_names_file(
            lambda: read_transcripts([tmp_path], TranscriptOptions(need_texts=False, on_error="skip")), path, data
        )


def test_undamaged_files_are_read(tmp_path: Path) -> None:
    for name, content in UNIPEN.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    assert len(read_transcripts([tmp_path])) == 2
    with pytest.raises(RecurraError):
        read_transcripts([tmp_path / "none"])

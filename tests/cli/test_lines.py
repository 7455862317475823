"""The lines that verbs read, whatever they come in, and print, whatever they go to."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from recurra.errors import DataError
from recurra.verbs.base.options import print_json, print_line, read_lines

TEXT = "床前明月光\n\nthe rain\n"
LINES = ["床前明月光", "", "the rain"]


def from_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    return list(read_lines("-"))


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode().removesuffix(b"\n"),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
    ],
)
def test_lines_are_the_same_however_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.bz2").write_bytes(bz2.compress(data))
    for name in ("a.txt", "a.txt.gz", "a.bz2"):
        assert list(read_lines(str(tmp_path / name))) == LINES
    assert from_input(monkeypatch, data) == LINES


def test_nothing_has_no_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    assert list(read_lines(str(tmp_path / "empty.txt"))) == from_input(monkeypatch, b"") == []


def test_a_line_may_begin_like_a_file_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_input(monkeypatch, b"A PDF file begins with\n%PDF-1.7\n")[1] == "%PDF-1.7"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"good\nb\xe9d\nlast\n", "line 2: byte 6: expected UTF-8 text, got byte 0xe9"),
        ("春眠不觉晓，处处闻啼鸟\n".encode("gb18030"), "iconv -f gb18030"),
        (gzip.compress(b"a\n", mtime=0), "byte 0: expected text, got a gzip file"),
        ("one\n".encode("utf-16"), "byte 0: expected UTF-8 text, got UTF-16"),
        (b"one\ntwo\n\0\n", "byte 8: expected text, got a binary file"),
    ],
)
def test_what_is_no_text_is_said_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, message: str
) -> None:
    (tmp_path / "bad.txt").write_bytes(data)
    with pytest.raises(DataError) as from_file:
        list(read_lines(str(tmp_path / "bad.txt")))
    with pytest.raises(DataError) as piped:
        from_input(monkeypatch, data)
    assert message in str(from_file.value) and message in str(piped.value)
    assert str(piped.value).startswith("standard input: ")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_control_characters_and_never_obeys_them(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\x1b[2J\x9b\x07月\t\n"
    for stream, shown in ((Terminal(), "\\x1b[2J\\x9b\\x07月\t\n"), (io.StringIO(), text)):
        monkeypatch.setattr(sys, "stdout", stream)
        print_line(text, end="")
        assert stream.getvalue() == shown
        print_json({"text": text})
        written = stream.getvalue().removeprefix(shown)
        assert json.loads(written) == {"text": text}
        assert ("\x9b" in written) is not stream.isatty()


def test_json_is_exact_in_any_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    print_json({"text": "月é😀"})
    assert json.loads(written.getvalue().decode("ascii")) == {"text": "月é😀"}

"""Files to a corpus: where documents end, what is left out, and what fits what."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError, RecurraError, UsageError
from recurra.text import Corpus, read_corpus

POEMS = '{"title": "登鸛雀樓", "lines": ["白日依山盡，", "黃河入海流。"]}\n{"title": "空", "lines": []}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, content: str | bytes) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def message(*arguments: str, error: type[RecurraError] = DataError, **options: Any) -> str:
    with pytest.raises(error) as caught:
        read_corpus(arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_documents_all_files_are_one_text(folder: Path) -> None:
    write("a.txt", "\ufeffone\r\ntwo")
    write("b.txt", "cafe\u0301\n")
    write("c.txt", "three")
    corpus = read_corpus(["a.txt", "b.txt", "c.txt"])
    assert corpus == Corpus(["one\ntwo\ncafé\nthree"], True, ["a.txt", "b.txt", "c.txt"], [])


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ("line", ["one", " two", "three", "四", "five"]),
        ("blank", ["one\n two", "three\n四", "five"]),
        ("file", ["\n\none\n two\n\u3000\n\nthree\n四\n", "five"]),
    ],
)
def test_where_documents_end(folder: Path, documents: Any, expected: list[str]) -> None:
    write("a.txt", "\n\none\n two\n\u3000\n\nthree\n四\n\n")
    write("b.txt", "five")
    corpus = read_corpus(["a.txt", "b.txt"], documents=documents)
    assert (corpus.documents, corpus.continuous) == (expected, False)


def test_only_line_feeds_end_a_line(folder: Path) -> None:
    write("a.txt", "one\u2028still\x0cone\x85\n")
    assert read_corpus(["a.txt"], documents="line").documents == ["one\u2028still\x0cone\x85"]


@given(text=st.text(st.sampled_from("ab春 \n\t\u3000"), min_size=1, max_size=40).filter(str.strip))
def test_cutting_loses_nothing_but_blank_lines(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.txt"
    path.write_bytes(text.encode())
    lines = [line for line in text.split("\n") if line.strip()]
    assert read_corpus([path], documents="line").documents == lines
    blocks = read_corpus([path], documents="blank").documents
    assert [line for block in blocks for line in block.split("\n")] == lines
    assert all(first in text for first in blocks)
    assert read_corpus([path]).documents == [text]


def test_records_are_documents_and_those_without_text_are_listed(folder: Path) -> None:
    write("a.jsonl", POEMS)
    corpus = read_corpus(["a.jsonl"], field="lines")
    assert corpus == Corpus(["白日依山盡，\n黃河入海流。"], False, ["a.jsonl"], ["a.jsonl: line 2: empty text"])
    assert read_corpus(["a.jsonl"], field="lines", documents="line").documents == ["白日依山盡，", "黃河入海流。"]
    assert read_corpus(["a.jsonl"], field="title", documents="none").documents == ["登鸛雀樓\n空"]
    assert read_corpus(["a.jsonl"], field="title", documents="file").documents == ["登鸛雀樓\n空"]
    assert read_corpus(["a.jsonl"], field="title", documents="blank").documents == ["登鸛雀樓", "空"]


def test_records_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (POEMS, '[{"lines": "白日依山盡，\\n黃河入海流。"}]', 'lines\n"白日依山盡，\n黃河入海流。"\n'):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data.encode())))
        assert read_corpus(["-"], field="lines").documents == ["白日依山盡，\n黃河入海流。"]


def test_a_field_belongs_to_records_and_records_to_a_field(folder: Path) -> None:
    write("d/a.jsonl", POEMS)
    write("d/b.txt", "plain")
    assert message("d/b.txt", error=UsageError, field="lines").startswith(
        "d/b.txt: is plain text and has no field 'lines'"
    )
    problem = message("d/a.jsonl", error=UsageError)
    assert problem.startswith("d/a.jsonl: say which field of a record holds the text (--text FIELD")
    assert problem.endswith("the fields there are: title, lines; for example --text lines")
    # A folder that holds both is never cut down in silence.
    assert message("d", error=UsageError).endswith("or name only the files that are plain text")
    corpus = read_corpus(["d"], field="lines")
    assert (corpus.sources, corpus.skipped[1]) == (["d/a.jsonl"], "d/b.txt: plain text, without a field 'lines'")
    assert message("d/b.txt", error=UsageError, documents="record").startswith("documents = record: say which field")
    assert "is empty" in message("d/b.txt", error=UsageError, field="")


def test_settings_that_are_none(folder: Path) -> None:
    write("a.txt", "a")
    assert "expected one of auto, none, line" in message("a.txt", error=UsageError, documents="lines")
    assert "expected 'stop' or 'skip'" in message("a.txt", error=UsageError, on_error="ignore")


def test_one_character_and_one_repeated_character_are_text(folder: Path) -> None:
    assert read_corpus([write("a.txt", "春")]).documents == ["春"]
    assert read_corpus([write("b.txt", "a" * 1000)], documents="line").documents == ["a" * 1000]


def test_files_without_text(folder: Path) -> None:
    assert message(write("a.txt", "")) == "a.txt: is empty"
    assert message(write("b.txt", " \n\u3000\n")) == "b.txt: holds only white space"
    assert message(write("bom.txt", b"\xef\xbb\xbf")) == "bom.txt: holds only white space"
    assert message(write("c.txt", b"text\0")) == "c.txt: byte 4: expected text, got a binary file (a NUL byte)"
    problem = message(write("d.json", '[{"lines": ""}, {"lines": []}]'), field="lines")
    assert problem == "d.json: holds no text to read; 2 left out: d.json: row 1: empty text | d.json: row 2: empty text"
    assert message("a.txt", "b.txt", on_error="skip").startswith("a.txt, b.txt: holds no text to read; 2 left out: ")


def test_bad_lines_that_are_skipped_are_listed_and_the_rest_is_read(folder: Path) -> None:
    write("a.txt", b"one\ncaf\xe9\n\ntwo\0\n\nthree\n")
    assert message("a.txt", documents="line").startswith("a.txt: line 2: byte 7: expected UTF-8 text, got byte 0xe9; ")
    corpus = read_corpus(["a.txt"], documents="line", on_error="skip")
    skipped = [
        "a.txt: line 2: expected UTF-8 text, got byte 0xe9",
        "a.txt: line 4: holds a NUL character: this is no text",
    ]
    assert (corpus.documents, corpus.skipped) == (["one", "three"], skipped)
    blank = read_corpus(["a.txt"], documents="blank", on_error="skip")
    assert blank.documents == ["three"]
    assert [entry.split(":")[1] for entry in blank.skipped] == [" line 1", " line 4"]


def test_a_bad_file_that_is_skipped_takes_no_other_with_it(folder: Path) -> None:
    write("a.txt", b"caf\xe9\n")
    write("b.txt", "two\n")
    write("c.json", '[{"t": "x"}')
    corpus = read_corpus(["a.txt", "b.txt"], on_error="skip")
    assert (corpus.documents, corpus.sources, len(corpus.skipped)) == (["two\n"], ["b.txt"], 1)
    write("d.json", '[{"t": "x"}]')
    assert read_corpus(["c.json", "d.json"], field="t", on_error="skip").documents == ["x"]


@pytest.mark.parametrize("documents", ["none", "line", "blank", "file"])
@pytest.mark.parametrize("unit", ["x", "春", "\n"])
def test_a_long_line_takes_linear_time(folder: Path, documents: Any, unit: str) -> None:
    size = 20_000_000 // len(unit.encode())
    write("a.txt", "a" + unit * size)
    start = time.perf_counter()
    corpus = read_corpus(["a.txt"], documents=documents)
    assert time.perf_counter() - start < 15
    assert len(corpus.documents[0]) in (1, size, size + 1)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv"])
def test_a_long_record_takes_linear_time(folder: Path, name: str) -> None:
    size = 5_000_000
    write(name, '{"t": "' + "x" * size + '"}' if "json" in name else 't\n"' + 'x,""' * (size // 4) + '"')
    start = time.perf_counter()
    assert len(read_corpus([name], field="t").documents[0]) > size // 2
    assert time.perf_counter() - start < 15

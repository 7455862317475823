"""Pairs from every form of file, and what is said of those that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from recurra.data.pairs import MAX_CHARACTERS, PairOptions, read_pairs
from recurra.errors import DataError, UsageError

PAIRS = [("ein Hund", "a dog"), ("eine Katze", "a cat"), ("zwei", "two")]


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def lines(side: int) -> str:
    return "".join(f"{pair[side]}\n" for pair in PAIRS)


@pytest.mark.parametrize(
    ("files", "names", "options"),
    [
        ({"t__de": lines(0), "t__en": lines(1)}, ["t.de", "t.en"], {}),
        ({"t__de": lines(0), "t__en": lines(1)}, ["t.en", "t.de"], {"source": "de", "target": "en"}),
        ({"t__de": lines(0), "t__en": lines(1)}, ["t"], {"source": "de", "target": "en"}),
        ({"t__tsv": "source\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in PAIRS)}, ["t.tsv"], {}),
        ({"t__csv": "id,en,de\n" + "".join(f"1,{b},{a}\n" for a, b in PAIRS)}, ["t.csv"], {"source": "de", "target": "en"}),
        ({"t__txt": "".join(f"{a}\t{b}\n" for a, b in PAIRS)}, ["t.txt"], {}),
        ({"t__jsonl": "".join(json.dumps({"x": {"de": a}, "en": b}) + "\n" for a, b in PAIRS)}, ["t.jsonl"], {"source": "x.de", "target": "en"}),
        ({"t__json": json.dumps([{"question": a, "answer": b} for a, b in PAIRS])}, ["t.json"], {}),
        (
            {"t__tmx": "<tmx><body>" + "".join(f'<tu><tuv xml:lang="EN"><seg>{b}</seg></tuv><tuv xml:lang="de-DE"><seg>{a}</seg></tuv></tu>' for a, b in PAIRS) + "</body></tmx>"},
            ["t.tmx"],
            {"source": "de", "target": "en"},
        ),
    ],
)  # fmt: skip
def test_every_form(tmp_path: Path, files: dict[str, str], names: list[str], options: dict[str, Any]) -> None:
    folder = write(tmp_path, **files)
    read = read_pairs([folder / name for name in names], PairOptions(**options))
    assert list(zip(read.sources, read.targets, strict=True)) == PAIRS
    assert len(read.places) == 3 and not read.skipped


def test_endings_of_packed_files(tmp_path: Path) -> None:
    for side, name in ((0, "t.de.gz"), (1, "t.en.gz")):
        (tmp_path / name).write_bytes(gzip.compress(lines(side).encode()))
    read = read_pairs([tmp_path / "t"], PairOptions("de", "en"))
    assert read.targets == ["a dog", "a cat", "two"]


@pytest.mark.parametrize(
    ("files", "names", "message"),
    [
        ({"a": "one\ntwo\n", "b": "eins\n"}, ["a", "b"], r"a: line 2: has 2 lines, and .*b 1: line n of one"),
        ({"a": "one\n\n", "b": "eins\nzwei\n"}, ["a", "b"], r"a: line 2: the source is empty"),
        ({"a": "one\ntwo\n", "b": "eins\n \n"}, ["a", "b"], r"a: line 2: the target is empty"),
        (
            {"a": "x" * (MAX_CHARACTERS + 1) + "\n", "b": "eins\n"},
            ["a", "b"],
            r"a: line 1: expected a source of at most 2,000",
        ),
        ({"a__tmx": "<tmx><tu>"}, ["a.tmx"], r"a\.tmx: line 1: is no XML"),
        ({"a__tsv": "source\ttarget\nx\t\n"}, ["a.tsv"], r"a\.tsv: line 2: the target is empty"),
        ({"a__txt": "x\ty\n" * 8 + "no tab\n"}, ["a.txt"], r"a\.txt: line 9: "),
    ],
)
def test_what_is_no_pair_has_its_place(tmp_path: Path, files: dict[str, str], names: list[str], message: str) -> None:
    folder = write(tmp_path, **files)
    with pytest.raises(DataError, match=message):
        read_pairs([folder / name for name in names])


def test_pairs_may_be_left_out(tmp_path: Path) -> None:
    folder = write(tmp_path, a="one\n\nthree\n", b="eins\nzwei\ndrei\n")
    read = read_pairs([folder / "a", folder / "b"], PairOptions(on_error="skip"))
    assert read.targets == ["eins", "drei"] and len(read.skipped) == 1


@pytest.mark.parametrize(
    ("files", "names", "message"),
    [
        ({"a": "one\n"}, ["a"], "expected two parallel files, the source first, or a table"),
        ({"a__csv": "id,en,de\n1,a,b\n"}, ["a.csv"], "which column is the source, and which the target"),
    ],
)
def test_what_is_open_is_asked_for(tmp_path: Path, files: dict[str, str], names: list[str], message: str) -> None:
    folder = write(tmp_path, **files)
    with pytest.raises(UsageError, match=message):
        read_pairs([folder / name for name in names])


MEMORY = (
    '<?xml version="1.0"?><tmx xmlns="http://www.lisa.org/tmx14"><body>'
    '<tu><tuv xml:lang="en-GB"><seg>a <bpt i="1">&lt;b&gt;</bpt>cat<ept i="1">&lt;/b&gt;</ept></seg></tuv>'
    '<tuv xml:lang="de"><seg>eine\nKatze</seg></tuv><tuv xml:lang="fr"><seg>un chat</seg></tuv></tu>'
    '<tu><tuv xml:lang="en-US"><seg>two</seg></tuv><tuv xml:lang="de"><seg>zwei</seg></tuv></tu></body></tmx>'
)


@pytest.mark.parametrize(
    ("options", "pairs"),
    [
        ({}, [("a cat", "eine Katze"), ("two", "zwei")]),
        ({"source": "de"}, [("eine Katze", "a cat"), ("zwei", "two")]),
        ({"target": "fr"}, [("a cat", "un chat")]),
        ({"source": "en-AU", "target": "DE"}, [("a cat", "eine Katze"), ("two", "zwei")]),
    ],
)
def test_the_languages_of_a_memory(tmp_path: Path, options: dict[str, str], pairs: list[tuple[str, str]]) -> None:
    read = read_pairs([write(tmp_path, m__tmx=MEMORY) / "m.tmx"], PairOptions(**options))
    assert list(zip(read.sources, read.targets, strict=True)) == pairs
    assert len(read.notes) == (len(pairs) == 1)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (MEMORY, {"source": "xx", "target": "de"}, r"has no unit in xx and de; its languages are de, en-gb, en-us, fr"),
        ('<?xml version="1.0" encoding="klingon"?><tmx/>', {}, "is in an encoding that is not read"),
        ('<!DOCTYPE tmx [<!ENTITY a "aa">]><tmx/>', {}, "expected XML without entities of its own"),
    ],
)
def test_memories_that_cannot_be_read(tmp_path: Path, content: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_pairs([write(tmp_path, m__tmx=content) / "m.tmx"], PairOptions(**options))


def test_an_ending_may_stand_before_that_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "train.de.txt").write_text("eins\n")
    (tmp_path / "train.en.txt").write_text("one\n")
    for given in ([tmp_path / "train"], sorted(tmp_path.iterdir(), reverse=True)):
        read = read_pairs(given, PairOptions("de", "en"))
        assert (read.sources, read.targets) == (["eins"], ["one"])


def test_files_of_one_name_in_two_folders_are_pairs_of_their_own(tmp_path: Path) -> None:
    for folder, word in (("a", "eins"), ("b", "zwei")):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, x__de=f"{word}\n", x__en=f"{word} in English\n")
    read = read_pairs([tmp_path / "a", tmp_path / "b"], PairOptions("de", "en"))
    assert list(zip(read.sources, read.targets, strict=True)) == [
        ("eins", "eins in English"),
        ("zwei", "zwei in English"),
    ]


def test_a_bad_cell_leaves_out_its_row_alone(tmp_path: Path) -> None:
    rows = [{"source": f"s{n}" if n != 2 else ["x"], "target": f"t{n}"} for n in range(9)]
    folder = write(tmp_path, t__jsonl="".join(json.dumps(row) + "\n" for row in rows))
    read = read_pairs([folder / "t.jsonl"], PairOptions(on_error="skip"))
    assert len(read.sources) == 8 and len(read.skipped) == 1


def test_words_of_the_language_are_no_header(tmp_path: Path) -> None:
    read = read_pairs([write(tmp_path, t__txt="to\tzu\nfrom\tvon\n") / "t.txt"])
    assert read.sources == ["to", "from"] and read.targets == ["zu", "von"]


def test_names_of_a_training_that_another_file_does_not_have(tmp_path: Path) -> None:
    folder = write(tmp_path, a="ein\n", b="one\n", t__csv="question,answer\nein,one\n")
    for names in (["a", "b"], ["t.csv"]):
        assert read_pairs([folder / name for name in names], PairOptions("written", "iso")).targets == ["one"]


def test_a_name_that_is_too_long_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not exist|cannot be read"):
        read_pairs(["漢" * 300], PairOptions("de", "en"))

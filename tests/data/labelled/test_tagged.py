"""Words with tags, and frames with tags, from all the forms they are kept in."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from recurra.data.labelled.tagged import TaggedOptions, read_tagged
from recurra.errors import DataError, UsageError

from ...conftest import Files

WORDS = [["Anna", "lives"], ["北京", "#here", "café"]]
TAGS = [["B-PER", "O"], ["B-LOC", "O", "O"]]


def columns(gap: str, extra: str = "") -> str:
    rows = [
        [f"{word}{extra}{gap}{tag}\n" for word, tag in zip(*pair, strict=True)]
        for pair in zip(WORDS, TAGS, strict=True)
    ]
    return "\n".join("".join(sentence) for sentence in rows)


def conllu(first: str = "1\tAnna\tAnna\tPROPN\tNNP\t_\t2\tnsubj\t_\t_\n") -> str:
    return (
        "# sent_id = 1\n# text = Anna's here\n1-2\tAnna's\t_\t_\t_\t_\t_\t_\t_\t_\n"
        + first
        + "2\t's\tbe\tAUX\tVBZ\t_\t0\troot\t_\t_\n2.1\tis\tbe\tVERB\t_\t_\t_\t_\t_\t_\n3\there\there\tADV\tRB\t_\t2\tadv\t_\t_\n\n"
        + "# sent_id = 2\n1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_\n"
    )


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.conll", columns("\t"), {}),
        ("a.txt", columns(" "), {}),
        ("a.tsv", columns("\t"), {}),
        ("a.iob", "-DOCSTART- O\n\n" + columns(" "), {}),
        ("a.conll", "# id 7 domain en\n" + columns("\t"), {}),
        ("a.conll", columns("\t", "\tNN\tX"), {}),
        ("a.conll", columns("\t", "\tNN\tX"), {"column": 4}),
        ("a.conll", columns("\t").replace("\n", "\r\n"), {"column": "2", "tokens": 1}),
        ("a.conll", columns("\t").replace("\n\n", "\n\t\n  \n"), {}),
        ("a.conll", "\ufeff" + columns("\t").replace("é", "e\u0301"), {}),
    ],
)
def test_columns(files: Files, name: str, content: str, options: dict[str, str]) -> None:
    read = read_tagged(files({name: content}), TaggedOptions(**options))
    assert (read.kind, read.sentences, read.tags, read.sequences) == ("text", WORDS, TAGS, [])
    assert all(place.startswith(f"{name}, line ") for place in read.places)


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        ("Anna\tB\nlives\n", {}, r"line 2: expected 2 columns, got 1; a word and its tag stand on one line"),
        ("Anna\tB\n\tO\n", {}, "line 2: expected 2 columns, got 1|line 2: the word is empty"),
        ("Anna\tB\nlives\t\tO\nhere\tO\n", {}, "line 2: expected 2 columns, got 3"),
        ("Anna\tNN\tB\nlives\tNN\t \nhere\tNN\tO\n", {}, "line 2: expected 3 columns, got 2"),
        ("Anna\tB\nlives\tO\n", {"column": 3}, "line 1: expected 3 columns, got 2"),
        ("Anna\nlives\n", {}, "line 1: the words and the tags are both column 1"),
        ("Anna\tB\nlives\tO\x00\n", {}, "expected text, got a binary file"),
        ("\n\n", {}, "holds no tagged sequences"),
    ],
)
def test_broken_columns(files: Files, content: str, options: dict[str, int], problem: str) -> None:
    with pytest.raises(DataError, match=rf"a\.conll: .*({problem})|a\.conll: ({problem})"):
        read_tagged(files({"a.conll": content}), TaggedOptions(**options))


def test_a_broken_sentence_is_listed_when_skipped(files: Files) -> None:
    read = read_tagged(files({"a.conll": "one\tA\n\ntwo\n\nthree\tB\n"}), TaggedOptions(on_error="skip"))
    assert (read.sentences, read.tags, len(read.skipped)) == ([["one"], ["three"]], [["A"], ["B"]], 1)
    assert "line 3: expected 2 columns, got 1" in read.skipped[0]


@pytest.mark.parametrize("column", ["tags", 0, -2])
def test_a_column_is_a_number(files: Files, column: int | str) -> None:
    with pytest.raises(UsageError, match="column: expected the number of a column, from 1, or -1 for the last; got"):
        read_tagged(files({"a.conll": columns("\t")}), TaggedOptions(column=column))


@pytest.mark.parametrize(
    ("options", "tags"),
    [
        ({}, [["PROPN", "AUX", "ADV"], ["INTJ"]]),
        ({"column": "XPOS"}, [["NNP", "VBZ", "RB"], ["UH"]]),
        ({"column": 8}, [["nsubj", "root", "adv"], ["root"]]),
        ({"tokens": "lemma", "column": "form"}, [["Anna", "'s", "here"], ["Yes"]]),
    ],
)
def test_conllu(files: Files, options: dict[str, int | str], tags: list[list[str]]) -> None:
    read = read_tagged(files({"a.conllu": conllu()}), TaggedOptions(**options))
    assert read.tags == tags
    assert read.sentences == (
        [["Anna", "be", "here"], ["yes"]] if options.get("tokens") else [["Anna", "'s", "here"], ["Yes"]]
    )
    assert read.places == ["a.conllu, line 3", "a.conllu, line 10"]


def test_conllu_by_the_name_of_its_column_whatever_the_file_is_called(files: Files) -> None:
    assert read_tagged(files({"a.txt": conllu()}), TaggedOptions(column="upos")).tags[1] == ["INTJ"]


@pytest.mark.parametrize(
    ("first", "problem"),
    [
        ("1\tAnna\tAnna\tPROPN\n", "line 4: expected 10 columns parted by tabs, got 4"),
        ("2\tAnna" + "\t_" * 8 + "\n", "line 4: expected the id 1, got '2'"),
        ("1\t\tAnna" + "\t_" * 7 + "\n", "line 4: the word is empty"),
    ],
)
def test_broken_conllu(files: Files, first: str, problem: str) -> None:
    with pytest.raises(DataError, match=rf"a\.conllu: {problem}"):
        read_tagged(files({"a.conllu": conllu(first)}))
    assert read_tagged(files({"a.conllu": conllu(first)}), TaggedOptions(on_error="skip")).sentences == [["Yes"]]


def test_conllu_has_these_columns_only(files: Files) -> None:
    with pytest.raises(UsageError, match=r"CoNLL-U has the columns id, form, .*; got 'pos'"):
        read_tagged(files({"a.conllu": conllu()}), TaggedOptions(column="pos"))


def test_conllu_without_tags(files: Files) -> None:
    bare = "1\tYes" + "\t_" * 8 + "\n"
    assert read_tagged(files({"a.conllu": bare}), TaggedOptions(need_labels=False)).tags == []
    with pytest.raises(DataError, match=r"a\.conllu: line 1: the tags are missing"):
        read_tagged(files({"a.conllu": bare}))


def lines(words: str, tags: str) -> str:
    return "\n".join(json.dumps({"id": 1, words: w, tags: t}) for w, t in zip(WORDS, TAGS, strict=True))


@pytest.mark.parametrize(
    ("words", "tags", "options"),
    [
        ("tokens", "ner_tags", {}),
        ("words", "tags", {}),
        ("a", "b", {"tokens": "a", "column": "b"}),
        ("a", "b", {"tokens": "a"}),
    ],
)
def test_records_with_two_lists(files: Files, words: str, tags: str, options: dict[str, str]) -> None:
    read = read_tagged(files({"a.jsonl": lines(words, tags)}), TaggedOptions(**options))
    assert (read.sentences, read.tags, read.places) == (WORDS, TAGS, ["a.jsonl, line 1", "a.jsonl, line 2"])


def test_tags_that_are_numbers(files: Files) -> None:
    assert read_tagged(files({"a.json": '[{"tokens": ["a", "b"], "ner_tags": [0, 3]}]'})).tags == [["0", "3"]]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ('{"tokens": ["a", "b"], "tags": ["x"]}', "line 2: field 'tags': expected 2 tags, one a word, got 1"),
        ('{"tokens": ["a"], "tags": "x"}', "line 2: field 'tags': expected 1 tags, one a word, got no list"),
        ('{"tokens": "a b", "tags": ["x"]}', "line 2: field 'tokens': expected a list of strings"),
        ('{"tokens": [" "], "tags": ["x"]}', "line 2: field 'tokens': the word ' ' is empty"),
        ('{"tokens": ["a"], "tags": [null]}', "line 2: the tag of step 1 is missing"),
        ('{"tokens": ["a"]}', "line 2: field 'tags' is missing"),
    ],
)
def test_broken_records(files: Files, record: str, problem: str) -> None:
    paths = files({"a.jsonl": '{"tokens": ["one"], "tags": ["x"]}\n' + record})
    with pytest.raises(DataError, match=rf"a\.jsonl: {problem}"):
        read_tagged(paths)
    assert len(read_tagged(paths, TaggedOptions(on_error="skip")).sentences) == 1


def test_records_that_leave_it_open(files: Files) -> None:
    with pytest.raises(
        UsageError, match="cannot tell which field is the list of words; the fields there are: a, b; name it: --tokens"
    ):
        read_tagged(files({"a.jsonl": lines("a", "b").replace('"id": 1, ', "")}))


def test_without_need_of_tags(files: Files) -> None:
    unlabelled = TaggedOptions(need_labels=False)
    assert read_tagged(files({"a.conll": "Anna\nlives\n\nhere\n"}), unlabelled).sentences == [
        ["Anna", "lives"],
        ["here"],
    ]
    assert read_tagged(files({"a.jsonl": '{"tokens": ["a"]}'}), unlabelled).tags == []
    assert read_tagged(files({"a.conll": columns("\t")}), unlabelled).tags == TAGS


FRAMES = "take,time,x,y,action\nb,1,0.5,1,rest\na,2,3,4,go\na,1,1,2,rest\n"


def test_frames_of_a_table(files: Files) -> None:
    read = read_tagged(files({"a.csv": FRAMES}), TaggedOptions(series="take", time="time", column="action"))
    assert (read.kind, read.sentences, read.tags) == ("series", [], [["rest"], ["rest", "go"]])
    assert [sequence.tolist() for sequence in read.sequences] == [[[0.5, 1]], [[1, 2], [3, 4]]]
    assert (read.channels, read.places) == (["x", "y"], ["a.csv, line 2", "a.csv, line 3"])
    with pytest.raises(UsageError, match="needs the column that names the series and the one with the tags"):
        read_tagged(files({"a.csv": FRAMES}))
    with pytest.raises(DataError, match=r"a\.csv: line 3: the tag of step 2 is missing"):
        read_tagged(
            files({"a.csv": FRAMES.replace("go", "")}), TaggedOptions(series="take", time="time", column="action")
        )


def test_frames_of_arrays(files: Files) -> None:
    def npz(**arrays: object) -> bytes:
        stream = io.BytesIO()
        np.savez(stream, **arrays)  # type: ignore[arg-type]
        return stream.getvalue()

    values = np.arange(12.0).reshape(2, 3, 2)
    read = read_tagged(files({"a.npz": npz(x=values, y=[[0, 0, 1], [1, 1, 0]], lengths=[3, 2])}))
    assert [sequence.tolist() for sequence in read.sequences] == [values[0].tolist(), values[1, :2].tolist()]
    assert read.tags == [["0", "0", "1"], ["1", "1"]]
    running = read_tagged(files({"a.npz": npz(x=values.reshape(6, 2), y=[0, 0, 1, 1, 1, 0], lengths=[2, 4])}))
    assert running.tags == [["0", "0"], ["1", "1", "1", "0"]]
    with pytest.raises(DataError, match=r"a\.npz: row 1: expected 3 tags, one a step, got 2"):
        read_tagged(files({"a.npz": npz(x=values, y=[[0, 0], [1, 1]])}))


def test_a_sentence_without_an_end_has_its_first_line(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.text.read.tagged.MAX_SENTENCE_LINES", 3)
    assert len(read_tagged(files({"a.conll": "a\tX\nb\tY\nc\tX\n"})).sentences) == 1
    with pytest.raises(DataError, match=r"a\.conll: line 3: expected an empty line after each sentence, got 3 lines"):
        read_tagged(files({"a.conll": "a\tX\n\nb\tY\n" + "c\tX\n" * 3}))

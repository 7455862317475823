"""Labelled data that cannot be read: one error with its row, or a list of what was left out."""

from __future__ import annotations

import pytest
from tests.data.labelled.conftest import TREES

from recurra.data.labelled.reader import LabelledOptions, parse_renames, read_labelled
from recurra.errors import DataError, UsageError

from ...conftest import Files


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("(3 (2 It) (4 shines)) (2 (2 a) (2 b))", "a second tree begins"),
        ("(3 (2 It) ((4 shines)))", "a bracket that no label follows"),
        ("(3 (2 It) (4 shines))) (", "stands outside of the brackets"),
        ("(3 (2 It) (4 ))", "a phrase without words"),
        ("(3 (2 It) (4 shines)", "1 brackets are not closed"),
        ("what", "stands outside"),
    ],
)
def test_a_broken_tree(files: Files, line: str, problem: str) -> None:
    lines = [TREES.split("\n")[0]] * 60 + [line]
    with pytest.raises(DataError, match=rf"train\.txt: line 61: broken tree: .*{problem}"):
        read_labelled(files({"train.txt": "\n".join(lines)}))
    assert len(read_labelled(files({"train.txt": "\n".join(lines)}), LabelledOptions(on_error="skip")).skipped) == 1


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        ("text,label\ngood,\n", {}, DataError, r"a\.csv: line 2: the label is missing"),
        (
            "text,label\ngood,1\n",
            {"label": "lable"},
            DataError,
            r"field 'lable' is missing; the fields there are: text, label; did you mean 'label'\?",
        ),
        ("text,label\ngood,1\n", {"text": "txt"}, DataError, r"a\.csv: line 1: field 'txt' is missing"),
        (
            "one,two\nsome words,more of them\n",
            {},
            UsageError,
            "cannot tell which field is the text; the fields there are: one, two",
        ),
        (
            "review,stars,place\nsome words here,5,Rome\n",
            {},
            UsageError,
            "cannot tell which field is the label; .*review, stars, place",
        ),
        ("text,label\ngood,1\nbad\n", {}, DataError, r"a\.csv: line 3: the row has 1 cells, the header 2"),
        ("text,label\n", {}, (DataError, UsageError), "a.csv"),
    ],
)
def test_faults_of_tables(
    files: Files, content: str, options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_labelled(files({"a.csv": content}), LabelledOptions(**options))


def test_faults_are_listed_when_skipped(files: Files) -> None:
    content = "text,label\ngood,1\nbad\nlost,\n,0\nfine,1\n"
    read = read_labelled(files({"a.csv": content}), LabelledOptions(on_error="skip"))
    assert read.sequences == ["good", "fine"]
    assert [message.split("a.csv: ")[1] for message in read.skipped] == [
        "line 3: the row has 1 cells, the header 2",
        "line 4: the label is missing",
        "line 5: empty text",
    ]


def test_without_need_of_labels_the_same_files_are_read(files: Files) -> None:
    unlabelled = LabelledOptions(need_labels=False)
    bare = read_labelled(files({"new.csv": "review,day\nwhat a mess,1\nfine indeed,2\n"}), unlabelled)
    assert (bare.sequences, bare.labels) == (["what a mess", "fine indeed"], [])
    known = files({"old.csv": "review,sentiment\nwhat a mess,bad\nfine indeed,\n"})
    assert read_labelled(known, LabelledOptions(text="review", label="sentiment", need_labels=False)).labels == []
    full = files({"full.csv": "review,sentiment\nwhat a mess,bad\n"})
    assert read_labelled(full, unlabelled).labels == [("bad",)]
    lines = read_labelled(files({"lines.txt": "2 films\n3 plays\n"}), unlabelled)
    assert (lines.sequences, lines.labels) == (["2 films", "3 plays"], [])
    # A run that learnt from a file per class is given one file.
    one = read_labelled(files({"rt.pos": "fine\n"}), LabelledOptions(label="file", need_labels=False))
    assert (one.sequences, one.labels) == (["fine"], [])


def test_plain_text_that_says_no_label(files: Files) -> None:
    with pytest.raises(UsageError, match=r"a\.txt: plain text, of which nothing says what its label is"):
        read_labelled(files({"a.txt": "one line\nand another\nand a third\nin the end\n"}))
    with pytest.raises(UsageError, match="nothing says what its label is"):
        read_labelled(files({"numbered.txt": "1 one\n2 two\n3 three\n"}))
    with pytest.raises(UsageError, match=r"is plain text and has no field 'stars'"):
        read_labelled(files({"a.txt": "one\n"}), LabelledOptions(label="stars"))
    with pytest.raises(UsageError, match="the names of the files do not tell classes apart"):
        read_labelled(files({"a.txt": "one line\n", "a-b.txt": "more\n"}), LabelledOptions(label="file"))


@pytest.mark.parametrize("label", ["", "   "])
def test_a_label_must_have_a_name(files: Files, label: str) -> None:
    with pytest.raises((UsageError, DataError)):
        read_labelled(files({"a.csv": "text,label\ngood,1\n"}), LabelledOptions(label=label))


def test_renames_are_pairs() -> None:
    with pytest.raises(UsageError, match="rename: expected LABEL=NEW"):
        parse_renames(["negative"])
    assert parse_renames(["a=b=c"]) == (("a", "b=c"),)


def test_one_kind_at_a_time(files: Files) -> None:
    series = "@classLabel true 0 1\n@data\n1,2:0\n"
    with pytest.raises(UsageError, match=r"holds series, .* text: read one kind at a time"):
        read_labelled(files({"a.csv": "text,label\nwords here,1\n", "b.ts": series}))


def test_nothing_is_read_twice_and_nothing_is_nothing(files: Files) -> None:
    (path,) = files({"a.csv": "text,label\ngood,1\n"})
    assert len(read_labelled([path, path]).sequences) == 1
    with pytest.raises(DataError, match="does not exist"):
        read_labelled([path.with_name("b.csv")])
    with pytest.raises(DataError, match="holds no examples"):
        read_labelled([path], LabelledOptions(rename=(("1", ""),)))


def test_more_examples_than_memory_can_hold(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.data.labelled.reader.MAX_EXAMPLES", 3)
    names = files({"a.csv": "text,label\n" + "good,1\n" * 5})
    with pytest.raises(DataError, match=r"a\.csv: line 5: more than 3 examples; give a part of them"):
        read_labelled(names)
    read = read_labelled(names, LabelledOptions(on_error="skip"))
    assert len(read.sequences) == 3 and len(read.skipped) == 1
    assert read.labels[0] is read.labels[2]  # one tuple for all that are alike

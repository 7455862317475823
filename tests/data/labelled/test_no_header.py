"""Tables without a header: what is the text and what the label, by position or by what the columns hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.data.labelled.reader import Labelled, LabelledOptions, read_labelled
from recurra.data.labelled.tagged import TaggedOptions, read_tagged
from recurra.errors import DataError, UsageError

Files = Callable[[dict[str, Any]], list[Path]]
WORDS = ["soup", "café", "room", "view", "bread"]


def tweets(count: int = 24) -> str:
    """Six quoted columns: the first is the label, the last the text; numbers, dates, a constant and names between."""
    rows = [
        f'"{4 * (n * 2 // count)}","{7_000_000 + 13 * n}","Tue Mar 01 0{n % 10}:{n % 60:02}:00 PDT 2011","NO_QUERY","user{n:04}",'
        f'"@user{n} what a {WORDS[n % 5]}, again &amp; number {n}"'
        for n in range(count)
    ]
    return "\n".join(rows) + "\n"


def beats(count: int = 40, length: int = 12) -> tuple[str, np.ndarray]:
    """Rows of numbers with fractions, zeros at their ends, and the class, 0 or 1, in the last column."""
    values = np.random.default_rng(3).random((count, length))
    values[:, -2:] = 0
    return "".join(",".join(f"{x:.6e}" for x in row) + f",{n % 2:.6e}\n" for n, row in enumerate(values)), values


def classes(read: Labelled) -> dict[str, int]:
    return dict(Counter(label for (label,) in read.labels))


@pytest.mark.parametrize("named", [{}, {"text": "6", "label": "1"}, {"text": "last", "label": "1"}], ids=str)
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_columns_are_found_or_named_by_position(files: Files, named: dict[str, str], encoding: str) -> None:
    read = read_labelled(files({"tweets.csv": tweets().encode(encoding)}), LabelledOptions(**named))
    assert classes(read) == {"0": 12, "4": 12} and read.places[0] == "tweets.csv, line 1"
    assert read.sequences[1] == "@user1 what a café, again &amp; number 1"
    assert any("no header" in note for note in read.notes)
    assert read.chosen == {name: value for name, value in (("text", "6"), ("label", "1")) if named.get(name) != value}
    assert any("text 6, label 1" in note for note in read.notes) is not bool(named)


def test_header_no_and_yes(files: Files) -> None:
    paths = files({"a.csv": "text,label\nso good,1\nso bad,0\nso so,1\nwhat a mess,0\n"})
    assert len(read_labelled(paths).labels) == 4
    first = read_labelled(paths, LabelledOptions(header="no", text="1", label="2"))
    assert first.sequences[0] == "text" and first.labels[0] == ("label",)
    with pytest.raises(UsageError, match=r"--text .*--header no"):
        read_labelled(files({"b.csv": f"{'x y ' * 20},{'u v ' * 20}\n" * 3}), LabelledOptions(header="yes"))
    with pytest.raises(DataError, match=r"field '9' is missing; .*no header: its columns are named 1, 2, … and last"):
        read_labelled(files({"tweets.csv": tweets()}), LabelledOptions(text="6", label="9"))


def test_what_is_open_is_refused_with_what_the_columns_hold(files: Files) -> None:
    rows = "".join(f"{n % 2},{n % 3},what a {WORDS[n % 5]} that was {n}\n" for n in range(12))
    with pytest.raises(UsageError, match=r"label \(column 1: 2 different values.*column 2: 3 .*--label 1"):
        read_labelled(files({"a.csv": rows}))
    assert classes(read_labelled(files({"b.csv": rows}), LabelledOptions(label="2"))) == {"0": 4, "1": 4, "2": 4}
    twins = "".join(f"{n % 2},this is text {n},that is text {n}\n" for n in range(12))
    with pytest.raises(UsageError, match=r"which column is the text \(column 2.*column 3"):
        read_labelled(files({"c.csv": twins}))


def test_positions_in_tables_with_a_header(files: Files) -> None:
    paths = files({"a.csv": "id,words,stars\n1,so good,5\n2,so bad,1\n"})
    read = read_labelled(paths, LabelledOptions(text="2", label="last"))
    assert read.labels == [("5",), ("1",)] and read.chosen == {"text": "words", "label": "stars"}
    numbers = read_labelled(
        files({"b.csv": "2,1,last\n3,4,a\n5,6,b\n7,8,a\n"}),
        LabelledOptions(label="last", columns=("1", "2"), header="yes"),
    )
    assert numbers.sequences[0].ravel().tolist() == [4.0, 3.0]  # a name outranks a position


def test_single_quotes(files: Files) -> None:
    rows = [("Web", 'He said "no"; twice'), ("Sport", "it's 2, not 3"), ("Web", "plain"), ("Sport", "so; so")]
    minimal = "".join(f"{a};" + ("'" + b.replace("'", "''") + "'" if set(b) & set("';") else b) + "\n" for a, b in rows)
    quoted = "".join(f"{a};'" + b.replace("'", "''") + "'\n" for a, b in rows)
    for name, text in (("minimal.csv", minimal), ("quoted.csv", quoted), ("header.csv", "label;text\n" + quoted)):
        read = read_labelled(files({name: text}))
        assert (read.sequences, read.labels) == ([b for _, b in rows], [(a,) for a, _ in rows]), name
    plain = "text,label\n'tis late,good\nit's,bad\n'a' is one,good\n"
    assert read_labelled(files({"apostrophes.csv": plain})).sequences == ["'tis late", "it's", "'a' is one"]
    with pytest.raises(DataError, match=r"not closed"):
        read_labelled(
            files({"broken.csv": "text,label\n\"x,good\n'a',bad\n"}), LabelledOptions(text="text", label="label")
        )


def test_the_last_column_of_numbers_is_the_label_where_the_first_cannot_be(files: Files) -> None:
    text, values = beats()
    for options in ({}, {"label": "last"}, {"label": "13"}):
        for name in ("beats.csv", "beats.txt"):
            read = read_labelled(files({name: text}), LabelledOptions(**options))
            assert classes(read) == {"0": 20, "1": 20} and len(read.sequences[0]) == 12
            np.testing.assert_allclose(read.sequences[3].ravel(), values[3], rtol=1e-5)
            assert read.chosen.get("label", options.get("label")) == "13"
    assert any(
        "the last column, which has 2 different values" in note for note in read_labelled(files({"b.csv": text})).notes
    )
    with pytest.raises(
        DataError, match=r"40 different numbers for 40 examples.*the last column has 2 different values: --label last"
    ):
        read_labelled(files({"beats.csv": text}), LabelledOptions(label="1"))
    for label in ("14", "rhythm"):
        with pytest.raises(DataError, match=rf"field '{label}' is missing"):
            read_labelled(files({"beats.csv": text}), LabelledOptions(label=label))


def test_files_without_labels_are_read_alike(files: Files) -> None:
    text, _ = beats()
    bare = "".join(line.rpartition(",")[0] + "\n" for line in text.splitlines())
    for content in (text, bare):
        read = read_labelled(files({"new.csv": content}), LabelledOptions(label="13", need_labels=False))
        assert {len(one) for one in read.sequences} == {12} and bool(read.labels) is (content == text)
    first = "".join(f"{n % 3 + 1},0.5,{n / 7:.3f}\n" for n in range(9))
    assert len(read_labelled(files({"ucr.csv": first})).sequences[0]) == 2  # the label first, as ever
    assert read_labelled(files({"ucr.csv": first}), LabelledOptions(label="1", need_labels=False)).labels[0] == ("1",)


def test_measurements_are_no_labels(files: Files) -> None:
    rows = "".join(f"{n / 7:.4f},{n % 5},{n},{'ab'[n % 2]}\n" for n in range(20))
    with pytest.raises(
        DataError, match=r"look like measurements; the last column, 'kind', has 2 different values: --label last"
    ):
        read_labelled(files({"a.csv": "x,u,v,kind\n" + rows}), LabelledOptions(label="x"))
    few = "".join(f"some text {n},{n % 4 / 2}\n" for n in range(20))
    assert len(classes(read_labelled(files({"b.csv": "text,label\n" + few})))) == 4  # halves are stars
    with pytest.raises(
        UsageError,
        match=r"cannot tell which column is the label; the fields [^;]*; the last column, 'kind', has 2 different values: --label last",
    ):
        read_labelled(files({"c.csv": "x,u,v,kind\n" + rows}))


def test_rows_that_hold_nothing_at_the_end_are_none(files: Files) -> None:
    paths = files({"a.csv": "text;label;;\nso good;1;;\nso bad;0;;\n;;;\n;;;\n"})
    assert len(read_labelled(paths).sequences) == 2
    with pytest.raises(DataError, match=r"line 3: the label is missing"):
        read_labelled(files({"b.csv": "text;label\nso good;1\n;\nso bad;0\n"}))


def test_tagged_steps_without_a_header(files: Files) -> None:
    rows = "".join(f"{take},{n},{n / 3:.3f},{'ab'[n > 2]}\n" for take in "xy" for n in range(5))
    options = TaggedOptions(series="1", time="2", column="last")
    read = read_tagged(files({"a.csv": rows}), options)
    assert read.tags == [["a", "a", "a", "b", "b"]] * 2 and read.sequences[0].shape == (5, 1)
    assert any("no header" in note for note in read.notes)


def test_long_tables_by_two_columns(files: Files) -> None:
    rows = "".join(f"{who},{take},{n},{n * 2},{who}{take}\n" for who in "ab" for take in "12" for n in range(3))
    paths = files({"a.csv": "who,take,t,x,move\n" + rows})
    read = read_labelled(paths, LabelledOptions(series=("who", "take"), time="t", label="move"))
    assert [label for (label,) in read.labels] == ["a1", "a2", "b1", "b2"] and len(read.sequences[0]) == 3

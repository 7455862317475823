"""Plain text files that are tables, or whose lines end with their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recurra.data.labelled.reader import Labelled, LabelledOptions, read_labelled
from recurra.errors import UsageError

Files = Callable[[dict[str, Any]], list[Path]]
TEXTS = ["Good case, cheap.", 'He said "no', "很好吃", "It was; so so", "Never again!", "Nice"]


def labelled(start: int, separator: str = "\t", count: int = 10) -> str:
    return "".join(f"{TEXTS[n % 6]} {start + n} {separator}{n % 2}\n" for n in range(count))


def classes(read: Labelled) -> dict[str, int]:
    return dict(Counter(label for (label,) in read.labels))


def test_a_folder_of_lines_that_end_with_their_labels(files: Files) -> None:
    folder = files({"shop.txt": labelled(0), "films.txt": labelled(50), "readme.txt": "What this is.\n"})[0].parent
    read = read_labelled([folder])
    assert classes(read) == {"0": 10, "1": 10} and 'He said "no 1' in read.sequences
    assert any("each line ends with its label" in note and "films.txt, shop.txt" in note for note in read.notes)
    assert classes(read_labelled([folder], LabelledOptions(label="file"))).keys() >= {"shop", "films"}
    bare = read_labelled([folder / "shop.txt"], LabelledOptions(need_labels=False))
    assert bare.sequences[0] == "Good case, cheap. 0"


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_one_file(files: Files, separator: str) -> None:
    read = read_labelled(files({"a.txt": labelled(0, separator, 40)}))
    assert classes(read) == {"0": 20, "1": 20} and read.sequences[0] == "Good case, cheap. 0"


def test_prose_is_no_table(files: Files) -> None:
    lines = "\n".join(f"it was good, {word}" for word in ("he said", "she said", "we thought")) + "\n"
    with pytest.raises(UsageError, match=r"nothing says what its label is"):
        read_labelled(files({"a.txt": lines}))
    good, bad = "so good, again\nvery nice, thanks\n" * 6, "so bad, never\nvery dull, no\n" * 6
    assert classes(read_labelled(files({"good.txt": good, "bad.txt": bad}))) == {"good": 12, "bad": 12}


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_tables_by_another_name(files: Files, separator: str) -> None:
    rows = [
        ["id", "review", "label"],
        *([str(n), f"a {word} of it", "ab"[n % 2]] for n, word in enumerate(TEXTS[2:] * 3)),
    ]
    text = "".join(separator.join(cell.replace(";", "") for cell in row) + "\n" for row in rows)
    for options in ({}, {"text": "review", "label": "label"}, {"text": "2", "label": "last"}):
        read = read_labelled(files({"a.txt": text}), LabelledOptions(**options))
        assert classes(read) == {"a": 6, "b": 6} and read.sequences[0] == "a 很好吃 of it"
    headless = text.split("\n", 1)[1]
    assert classes(read_labelled(files({"b.txt": headless}))) == {"a": 6, "b": 6}


def test_a_heading_above_labels_is_no_label(files: Files) -> None:
    for rows in ("label\ttext\n" + "".join(f"{n % 2}\tthis is {n}\n" for n in range(9)),):
        assert classes(read_labelled(files({"a.txt": rows}))) == {"0": 5, "1": 4}
    last = "text\tlabel\n" + "".join(f"this is {n}\t{n % 2}\n" for n in range(9))
    assert classes(read_labelled(files({"b.txt": last}))) == {"0": 5, "1": 4}

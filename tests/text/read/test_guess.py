"""Fields are guessed where their names or their lengths leave no doubt; otherwise the fields there are are listed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recurra.errors import UsageError
from recurra.text.read.guess import guess_fields, label_field
from recurra.text.read.sources import Source


def source(*records: dict[str, Any]) -> Source:
    return Source("a.jsonl", "jsonl", "\n".join(map(json.dumps, records)).encode(), False)


LONG = "some words that are more than a few"


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        ({"text": "x", "label": "y"}, ("text", "label")),
        ({"label": 1, "Review": "x", "title": LONG}, ("Review", "label")),
        ({"id": 3, "what": LONG, "Class": "a"}, ("what", "Class")),
        ({"评论": "x", "情感": "y", "id": "7"}, ("评论", "情感")),
        ({"what": LONG, "stars": 5}, ("what", "stars")),
        ({"meta": {"body": "x", "n": "1"}, "target": 0}, ("meta.body", "target")),
        ({"text": "x", "label": "a", "y": 3}, ("text", "label")),
    ],
)
def test_fields_that_are_plain(record: dict[str, Any], fields: tuple[str, str]) -> None:
    assert guess_fields(source(record, record)) == fields


@pytest.mark.parametrize(
    ("record", "open_"),
    [
        (
            {"a": LONG, "b": LONG, "label": 1},
            "which field is the text; the fields there are: a, b, label; name it: --text a",
        ),
        ({"text": "x", "review": "y", "label": 1}, "which field is the text"),
        ({"n": 1, "label": 1}, "which field is the text"),
        (
            {"text": LONG, "a": 1, "b": 2},
            "which field is the label; the fields there are: text, a, b; name it: --label a",
        ),
        ({"text": LONG}, "which field is the label"),
        ({"text": LONG, "class": 1, "label": 2}, "which field is the label"),
    ],
)
def test_fields_that_are_open(record: dict[str, Any], open_: str) -> None:
    with pytest.raises(UsageError, match=open_):
        guess_fields(source(record))


@pytest.mark.parametrize(
    ("header", "end"),
    [
        ("when,what,kind", "the fields there are: when, what, kind; name it: --label kind"),
        (",what,kind", "the fields there are: '', what, kind; name it: --label kind"),
        (",0,1", "the fields there are: '', 0, 1; name it: --label 1"),
        ("when,what,", "the fields there are: when, what, ''; name it: --label when"),
    ],
)
def test_the_label_that_is_suggested_has_few_values_and_a_name(header: str, end: str) -> None:
    rows = "".join(f"2024-01-{row:02},the film of day {row} was slow,{'ab'[row % 2]}\n" for row in range(1, 21))
    with pytest.raises(UsageError) as caught:
        guess_fields(Source("a.csv", "csv", f"{header}\n{rows}".encode(), False))
    assert str(caught.value).endswith(end)


def test_what_is_given_is_kept() -> None:
    record = {"a": LONG, "b": LONG, "c": 1}
    assert guess_fields(source(record), text="b", label="c") == ("b", "c")
    assert guess_fields(source(record), text="b", need_label=False) == ("b", None)
    assert label_field([]) is None

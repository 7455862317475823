"""Which field of a record is the text, and which the label, where nobody says."""

from __future__ import annotations

from itertools import islice
from typing import Any

from recurra.errors import UsageError
from recurra.text.read.faults import Faults
from recurra.text.read.records import flatten, iter_rows, join_strings
from recurra.text.read.sources import Source
from recurra.text.read.tables import fields_message, shorten_name
from recurra.text.read.unnamed import may_be_label

RECORDS_SAMPLED = 200  # records looked at
LABEL_NAMES = (  # those of a row are tried only where none of the rows before is there
    {"label", "labels", "class", "classes", "标签", "標籤", "类别", "類別"},
    {"sentiment", "target", "category", "categories", "polarity", "intent", "分类", "分類", "情感"},
    {"y", "tag", "tags"},
)
TEXT_NAMES = {"text", "review", "sentence", "content", "comment", "message", "body", "tweet", "utterance", "document"}
TEXT_NAMES |= {"文本", "评论", "評論", "内容", "內容"}


def sample_records(source: Source) -> list[dict[str, Any]]:
    """Give the first records of a file, with their fields flat; raises `DataError` where there are some and none can be read."""
    faults = Faults("skip", most=RECORDS_SAMPLED)
    rows = islice(iter_rows(source, (), faults), RECORDS_SAMPLED)
    found = [dict(flatten(row.cells)) for row in rows if isinstance(row.cells, dict)]
    if not found and faults.first is not None:
        raise faults.first
    return found


def label_field(sample: list[dict[str, Any]]) -> str | None:
    """Give the one field whose name says that it is the label; None for none and for several.

    >>> label_field([{"id": "1", "review": "good", "Sentiment": "pos"}]), label_field([{"y": 1.5, "label": "up"}])
    ('Sentiment', 'label')
    """
    for names in LABEL_NAMES:
        named = [name for name in (sample[0] if sample else {}) if _leaf_name(name) in names]
        if named:
            return named[0] if len(named) == 1 else None
    return None


def guess_fields(
    source: Source, text: str | None = None, label: str | None = None, need_label: bool = True
) -> tuple[str, str | None]:
    """Give the names of the field with the text and of the one with the label, those that are given as they are.

    The text is the field that is called so, or the one whose values are more than twice as long as those of any other;
    the label is the one that is called so, or the only other field. Raises `UsageError`, listing the fields there are,
    where that leaves it open.

    >>> guess_fields(Source("a.csv", "csv", "评论,label\\n很快，好吃,1\\n太慢了,0\\n".encode(), False))
    ('评论', 'label')
    """
    sample = sample_records(source)
    label = label or label_field(sample)
    text = text or _text_field(source, sample, label)
    if label is None and need_label:
        others = [name for name in sample[0] if name != text] if sample else []
        if len(others) != 1:
            raise UsageError(
                f"{source.name}: cannot tell which field is the label; {fields_message(list(sample[0]) if sample else [])}; "
                f"name it: --label {_flag_value(_likely_labels(others, sample))}"
            )
        label = others[0]
    return text, label


def _text_field(source: Source, sample: list[dict[str, Any]], label: str | None) -> str:
    names = [name for name in (sample[0] if sample else {}) if name != label]
    lengths = {
        name: sum(len(join_strings(record.get(name)) or "") for record in sample)
        for name in names
        if any(join_strings(record.get(name)) for record in sample)
    }
    named = [name for name in lengths if _leaf_name(name) in TEXT_NAMES]
    if len(named) == 1:
        return named[0]
    longest = sorted(lengths, key=lambda name: -lengths[name])
    if longest and (len(longest) == 1 or lengths[longest[0]] > 2 * lengths[longest[1]]):
        return longest[0]
    raise UsageError(
        f"{source.name}: cannot tell which field is the text; {fields_message(list(sample[0]) if sample else [])}; "
        f"name it: --text {_flag_value(longest)}"
    )


def _likely_labels(names: list[str], sample: list[dict[str, Any]]) -> list[str]:
    """Order fields by how likely they hold the labels: those of few different values first, of these the last one."""
    few = [name for name in names if may_be_label([record.get(name) for record in sample])]
    return [*reversed(few), *(name for name in names if name not in few)]


def _flag_value(names: list[str]) -> str:
    """Give the name that most likely is meant as it is written after a flag; data that were read as names are no names."""
    names = [name for name in names if name.strip()]  # an empty one cannot be written
    if not names:
        return "FIELD"
    if shorten_name(names[0]) != names[0]:
        return "NAME, or with --header no NUMBER, if the first row is data"
    return f"'{names[0]}'" if " " in names[0] else names[0]


def _leaf_name(name: str) -> str:
    """Give what a field is called within its object, in small letters."""
    return name.rpartition(".")[2].strip().lower()

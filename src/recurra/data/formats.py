"""Which reader reads which file: by its name where that says, else by what its lines look like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath, PurePosixPath

from recurra.data.reading import Reading
from recurra.errors import UsageError
from recurra.series import Series, read_ts
from recurra.text import (
    Faults,
    LabelledText,
    Source,
    guess_fields,
    read_labelled_records,
    read_lines,
    read_whole,
    record_file,
)

_SUFFIXES = {".ts": "ts"}
_PARTS = re.compile(r"[/\\\\._\- ]+")
_PACKED = re.compile(r"\.(gz|xz|bz2|zst)$", re.IGNORECASE)

Examples = Iterable[LabelledText | Series]


def file_kind(name: str) -> str | None:
    """Tell the format of a file by its name; None: it must be text.

    >>> file_kind("gunpoint_train.ts"), file_kind("reviews.csv"), file_kind("rt-polarity.pos")
    ('ts', 'csv', None)
    """
    return _SUFFIXES.get(PurePosixPath(name).suffix) or record_file(name)


def read_examples(
    sources: list[Source], how: Reading, faults: Faults, notes: list[str]
) -> Iterator[tuple[Source, Examples]]:
    """Yield each file with its examples. Raises `UsageError` where it is open how a file is to be read."""
    plain = [source for source in sources if source.kind == "text"]
    if plain:
        yield from _plain(plain, how, faults)
    fields: tuple[str, str | None] | None = None
    for source in sources:
        if source.kind == "ts":
            yield source, read_ts(source, faults)
        elif source.kind != "text":
            fields = fields or guess_fields(source, how.text, how.label, how.need_labels)
            yield source, read_labelled_records(source, *fields, faults, need_label=how.need_labels)


def _plain(sources: list[Source], how: Reading, faults: Faults) -> Iterator[tuple[Source, Examples]]:
    if how.label == "folder":
        for source in sources:
            yield source, read_whole(source, PurePath(source.name).parent.name)
    elif how.label == "file" or len(sources) > 1:
        for source, label in zip(sources, file_labels([source.name for source in sources]), strict=True):
            yield source, read_lines(source, label, faults)
    elif not how.need_labels:
        yield sources[0], read_lines(sources[0], None, faults)
    else:
        raise UsageError(f"{sources[0].name}: plain text, of which nothing says what its label is")


def file_labels(names: list[str]) -> list[str]:
    """Name classes by what tells their files apart: the words of the names that they do not all begin or end with.

    Raises `UsageError` where that leaves a file without a name.

    >>> file_labels(["data/rt-polarity.neg", "data/rt-polarity.pos"]), file_labels(["positive.txt", "negative.txt.gz"])
    (['neg', 'pos'], ['positive', 'negative'])
    """
    words = [_PARTS.split(_PACKED.sub("", name)) for name in names]
    least = min(len(parts) for parts in words)
    start = next((at for at in range(least) if len({parts[at] for parts in words}) > 1), least)
    end = next((at for at in range(1, least + 1) if len({parts[-at] for parts in words}) > 1), least + 1) - 1
    labels = ["-".join(parts[start : len(parts) - end]) for parts in words]
    if len(names) < 2 or not all(labels):
        raise UsageError(
            f"{names[labels.index('')] if '' in labels else names[0]}: the names of the files do not tell classes apart; a "
            "file for each class is named like its class, as in good.txt and bad.txt"
        )
    return labels

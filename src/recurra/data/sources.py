"""Files that were opened: which of them are data, in which encoding they are, and how to say where something stands in them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TypeVar

from recurra.errors import DataError
from recurra.text import Faults, Place, Source, detect_encoding, open_sources

_DOCUMENTATION = re.compile(r"(readme|licen[cs]e|copying|changelog|sha256sums|md5sums)\b", re.IGNORECASE)
_TEXT_KINDS = ("text", "csv", "tsv", "json", "jsonl", "ts", "arff", "conllu")

ExampleT = TypeVar("ExampleT")


def open_data(
    arguments: Sequence[str | Path], kind_of: Callable[[str], str | None], faults: Faults, notes: list[str]
) -> list[Source]:
    """Open the files that a user names, texts in UTF-8, without those found beside the data that document it; these are listed.

    kind_of: tells the format of a file by its name.  notes: gets one for each text in another encoding.
    """
    sources = []
    for source in open_sources(arguments, faults, kind_of):
        if is_documentation(source):
            faults.skip(f"{source.name}: documentation, by its name")
        else:
            sources.append(to_utf8(source, notes))
    return sources


def is_documentation(source: Source) -> bool:
    """Tell whether a file was found beside the data rather than named, and is documentation by its name.

    >>> is_documentation(Source("a/README.md", "text", b"", True)), is_documentation(Source("README.md", "text", b"", False))
    (True, False)
    """
    named_so = _DOCUMENTATION.match(PurePath(source.name).name) is not None
    return source.found and source.kind == "text" and named_so


def to_utf8(source: Source, notes: list[str]) -> Source:
    """Turn a text in another encoding into UTF-8, with a note, where there is no doubt which encoding it is."""
    encoding = detect_encoding(source.data) if source.kind in _TEXT_KINDS else None
    if encoding is None:
        return source
    notes.append(f"{PurePath(source.name).name}: read as {encoding}, since it is no UTF-8")
    return replace(source, data=source.data.decode(encoding).encode("utf-8", "surrogatepass"))


def add_each(examples: Iterable[ExampleT], add: Callable[[ExampleT], None], faults: Faults) -> None:
    """Add the examples of a file one by one; a fault in one of them, or in the file, is handled as `faults` says."""
    try:
        for example in examples:
            try:
                add(example)
            except DataError as error:
                faults.handle(error)
    except DataError as error:
        faults.handle(error)


def common_folder(names: Sequence[str]) -> str:
    """Give the folder that all files lie in, at any depth; "" where there is none.

    >>> common_folder(["data/walking/3.txt", "data/running/1.txt"]), common_folder(["a.csv", "/data/b.csv"])
    ('data', '')
    """
    parents = {str(PurePath(name).parent) for name in names}
    alike = len({PurePath(parent).is_absolute() for parent in parents}) == 1
    return os.path.commonpath(parents) if parents and alike else ""


def location(name: str, place: Place, folder: str) -> str:
    """Say where an example stands: its file as seen from a folder, and the line or row.

    >>> location("data/walking/3.txt", {}, "data"), location("data/reviews.csv", {"line": 12}, "data")
    ('walking/3.txt', 'reviews.csv, line 12')
    """
    return ", ".join([_relative_name(name, folder), *(f"{word} {number}" for word, number in place.items())])


@lru_cache(maxsize=64)
def _relative_name(name: str, folder: str) -> str:
    return PurePath(name).relative_to(folder).as_posix() if folder not in ("", ".") else name

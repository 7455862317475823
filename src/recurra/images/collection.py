"""Many pictures from folders and archives, found by the names that something else calls them by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

from recurra.errors import DataError
from recurra.files import is_end
from recurra.images.read import is_picture
from recurra.text import Faults, open_sources

PICTURE = "picture"
ReadT = TypeVar("ReadT")


def picture_kind(name: str) -> str | None:
    """Tell of a file by its name whether it is a picture, as `open_sources` asks for it."""
    return PICTURE if is_picture(name) else None


@dataclass
class FoundPictures(Generic[ReadT]):
    """Pictures by the names that they were looked for by, where each lies, and those that were there too."""

    read: dict[str, ReadT] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def read_pictures(
    files: Sequence[str | Path],
    wanted: Iterable[str],
    prepare: Callable[[bytes, str], ReadT],
    faults: Faults,
) -> FoundPictures[ReadT]:
    """Read the pictures that are wanted from files, folders, globs and archives.

    A name is that of a file, or the end of its path (`cats/1.jpg` of `photos.zip/cats/1.jpg`). What is not wanted is not decoded.

    Args:
        files: where they may be.
        wanted: their names.
        prepare: makes of a file's bytes, and its place, what is kept; its `DataError` is handled as `faults` says.
        faults: takes what cannot be read.

    Raises:
        DataError: nothing is there, or two files could be meant by one name.
    """
    by_last: defaultdict[str, list[str]] = defaultdict(list)
    for name in wanted:
        by_last[PurePosixPath(name).name].append(name)
    found = FoundPictures[ReadT]()
    for source in open_sources(files, Faults("skip"), picture_kind):
        if source.kind != PICTURE:
            continue
        names = [name for name in by_last.get(PurePosixPath(source.name).name, []) if is_end(name, source.name)]
        found.others += [] if names else [source.name]
        for name in names:
            if name in found.places:
                raise DataError(
                    f"two pictures could be meant, {found.places[name]} and {source.name}",
                    source=name,
                    hint="name the folder in which it lies, or write more of its path",
                )
            found.places[name] = source.name
            try:
                found.read[name] = prepare(source.data, source.name)
            except DataError as error:
                faults.handle(error)
    return found

"""From what a user names (files, folders, globs, "-") to the bytes of each file, unpacked.

A folder, an archive and a glob name many files, so they are read with tolerance: every file that is not hidden is
taken, in sorted order, and what is binary (by its first 8 KB) or empty is left out and listed. A file that is named
by itself must be text.
"""

from __future__ import annotations

import difflib
import glob
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from recurra.errors import DataError, UsageError
from recurra.text.read.allowance import Allowance, unpack_limit
from recurra.text.read.decode import HEAD_BYTES, is_binary
from recurra.text.read.faults import Faults
from recurra.text.read.unpack import ARCHIVES, base_name, decompress, is_hidden, layers, members

STANDARD_INPUT = "standard input"
_RECORD_SUFFIXES = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_MAX_ARCHIVE_DEPTH = 4  # archives within archives; one that holds itself must end somewhere

KindOf = Callable[[str], str | None]
"""Tells the format of a file by its name in small letters, without folders and compressions; None: it must be text."""


def record_kind_from_name(name: str) -> str | None:
    """Tell the format of a file of records by its name.

    >>> record_kind_from_name("reviews.csv"), record_kind_from_name("notes.txt")
    ('csv', None)
    """
    return _RECORD_SUFFIXES.get(PurePosixPath(name).suffix)


@dataclass(frozen=True)
class Source:
    """The unpacked bytes of one file."""

    name: str
    kind: str  # "text", or what its name says: of a record file "json" "jsonl" "csv" "tsv" "parquet"
    data: bytes
    found: bool  # met in a folder, an archive or by a glob, rather than named by itself
    header: bool = True  # CSV and TSV: the first row names the columns; else they are named by their numbers


def open_sources(
    arguments: Sequence[str | Path], faults: Faults, kind_of: KindOf = record_kind_from_name
) -> Iterator[Source]:
    """Yield every file that the arguments name, once, folders and globs in sorted order.

    What `kind_of` knows by its name is of that kind, and read though it be binary; all else must be text.
    Raises `UsageError` when nothing or "-" twice is named, `DataError` for what is missing, empty, cut off, unreadable or
    unfolds to more than is allowed (`Allowance`).
    """
    limit = unpack_limit()
    for path, found in _named_files(arguments, faults):
        name = STANDARD_INPUT if path is None else str(path)
        read = _read_standard_input if path is None else partial(_read, path, kind_of, peek=found)
        yield from _unpack(name, read, found, faults, Allowance(limit), kind_of)


def _named_files(arguments: Sequence[str | Path], faults: Faults) -> list[tuple[Path | None, bool]]:
    """List the files to read, each once, None for standard input, with whether it was found rather than named."""
    if isinstance(arguments, str | Path):
        arguments = [arguments]
    if not arguments:
        raise UsageError("no data was named: expected files, folders, globs or - (standard input)")
    names = [os.fspath(argument) for argument in arguments]
    if names.count("-") > 1:
        raise UsageError("standard input (-) is named twice, and can be read only once")
    files: dict[Path | None, tuple[Path | None, bool]] = {}
    for name in names:
        for path, found in _expand(name, faults):
            # A file that two arguments reach must not be read twice: its copy would fall into the held-out text.
            files.setdefault(path.resolve() if path else None, (path, found))
    return list(files.values())


def _expand(name: str, faults: Faults) -> list[tuple[Path | None, bool]]:
    if name == "-":
        return [(None, False)]
    if not name.strip():
        raise UsageError(f"{name!r}: expected the name of a file or folder, got an empty one")
    path = Path(name).expanduser() if name.startswith("~/") else Path(name)
    mode = _mode(path)
    if mode is not None:
        return [(inner, True) for inner in _walk(path, faults)] if stat.S_ISDIR(mode) else [(path, False)]
    if not glob.has_magic(name):
        raise DataError("does not exist", source=name, hint=_did_you_mean(path))
    # Not Path.glob: it takes no absolute pattern.
    matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
    if not matches:
        raise DataError("no file matches this pattern", source=name, hint=_folder_hint(path.parent))
    return [(inner, True) for match in matches for inner in (_walk(match, faults) if match.is_dir() else [match])]


def _walk(folder: Path, faults: Faults) -> list[Path]:
    """List the files in a folder and all below it, sorted, without hidden ones; raise `DataError` if there are none."""

    def unreadable(error: OSError) -> None:
        faults.handle(_unreadable(Path(error.filename or folder), error))

    files = []
    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not is_hidden((name,))]
        files += [Path(parent, name) for name in names if not is_hidden((name,))]
    files = sorted(path for path in files if stat.S_ISREG(_mode(path) or 0))
    if not files:
        raise DataError("the folder holds no files to read (hidden ones do not count)", source=folder)
    return files


def _mode(path: Path) -> int | None:
    """Return a path's kind and permissions; None when there is nothing."""
    try:
        return path.stat().st_mode
    except PermissionError as error:
        raise _unreadable(path, error) from None
    except (OSError, ValueError):  # not there, or no possible name
        return None


def _read(path: Path, kind_of: KindOf, *, peek: bool) -> bytes:
    """Read a file; with `peek`, only the head of one that is meant to be text and proves to be binary."""
    suffix, *compressions = layers(path.name)
    peek = peek and not compressions and suffix not in ARCHIVES and kind_of(path.name.lower()) is None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES) if peek else b""
            return head if is_binary(head) else head + file.read()
    except OSError as error:
        raise _unreadable(path, error) from None


def standard_input() -> BinaryIO:
    """Give the bytes of standard input; raises `DataError` where it is closed."""
    if sys.stdin is None:
        raise DataError("is closed", source=STANDARD_INPUT, hint="pipe the data in, or name a file")
    return sys.stdin.buffer


def _read_standard_input() -> bytes:
    try:
        return standard_input().read()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", source=STANDARD_INPUT) from None


def _unreadable(path: Path, error: OSError) -> DataError:
    if isinstance(error, PermissionError):
        return DataError("permission denied", source=path, hint="make it readable: chmod u+r")
    return DataError(f"cannot be read ({error.strerror or error})", source=path)


def _unpack(
    name: str,
    read: Callable[[], bytes],
    found: bool,
    faults: Faults,
    allowance: Allowance,
    kind_of: KindOf,
    depth: int = 0,
) -> Iterator[Source]:
    """Yield what a file holds. It is read here, so that its packed bytes are held by nobody once they are unfolded."""
    suffix, *compressions = layers(name)
    kind = kind_of(base_name(name))
    data: bytes | None = None
    try:
        data = read()
        for compression in reversed(compressions):
            data = decompress(data, compression, name, allowance)
        if suffix in ARCHIVES:
            if depth == _MAX_ARCHIVE_DEPTH:
                raise DataError(f"is an archive within {depth} archives", source=name, hint="unpack it")
            inside = list(members(data, suffix, name, allowance))
            if not inside:
                raise DataError("the archive holds no files to read (hidden ones do not count)", source=name)
        else:
            inside = []
            if not data:
                raise DataError("is empty", source=name)
    except DataError as error:
        if found and data is not None and not data:
            faults.skip(str(error))
        else:
            faults.handle(error)
        return
    if suffix not in ARCHIVES:
        if found and kind is None and is_binary(data[:HEAD_BYTES]):
            faults.skip(f"{name}: a binary file, not text")
        else:
            yield Source(name, kind or "text", data, found)
    for member, read_member in inside:
        yield from _unpack(f"{name}/{member}", read_member, True, faults, allowance, kind_of, depth + 1)


def _did_you_mean(path: Path) -> str | None:
    """Suggest names that are there, from the first folder on the way that exists."""
    path = missing = path.absolute()
    while not missing.parent.is_dir():
        missing = missing.parent
    close = difflib.get_close_matches(missing.name, _names(missing.parent), n=3)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return f"there is no folder {missing}" if missing != path else _folder_hint(missing.parent)


def _folder_hint(folder: Path) -> str | None:
    names = _names(folder)
    return f"{folder} holds {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}" if names else None


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []

"""Datasets that need no download: made on this machine, offline, into the cache folder."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Callable
from pathlib import Path

from recurra.errors import DataError


def python_docs(folder: Path) -> Path:
    """Write the help texts that every Python carries (`pydoc_data.topics`) into one file, one file per Python version.

    Topics follow each other in the order of their names, a text that stands under two names once. A file whose text
    is not as it should be is written again. Returns its path; raises `DataError` when this Python has no such texts
    or the folder cannot be written.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise DataError(
            "this Python has no module pydoc_data.topics, whose texts are the dataset",
            source="python-docs",
            hint="use a Python with its standard library complete, or another dataset",
        ) from None
    distinct = dict.fromkeys(topics[name].strip("\n") for name in sorted(topics))
    text = ("\n\n\n".join(distinct) + "\n").encode("utf-8")
    path = folder / platform.python_version() / "topics.txt"
    try:
        if not path.is_file() or path.read_bytes() != text:
            write_whole(path, text)
    except OSError as error:
        raise DataError(
            f"cannot write the built-in dataset: {error.strerror or error}",
            source=path,
            hint="name a folder that can be written in the environment variable RECURRA_CACHE",
        ) from None
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its target and rename it: another process sees the old file, or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """Give a name in the same folder, used by nobody, for what becomes `path` when it is whole."""
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")


MAKERS: dict[str, Callable[[Path], Path]] = {"python-docs": python_docs}

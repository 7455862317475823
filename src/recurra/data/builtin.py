"""Datasets that need no download: made on this machine, offline, into the cache folder."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path

from recurra.errors import DataError, RunError
from recurra.files import write_whole


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
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
    except (OSError, RunError) as error:
        cause = error.__cause__ or error
        raise DataError(
            f"cannot write the built-in dataset: {getattr(cause, 'strerror', None) or cause}",
            source=path,
            hint="name a folder that can be written in the environment variable RECURRA_CACHE",
        ) from None
    return path


MAKERS: dict[str, Callable[[Path], Path]] = {"python-docs": python_docs}

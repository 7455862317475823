"""How the files of a dataset that is generated come into the cache folder."""

from __future__ import annotations

from pathlib import Path

from recurra.data.datasets.registry import Split
from recurra.errors import DataError, RunError
from recurra.files import write_whole

GeneratedFiles = list[tuple[Path, Split | None]]
"""The files that were generated, and the split that each is of."""


def write_generated(path: Path, content: bytes) -> None:
    """Write a file unless it is there and as it should be; raises `DataError` where the folder cannot be written."""
    try:
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
    except (OSError, RunError) as error:
        cause = error.__cause__ or error
        raise DataError(
            f"cannot write the built-in dataset: {getattr(cause, 'strerror', None) or cause}",
            source=path,
            hint="name a folder that can be written in the environment variable RECURRA_CACHE",
        ) from None

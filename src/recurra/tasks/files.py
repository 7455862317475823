"""What a user names to measure on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recurra.data import locate, names


def named_files(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Give the files that arguments name, and the settings they are to be read with.

    The name of a data set stands for its test files, or all of it where it has none; files stand for themselves.
    """
    name = arguments[0]
    if len(arguments) == 1 and name in names() and not Path(name).exists():
        found = locate(name)
        return [str(path) for path in found.test or found.paths], found.settings
    return list(arguments), {}

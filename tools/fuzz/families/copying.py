"""Copies of what the stock has, for a case to change."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path


def copy_paths(source: Path, paths: Iterable[str], target: Path) -> None:
    """Copy files and folders, by their names within the source."""
    for name in paths:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / name, target / name)


def files_below(folder: Path) -> list[str]:
    """List the files of a folder, sorted, by their names within it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

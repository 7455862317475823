"""The folder of a run while it comes to be: named, made, and cleared of what a kill has left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from recurra.errors import RunError, UsageError
from recurra.files import beside, is_part


def new_folder(folder: Path) -> Path:
    """Check that a run can be made in a folder that a user names; raises `UsageError` when it is in use or cannot be written."""
    if folder.is_file() or _is_used(folder):
        resumable = (folder / "config.toml").is_file()
        hint = f"name another, or go on with it: recurra train --resume {folder}" if resumable else "name another"
        raise UsageError(f"out: expected a new folder, but {folder} is there already; {hint}")
    _check_writable(folder)
    return folder


def _is_used(folder: Path) -> bool:
    """Tell whether a folder holds anything but what a training that was killed before it began has left."""
    return folder.is_dir() and any(not is_part(path) for path in folder.iterdir())


def next_folder(task: str) -> Path:
    """Find the next free name under runs/; raises `UsageError` when nothing can be written there."""
    number = 1
    while (folder := Path("runs") / f"{task}-{number}").exists():
        number += 1
    _check_writable(folder)
    return folder


def _check_writable(folder: Path) -> None:
    """Find out now, not after an hour of training, whether the folder can be made; leaves nothing behind."""
    try:
        made = make_folder(folder)
        try:
            probe = beside(folder / "probe")
            probe.write_bytes(b"")
            probe.unlink()
        finally:
            for path in made:
                path.rmdir()
    except OSError as error:
        raise UsageError(f"out: {folder} cannot be written: {error.strerror}; name another folder with -o") from None


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it; gives those that were not there, the deepest first."""
    missing = list(takewhile(lambda path: not path.exists(), [folder, *folder.parents]))
    folder.mkdir(parents=True, exist_ok=True)
    return missing


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in one line that a disk is full, or gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from error


def sweep(folder: Path) -> None:
    """Remove what was being written when a training was killed."""
    for path in [*folder.glob(".*"), *folder.glob("checkpoint/.*")]:
        if is_part(path):
            path.unlink(missing_ok=True)

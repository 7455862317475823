"""The folder of a run while it comes to be: named, made, and cleared of what a kill has left."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from recurra.errors import RunError, UsageError
from recurra.files import is_file, is_folder, is_partial, path_exists, temporary_path
from recurra.training.log import MetricsLog

LOG = "metrics.jsonl"


def check_new_folder(folder: Path) -> Path:
    """Check that a run can be made in a folder that a user names; raises `UsageError` when it is in use or cannot be written."""
    _check_unused(folder)
    _check_writable(folder)
    return folder


def claim_folder(folder: Path) -> tuple[MetricsLog, list[Path]]:
    """Take a folder for a new training: its log, which locks it, and the folders that were made, the deepest first.

    Raises `RunError` when another process is training there by now, and `UsageError` when it has done so; either leaves
    everything there as it is.
    """
    made = make_folder(folder)
    while not (log := MetricsLog(folder / LOG)).exists():  # another has begun, failed, and removed what it had made
        log.close()
        made = make_folder(folder)
    try:
        _check_unused(folder)
    except BaseException:
        if log.path.stat().st_size == 0:
            log.path.unlink()
        log.close()
        raise
    return log, made


def discard_folder(folder: Path, made: list[Path]) -> None:
    """Remove all that a training has written in the folder that it had claimed, and the folders that were made for it."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for path in made:
        with contextlib.suppress(OSError):
            path.rmdir()


def _check_unused(folder: Path) -> None:
    if is_file(folder) or (is_folder(folder) and not all(map(_is_left_over, folder.iterdir()))):
        resumable = is_file(folder / "config.toml")
        hint = f"name another, or go on with it: recurra train --resume {folder}" if resumable else "name another"
        raise UsageError(f"out: expected a new folder, but {folder} is there already; {hint}")


def _is_left_over(path: Path) -> bool:
    """Tell whether a file is what a training that was killed before it began has left."""
    return is_partial(path) or (path.name == LOG and path.stat().st_size == 0)


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
            probe = temporary_path(folder / "probe")
            probe.write_bytes(b"")
            probe.unlink()
        finally:
            for path in made:
                path.rmdir()
    except OSError as error:
        raise UsageError(f"out: {folder} cannot be written: {error.strerror}; name another folder with -o") from None


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it; gives those that were not there, the deepest first."""
    missing = list(takewhile(lambda path: not path_exists(path), [folder, *folder.parents]))
    folder.mkdir(parents=True, exist_ok=True)
    return missing


@contextmanager
def report_write_errors(folder: Path) -> Iterator[None]:
    """Say in one line that a disk is full, or gone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from error


def remove_partial_files(folder: Path) -> None:
    """Remove what was being written when a training was killed."""
    for path in [*folder.glob(".*"), *folder.glob("checkpoint/.*")]:
        if is_partial(path):
            path.unlink(missing_ok=True)

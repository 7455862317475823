"""Whether the training in a folder can be gone on with, and what it ends in can be loaded."""

from __future__ import annotations

from pathlib import Path

from recurra.errors import RunError, UsageError
from recurra.runs.config import FORMAT, Configuration, load_configuration
from recurra.runs.manifest import EARLIER, MANIFEST, check_manifest
from recurra.tasks import Task
from recurra.training.folder import LOG
from recurra.training.log import last_events


def end_reason(folder: Path) -> str | None:
    """Say why the training in a folder has ended; None where it has not. Raises `RunError` when its run is damaged."""
    if not (folder / MANIFEST).is_file():
        return None
    check_manifest(folder)
    end = last_events(folder / LOG, ["end"]).get("end")
    return "?" if end is None else str(end.get("reason"))


def check_not_ended(folder: Path) -> None:
    """Raise `UsageError` when the training has come to its end, and `RunError` when its run is damaged."""
    if (reason := end_reason(folder)) is None:
        return
    if reason == "diverged":
        raise UsageError(f"{folder}: its training has diverged, and would again; train again with a lower lr")
    if reason != "interrupted":
        raise UsageError(f"{folder}: its training has ended; there is nothing to resume")


def check_format(folder: Path, configuration: Configuration) -> None:
    """Raise `RunError` for a training of an earlier format: its checkpoint names what it holds in other words."""
    if configuration.format != FORMAT:
        raise RunError(f"{folder}: its training cannot be resumed; {EARLIER}")


def check_no_steps(folder: Path) -> None:
    """Raise `RunError` when steps were made whose checkpoint is gone: to start again would throw away what there is."""
    log = folder / LOG
    if (folder / MANIFEST).is_file() or (log.is_file() and log.read_bytes().count(b"\n") > 1):
        raise RunError(f"{folder / 'checkpoint'}: is missing or empty; restore it, or train again into another folder")


def check_loadable(folder: Path, task: Task) -> None:
    """Raise `UsageError`, before the first step, where what was written of a training cannot be read again: its run would be lost."""
    try:
        load_configuration(folder / "config.toml")
        task.Predictor.load_preprocessor(folder, task.config)
    except RunError as error:
        raise UsageError(f"this training would end in a run that cannot be loaded: {error}") from None

"""A table that was in memory, as a run keeps it."""

from __future__ import annotations

import shutil
from pathlib import Path

from recurra.data.frames import FRAME
from recurra.runs.config import Configuration


def keep_frame(frame: Path | None, folder: Path, configuration: Configuration) -> None:
    """Move the file of a table that was in memory, where there is one, into the folder, from where it is read from now on."""
    if frame is None:
        return
    kept = folder / FRAME
    shutil.move(frame, kept)
    for section in type(configuration.settings).model_fields:
        settings = getattr(configuration.settings, section)
        if "data" in type(settings).model_fields:
            settings.data = [str(kept.absolute())]

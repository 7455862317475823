"""Models that stay loaded for the next request, a few of them."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

from recurra.runs.manifest import MANIFEST
from recurra.runs.run import Run

MAX_LOADED = 4


class Models:
    """Loads runs, and keeps those that were used last. To be called from one thread alone."""

    def __init__(self, most: int = MAX_LOADED) -> None:
        self.most = most
        self._loaded: OrderedDict[Path, tuple[tuple[int, int], Run]] = OrderedDict()

    def load(self, folder: Path) -> Run:
        """Give a run, loaded again where its training went on meanwhile; raises `RunError` for one that is not whole."""
        stamp = _stamp(folder)
        kept = self._loaded.get(folder)
        if kept is not None and kept[0] == stamp != (0, 0):
            self._loaded.move_to_end(folder)
            return kept[1]
        self._loaded.pop(folder, None)
        run = Run.load(folder)
        self._loaded[folder] = stamp, run
        while len(self._loaded) > self.most:
            self._loaded.popitem(last=False)
        return run

    def loaded(self, folder: Path) -> Run | None:
        """Give a run that is loaded already, and is as it was; from any thread."""
        kept = self._loaded.get(folder)
        return kept[1] if kept is not None and kept[0] == _stamp(folder) else None

    def clear(self) -> None:
        """Give all of them free."""
        self._loaded.clear()


def _stamp(folder: Path) -> tuple[int, int]:
    try:
        found = os.stat(folder / MANIFEST)  # noqa: PTH116
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino

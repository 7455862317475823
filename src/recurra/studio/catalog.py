"""The runs that are served: found in the folders that the user names, and named by ids."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from recurra.errors import RunError, UsageError
from recurra.files import is_file, is_folder
from recurra.report.record import Record, read_record
from recurra.studio.results import not_found
from recurra.training.folder import LOG

MAX_LEVELS = 2
"""How deep below a folder that is served its runs may lie."""
MAX_RUNS = 2000
MAX_RECORDS_KEPT = 256
CONFIG = "config.toml"


def run_id(folder: Path) -> str:
    """Give the id of a run: the first digits of the hash of its absolute path."""
    return hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]


class Catalog:
    """named: runs, and folders with runs.  home: the folder that new runs are made in."""

    def __init__(self, named: Sequence[Path]) -> None:
        self.named = [path.absolute() for path in named]
        for path in self.named:
            if not is_folder(path) and is_file(path):
                raise UsageError(f"studio: expected run folders, or a folder with runs, got {path}, which is a file")
        folders = [path for path in self.named if not is_file(path / CONFIG)]
        self.home = folders[0] if folders else self.named[0].parent
        self._lock = threading.Lock()
        self._records: OrderedDict[Path, tuple[tuple[int, int], Record]] = OrderedDict()
        self._added: dict[str, Path] = {}
        self._known: dict[str, Path] = {}

    def add(self, folder: Path) -> str:
        """Name a run that is about to be made; gives its id."""
        self._added[run_id(folder)] = folder
        return run_id(folder)

    def folders(self) -> dict[str, Path]:
        """Give the folders of all runs by their ids."""
        found = {run_id(folder): folder for path in self.named for folder in _runs_in(path, MAX_LEVELS)}
        self._known = dict(list(found.items())[:MAX_RUNS]) | self._added
        return self._known

    def folder(self, id: str) -> Path:
        """Find a run by its id; raises `StudioError` (404) where there is none."""
        folder = self._known.get(id)
        if folder is None or not (id in self._added or is_file(folder / CONFIG)):
            folder = self.folders().get(id)
        if folder is None:
            raise not_found("run")
        return folder

    def record(self, folder: Path) -> Record:
        """Read the record of a run; it is read again when it has changed. Raises `RunError` where there is none yet."""
        with self._lock:
            return self._record(folder)

    def _record(self, folder: Path) -> Record:
        try:
            log = os.stat(folder / LOG)  # noqa: PTH116
            stamp = log.st_mtime_ns, log.st_size
        except OSError:
            stamp = 0, 0
        kept = self._records.get(folder)
        if kept is not None and kept[0] == stamp and stamp != (0, 0):
            self._records.move_to_end(folder)
            return kept[1]
        record = read_record(folder)
        self._records[folder] = stamp, record
        while len(self._records) > MAX_RECORDS_KEPT:
            self._records.popitem(last=False)
        return record

    @property
    def private(self) -> list[str]:
        """The folders that no message to the page may name, the longest first."""
        return sorted({str(self.home), *(str(path.parent) for path in self.named)}, key=len, reverse=True)


def _runs_in(folder: Path, levels: int) -> Iterator[Path]:
    if is_file(folder / CONFIG):
        yield folder
        return
    if levels == 0:
        return
    try:
        inner = sorted(
            Path(entry.path)
            for entry in os.scandir(folder)
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        )
    except FileNotFoundError:  # runs/, before the first training
        return
    except OSError as error:
        raise RunError(f"{folder}: cannot be read: {error.strerror}") from None
    for each in inner:
        yield from _runs_in(each, levels - 1)

"""The record of a training: metrics.jsonl, one JSON object a line."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from recurra.documents import MAX_LOG_BYTES
from recurra.errors import RunError

MAX_EVENT_BYTES = 8 * 2**20
"""Of a line: an evaluation of thousands of classes takes a megabyte or two."""
LOCK_TRIES, LOCK_SECONDS = 4, 0.02
"""How often a new training asks for its folder, and the time between."""


class MetricsLog:
    """Appends events to a file, which can be cut back to a point that a checkpoint remembers.

    The file is locked for as long as it is open: two trainings in one folder would ruin both.
    Raises `RunError` where another process has it, and `OSError` where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise
        self._sum = hashlib.sha256()

    def write(self, event: dict[str, Any]) -> None:
        """Append an event; a number that is not finite is a fault of the caller, and never reaches the file."""
        # Half a surrogate pair, as a file's name may have, is no UTF-8; its escape is JSON, and is read as what it was.
        line = json.dumps(event, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n"
        self._file.write(line)
        self._file.flush()
        self._sum.update(line)

    def position(self) -> tuple[int, str]:
        """Give the length of the file in bytes, all of it safely on disk, and the SHA-256 sum of its content."""
        os.fsync(self._file.fileno())
        return self._file.tell(), self._sum.hexdigest()

    def truncate(self, position: int, expected: str | None = None) -> None:
        """Forget what was written after a position; raises `RunError` when what comes before is not as it was.

        expected: the SHA-256 sum of the bytes before the position.
        """
        with self.path.open("rb") as file:
            kept = file.read(position)
        sum_ = hashlib.sha256(kept)
        if len(kept) < position or expected not in (None, sum_.hexdigest()):
            raise RunError(f"{self.path}: is damaged or was changed; restore it from a copy, or train again")
        self._file.truncate(position)
        self._file.seek(position)
        self._sum = sum_

    def exists(self) -> bool:
        """Tell whether the file is still the one that its path leads to: whoever made it may have removed it since."""
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file, which gives the folder free for others; a second time does nothing."""
        self._file.close()

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # not on Windows
            return
        for tries in range(LOCK_TRIES, 0, -1):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if tries == 1:
                    raise RunError(f"{self.path.parent}: another process is training there; wait for its end") from None
                time.sleep(LOCK_SECONDS)  # whoever only looks, as `is_locked` does, has it for a moment
            except OSError:  # a file system without locks: then it is up to the user
                return
            else:
                return


def is_locked(path: Path) -> bool:
    """Tell whether a training has this file open now; False too where the system has no locks, or there is no such file."""
    try:
        import fcntl

        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Read the events of a run, a line at a time; a last line that was cut off while being written is left out.

    Raises `RunError` where another line is no JSON object, or longer than `MAX_EVENT_BYTES`, and where the file is larger
    than `MAX_LOG_BYTES` or cannot be read.
    """
    try:
        with path.open("rb") as file:
            if (size := os.fstat(file.fileno()).st_size) > MAX_LOG_BYTES:
                raise RunError(f"{path}: expected up to {MAX_LOG_BYTES:,} bytes, got {size:,}")
            number = 0
            while line := file.readline(MAX_EVENT_BYTES + 1):
                number += 1
                if len(line) > MAX_EVENT_BYTES:
                    raise RunError(f"{path}: line {number}: expected up to {MAX_EVENT_BYTES:,} bytes, got more")
                event = _parse_event(line, path, number)
                if event is None:
                    return
                yield event
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from None


def last_events(path: Path, kinds: Collection[str]) -> dict[str, dict[str, Any]]:
    """Give the last event of each kind that there is one of: in one pass, and however many there are, in little memory."""
    return {str(kind): event for event in read_events(path) if (kind := event.get("event")) in kinds}


def _parse_event(line: bytes, path: Path, number: int) -> dict[str, Any] | None:
    """Parse a line; None for one that was cut off."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        if not line.endswith(b"\n"):
            return None
        raise RunError(f"{path}: line {number}: expected a JSON object; the file is damaged") from None
    if not isinstance(event, dict):
        raise RunError(f"{path}: line {number}: expected a JSON object, got {type(event).__name__}")
    return event


def finite(value: float) -> float | None:
    """Give a number for JSON, or None (null) where it is not finite."""
    return value if math.isfinite(value) else None

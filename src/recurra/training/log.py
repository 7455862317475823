"""The record of a training: metrics.jsonl, one JSON object a line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recurra.errors import RunError


class MetricsLog:
    """Appends events to a file, which can be cut back to a point that a checkpoint remembers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")

    def write(self, event: dict[str, Any]) -> None:
        """Append an event; a number that is not finite is a fault of the caller, and never reaches the file."""
        line = json.dumps(event, ensure_ascii=False, allow_nan=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()

    def position(self) -> int:
        """Give the length of the file in bytes, all of it safely on disk."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def cut(self, position: int) -> None:
        """Forget what was written after a position; raises `RunError` when the file is shorter."""
        if self.path.stat().st_size < position:
            raise RunError(f"{self.path}: is damaged: expected at least {position} bytes; restore it, or train anew")
        self._file.truncate(position)
        self._file.seek(position)

    def close(self) -> None:
        self._file.close()


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Read the events of a run; a last line that was cut off while being written is left out.

    Raises `RunError` where another line is no JSON object.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
        except ValueError:
            if number == len(lines) and not line.endswith(b"\n"):
                return
            raise RunError(f"{path}: line {number}: expected a JSON object; the file is damaged") from None
        if not isinstance(event, dict):
            raise RunError(f"{path}: line {number}: expected a JSON object, got {type(event).__name__}")
        yield event


def finite(value: float) -> float | None:
    """Give a number for JSON, or None (null) where it is not finite."""
    return value if math.isfinite(value) else None

"""Standard input, output and error of the program, also where they are closed or their disk is full."""

from __future__ import annotations

import io
import os
import sys

from recurra.errors import OutputError


class _Output(io.FileIO):
    """Standard output; what cannot be written is an `OutputError`, once: the interpreter flushes again on its way out."""

    _failed = False

    def write(self, data: object) -> int:  # type: ignore[override]
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        if self._failed:
            return size
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            self._failed = True
            raise OutputError(f"standard output: cannot be written: {error.strerror}") from None


class _Messages(io.FileIO):
    """Standard error; what cannot be written there is dropped, for a training must not end with the disk of its messages."""

    def write(self, data: object) -> int:  # type: ignore[override]
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError:
            return memoryview(data).nbytes  # type: ignore[arg-type]


def prepare_streams() -> None:
    """Make the program's streams ones that fail in one line, and escape what they cannot encode."""
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        _occupy(number, mode)
    if sys.stdout is None or _is_file(sys.stdout, 1):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Output(1, "wb", closefd=False)),
            encoding=getattr(sys.stdout, "encoding", None) or "utf-8",
            errors="backslashreplace",
            line_buffering=getattr(sys.stdout, "line_buffering", False),
        )
    if sys.stderr is None or _is_file(sys.stderr, 2):
        sys.stderr = io.TextIOWrapper(
            _Messages(2, "wb", closefd=False),
            encoding=getattr(sys.stderr, "encoding", None) or "utf-8",
            errors="backslashreplace",
            write_through=True,
        )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _occupy(number: int, mode: int) -> None:
    """Give a descriptor that is closed to what can be used for nothing: else the next file that is opened has its number."""
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, mode)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def _is_file(stream: object, number: int) -> bool:
    """Tell whether a stream is the interpreter's own, not one that stands for it."""
    try:
        return os.name != "nt" and isinstance(stream, io.TextIOWrapper) and stream.fileno() == number
    except (OSError, ValueError):
        return False

"""One family of errors: everything a user can cause, each kind with the exit code of the command line."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_MAX_REASON_LENGTH = 160
_MAX_MESSAGE_LENGTH, _END_LENGTH = 1500, 500


def escape_controls(text: str) -> str:
    r"""Write out control characters, breaks of a line and halves of surrogate pairs, so that a name stays within its line.

    >>> escape_controls("a\nb.csv")
    'a\\nb.csv'
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class RecurraError(Exception):
    """A failure that its reader can mend; the message, one line, says what was expected, what came, and what to do."""

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        text = escape_controls(str(message))
        if len(text) > _MAX_MESSAGE_LENGTH:
            # It names what came, which can be as long as a file; what to do stands at the end.
            text = f"{text[: _MAX_MESSAGE_LENGTH - _END_LENGTH]} … {text[-_END_LENGTH:]}"
        super().__init__(text)


class UsageError(RecurraError):
    """An argument, a setting or a combination of them that makes no sense."""

    exit_code = 2


class ArgumentTypeError(UsageError, TypeError):
    """An argument of another type, in place of a function that raises `TypeError`: programs that catch that go on working."""


class ArgumentValueError(UsageError, ValueError):
    """An argument of the right type that makes no sense, in place of a function that raises `ValueError`."""


class TensorError(UsageError, RuntimeError, ValueError):
    """Tensors that do not fit each other, where torch raises `RuntimeError`, and at some places `ValueError`."""


class DataError(RecurraError):
    """Data that cannot be used. Say where: the file, and the line, row or byte.

    >>> str(DataError("expected UTF-8 text, got byte 0xff", source="poems.txt", byte=12, hint="convert it with iconv"))
    'poems.txt: byte 12: expected UTF-8 text, got byte 0xff; convert it with iconv'
    """

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        source: object = None,
        line: int | None = None,
        row: int | None = None,
        byte: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.source, self.line, self.row, self.byte = source, line, row, byte
        places = [("line", line), ("row", row), ("byte", byte)]
        where = [str(source)] if source is not None else []
        where += [f"{word} {number}" for word, number in places if number is not None]
        self.problem = message + (f"; {hint}" if hint else "")
        """What is wrong, without the place."""
        super().__init__(": ".join([*where, self.problem]))


@contextmanager
def add_source(source: object) -> Iterator[None]:
    """Name the source in a `DataError` that does not say where.

    >>> with add_source("a.csv"):
    ...     raise DataError("holds no series")
    Traceback (most recent call last):
    recurra.errors.DataError: a.csv: holds no series
    """
    try:
        yield
    except DataError as error:
        if error.source is not None:
            raise
        raise DataError(str(error), source=source) from error


@contextmanager
def as_data_error(problem: str, *, source: object, hint: str | None = None, **place: int | None) -> Iterator[None]:
    """Turn whatever a library raises over the data that it reads into a `DataError`, with its reason; our own errors pass.

    >>> with as_data_error("is no number", source="a.csv", line=3):
    ...     float("x")
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: a.csv: line 3: is no number (could not convert string to float: 'x')
    """
    try:
        yield
    except RecurraError:
        raise
    except Exception as error:  # noqa: BLE001 (over damaged data a library may raise anything)
        raise DataError(f"{problem} ({error_reason(error)})", source=source, hint=hint, **place) from None


def error_reason(error: Exception) -> str:
    """Give the first line of what a library says went wrong, no longer than a line, or else the kind of its error.

    >>> error_reason(ValueError("out of range.\\nTry again.")), error_reason(MemoryError())
    ('out of range', 'MemoryError')
    """
    parts = error.args  # of a SyntaxError the message and a place that is none of the data's
    message = parts[0] if len(parts) == 2 and isinstance(parts[0], str) else str(error)
    reason = message.strip().split("\n", 1)[0].rstrip(".") or type(error).__name__
    return reason if len(reason) <= _MAX_REASON_LENGTH else reason[: _MAX_REASON_LENGTH - 1] + "…"


class RunError(RecurraError):
    """A run folder that is missing, damaged, unfinished or made by something else."""

    exit_code = 4


class MissingExtraError(RecurraError):
    """An optional library that is needed and not installed."""

    exit_code = 5


class DivergedError(RecurraError):
    """Training met a number that is not finite."""

    exit_code = 6


class OutputError(RecurraError):
    """Standard output that is closed, or it or a file to write that cannot be written: a full disk, say."""

    exit_code = 7


@contextmanager
def report_memory_errors() -> Iterator[None]:
    """Turn what Python, numpy and torch raise where memory is short into a `UsageError`.

    >>> with report_memory_errors():
    ...     raise MemoryError("Unable to allocate 64.0 GiB")
    Traceback (most recent call last):
    ...
    recurra.errors.UsageError: memory: more is needed than there is (Unable to allocate 64.0 GiB); take a smaller --hidden or
    --batch, shorter inputs, or less data
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        message = str(error)
        if not (isinstance(error, MemoryError) or "allocate memory" in message or "out of memory" in message):
            raise
        reason = message.partition("DefaultCPUAllocator: ")[2] or message or "it was refused"
        raise UsageError(
            f"memory: more is needed than there is ({reason.splitlines()[0].rstrip('.')}); "
            "take a smaller --hidden or --batch, shorter inputs, or less data"
        ) from error


def require(module: str, extra: str, why: str) -> Any:
    """Import an optional library where it is used.

    Raises `MissingExtraError`, naming the extra that brings it, when it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(f"{why} needs the package {module}: pip install 'recurra[{extra}]'") from None

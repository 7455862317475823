"""One family of errors: everything a user can cause, each kind with the exit code of the command line."""

from __future__ import annotations

import importlib
import re
from typing import Any


class RecurraError(Exception):
    """A failure that its reader can mend; the message, one line, says what was expected, what came, and what to do."""

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(re.sub(r"\s*[\n\r\v\f\x85\u2028\u2029]\s*", " ", message))


class UsageError(RecurraError):
    """An argument, a setting or a combination of them that makes no sense."""

    exit_code = 2


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
        super().__init__(": ".join([*where, message]) + (f"; {hint}" if hint else ""))


class RunError(RecurraError):
    """A run folder that is missing, damaged, unfinished or made by something else."""

    exit_code = 4


class MissingExtraError(RecurraError):
    """An optional library that is needed and not installed."""

    exit_code = 5


class DivergedError(RecurraError):
    """Training met a number that is not finite."""

    exit_code = 6


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

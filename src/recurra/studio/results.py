"""What the studio sends: JSON, events of a stream, and errors, each with the status of its kind."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from recurra.errors import (
    DataError,
    DivergedError,
    MissingExtraError,
    OutputError,
    RecurraError,
    RunError,
    UsageError,
)

KINDS: tuple[tuple[type[RecurraError], int, str], ...] = (
    (UsageError, 400, "usage"),
    (DataError, 400, "data"),
    (RunError, 409, "run"),
    (DivergedError, 409, "diverged"),
    (MissingExtraError, 424, "extra"),
    (OutputError, 409, "output"),
)
_KEY = re.compile(r"(?:[a-z]+\.)?([a-z][a-z0-9_]*)(?:, [a-z0-9_, ]+)?: ")
"""What a message about a setting or an option begins with."""


class StudioError(RecurraError):
    """A request that cannot be met, with the status that says so."""

    def __init__(self, message: str, status: int, kind: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


def not_found(what: str) -> StudioError:
    """Say that there is nothing with the id that was asked for."""
    return StudioError(f"there is no such {what} here (any more); load the page again", 404, "not found")


def to_json(value: Any) -> bytes:
    """Give JSON, in which a number that is not finite is null.

    >>> to_json({"a": float("nan"), "b": "é"}).decode()
    '{"a": null, "b": "é"}'
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_event(value: Any, name: str | None = None, number: int | None = None) -> bytes:
    """Give an event of a stream.

    >>> to_event({"a": 1}, "end", 7).decode()
    'event: end\\nid: 7\\ndata: {"a": 1}\\n\\n'
    """
    head = "" if name is None else f"event: {name}\n"
    head += "" if number is None else f"id: {number}\n"
    return f"{head}data: ".encode() + to_json(value) + b"\n\n"


def describe_error(error: RecurraError, folders: Iterable[str] = ()) -> tuple[int, dict[str, Any]]:
    """Give the status and the JSON of an error; folders: that are left out of its message, for no path goes to the page.

    >>> describe_error(UsageError("model.hidden: expected a number, got x"))
    (400, {'error': {'message': 'model.hidden: expected a number, got x', 'kind': 'usage', 'key': 'hidden'}})
    """
    message = str(error)
    for folder in folders:
        message = message.replace(f"{folder}/", "")
    if isinstance(error, StudioError):
        return error.status, {"error": {"message": message, "kind": error.kind}}
    status, kind = next(((status, kind) for cls, status, kind in KINDS if isinstance(error, cls)), (400, "usage"))
    found = _KEY.match(message) if kind == "usage" else None
    key = {} if found is None else {"key": found[1]}
    return status, {"error": {"message": message, "kind": kind, **key}}

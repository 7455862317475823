"""What is done with a row or a file that cannot be used: stop there, or count and list it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from recurra.errors import DataError, UsageError, escape_controls

OnError = Literal["stop", "skip"]

MAX_SKIPPED = 1_000_000
"""Faults that are listed and skipped, at most."""


class Faults:
    """Stop at the first fault, or collect one message for each.

    >>> faults = Faults("skip")
    >>> faults.handle(DataError("field 'text' is null", source="poems.jsonl", line=7))
    >>> faults.skipped
    ["poems.jsonl: line 7: field 'text' is null"]
    """

    def __init__(self, on_error: OnError, most: int = MAX_SKIPPED) -> None:
        if on_error not in get_args(OnError):
            raise UsageError(f"on_error: expected 'stop' or 'skip', got {on_error!r}")
        self.skipping = on_error == "skip"
        self._most = most
        self.skipped: list[str] = []
        self.first: DataError | None = None

    @property
    def on_error(self) -> OnError:
        """What is done with a fault, as the options of readers say it."""
        return "skip" if self.skipping else "stop"

    def handle(self, error: DataError) -> None:
        """Raise the error, or list it and continue; what has so many is something else."""
        if not self.skipping or len(self.skipped) >= self._most:
            raise error
        self.first = self.first or error
        self.skipped.append(str(error))

    def skip(self, what: str) -> None:
        """List what is left out under either policy, because leaving it out is no fault."""
        self.skipped.append(escape_controls(what))


@contextmanager
def handled(faults: Faults) -> Iterator[None]:
    """Handle a `DataError` as `faults` says."""
    try:
        yield
    except DataError as error:
        faults.handle(error)

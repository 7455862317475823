"""Errors are one line that can be read."""

from __future__ import annotations

from recurra.errors import DataError, RecurraError


def test_a_message_is_no_longer_than_can_be_read_and_keeps_what_to_do() -> None:
    error = DataError(f"expected a number, got {'x' * 10**6!r}", source="a.csv", line=3, hint="leave it out")
    assert str(error).startswith("a.csv: line 3: expected a number, got 'xxx")
    assert str(error).endswith("xxx'; leave it out") and len(str(error)) < 2000
    assert str(RecurraError("short")) == "short"

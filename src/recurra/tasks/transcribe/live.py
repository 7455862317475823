"""A signal in a pipe: bytes, in pieces of any size, of raw sound or of strokes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from recurra.audio import decode_samples, is_wav
from recurra.errors import DataError
from recurra.ink import parse_stroke
from recurra.tasks.transcribe.stream import TranscriptStream

RAW_PIECE = 0.06
"""Seconds of raw sound that are waited for at least before they are read: fewer cost more than they tell."""
MAX_LINE = 16 * 2**20
"""Bytes of a stroke's line."""
PIPE = "standard input"


class SampleStream:
    """Raw sound in 16 bits: what `TranscriptStream` gives."""

    def __init__(self, stream: TranscriptStream, rate: int) -> None:
        self._stream, self._waiting, self._least = stream, b"", 2 * int(RAW_PIECE * rate)
        self._is_first = True

    def push(self, data: bytes) -> list[dict[str, Any]]:
        """Read bytes; half a sample waits for its other half. Raises `DataError` for a WAV file, whose header is no sound and says its own rate."""
        self._waiting += data
        if len(self._waiting) < self._least:
            return []
        self._check_raw()
        whole = len(self._waiting) // 2 * 2
        given, self._waiting = self._waiting[:whole], self._waiting[whole:]
        return self._stream.push(decode_samples(given))

    def finish(self) -> list[dict[str, Any]]:
        """Give the last final result."""
        self._check_raw()
        given, self._waiting = self._waiting[: len(self._waiting) // 2 * 2], b""
        found = (
            [event for event in self._stream.push(decode_samples(given)) if event["type"] == "final"] if given else []
        )
        return [*found, *self._stream.finish()]

    def _check_raw(self) -> None:
        if self._is_first and is_wav(self._waiting):
            raise DataError(
                "expected raw samples, as --rate says, got a WAV file",
                source=PIPE,
                hint="leave --rate out to have it read as a whole, or send samples alone (arecord -t raw, sox … -t raw)",
            )
        self._is_first = False


class StrokeLineStream:
    """A stroke a line, as JSON, read when it has ended; behind an empty line another text begins."""

    def __init__(self, stream: TranscriptStream) -> None:
        self._stream, self._waiting, self._line = stream, b"", 0

    def push(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Read bytes; a line that has not ended waits. Raises `DataError` for one that is no stroke, behind what those before it gave."""
        *lines, self._waiting = (self._waiting + data).split(b"\n")
        for line in lines:
            yield from self._read(line)
        if len(self._waiting) > MAX_LINE:
            raise DataError(f"holds more than {MAX_LINE:,} bytes", source=PIPE, line=self._line + 1)

    def finish(self) -> list[dict[str, Any]]:
        """Give the last final result."""
        given, self._waiting = self._waiting, b""
        found = [event for event in self._read(given) if event["type"] == "final"] if given.strip() else []
        return [*found, *self._stream.finish()]

    def _read(self, line: bytes) -> list[dict[str, Any]]:
        self._line += 1
        if not line.strip():
            return self._stream.finish()
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise DataError(
                "expected a stroke as JSON, such as [[0, 0], [3, 4]]", source=PIPE, line=self._line
            ) from None
        return self._stream.push(parse_stroke(value, PIPE, line=self._line))

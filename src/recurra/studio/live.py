"""Signals that are transcribed as they come: raw sound of a microphone, or strokes of a pen."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from recurra.errors import UsageError
from recurra.runs.run import Run
from recurra.studio.options import Reference, given_options
from recurra.studio.results import not_found, to_json
from recurra.tasks.base.capabilities import ByteStream, StreamsBytes
from recurra.tasks.base.options import read_options

MAX_OPEN = 8
MAX_PIECE_BYTES = 4 * 2**20


class LiveStreams:
    """Keeps the streams that were used last; to be used in the worker alone."""

    def __init__(self, most: int = MAX_OPEN) -> None:
        self.most = most
        self._open: OrderedDict[str, tuple[str, ByteStream]] = OrderedDict()

    def start(self, id: str, run: Run, given: Mapping[str, Any], find: Reference) -> bytes:
        """Open a stream, as `recurra predict RUN - --rate N` does; gives its id."""
        predictor = run.predictor
        kind = predictor.PredictOptions
        options = read_options(kind, given_options(kind, given, find), predictor.name)
        options.load_runs(lambda folder: Run.load(folder).predictor)
        stream = predictor.byte_stream(options) if isinstance(predictor, StreamsBytes) else None
        if stream is None:
            raise UsageError(
                "options: expected the rate of raw sound, or strokes, of a run that reads such as it comes"
            )
        live = secrets.token_hex(8)
        self._open[live] = id, stream
        while len(self._open) > self.most:
            self._open.popitem(last=False)
        return to_json({"live": live})

    def push(self, id: str, live: str, data: bytes) -> bytes:
        """Read what has come; gives what is new: {"type": "partial" or "final", "text", …}."""
        if len(data) > MAX_PIECE_BYTES:
            raise UsageError(f"body: expected pieces of at most {MAX_PIECE_BYTES:,} bytes, got {len(data):,}")
        return to_json({"results": list(self._stream(id, live).push(data))})

    def finish(self, id: str, live: str) -> bytes:
        """End a stream; gives what is left."""
        found = self._stream(id, live).finish()
        del self._open[live]
        return to_json({"results": found})

    def _stream(self, id: str, live: str) -> ByteStream:
        kept = self._open.get(live)
        if kept is None or kept[0] != id:
            raise not_found("stream")
        self._open.move_to_end(live)
        return kept[1]

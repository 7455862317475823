"""A signal in a pipe that is transcribed as it comes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from recurra.verbs.base.options import print_json, print_line
from recurra.verbs.base.pipe import Pipe

if TYPE_CHECKING:
    from recurra.tasks.base.predictor import Predictor


def transcribe_live(predictor: Predictor, options: Any, pipe: Pipe, *, json: bool) -> bool:
    """Read a pipe to its end, or until it is interrupted, and print what is new as soon as it is there; tells whether the pipe is of this kind.

    As JSON every result is printed; for people the final ones, and in a terminal the text so far in a line that is written over.
    """
    from recurra.tasks.base.capabilities import StreamsBytes

    stream = predictor.byte_stream(options) if isinstance(predictor, StreamsBytes) else None
    if stream is None:
        return False
    watched, width = not json and sys.stdout.isatty(), 0

    def show(results: Iterable[Mapping[str, Any]]) -> None:
        nonlocal width
        for result in results:
            final = result["type"] == "final"
            if json:
                print_json(result)
            elif watched or (final and result["text"]):  # silence at the end is no line
                sys.stdout.write("\r" if watched else "")
                print_line(f"{result['text']:<{width}}", end="\n" if final else "")
                width = 0 if final else max(width, len(result["text"]))

    try:
        for piece in pipe.pieces():
            show(stream.push(piece))
    except KeyboardInterrupt:
        pass
    show(stream.finish())
    return True

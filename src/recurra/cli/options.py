"""Options that several verbs share, and the lines they read and print."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from recurra.errors import DataError

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder, made by `recurra train`.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
Lines = Annotated[
    str, typer.Argument(metavar="[FILE|-]", help="A file of one text a line; - is standard input.", show_default=False)
]
Device = Annotated[str, typer.Option("--device", help="Where to compute: cpu, cuda, cuda:1, mps.")]


def print_json(value: Any) -> None:
    """Print one JSON line, at once, so that the next program of a pipe has it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def print_line(text: str = "", end: str = "\n") -> None:
    """Print to standard output, at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def note(text: str) -> None:
    """Say something that is not a result."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def note_unseen(task: Any, text: str) -> None:
    """Say which characters of a prompt the model has never seen (simplified script to a traditional model, say)."""
    unseen = task.unseen(text) if hasattr(task, "unseen") and task.config.data.unit != "byte" else []
    if unseen:
        note(f"never seen in training: {' '.join(unseen[:20])}{' …' if len(unseen) > 20 else ''}")


def read_lines(source: str) -> Iterator[str]:
    """Read lines without their ends, as they come; raises `DataError` for what is no UTF-8 text."""
    if source == "-":
        yield from _decoded(sys.stdin.buffer, "standard input")
        return
    try:
        with Path(source).open("rb") as file:
            yield from _decoded(file, source)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", source=source) from None


def _decoded(lines: Any, name: str) -> Iterator[str]:
    offset = 0
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise DataError(
                f"expected UTF-8 text, got byte 0x{line[error.start]:02x}",
                source=name,
                line=number,
                byte=offset + error.start,
                hint="convert it, as in `iconv -f gb18030 -t utf-8`",
            ) from None
        offset += len(line)

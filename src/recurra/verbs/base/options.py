"""Options that several verbs share, and the lines they read and print."""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.errors import DataError, RunError, UsageError, add_source, escape_controls
from recurra.verbs.base.pipe import Pipe, standard_pipe

if TYPE_CHECKING:
    from recurra.runs.run import Run
    from recurra.tasks.base.predictor import Predictor

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder, made by `recurra train`.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
Lines = Annotated[
    str, typer.Argument(metavar="[FILE|-]", help="A file of one text a line; - is standard input.", show_default=False)
]
Texts = Annotated[list[str] | None, typer.Option("--text", "-t", help="A text, instead of a file; may be repeated.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Device = Annotated[str, typer.Option("--device", help="Where to compute: cpu, cuda, cuda:1, mps.")]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def load_run(folder: Path, device: str) -> Run:
    """Load the run of a verb onto the device that it is to compute on."""
    from recurra.runs.run import Run  # slow to load, and `recurra --help` must not wait

    return Run.load(folder).to(device)


@contextmanager
def naming_run(run: Path) -> Iterator[None]:
    """Name the run in a `RunError` that does not: of weights that give no numbers, which are the run's."""
    try:
        yield
    except RunError as error:
        if str(run) in str(error):
            raise
        raise RunError(f"{run}: {error}") from None


def check_one_source(texts: list[str] | None, source: str) -> None:
    """Raise `UsageError` where both a text and a file are given."""
    if texts and source != "-":
        raise UsageError(f"text: expected --text or a file, got both (--text and {source}); leave one of them out")


STANDARD_INPUT = "standard input"


def input_name(texts: list[str] | None, source: str) -> str:
    """Say in an error where the inputs of a verb are from.

    >>> input_name(["a"], "-"), input_name(None, "-"), input_name(None, "a.txt")
    ('--text', 'standard input', 'a.txt')
    """
    return "--text" if texts else STANDARD_INPUT if source == "-" else source


@contextmanager
def naming_input(texts: list[str] | None, source: str) -> Iterator[None]:
    """Say in a `DataError` about an input where that is from; a predictor, which does not know, calls it the input."""
    name = input_name(texts, source)
    try:
        with add_source(name):
            yield
    except DataError as error:
        if error.source != "input":
            raise
        raise DataError(error.problem, source=name, line=error.line, row=error.row) from None


def print_json(value: Any) -> None:
    """Print one JSON line, at once, so that the next program of a pipe has it."""
    # What the stream cannot encode has an escape in JSON, so that the value is the same wherever it is read.
    encoding = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name
    line = json.dumps(value, ensure_ascii=encoding != "utf-8", allow_nan=False)
    sys.stdout.write(_for_eyes(line, "\\u{:04x}") + "\n")
    sys.stdout.flush()


def print_line(text: str = "", end: str = "\n") -> None:
    """Print to standard output, at once."""
    sys.stdout.write(_for_eyes(text, "\\x{:02x}") + end)
    sys.stdout.flush()


def _for_eyes(text: str, escape: str) -> str:
    """Show control characters in a terminal, which would obey them; a file or a pipe gets the text as it is."""
    return _CONTROL.sub(lambda found: escape.format(ord(found[0])), text) if sys.stdout.isatty() else text


def note(text: str) -> None:
    """Say something that is not a result, on one line."""
    print(escape_controls(text), file=sys.stderr, flush=True)  # noqa: T201


def warn(predictor: Predictor, item: Any) -> None:
    """Say why little may be expected of a prediction for an input, where a predictor says so."""
    for warning in predictor.input_warnings(item):
        note(warning)


def read_lines(
    source: str, report: Callable[[DataError], None] | None = None, first_line: bytes = b"", pipe: Pipe | None = None
) -> Iterator[str]:
    """Read lines without their ends: a file, unpacked where its suffix says so, or standard input as its lines come.

    Raises `DataError` for what cannot be read or is no UTF-8 text.  report: takes the error of a line of standard input instead,
    which is then left out.  first_line: the first line of standard input, where that is read already.  pipe: standard input.
    """
    return (line for _, line in read_numbered_lines(source, report, first_line, pipe))


def read_numbered_lines(
    source: str, report: Callable[[DataError], None] | None = None, first_line: bytes = b"", pipe: Pipe | None = None
) -> Iterator[tuple[int, str]]:
    """Read lines as `read_lines` does, each with its number, from 1."""
    if not source:
        raise UsageError("data: expected the name of a file, or - for standard input, got an empty one")
    if source == "-":
        yield from _as_they_come(chain([first_line] if first_line else [], pipe or standard_pipe()), report)
        return
    from recurra.text import file_lines  # slow to load too

    yield from enumerate(file_lines(source), 1)


def _as_they_come(
    lines: Iterable[bytes], report: Callable[[DataError], None] | None = None
) -> Iterator[tuple[int, str]]:
    from recurra.text import decode, split_lines

    offset = 0
    for number, line in enumerate(lines, 1):
        # Only the first line can have a byte order mark or the signature of a file that is no text.
        lead = b"" if number == 1 else b"\n"
        try:
            text = decode(lead + line, STANDARD_INPUT)
        except DataError as error:
            place = error.byte or 0
            reason = str(error).partition(f"byte {place}: ")[2]
            byte = offset + place - len(lead)
            broken = DataError(reason, source=STANDARD_INPUT, line=number, byte=byte)
            if report is None:
                raise broken from None
            report(broken)
        else:
            yield from ((number, one) for one in split_lines(text[len(lead) :]))
        offset += len(line)

"""`recurra predict RUN [INPUT|-]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.errors import DataError, UsageError
from recurra.verbs.base.options import (
    Device,
    Json,
    RunFolder,
    check_one_source,
    load_run,
    note,
    print_json,
    print_line,
    read_lines,
    warn,
)
from recurra.verbs.base.pipe import AT_ONCE, Pipe, together

if TYPE_CHECKING:
    from recurra.tasks import Task

Tell = Callable[[DataError], None]
STANDARD_INPUT = "standard input"


def predict(
    run: RunFolder,
    source: Annotated[
        str,
        typer.Argument(
            metavar="[INPUT|-]",
            help="A file: a text or series a line, or of the kind that the run was trained on; - is standard input.",
            show_default=False,
        ),
    ] = "-",
    json: Json = False,
    text: Annotated[
        list[str] | None,
        typer.Option("--text", "-t", help="A text, or the numbers of a series, instead of a file; may be repeated."),
    ] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Also what is foretold after each element.")] = False,
    k: Annotated[
        int | None, typer.Option("-k", min=1, help="How many of the likeliest. Default: 5 next units, all classes.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="K|auto", help="embed: also group what is asked, into so many clusters or as many as stand out."
        ),
    ] = None,
    neighbours: Annotated[
        int | None, typer.Option(min=1, help="embed: also so many of the nearest others among what is asked.")
    ] = None,
    on_error: Annotated[
        str,
        typer.Option(
            "--on-error", metavar="stop|skip", help="At a line that cannot be read: stop, or say so and go on."
        ),
    ] = "stop",
    header: Annotated[
        bool,
        typer.Option(help="Tables of files and pipes: name the columns in a first line."),
    ] = True,
    device: Device = "cpu",
) -> None:
    """Foretell: the next units of a text, the class of a text or a series, the tag of each word, a vector for a sequence.

    Lines of a pipe are answered as they come; to a run of detect they are the steps of one stream. A run of
    forecast reads a table to its end.
    Forecasts, classes, vectors and what is judged abnormal are tables, their cells apart by tabs, with a line of names above
    where a file or a pipe is asked about.

    [bold]Examples[/bold]

    recurra predict runs/novel -t "To be, or not to " -k 3

    recurra predict runs/movies -t "that was phenomenal" --steps

    recurra predict runs/motions new.ts --cluster auto --neighbours 3

    cat history.csv | recurra predict runs/sales -

    echo 床前明月 | recurra predict runs/tang --json
    """
    check_one_source(text, source)
    if on_error not in ("stop", "skip"):
        raise UsageError(f"on-error: expected stop or skip, got {on_error!r}")
    loaded = load_run(run, device)
    task = loaded.task
    asked = {"cluster": cluster, "neighbours": neighbours}
    options = {name: value for name, value in asked.items() if value is not None}
    task.check_options(options)
    pipe = None if text or source != "-" else Pipe(sys.stdin.buffer)
    tell = _told if on_error == "skip" else None
    write = Writer(task, json=json, header=header and not text)
    following = task.line_stream(loaded.network) if pipe is not None else None
    if following is not None:
        for result in followed(following, read_lines(source, tell, pipe=pipe), tell):
            write(result)
        return
    most = sys.maxsize if options else AT_ONCE  # what these say depends on all there is
    for batch in _batches(task, source, text, pipe, most, tell):
        for item in batch:
            warn(task, item)
        for result in loaded.predict(batch, k, steps=steps, **options):
            write(result)


def _batches(
    task: Task, source: str, text: list[str] | None, pipe: Pipe | None, most: int, tell: Tell | None
) -> Iterator[list[Any]]:
    """Give what is asked about, as `predict` takes it."""
    begun = b"" if pipe is None else pipe.readline()
    known = None
    if pipe is None:
        known = None if text else task.inputs(source)
    elif begun:
        known = task.piped(begun, pipe.read)
    if known is not None:
        yield from together(known, most)
        return
    lines = iter(text) if text else read_lines(source, begun=begun, pipe=pipe)
    # A pipe is answered as its lines come.
    waits = None if pipe is None or most > AT_ONCE else pipe.waits
    for some in together(enumerate(lines, 1), most, waits):
        yield from together(parsed(task, some, None if text else source, tell), most)


class Writer:
    """Prints one result after another: as JSON, or as the task writes them, with the columns' names above the first of a table."""

    def __init__(self, task: Task, *, json: bool, header: bool) -> None:
        self._task, self._json, self._header = task, json, header

    def __call__(self, result: Mapping[str, Any]) -> None:
        """Print one result, at once."""
        if self._json:
            print_json(result)
            return
        names, self._header = self._task.prediction_header(result) if self._header else None, False
        if names is not None:
            print_line(names)
        print_line(self._task.prediction_line(result))


def parsed(task: Task, lines: Iterable[tuple[int, str]], source: str | None, tell: Tell | None = None) -> Iterator[Any]:
    """Read lines, each with its number, as what `predict` takes; raises `DataError` for one that cannot be read so.

    source: the file, - for standard input, or None for texts that were given one by one.  tell: takes the error instead.
    """
    for number, line in lines:
        try:
            item = task.parse(line)
        except DataError as error:
            where = STANDARD_INPUT if source == "-" else source
            _met(
                DataError(str(error), source=f"--text {number}")
                if where is None
                else DataError(str(error), source=where, line=number),
                tell,
            )
        else:
            yield item


def followed(
    following: Callable[[str], Mapping[str, Any] | None], lines: Iterable[str], tell: Tell | None = None
) -> Iterator[Mapping[str, Any]]:
    """Answer lines as the steps of one stream; raises `DataError`, with the line, for one that cannot be read so.

    tell: takes the error instead; the stream goes on as if the line had not been there.
    """
    for number, line in enumerate(lines, 1):
        try:
            result = following(line)
        except DataError as error:
            _met(DataError(str(error), source=STANDARD_INPUT, line=number), tell)
        else:
            if result is not None:
                yield result


def _met(error: DataError, tell: Tell | None) -> None:
    if tell is None:
        raise error from None
    tell(error)


def _told(error: DataError) -> None:
    note(f"{error}; skipped")

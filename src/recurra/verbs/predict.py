"""`recurra predict RUN [INPUT|-]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.errors import DataError, UsageError, add_source
from recurra.tasks.base.options import RankedOptions, read_options
from recurra.verbs.base.live import transcribe_live
from recurra.verbs.base.options import (
    STANDARD_INPUT,
    Device,
    Json,
    RunFolder,
    check_one_source,
    load_run,
    naming_input,
    naming_run,
    note,
    print_json,
    print_line,
    read_numbered_lines,
    warn,
)
from recurra.verbs.base.patience import still_at_it
from recurra.verbs.base.pipe import LINES_PER_BATCH, Pipe, standard_pipe, together
from recurra.verbs.base.run_command import RunCommand, given_options

if TYPE_CHECKING:
    from recurra.tasks.base.predictor import Predictor

OnError = Callable[[DataError], None]
POSITION = 30
SKIPPED = "; skipped"
"""Behind the message of what is left out."""
LINES_WITH_STEPS = 8
"""Inputs that are predicted together where there is a result after each element."""


class PredictCommand(RunCommand):
    attribute, usual = "PredictOptions", RankedOptions


Source = Annotated[
    str,
    typer.Argument(
        metavar="[INPUT|-]",
        help="A file: a text or series a line, or of the kind that the run was trained on; - is standard input.",
        show_default=False,
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--text", "-t", help="A text, or the numbers of a series, instead of a file; may be repeated."),
]
Strictness = Annotated[
    str,
    typer.Option(
        "--on-error", metavar="stop|skip", help="At a line or file that cannot be read: stop, or say so and go on."
    ),
]
Header = Annotated[bool, typer.Option(help="Tables of files and pipes: name the columns in a first line.")]


def predict(
    context: typer.Context,
    run: RunFolder,
    source: Source = "-",
    json: Json = False,
    text: Inputs = None,
    on_error: Strictness = "stop",
    header: Header = True,
    device: Device = "cpu",
) -> None:
    """Predict: the next units of a text, the class of a text or a series, the tag of each word, a vector for a sequence.

    Lines of a pipe are answered as they come; to a run of detect they are the steps of one stream. A run of
    forecast reads a table to its end.
    Forecasts, classes, vectors and detected anomalies are tables, their cells apart by tabs, with a line of names above
    where a file or a pipe is asked about.
    `recurra predict RUN --help` lists what this run takes besides.

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
    predictor = load_run(run, device).predictor
    options = read_options(predictor.PredictOptions, given_options(context), predictor.name)
    options.load_runs(lambda folder: load_run(Path(folder), device).predictor)
    pipe = None if text or source != "-" else standard_pipe()
    report = _report_skipped if on_error == "skip" else None
    write = ResultWriter(predictor, json=json, header=header and not text)
    if pipe is not None and transcribe_live(predictor, options, pipe, json=json):
        return
    if pipe is not None and (step := line_stream_of(predictor)) is not None:
        _refuse_options(given_options(context))
        for result in stream_results(step, read_numbered_lines(source, report, pipe=pipe), report):
            write(result)
        return
    # Steps take long for each input, and are printed once they are there.
    most = sys.maxsize if options.is_joint else LINES_WITH_STEPS if options.steps else LINES_PER_BATCH
    for batch in _batches(predictor, source, text, pipe, most, report):
        for item in batch:
            warn(predictor, item)
        is_watched = text and len(text) == 1 and not json and not options.steps and sys.stdout.isatty()
        with naming_run(run):
            if is_watched and _write_live(predictor, batch[0], options):
                return
        with naming_run(run), naming_input(text, source), still_at_it(_work(batch, options)):
            results = predictor.finite_results(batch, options)
        for result in results:
            write(result)


def _refuse_options(given: Mapping[str, Any]) -> None:
    """Raise `UsageError` for an option where each line of a pipe is a step."""
    for name in (name for name, value in given.items() if value is not False):
        raise UsageError(
            f"{name}: each line of this pipe is one step, which has one result; leave it out, or name a file"
        )


def _write_live(predictor: Predictor, item: Any, options: Any) -> bool:
    """Write the answer to one input as it comes, where the predictor can; tells whether it did."""
    from recurra.tasks.base.capabilities import WritesLive

    if not isinstance(predictor, WritesLive):
        return False
    pieces: list[str] = []

    def show(piece: str) -> None:
        pieces.append(piece)
        print_line(piece, end="")

    with add_source("--text"):
        whole, shown = predictor.format_result(predictor.predict_live(item, options, show)), "".join(pieces)
    # What is certain is what the answer begins with, unless it is written with more than that.
    print_line(whole.removeprefix(shown) if whole.startswith(shown) else f"\n{whole}")
    return True


def _work(batch: Sequence[Any], options: Any) -> str:
    """Name what may take long."""
    if options.is_joint:
        return f"comparing {len(batch):,} sequences with each other"
    return f"predicting {len(batch):,} inputs" if len(batch) > 1 else "predicting one input"


def line_stream_of(predictor: Predictor) -> Callable[[str], Mapping[str, Any] | None] | None:
    """Give what takes the lines of a pipe as the steps of one stream; None where each is a whole input."""
    from recurra.tasks.base.capabilities import StreamsLines

    return predictor.line_stream() if isinstance(predictor, StreamsLines) else None


def _batches(
    predictor: Predictor, source: str, text: list[str] | None, pipe: Pipe | None, most: int, report: OnError | None
) -> Iterator[list[Any]]:
    """Give the inputs, as `predict` takes them."""
    first_line = b"" if pipe is None else pipe.readline()
    known = None
    if pipe is None:
        known = None if text else _read_file(predictor, source, report)
    elif first_line:
        known = predictor.read_pipe(first_line, pipe.read)
    if known is not None:
        yield from together(known, most)
        return
    lines = enumerate(text, 1) if text else read_numbered_lines(source, report, first_line=first_line, pipe=pipe)
    # A pipe is answered as its lines come.
    waits = None if pipe is None or most > LINES_PER_BATCH else pipe.waits
    for some in together(lines, most, waits):
        yield from together(parse_lines(predictor, some, None if text else source, report), most)


def _read_file(predictor: Predictor, source: str, report: OnError | None) -> list[Any] | None:
    """Read a file, a folder or an archive of a form of its own; report: what of it cannot be read is shown, and left out."""
    from recurra.text import Faults  # slow to load, and `recurra --help` must not wait

    faults = Faults("stop" if report is None else "skip")
    try:
        return predictor.read_file(source, faults)
    finally:
        for message in faults.skipped if faults.skipping else ():
            note(f"{message}{SKIPPED}")


class ResultWriter:
    """Prints one result after another: as JSON, or as the predictor writes them, with the columns' names above the first of a table."""

    def __init__(self, predictor: Predictor, *, json: bool, header: bool) -> None:
        self._predictor, self._json, self._header = predictor, json, header

    def __call__(self, result: Mapping[str, Any]) -> None:
        """Print one result, at once."""
        if self._json:
            print_json(result)
            return
        names, self._header = self._predictor.format_header(result) if self._header else None, False
        if names is not None:
            print_line(names)
        print_line(self._predictor.format_result(result))


def parse_lines(
    predictor: Predictor, lines: Iterable[tuple[int, str]], source: str | None, report: OnError | None = None
) -> Iterator[Any]:
    """Read lines, each with its number, as what `predict` takes; raises `DataError` for one that cannot be read so.

    source: the file, - for standard input, or None for texts that were given one by one.  report: takes the error instead.
    """
    for number, line in lines:
        try:
            item = predictor.parse(line)
        except DataError as error:
            where = STANDARD_INPUT if source == "-" else source
            _handle(
                DataError(str(error), source=f"--text {number}")
                if where is None
                else DataError(str(error), source=where, line=number),
                report,
            )
        else:
            yield item


def stream_results(
    step: Callable[[str], Mapping[str, Any] | None], lines: Iterable[tuple[int, str]], report: OnError | None = None
) -> Iterator[Mapping[str, Any]]:
    """Take lines, each with its number, as the steps of one stream; raises `DataError`, with the line, for one that cannot be read so.

    report: takes the error instead; the stream goes on as if the line had not been there.
    """
    for number, line in lines:
        try:
            result = step(line)
        except DataError as error:
            _handle(DataError(str(error), source=STANDARD_INPUT, line=number), report)
        else:
            if result is not None:
                yield result


def _handle(error: DataError, report: OnError | None) -> None:
    if report is None:
        raise error from None
    report(error)


def _report_skipped(error: DataError) -> None:
    note(f"{error}{SKIPPED}")


def register(root: typer.Typer) -> None:
    root.command("predict", cls=PredictCommand)(predict)

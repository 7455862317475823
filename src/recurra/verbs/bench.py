"""`recurra bench`."""

from __future__ import annotations

import json as json_module
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recurra.errors import MissingExtraError, UsageError
from recurra.verbs.base.options import Json, note, print_json

if TYPE_CHECKING:  # torch takes seconds to import, which `recurra --help` must not wait for
    from recurra.benchmark import Group, Measured, Report, Scope, Shape

SECTIONS = ("training", "graves", "ragged", "stream", "generate")
QUICK_SECONDS = 45.0
UNPIPED_WIDTH = 160  # columns of a table when nobody's terminal says how wide it is

POSITION = 90

Sections = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SECTION]...", help=f"What is measured: {', '.join(SECTIONS)}. Default: all.", show_default=False
    ),
]
Cells = Annotated[
    list[str] | None, typer.Option("--cell", help="A cell; give it again for more. Default: lstm, gru, rnn.")
]
Shapes = Annotated[
    list[str] | None,
    typer.Option(
        "--shape", metavar="I,H,B,T,L", help="Input features, hidden units, batch, steps, layers; again for more."
    ),
]
Sizes = Annotated[list[int] | None, typer.Option("--hidden", help="Hidden units of a streaming step; again for more.")]
Precisions = Annotated[
    list[str] | None,
    typer.Option("--precision", metavar="float32|bfloat16", help="Of training. Default: both; bfloat16 is autocast."),
]
Threads = Annotated[
    list[int] | None, typer.Option("--threads", help="Threads; again for more. Default: 1 and 2, where there are two.")
]
Rounds = Annotated[int, typer.Option("--rounds", help="Turns that each contestant gets, 5 or more.")]
Quick = Annotated[bool, typer.Option("--quick", help="Few small shapes, under a minute.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Store everything measured as JSON.")]
Show = Annotated[Path | None, typer.Option("--show", help="Print the tables of a stored file; measure nothing.")]


def bench(
    section: Sections = None,
    cell: Cells = None,
    shape: Shapes = None,
    hidden: Sizes = None,
    precision: Precisions = None,
    threads: Threads = None,
    rounds: Rounds = 5,
    quick: Quick = False,
    output: Output = None,
    show: Show = None,
    json: Json = False,
) -> None:
    """Time Recurra beside its peers: training steps, ragged ones, what peepholes cost (graves), streaming steps, generated text.

    The contestants have the same weights and inputs and take turns in this process; figures are medians, and each
    contestant is shown at its best number of threads. A row whose results differ from the peer's says so. "of GEMM" is the
    share of what a large matrix product reaches on this machine in the same precision, "of read" that of reading the
    weights from memory: limits of the same run. Streaming is set against ONNX Runtime, which the extra "export" brings.

    [bold]Examples[/bold]

    recurra bench --quick

    recurra bench training ragged --cell lstm --shape 128,128,50,50,2

    recurra bench --output bench.json

    recurra bench --show bench.json
    """
    if show is not None:
        _print(_stored(show))
        return
    if wrong := [name for name in section or () if name not in SECTIONS]:
        raise UsageError(f"section: expected some of {', '.join(SECTIONS)}; got {wrong[0]!r}")
    if output is not None and not output.absolute().parent.is_dir():
        raise UsageError(f"--output: there is no folder {output.absolute().parent}; make it first")
    from recurra import benchmark

    scope = benchmark.Scope(
        cells=cell or benchmark.CELLS,
        shapes=[_shape(text) for text in shape or []],
        sizes=hidden or [],
        precisions=precision or benchmark.Scope().precisions,
        threads=threads or benchmark.default_threads(),
        quick=quick,
    )
    scope.check()
    benchmark.check_rounds(rounds)
    if _run(scope, section, rounds, output, json=json):
        raise typer.Exit(130)


def _run(scope: Scope, section: list[str] | None, rounds: int, output: Path | None, *, json: bool) -> bool:
    """Measure the sections and give the report of it; tells whether it was interrupted."""
    from recurra import benchmark

    names = [name for name in SECTIONS if not section or name in section]
    report = benchmark.Report([table for name in names for table in getattr(benchmark, name).TABLES])
    todo = _groups(names, scope, rounds, report, required=bool(section))
    if json:
        print_json({"machine": report.machine})
    try:
        return _measure(todo, report, QUICK_SECONDS if scope.quick else None, json=json)
    finally:  # minutes of measuring are not lost to whatever breaks the rest
        _give_report(report, output, json=json)


def _give_report(report: Report, output: Path | None, *, json: bool) -> None:
    stored = report.as_dict()
    if output is not None:
        from recurra.files import write_whole

        write_whole(output, json_module.dumps(stored, indent=1, ensure_ascii=False) + "\n")
        note(f"stored in {output}")
    if json:
        targets = {table["name"]: table["targets"] for table in stored["tables"]}
        print_json({"limits": stored["limits"], "targets": targets})
    else:
        _print(stored)
    for missing in report.left_out:
        note(f"not measured: {missing}")


def _groups(names: list[str], scope: Scope, rounds: int, report: Report, *, required: bool) -> list[Group]:
    """List what is to be measured; a section whose peer is not installed is left out, unless it is required."""
    from recurra import benchmark

    todo: list[Group] = []
    for name in names:
        try:
            todo += getattr(benchmark, name).groups(scope, rounds)
        except MissingExtraError as error:
            if required:
                raise
            report.left_out.append(f"{name}: {error}")
    if not todo and not report.left_out:
        raise UsageError(f"--cell: {', '.join(scope.cells)} has no peer in {', '.join(names)}; choose another")
    return todo


def _measure(todo: list[Group], report: Report, limit: float | None, *, json: bool) -> bool:
    """Measure one group after another until the time is over; tells whether it was interrupted."""
    expected = sum(group.seconds for group in todo)
    note(f"{len(todo)} comparisons, about {max(1, round(expected / 60))} min on two free cores")
    start = time.monotonic()
    with _Display(len(todo)) as display:
        for index, group in enumerate(todo):
            if limit is not None and time.monotonic() - start > limit:
                report.left_out += [f"{each.label}: the machine is too busy for --quick" for each in todo[index:]]
                return False
            left = sum(each.seconds for each in todo[index:])
            try:
                measured = display(group, left)
            except KeyboardInterrupt:
                report.left_out += [f"{each.label}: interrupted" for each in todo[index:]]
                return True
            report.groups[group.label] = measured
            if json:
                for row in measured.rows:
                    print_json(row.as_dict())
    return False


def _shape(text: str) -> Shape:
    from recurra.benchmark import Shape

    try:
        return Shape(*(int(number) for number in text.split(",")))
    except (ValueError, TypeError):
        raise UsageError(f"--shape: expected five integers I,H,B,T,L, as in 128,128,50,50,2; got {text!r}") from None


def _stored(file: Path) -> dict[str, Any]:
    try:
        stored = json_module.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"--show: {file} cannot be read: {error.strerror}") from None
    except ValueError:
        stored = None
    if not isinstance(stored, dict) or stored.get("version") != 2:
        raise UsageError(f"--show: {file} was not stored by `recurra bench --output`")
    return stored


class _Display:
    """What is being measured, on standard error: a bar in a terminal, otherwise a line each."""

    def __init__(self, total: int) -> None:
        console = Console(stderr=True)
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(
            *columns, TextColumn("{task.description}", markup=False), console=console, transient=True
        )
        self._task = self._progress.add_task("", total=total)
        self._live = console.is_terminal

    def __enter__(self) -> _Display:
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, group: Group, left: float) -> Measured:
        """Measure a group under its name; `left` is how many seconds this and all after it should take."""
        label = f"{group.label}  (about {left / 60:.0f} min left)" if left >= 60 else group.label
        if self._live:
            self._progress.update(self._task, description=label)
        else:
            note(label)
        measured = group.measure()
        self._progress.advance(self._task)
        return measured


def _print(stored: dict[str, Any]) -> None:
    from recurra.benchmark.tables import print_report

    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=UNPIPED_WIDTH, highlight=False)
    print_report(stored, console)


def register(root: typer.Typer) -> None:
    root.command("bench")(bench)

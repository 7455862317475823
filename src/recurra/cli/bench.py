"""`recurra bench`."""

from __future__ import annotations

import json as json_module
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from recurra.cli.options import Json, note, print_json
from recurra.errors import UsageError

if TYPE_CHECKING:  # torch takes seconds to import, which `recurra --help` must not wait for
    from recurra.benchmark import Case, Report, Shape

QUICK_SECONDS = 45.0
UNPIPED_WIDTH = 160  # columns of a table when nobody's terminal says how wide it is


def bench(
    cell: Annotated[
        list[str] | None,
        typer.Option("--cell", help="A cell; give it again for more. Default: rnn, lstm, graves-lstm, gru."),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            "--shape", metavar="I,H,B,T,L", help="Input features, hidden units, batch, steps, layers; again for more."
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option("--precision", metavar="float32|bfloat16", help="Default: both; bfloat16 is autocast."),
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option("--threads", help="Threads; again for more. Default: 1 and 2, where there are two."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Turns that each contestant gets, 5 or more.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="Few small shapes, under a minute.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Store everything measured as JSON.")] = None,
    json: Json = False,
) -> None:
    """Time the training step (forward and backward) of Recurra's layers beside torch.nn's.

    Both have the same weights and input and take turns in this process; the times are medians. A cell that torch.nn
    lacks (graves-lstm) is set against our own LSTM. "of GEMM" is the share of what a large matrix product reaches on
    this machine in the same precision: no recurrent layer can exceed 100 %.

    Examples:

        recurra bench --quick

        recurra bench --cell lstm --shape 128,128,50,50,2 --precision bfloat16

        recurra bench --output bench.json
    """
    from recurra import benchmark

    if output is not None and not output.absolute().parent.is_dir():
        raise UsageError(f"--output: there is no folder {output.absolute().parent}; make it first")
    shapes = [_shape(text) for text in shape or []] or list(benchmark.QUICK_SHAPES if quick else benchmark.SHAPES)
    precisions = precision or ["float32", "bfloat16"]
    counts = threads or benchmark.default_threads()
    todo = benchmark.cases(cell or benchmark.DEFAULT_CELLS, shapes, precisions, counts)
    benchmark.check_rounds(rounds)
    report = benchmark.Report()
    deadline = time.monotonic() + QUICK_SECONDS if quick else None
    interrupted = False
    with _Display(3 + len(todo)) as display:
        try:
            display("machine", lambda: _limits(report, todo, rounds), 3)
            if json:
                print_json(
                    {key: value for key, value in report.as_dict().items() if key not in ("results", "left_out")}
                )
            for index, case in enumerate(todo):
                if deadline is not None and time.monotonic() > deadline:
                    report.left_out = len(todo) - index
                    break
                label = f"{case.cell}  {case.shape}  {case.precision}  threads {case.threads}"
                display(label, lambda case=case: report.results.append(benchmark.measure(case, rounds=rounds)), 1)
                if json:
                    print_json(report.results[-1].as_dict())
        except KeyboardInterrupt:
            interrupted = True
            report.left_out = len(todo) - len(report.results)
    if output is not None:
        from recurra.files import write_whole

        write_whole(output, json_module.dumps(report.as_dict(), indent=1, ensure_ascii=False) + "\n")
        note(f"stored in {output}")
    if not json:
        _print_report(report)
    if report.left_out:
        why = "interrupted" if interrupted else "the machine is too busy for --quick"
        note(f"{report.left_out} of {len(todo)} comparisons were not made: {why}")
    if interrupted:
        raise typer.Exit(130)


def _shape(text: str) -> Shape:
    from recurra.benchmark import Shape

    try:
        return Shape(*(int(number) for number in text.split(",")))
    except (ValueError, TypeError):
        raise UsageError(f"--shape: expected five integers I,H,B,T,L, as in 128,128,50,50,2; got {text!r}") from None


def _limits(report: Report, todo: list[Case], rounds: int) -> None:
    from recurra import benchmark

    for precision, count in sorted({(case.precision, case.threads) for case in todo}, reverse=True):
        report.compute.append(benchmark.compute_limit(precision, count, rounds=rounds))
    report.memory.extend(benchmark.memory_limit(size, rounds=rounds) for size in benchmark.MEMORY_SIZES)


class _Display:
    """What is being measured, on standard error: a bar in a terminal, otherwise a line each."""

    def __init__(self, total: int) -> None:
        console = Console(stderr=True)
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
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

    def __call__(self, label: str, work: Callable[[], Any], weight: int) -> None:
        """Do one piece of the work under its name."""
        if self._live:
            self._progress.update(self._task, description=label)
        else:
            note(label)
        work()
        self._progress.advance(self._task, weight)


def _print_report(report: Report) -> None:
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=UNPIPED_WIDTH, highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in (
        "cell",
        "I, H, B, T, L",
        "precision",
        "ms",
        "threads",
        "peer",
        "ms",
        "threads",
        "speed",
        "of GEMM",
        "",
    ):
        number = heading in ("ms", "threads", "speed", "of GEMM")
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for best in report.best():
        ours, theirs = best.ours, best.theirs
        table.add_row(
            ours.case.cell,
            str(ours.case.shape),
            ours.case.precision,
            f"{ours.ours_ms:.2f}",
            str(ours.case.threads),
            ours.peer,
            f"{theirs.peer_ms:.2f}",
            str(theirs.case.threads),
            f"{best.speedup:.2f}×",
            "–" if best.share is None else f"{best.share:.1%}",
            "" if ours.agrees and theirs.agrees else f"outputs differ by {max(ours.difference, theirs.difference):.0e}",
        )
    if report.results:
        console.print(table)
    for limit in report.compute:
        console.print(f"GEMM {limit.precision}, threads {limit.threads}: {limit.gflops:,.0f} GF/s")
    if report.memory:
        reads = ", ".join(
            f"{limit.bytes >> 10:,} kB at {limit.gigabytes_per_second:.0f} GB/s" for limit in report.memory
        )
        console.print(f"one core reads {reads}")

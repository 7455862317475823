"""`recurra evaluate RUN [DATA...]`."""

from __future__ import annotations

from typing import Annotated

import typer

from recurra.errors import add_source
from recurra.tasks.base.options import EvaluateOptions
from recurra.verbs.base.evaluation import print_evaluation, print_warnings
from recurra.verbs.base.options import Device, Json, RunFolder, load_run, naming_run, note, print_json
from recurra.verbs.base.run_command import RunCommand, given_options

POSITION = 20


class EvaluateCommand(RunCommand):
    attribute, usual = "EvaluateOptions", EvaluateOptions


def evaluate(
    context: typer.Context,
    run: RunFolder,
    data: Annotated[
        list[str] | None,
        typer.Argument(help="Files to measure on. Default: what the run held out.", show_default=False),
    ] = None,
    json: Json = False,
    baselines: Annotated[
        bool, typer.Option(help="Measure the baselines too (they learn from the training data).")
    ] = True,
    device: Device = "cpu",
) -> None:
    """Measure a run on held-out data, beside the baselines.

    `recurra evaluate RUN --help` lists what this run takes besides.

    [bold]Examples[/bold]

    recurra evaluate runs/novel

    recurra evaluate runs/novel sequel.txt --json

    recurra evaluate runs/plant faults.csv --label fault
    """
    loaded = load_run(run, device)
    shown: list[str] = []

    def progress(text: str) -> None:
        shown.append(text)
        note(text)

    with naming_run(run), add_source(" ".join(data or [str(run)])):
        result = loaded.evaluate(data or None, baselines=baselines, progress=progress, **given_options(context))
    if json:
        print_json(result)
        print_warnings(result)
    else:
        print_evaluation(result, loaded.task.element[1], shown)


def register(root: typer.Typer) -> None:
    root.command("evaluate", cls=EvaluateCommand)(evaluate)

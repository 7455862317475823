"""`recurra evaluate RUN [DATA...]`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recurra.cli.options import Device, Json, RunFolder, load_run, note, print_json


def evaluate(
    run: RunFolder,
    data: Annotated[
        list[str] | None,
        typer.Argument(help="Files to measure on. Default: what the run held out.", show_default=False),
    ] = None,
    json: Json = False,
    baselines: Annotated[
        bool, typer.Option(help="Measure the baselines too (they learn from the training text).")
    ] = True,
    device: Device = "cpu",
) -> None:
    """Measure a run on held-out data, beside the baselines.

    [bold]Examples[/bold]

    recurra evaluate runs/novel

    recurra evaluate runs/novel sequel.txt --json
    """
    loaded = load_run(run, device)
    result = loaded.evaluate(data or (), baselines=baselines, progress=note)
    if json:
        print_json(result)
    else:
        show(result)


def show(result: dict[str, Any]) -> None:
    """Print an evaluation as a table."""
    names = list(result["metrics"])
    # The data is named by the user, whose brackets are no markup.
    title = Text(f"{result['data']}: {result['count']:,} units")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_row("this model", *(f"{result['metrics'][name]:.4g}" for name in names), style="bold")
    for baseline, figures in result["baselines"].items():
        table.add_row(Text(baseline), *(f"{figures[name]:.4g}" if name in figures else "" for name in names))
    Console(highlight=False).print(table)

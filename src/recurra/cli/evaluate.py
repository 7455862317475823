"""`recurra evaluate RUN [DATA...]`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from recurra.cli.options import Device, Json, RunFolder, note, print_json


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
    from recurra.run import Run

    loaded = Run.load(run).to(device)
    result = loaded.evaluate(data or (), baselines=baselines, progress=note)
    if json:
        print_json(result)
    else:
        show(result)


def show(result: dict[str, Any]) -> None:
    """Print an evaluation as a table."""
    names = list(result["metrics"])
    table = Table(title=f"{result['data']}: {result['count']:,} units", title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_row("[bold]this model[/bold]", *(f"[bold]{result['metrics'][name]:.4g}[/bold]" for name in names))
    for title, figures in result["baselines"].items():
        table.add_row(title, *(f"{figures[name]:.4g}" if name in figures else "" for name in names))
    Console(highlight=False).print(table)

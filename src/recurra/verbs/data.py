"""`recurra data`: the named datasets, where they lie, and how they get here."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from recurra.data.datasets.locate import DatasetFiles, download, find, locate
from recurra.data.datasets.registry import Dataset, Split, get, names
from recurra.verbs.base.options import Json, note, print_json, print_line

POSITION = 70
app = typer.Typer(
    no_args_is_help=True,
    help="""List, get and find the named datasets.

    A dataset is looked for in the folder that the environment variable RECURRA_DATA names, then in the cache folder
    (RECURRA_CACHE, or the platform's own). What is found is checked against the SHA-256 that its source published.

    [bold]Examples[/bold]

    recurra data list

    recurra data get tinyshakespeare

    recurra train lm $(recurra data path tinyshakespeare)
    """,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A dataset; `recurra data list` shows them all.")]
UNPIPED_WIDTH = 160  # columns of a table when nobody's terminal says how wide it is


def _size(count: int | None) -> str:
    if count is None:
        return "–"
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _whereabouts(dataset: Dataset) -> tuple[str | None, Path | None]:
    if dataset.builtin:
        return "built in", None
    place = find(dataset)
    return (place.where, place.folder) if place else (None, None)


def _summary(dataset: Dataset) -> dict[str, Any]:
    where, folder = _whereabouts(dataset)
    return {
        "name": dataset.name,
        "title": dataset.title,
        "task": dataset.task,
        "licence": dataset.licence,
        "size": dataset.size,
        "offered": dataset.offered,
        "where": where,
        "folder": str(folder) if folder else None,
    }


def _found(summary: dict[str, Any]) -> Text:
    if summary["where"] == "built in":
        return Text("built in", style="green")
    if summary["where"]:
        return Text(f"found ({summary['where']})", style="green")
    return Text("not here" if summary["offered"] else "not here, not offered", style="dim")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show every named dataset, and whether it is on this machine.

    Only names and places are looked at; `recurra data path` checks the content.

    [bold]Examples[/bold]

    recurra data list

    recurra data list --json | jq -r 'select(.where == null).name'
    """
    summaries = [_summary(get(name)) for name in names()]
    if as_json:
        for summary in summaries:
            print_json(summary)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "task", "size", "where", "licence"):
        table.add_column(
            heading,
            overflow="fold",
            no_wrap=heading in ("name", "task", "size"),
            justify="right" if heading == "size" else "left",
        )
    for summary in summaries:
        table.add_row(
            Text(summary["name"], style="bold"),
            summary["task"],
            _size(summary["size"]),
            _found(summary),
            Text(summary["licence"]),
        )
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=UNPIPED_WIDTH)
    console.print(table)


class _Bars:
    """Download progress on standard error: bars in a terminal, otherwise one line a file when it is whole."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        self._bars = Progress(TextColumn("{task.description}", markup=False), *columns, console=self._console)
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Bars:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, path: str, done: int, total: int) -> None:
        if not self._console.is_terminal:
            if done == total:
                note(f"{path}: {_size(total)}")
            return
        if path not in self._tasks:
            for old in self._tasks.values():
                self._bars.update(old, visible=False)
            self._tasks[path] = self._bars.add_task(path, total=total)
        self._bars.update(self._tasks[path], completed=done)


def _print_paths(located: DatasetFiles, as_json: bool, split: Split | None = None) -> None:
    if as_json:
        parts = {part: [str(path) for path in getattr(located, part)] for part in ("train", "valid", "test")}
        print_json({"name": located.name, "where": located.where, **parts, "settings": located.settings})
        return
    for path in getattr(located, split) if split else located.paths:
        print_line(str(path))


@app.command("get")
def get_(name: Name, as_json: Json = False) -> None:
    """Download a dataset into the cache folder, unless it is here, and print where its files lie.

    Its licence and the work to cite go to standard error first. Nothing is kept whose SHA-256 is not the published one.

    [bold]Examples[/bold]

    recurra data get tinyshakespeare

    recurra data get tang-poems --json
    """
    dataset = get(name)
    for line in (
        dataset.title,
        f"licence: {dataset.licence}",
        f"cite: {dataset.citation}",
        f"home: {dataset.homepage}",
    ):
        note(line)
    with _Bars() as bars:
        located = download(dataset, report=bars)
    note(f"{dataset.name}: checked, {located.where}")
    _print_paths(located, as_json)


@app.command("path")
def path_(
    name: Name,
    split: Annotated[
        Split | None, typer.Option(help="Only the files of this split; those without one count as train.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the checked files of a dataset, one path a line.

    [bold]Examples[/bold]

    recurra data path tinyshakespeare

    recurra train lm $(recurra data path ptb --split train) --unit word
    """
    _print_paths(locate(name), as_json, split)


@app.command("info")
def info(name: Name, as_json: Json = False) -> None:
    """Show what is known of a dataset: source, licence, citation, files, settings.

    [bold]Examples[/bold]

    recurra data info ptb

    recurra data info tang-poems --json
    """
    dataset = get(name)
    where, folder = _whereabouts(dataset)
    if as_json:
        files = [{**file.model_dump(), "url": dataset.address(file)} for file in dataset.files]
        known = dataset.model_dump(exclude={"files", "url", "folder", "archive"})
        print_json(
            {
                **known,
                "size": dataset.size,
                "where": where,
                "folder": str(folder) if folder else None,
                "files": files,
            }
        )
        return
    lines = {
        "name": dataset.name,
        "about": dataset.about,
        "task": dataset.task,
        "settings": "  ".join(f"{key}={value}" for key, value in dataset.settings.items()),
        "home": dataset.homepage,
        "licence": dataset.licence,
        "cite": dataset.citation,
        "where": " in ".join([where or "not here", *([str(folder)] if folder else [])]),
        "get it": f"recurra data get {name}" if dataset.offered else (dataset.obtain or ""),
        "files": "made on this machine" if dataset.builtin else f"{len(dataset.files)}, {_size(dataset.size)}",
    }
    table = Table(box=None, show_header=False, pad_edge=False, title=Text(dataset.title), title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in lines.items():
        table.add_row(key, Text(value))
    for file in dataset.files[:8]:
        table.add_row("", Text(f"{file.path}  {_size(file.size)}  {file.split or ''}  {file.sha256}"))
    if len(dataset.files) > 8:
        table.add_row("", f"… and {len(dataset.files) - 8} more (--json lists them)")
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=UNPIPED_WIDTH)
    console.print(table)


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="data")

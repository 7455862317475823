"""An evaluation, printed: a table of the model and the baselines, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from recurra.verbs.base.options import note

if TYPE_CHECKING:
    from recurra.report.figures import Figure

MAX_COLUMNS = 7
"""Metrics that stand side by side; more are written one under the other."""


def show(result: dict[str, Any], shown: Collection[str] = ()) -> None:
    """Print an evaluation: a table, how it stands to the best baseline, what else is to be known.

    shown: notes that were shown before.
    """
    from recurra.report.figures import compare, headline, write_between
    from recurra.report.names import baseline_name, units

    metrics, details = result["metrics"], result.get("details", {})
    chief = headline(metrics)
    names = sorted(metrics, key=lambda name: chief is None or name != chief.key)
    # The data is named by the user, whose brackets are no markup.
    title = Text(f"{result['data']}: {result['count']:,} {units(result['task'])}")
    fewer = details.get("fewer", {})  # baselines that are measured on a part alone: the notes say on which
    baselines = {baseline_name(name) + "*" * (name in fewer): row for name, row in result["baselines"].items()}
    models = {"this model": metrics, **baselines}
    console = Console(highlight=False)
    console.print(_table(title, models, names))
    if chief is not None and chief.key in details.get("intervals", {}):
        note(f"{chief.name}: {write_between(chief, details['intervals'][chief.key])} with 95 % confidence")
    best = _best(chief, result["baselines"])
    if chief is not None and best is not None:
        words, better = compare(chief, metrics[chief.key], best[1])
        if better is False:
            note(f"{baseline_name(best[0])} is better than this model, which is {words} it")
    for line in details.get("notes", []):
        if line not in shown:
            note(line)


def _table(title: Text, models: dict[str, dict[str, float]], names: list[str]) -> Table:
    """Set models in rows, or, where there are more figures than a terminal is wide, the figures."""
    from recurra.report.figures import figure

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")

    def written(metrics: dict[str, float], name: str) -> str:
        return figure(name).write(metrics[name]) if name in metrics else ""

    if len(names) <= MAX_COLUMNS:
        for name in names:
            table.add_column(figure(name).name, justify="right")
        for number, (model, metrics) in enumerate(models.items()):
            table.add_row(
                Text(model), *(written(metrics, name) for name in names), style="bold" if not number else None
            )
        return table
    for number, model in enumerate(models):
        table.add_column(Text(model), justify="right", style="bold" if not number else None)
    for name in names:
        what = figure(name)
        unit = f", {what.unit}" if what.unit else ""
        table.add_row(Text(what.name + unit), *(written(metrics, name) for metrics in models.values()))
    return table


def _best(chief: Figure | None, baselines: dict[str, dict[str, float]]) -> tuple[str, float] | None:
    if chief is None or chief.lower is None:
        return None
    known = {name: metrics[chief.key] for name, metrics in baselines.items() if chief.key in metrics}
    pick = min if chief.lower else max
    return pick(known.items(), key=lambda item: item[1]) if known else None

"""An evaluation, printed: a table of the model and the baselines, and notes on it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from recurra.formatting import WARNING
from recurra.verbs.base.options import note

if TYPE_CHECKING:
    from recurra.metrics import Metric

MAX_COLUMNS = 7
"""Metrics that stand side by side; more are written one under the other."""


def print_evaluation(result: dict[str, Any], elements: str, shown: Collection[str] = ()) -> None:
    """Print an evaluation: a table, how it compares with the best baseline, its notes, and what nobody may miss.

    elements: what it counts, such as "examples".  shown: notes that were shown before.
    """
    from recurra.baselines import baseline_title
    from recurra.metrics import headline_metric

    metrics, details = result["metrics"], result.get("details", {})
    headline = headline_metric(metrics)
    keys = sorted(metrics, key=lambda key: headline is None or key != headline.key)
    # The data is named by the user, whose brackets are no markup.
    title = Text(f"{result['data']}: {result['count']:,} {elements}")
    fewer = details.get("fewer", {})  # baselines that are measured on a part alone: the notes say on which
    baselines = {baseline_title(name) + "*" * (name in fewer): row for name, row in result["baselines"].items()}
    console = Console(highlight=False)
    console.print(_table(title, {"this model": metrics, **baselines}, keys))
    if headline is not None and headline.key in details.get("intervals", {}):
        interval = headline.format_interval(details["intervals"][headline.key])
        note(f"{headline.title}: {interval} with 95 % confidence")
    best = _best(headline, result["baselines"])
    if headline is not None and best is not None:
        words, better = headline.compare(metrics[headline.key], best[1])
        if better is False:
            note(f"{baseline_title(best[0])} is better than this model, which is {words} it")
    for line in details.get("notes", []):
        if line not in shown and not line.startswith(WARNING):
            note(line)
    print_warnings(result)


def print_warnings(result: dict[str, Any]) -> None:
    """Say on standard error, loudly and at the very end, what nobody may miss of an evaluation."""
    from recurra.report.warnings import evaluation_warnings

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in evaluation_warnings(result):
        console.print(Text(f"{WARNING.upper()}{line}", style="bold red"))


def _table(title: Text, models: dict[str, dict[str, float]], keys: list[str]) -> Table:
    """Set models in rows, or, where there are more metrics than a terminal is wide, the metrics."""
    from recurra.metrics import get_metric

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")

    def format_value(metrics: dict[str, float], key: str) -> str:
        return get_metric(key).format(metrics[key]) if key in metrics else ""

    if len(keys) <= MAX_COLUMNS:
        for key in keys:
            table.add_column(get_metric(key).title, justify="right")
        for number, (model, metrics) in enumerate(models.items()):
            table.add_row(
                Text(model), *(format_value(metrics, key) for key in keys), style="bold" if not number else None
            )
        return table
    for number, model in enumerate(models):
        table.add_column(Text(model), justify="right", style="bold" if not number else None)
    for key in keys:
        metric = get_metric(key)
        unit = f", {metric.unit}" if metric.unit else ""
        table.add_row(Text(metric.title + unit), *(format_value(metrics, key) for metrics in models.values()))
    return table


def _best(headline: Metric | None, baselines: dict[str, dict[str, float]]) -> tuple[str, float] | None:
    if headline is None or headline.lower_is_better is None:
        return None
    known = {name: metrics[headline.key] for name, metrics in baselines.items() if headline.key in metrics}
    pick = min if headline.lower_is_better else max
    return pick(known.items(), key=lambda item: item[1]) if known else None

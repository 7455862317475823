"""The model and its baselines side by side."""

from __future__ import annotations

import math
from html import escape

from recurra.baselines import baseline_title
from recurra.formatting import count, finite
from recurra.metrics import Metric, get_metric, headline_metric
from recurra.report.fields import details, mapping
from recurra.report.record import Event, Record

MAX_NARROW_COLUMNS = 4
"""Of more metrics the table is set so that it still fits the page."""


def section(evaluation: Event, record: Record, elements: str) -> str:
    """Set the model and its baselines in a table, with a bar for the metric that is in the headline.

    elements: what an evaluation counts, such as "examples".
    """
    metrics = mapping(evaluation.get("metrics"))
    metric = headline_metric(metrics)
    if metric is None:
        return ""
    rows = [("This model", "model", metrics)]
    fewer = mapping(details(evaluation).get("fewer"))  # measured on a part alone: the notes say on which
    rows += [
        (baseline_title(name) + "*" * (name in fewer), "baseline", mapping(values))
        for name, values in mapping(evaluation.get("baselines")).items()
    ]
    rows.sort(key=lambda row: _order(row[2].get(metric.key), metric))
    columns = [metric, *(get_metric(key) for key in metrics if key != metric.key)]
    # A bar begins at zero: where a value is below it there are none.
    with_bars = all((finite(values.get(metric.key)) or 0.0) >= 0 for _, _, values in rows)
    lengths = [_length(values.get(metric.key), metric) if with_bars else 0.0 for _, _, values in rows]
    longest = max(lengths) or 1.0
    head = "".join(f'<th scope="col" class="number">{escape(each.title)}</th>' for each in columns)
    lines = []
    for (name, style, values), length in zip(rows, lengths, strict=True):
        drawn = bar(length / longest, style) if length else ""
        cells = "".join(f'<td class="number">{each.format(values.get(each.key))}</td>' for each in columns)
        lines.append(
            f'<tr class="{style}"><th scope="row"><div class="who"><span>{escape(name)}</span>{drawn}</div></th>'
            f"{cells}</tr>"
        )
        if style == "model":
            lines.append(_intervals(evaluation, columns))
    heading = "Model and baselines" if len(rows) > 1 else "Metrics"
    title = heading if len(record.evaluations) < 2 else f"{heading}: {evaluation.get('data', '')}"
    return (
        f'<section class="compared{" many" if len(columns) > MAX_NARROW_COLUMNS else ""}"><h2>{escape(title)}</h2>'
        f'<p class="note">{escape(_note(evaluation, metric, elements, with_bars=with_bars))}</p>'
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def log_from_one(value: float) -> float:
    """Give ln(value), and 0 for everything up to 1."""
    return math.log(max(1.0, value))


def bar(share: float, style: str) -> str:
    """Draw one horizontal bar that fills the given share of its place."""
    width = 100 * min(max(share, 0.005), 1.0)
    return (
        f'<svg class="bar" aria-hidden="true"><rect class="{escape(style)}" width="{width:.2f}%" height="100%" rx="3"/>'
        "</svg>"
    )


def _intervals(evaluation: Event, columns: list[Metric]) -> str:
    """Write the model's intervals in a row of their own, under its metrics."""
    found = mapping(details(evaluation).get("intervals"))
    written = [each.format_interval(found.get(each.key)) for each in columns]
    if not any(written):
        return ""
    cells = "".join(f'<td class="number">{text}</td>' for text in written)
    return f'<tr class="between"><th scope="row">95\u00a0% interval</th>{cells}</tr>'


def _note(evaluation: Event, metric: Metric, elements: str, *, with_bars: bool) -> str:
    better = {True: ", lower is better", False: ", higher is better", None: ""}[metric.lower_is_better]
    shown = (
        f"Bars show the {'logarithm of the ' if metric.logarithmic else ''}{metric.title}"
        if with_bars
        else metric.title
    )
    scale = f"{shown[:1].upper()}{shown[1:]}{better}." if with_bars or better else ""
    size = finite(evaluation.get("count"))
    measured = f"Measured on {count(size)} {elements} that were not trained on. " if size is not None else ""
    trained_on = {
        name: finite(mapping(row).get("trained_on")) for name, row in mapping(evaluation.get("baselines")).items()
    }
    limits = "".join(
        f" {baseline_title(name)} learnt from the last {count(size)} training {elements}; more did not fit into its memory."
        for name, size in trained_on.items()
        if size is not None
    )
    return measured + scale + limits


def _order(value: object, metric: Metric) -> float:
    number = finite(value)
    return float("inf") if number is None else -number if metric.lower_is_better is False else number


def _length(value: object, metric: Metric) -> float:
    number = finite(value)
    if number is None:
        return 0.0
    return log_from_one(number) if metric.logarithmic else max(0.0, number)

"""The model and its baselines side by side."""

from __future__ import annotations

from html import escape

from recurra.report.curves import log_from_one
from recurra.report.figures import Figure, figure, headline, write_between
from recurra.report.headline import mapping
from recurra.report.names import baseline_name, units
from recurra.report.numbers import count, finite
from recurra.report.record import Event, Record
from recurra.report.svg import bar


def section(evaluation: Event, record: Record) -> str:
    """Set the model and its baselines in a table, with a bar for the chief figure."""
    metrics = mapping(evaluation.get("metrics"))
    what = headline(metrics)
    if what is None:
        return ""
    rows = [("This model", "model", metrics)]
    fewer = mapping(mapping(evaluation.get("details")).get("fewer"))  # measured on a part alone: the notes say on which
    rows += [
        (baseline_name(name) + "*" * (name in fewer), "baseline", mapping(values))
        for name, values in mapping(evaluation.get("baselines")).items()
    ]
    rows.sort(key=lambda row: _rank(row[2].get(what.key), what))
    columns = [what, *(figure(key) for key in metrics if key != what.key)]
    # A bar begins at zero: beside a figure below it there are none.
    barred = all((finite(values.get(what.key)) or 0.0) >= 0 for _, _, values in rows)
    lengths = [_length(values.get(what.key), what) if barred else 0.0 for _, _, values in rows]
    longest = max(lengths) or 1.0
    head = "".join(f'<th scope="col" class="number">{escape(each.name)}</th>' for each in columns)
    lines = []
    for (name, style, values), length in zip(rows, lengths, strict=True):
        drawn = bar(length / longest, style) if length else ""
        cells = "".join(f'<td class="number">{each.write(values.get(each.key))}</td>' for each in columns)
        lines.append(
            f'<tr class="{style}"><th scope="row"><div class="who"><span>{escape(name)}</span>{drawn}</div></th>'
            f"{cells}</tr>"
        )
        if style == "model":
            lines.append(_intervals(evaluation, columns))
    beside = "Beside the baselines" if len(rows) > 1 else "The figures"
    title = beside if len(record.evaluations) < 2 else f"{beside}: {evaluation.get('data', '')}"
    return (
        f'<section class="compared{" many" if len(columns) > 4 else ""}"><h2>{escape(title)}</h2>'
        f'<p class="note">{escape(_said(evaluation, what, barred=barred))}</p>'
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _intervals(evaluation: Event, columns: list[Figure]) -> str:
    """Write the model's intervals in a row of their own, under its figures."""
    found = mapping(mapping(evaluation.get("details")).get("intervals"))
    written = [write_between(each, found.get(each.key)) for each in columns]
    if not any(written):
        return ""
    cells = "".join(f'<td class="number">{text}</td>' for text in written)
    return f'<tr class="between"><th scope="row">95\u00a0% interval</th>{cells}</tr>'


def _said(evaluation: Event, what: Figure, *, barred: bool) -> str:
    better = {True: ", lower is better", False: ", higher is better", None: ""}[what.lower]
    shown = f"Bars show the {'logarithm of the ' if what.logarithmic else ''}{what.name}" if barred else what.name
    scale = f"{shown[:1].upper()}{shown[1:]}{better}." if barred or better else ""
    size = finite(evaluation.get("count"))
    over = units(str(evaluation.get("task", "")))
    measured = f"Measured on {count(size)} {over} that were not trained on. " if size is not None else ""
    learnt = {
        name: finite(mapping(row).get("trained_on")) for name, row in mapping(evaluation.get("baselines")).items()
    }
    limits = "".join(
        f" {baseline_name(name)} learnt from the last {count(seen)} training {over}; more did not fit into its memory."
        for name, seen in learnt.items()
        if seen is not None
    )
    return measured + scale + limits


def _rank(value: object, what: Figure) -> float:
    number = finite(value)
    return float("inf") if number is None else -number if what.lower is False else number


def _length(value: object, what: Figure) -> float:
    number = finite(value)
    if number is None:
        return 0.0
    return log_from_one(number) if what.logarithmic else max(0.0, number)

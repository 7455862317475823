"""The page: a headline, the baselines, the curves, the samples, the settings, and what to do with the run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from recurra.files import write_whole
from recurra.report import curves
from recurra.report.figures import (
    Figure,
    baseline_name,
    commands,
    compare,
    count,
    decimal,
    duration,
    figure,
    finite,
    headline,
    task_name,
)
from recurra.report.record import Event, Record, figure_keys, read_record
from recurra.report.svg import bar

_DATA_KEYS = ("name", "data")
_SAMPLE_CHARACTERS, _SAMPLE_LINES = 1200, 24
_LEVEL = {True: "good", False: "bad", None: ""}


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder, from its config.toml and metrics.jsonl, and give its path.

    The page needs nothing outside itself: no fetches, no scripts; it reads well in light and dark, on a phone and on
    paper. Whatever has not been measured yet is left out. An existing report is replaced in one step.

    Raises `RunError` when there is no run in the folder, its configuration is damaged, or it cannot be written to.
    """
    folder = Path(folder)
    page = render(read_record(folder), folder)
    return write_whole(folder / "report.html", page)


def render(record: Record, folder: Path) -> str:
    """Lay the whole page out."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    kind, data = task_name(record.task) if record.task else "Training", _data_name(record, folder)
    body = [
        f'<header><p class="kind">{escape(kind)}</p><h1>{escape(data)}</h1>',
        _headline(record),
        _facts(record),
        "</header>",
        *(_comparison(each, record) for each in record.evaluations),
        curves.section(record),
        _samples(record),
        _commands(record, folder),
        _settings(record.config),
        _place(record),
        _footer(record),
    ]
    # The policy makes sure of it twice: nothing in this page can run or fetch.
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(_visible(f'{kind}: {data}'))} · Recurra</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + _visible("\n".join(part for part in body if part))
        + "\n</main>\n</body>\n</html>\n"
    )


def _data_name(record: Record, folder: Path) -> str:
    data = record.config.get("data")
    values = [data.get(key) for key in _DATA_KEYS] if isinstance(data, Mapping) else [data]
    for value in values:
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        short = [_short(name) for name in names if isinstance(name, str) and name]
        if short:
            return ", ".join(short[:3]) + (f" and {len(short) - 3} more" if len(short) > 3 else "")
    return folder.resolve().name


def _short(argument: str) -> str:
    return "standard input" if argument == "-" else argument.rstrip("/").rsplit("/", 1)[-1] or argument


def _main_evaluation(record: Record) -> Event | None:
    """Choose the evaluation that the headline quotes: the test part, else the last one with figures."""
    measured = [each for each in record.evaluations if headline(_mapping(each.get("metrics")))]
    return next((each for each in measured if each.get("data") == "test"), measured[-1] if measured else None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _baselines(evaluation: Event, what: Figure) -> list[tuple[str, float]]:
    """List the baselines that have the figure, by their values, best first."""
    rows = [
        (name, number)
        for name, metrics in _mapping(evaluation.get("baselines")).items()
        if (number := finite(_mapping(metrics).get(what.key))) is not None
    ]
    return sorted(rows, key=lambda row: row[1], reverse=what.lower is False)


def _headline(record: Record) -> str:
    evaluation = _main_evaluation(record)
    if evaluation is not None:
        metrics = _mapping(evaluation["metrics"])
        what = headline(metrics)
        assert what is not None
        part = str(evaluation.get("data", "")) or "other"
        where = f"on held-out data ({part})"
        return (
            _big(what, metrics[what.key], where)
            + _verdict(what, float(metrics[what.key]), _baselines(evaluation, what))
            + _gloss(what, metrics[what.key])
        )
    best = record.best or (record.valid[-1] if record.valid else None)
    what = headline({key: best[key] for key in figure_keys(best)}) if best else None
    if best is None or what is None:
        state = "No held-out figure yet." if record.train or record.start else "Training has not begun."
        return f'<p class="headline"><span class="what">{state}</span></p>'
    where = f"on held-out data while training, at step {count(best['step'])}"
    missing = '<p class="note">Not measured beside baselines yet: <code>recurra evaluate</code> does.</p>'
    return _big(what, best[what.key], where) + missing + _gloss(what, best[what.key])


def _big(what: Figure, value: object, where: str) -> str:
    label = f"{what.name} {where}"
    return f'<p class="headline"><strong>{what.write(value)}</strong><span class="what">{escape(label)}</span></p>'


def _gloss(what: Figure, value: object) -> str:
    return f'<p class="note">{escape(what.gloss.format(value=what.write(value)))}</p>' if what.gloss else ""


def _verdict(what: Figure, model: float, baselines: list[tuple[str, float]]) -> str:
    """Compare with the best baseline, and say so plainly when the baseline is better."""
    if not baselines:
        return '<p class="note">No baseline was measured beside it.</p>'
    name, value = baselines[0]
    words, better = compare(what, model, value)
    shown = baseline_name(name)
    if better is False:
        text = f"{shown} is better: {what.write(value)}. The model is {words} it."
    elif better:
        text = f"{words} {shown}" + (f", the best of {len(baselines)} baselines" if len(baselines) > 1 else "")
    else:
        text = f"{words} {shown}"
    return f'<p class="verdict {_LEVEL[better]}">{escape(text)}</p>'


def _facts(record: Record) -> str:
    start, end = record.start, record.end
    reached = [event["step"] for event in (*record.train[-1:], *record.valid[-1:])]
    steps = end.get("step", max(reached, default=None))
    planned = f" of {count(start['steps'])}" if finite(start.get("steps")) and start["steps"] != steps else ""
    seconds = end.get("seconds", max((finite(e.get("seconds")) or 0 for e in record.train[-1:]), default=None))
    best = end.get("best_step", record.best["step"] if record.best else None)
    facts = [
        ("Parameters", start.get("parameters"), count(start.get("parameters"))),
        ("Training units", start.get("train_units"), count(start.get("train_units"))),
        ("Training steps", steps, count(steps) + planned),
        ("Training time", seconds, duration(seconds)),
        ("Best at step", best, count(best)),
        ("Ended", True, str(end.get("reason", "done")) if end else "not yet"),
    ]
    shown = [(name, text) for name, value, text in facts if value is not None]
    if not (record.start or record.train):
        return ""
    cells = "".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in shown)
    return f'<dl class="facts">{cells}</dl>'


def _comparison(evaluation: Event, record: Record) -> str:
    """Set the model and its baselines side by side, with a bar for the chief figure."""
    metrics = _mapping(evaluation.get("metrics"))
    what = headline(metrics)
    if what is None:
        return ""
    rows = [("This model", "model", metrics)]
    rows += [
        (baseline_name(name), "baseline", _mapping(values))
        for name, values in _mapping(evaluation.get("baselines")).items()
    ]
    rows.sort(key=lambda row: _rank(row[2].get(what.key), what))
    columns = [what, *(figure(key) for key in metrics if key != what.key)]
    lengths = [_length(values.get(what.key), what) for _, _, values in rows]
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
    better = {True: ", lower is better", False: ", higher is better", None: ""}[what.lower]
    scale = f"Bars show the {'logarithm of the ' if what.logarithmic else ''}{what.name}{better}."
    part, size = str(evaluation.get("data", "")), finite(evaluation.get("count"))
    measured = f"Measured on {count(size)} units that were not trained on. " if size is not None else ""
    learnt = {
        name: finite(_mapping(row).get("trained_on")) for name, row in _mapping(evaluation.get("baselines")).items()
    }
    limits = "".join(
        f" {baseline_name(name)} learnt from the last {count(units)} training units; more did not fit into its memory."
        for name, units in learnt.items()
        if units is not None
    )
    beside = "Beside the baselines" if len(rows) > 1 else "The figures"
    title = beside if len(record.evaluations) < 2 else f"{beside}: {part}"
    return (
        f'<section class="compared"><h2>{escape(title)}</h2><p class="note">{escape(measured + scale + limits)}</p>'
        f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _rank(value: object, what: Figure) -> float:
    number = finite(value)
    return float("inf") if number is None else -number if what.lower is False else number


def _length(value: object, what: Figure) -> float:
    number = finite(value)
    if number is None:
        return 0.0
    return curves.log_from_one(number) if what.logarithmic else max(0.0, number)


def _samples(record: Record) -> str:
    """Show how the writing improves: the first, the middle and the last sample."""
    events = [event for event in record.samples if isinstance(event.get("text"), str)]
    if not events:
        return ""
    middle = (len(events) - 1) // 2
    chosen = {0: events[0], middle: events[middle], len(events) - 1: events[-1]}
    shown = []
    for event in chosen.values():
        text = event["text"]
        lines = text[:_SAMPLE_CHARACTERS].strip("\n").split("\n")
        cut = "\n".join(lines[:_SAMPLE_LINES])
        more = "…" if len(text) > _SAMPLE_CHARACTERS or len(lines) > _SAMPLE_LINES else ""
        # Text that is set in columns or indented loses its meaning in a proportional face.
        spaced = sum(bool(re.search(r"^\s|\S {2,}\S|\t", line)) for line in cut.split("\n"))
        aligned = ' class="aligned"' if spaced > 0.3 * len(cut.split("\n")) else ""
        shown.append(
            f'<figure class="sample"><figcaption>after {count(event["step"])} steps</figcaption>'
            f'<pre dir="auto"{aligned}>\n{escape(cut)}{more}</pre></figure>'
        )
    title = "How the writing improves" if len(shown) > 1 else "A sample"
    return f'<section><h2>{title}</h2><div class="samples">{"".join(shown)}</div></section>'


def _visible(text: str) -> str:
    """Replace what HTML cannot carry: control characters and lone surrogates."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "\ufffd", text)


def _commands(record: Record, folder: Path) -> str:
    if not (record.train or record.valid or record.evaluations):
        return ""
    # A relative path is what the user typed and can type again; an absolute one would tell others about the machine.
    name = str(folder) if not folder.is_absolute() and folder.name else folder.resolve().name
    run = shlex.quote(name if not name.startswith("-") else f"./{name}")
    rows = "".join(
        f"<dt>{escape(purpose)}</dt><dd><code>{escape(line)}</code></dd>"
        for purpose, line in commands(record.task, run)
    )
    return f'<section><h2>How to use it</h2><dl class="commands">{rows}</dl></section>'


def _settings(config: Mapping[str, Any]) -> str:
    """List every setting, by section."""
    general = {key: value for key, value in config.items() if not isinstance(value, Mapping)}
    groups = [("General", general)] if general else []
    groups += [(key.capitalize(), value) for key, value in config.items() if isinstance(value, Mapping)]
    blocks = "".join(
        f"<section><h3>{escape(title)}</h3>{_pairs(_flatten(values))}</section>" for title, values in groups if values
    )
    return f'<section><h2>All settings</h2><div class="settings">{blocks}</div></section>' if blocks else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in pairs)
    return f"<dl>{rows}</dl>"


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{name}.")
        else:
            yield name, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, list):
        shown = ", ".join(_plain(each) for each in value[:20])
        return f"{shown} and {len(value) - 20} more" if len(value) > 20 else shown or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value != "" else "“”"


def _place(record: Record) -> str:
    """Tell where and when it ran: every plain field of the start event that is not shown above."""
    above = {"event", "plan", "parameters", "train_units", "steps"}
    pairs = [
        (key.replace("_", " ").capitalize(), count(value) if key.endswith("_units") else _plain(value))
        for key, value in record.start.items()
        if key not in above and isinstance(value, str | int | float)
    ]
    rates = sorted(rate for event in record.train if (rate := finite(event.get("units_per_second"))) is not None)
    if rates:
        pairs.append(("Units per second (median)", decimal(rates[len(rates) // 2], 0)))
    if record.written is not None and "date" not in record.start:
        pairs.append(("Last written", f"{record.written:%Y-%m-%d %H:%M} UTC"))
    if not pairs:
        return ""
    plan = record.start.get("plan")
    said = f'<p class="note">{escape(plan)}</p>' if isinstance(plan, str) and plan else ""
    return f'<section><h2>Where it ran, and on what</h2>{said}<div class="settings">{_pairs(pairs)}</div></section>'


def _footer(record: Record) -> str:
    broken = (
        f" {record.unreadable} line{'s' * (record.unreadable > 1)} of metrics.jsonl could not be read."
        if record.unreadable
        else ""
    )
    return (
        f"<footer>Written by Recurra from config.toml and metrics.jsonl beside this page.{broken} "
        "Held-out data is never trained on.</footer>"
    )

"""The page: a headline, the baselines, the curves, the samples, the settings, and what to do with the run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from recurra.files import write_whole
from recurra.report import comparison, curves, details, headline
from recurra.report.map import script as map_script
from recurra.report.names import samples_title, task_name
from recurra.report.numbers import count, duration, finite
from recurra.report.record import Record, read_record
from recurra.report.use import how_to_use, place, settings, training_size

_DATA_KEYS = ("name", "data")
_SAMPLE_CHARACTERS, _SAMPLE_LINES = 1200, 24


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder, from its config.toml and metrics.jsonl, and give its path.

    The page needs nothing outside itself: no fetches, no scripts but that of a map, which is a picture without it; it reads
    well in light and dark, on a phone and on paper. Whatever has not been measured yet is left out. An existing report is
    replaced in one step.

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
        headline.section(record),
        _facts(record),
        "</header>",
        *(
            part
            for each in record.evaluations
            for part in (comparison.section(each, record), details.section(each, record))
        ),
        curves.section(record),
        _samples(record),
        how_to_use(record, folder),
        settings(record.config),
        place(record),
        _footer(record),
    ]
    script, allowed = map_script() if any('<figure class="map">' in part for part in body) else ("", "'none'")
    # The policy makes sure of it twice: nothing in this page can fetch, or run but the script of a map, by its sum.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(_visible(f'{kind}: {data}'))} · Recurra</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + _visible("\n".join(part for part in body if part))
        + f"\n</main>\n{script}</body>\n</html>\n"
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


def _facts(record: Record) -> str:
    start, end = record.start, record.end
    size = training_size(record) or "train_units"
    reached = [event["step"] for event in (*record.train[-1:], *record.valid[-1:])]
    steps = end.get("step", max(reached, default=None))
    planned = f" of {count(start['steps'])}" if finite(start.get("steps")) and start["steps"] != steps else ""
    seconds = end.get("seconds", max((finite(e.get("seconds")) or 0 for e in record.train[-1:]), default=None))
    best = end.get("best_step", record.best["step"] if record.best else None)
    facts = [
        ("Parameters", start.get("parameters"), count(start.get("parameters"))),
        (_words(size), start.get(size), count(start.get(size))),
        ("Steps taken", steps, count(steps) + planned),
        ("Training time", seconds, duration(seconds)),
        ("Best at step", best, count(best)),
        ("Ended", True, str(end.get("reason", "done")) if end else "not yet"),
    ]
    shown = [(name, text) for name, value, text in facts if value is not None]
    if not (record.start or record.train):
        return ""
    cells = "".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in shown)
    return f'<dl class="facts">{cells}</dl>'


def _words(key: str) -> str:
    """Say a key of the start event: "train_examples" is "Training examples"."""
    return f"Training {key.removeprefix('train_').replace('_', ' ')}"


def _samples(record: Record) -> str:
    """Show the first, the middle and the last sample."""
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
    title = samples_title(record.task) if len(shown) > 1 else "A sample"
    return f'<section><h2>{escape(title)}</h2><div class="samples">{"".join(shown)}</div></section>'


def _visible(text: str) -> str:
    """Replace what HTML cannot carry: control characters and lone surrogates."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "\ufffd", text)


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

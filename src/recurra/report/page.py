"""The page: a headline, the baselines, the curves, the samples, the settings, and what to do with the run."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from recurra.files import write_whole
from recurra.formatting import count, duration, finite
from recurra.report import comparison, curves, headline
from recurra.report.blocks import Block, Text, note_blocks
from recurra.report.description import TaskDescription
from recurra.report.record import Event, Record, read_record
from recurra.report.use import environment, how_to_use, settings, training_size

BlocksOf = Callable[[Mapping[str, Any]], Sequence[Block]]
"""What a task has to show of an evaluation."""
MAX_DATA_NAMES = 3
"""Files that a page is called by; of more, only how many."""
MAX_SAMPLE_CHARACTERS, MAX_SAMPLE_LINES = 1200, 24
_BLOCKS = frozenset("▀▄█▒")
"""Of a picture that a terminal shows, light on dark (`recurra.images.to_blocks`)."""
_DATA_KEYS = ("name", "data")


def write_report(folder: Path, description: TaskDescription | None = None, blocks_of: BlocksOf = note_blocks) -> Path:
    """Write `report.html` into a run folder, from its config.toml and metrics.jsonl, and give its path.

    The page needs nothing outside itself: no fetches, no scripts but those of blocks, which are pictures without them; it reads
    well in light and dark, on a phone and on paper. Whatever has not been measured yet is left out. An existing report is
    replaced in one step. A part that cannot be drawn has a sentence in its place that says why.

    description: of the run's task; None: of one that is unknown.  blocks_of: gives what there is to see of an evaluation beside its
    metrics, which it must do whatever the evaluation holds; by default its notes.

    Raises `RunError` when there is no run in the folder, its configuration is damaged, or it cannot be written to.
    """
    folder = Path(folder)
    page = render(read_record(folder), folder, description, blocks_of)
    return write_whole(folder / "report.html", page)


def render(
    record: Record, folder: Path, description: TaskDescription | None = None, blocks_of: BlocksOf = note_blocks
) -> str:
    """Lay the whole page out."""
    task = description or TaskDescription.of_unknown(record.task)
    main = headline.main_evaluation(record)
    data = data_name(record, folder)
    cautions, sections, scripts = list[str](), list[str](), dict[str, None]()
    for evaluation in record.evaluations:
        sections.append(_draw(comparison.section, evaluation, record, task.element[1]))
        try:
            own = list(blocks_of(evaluation))
        except Exception as error:  # noqa: BLE001  as in _draw
            sections.append(_failure(error))
            continue
        for block in own:
            if not _in_headline(block):
                sections.append(_draw(_section, block, evaluation, record, scripts))
            elif evaluation is main:
                cautions.append(_draw(block.draw))
    body = [
        f'<header><p class="kind">{escape(task.title)}</p><h1>{escape(data)}</h1>',
        _draw(headline.section, record, cautions),
        _draw(_facts, record),
        "</header>",
        *sections,
        _draw(curves.section, record, task),
        _draw(_samples, record, task),
        _draw(how_to_use, record, task, folder),
        _draw(settings, record.config),
        _draw(environment, record, task.element[1]),
        _footer(record),
    ]
    return html_page(f"{task.title}: {data}", "\n".join(part for part in body if part), list(scripts))


def _in_headline(block: Block) -> bool:
    return isinstance(block, Text) and block.in_headline


def _draw(draw: Callable[..., str], *given: Any) -> str:
    """Draw one part of the page, or say that it failed: the other parts are of use without it."""
    try:
        return draw(*given)
    except Exception as error:  # noqa: BLE001  code of other packages draws here, and may raise anything
        return _failure(error)


def _failure(error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}"
    return f'<p class="verdict bad">This part of the report could not be drawn: {escape(reason)}</p>'


def _section(block: Block, evaluation: Event, record: Record, scripts: dict[str, None]) -> str:
    """Put a block under its title, with the name of the data where several were measured, and add its script to the others."""
    if not (drawn := block.draw()):
        return ""
    if (source := block.script()) is not None:
        scripts[source] = None
    title = block.title
    data = f": {evaluation.get('data', '')}" if len(record.evaluations) > 1 else ""
    return f"<section><h2>{escape(title + data)}</h2>{drawn}</section>"


def style_sheet() -> str:
    """Give the style sheet of every page."""
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def blocks_page(kind: str, title: str, parts: Sequence[tuple[str, Sequence[Block]]]) -> str:
    """Make a page of blocks, without a run; parts: each a heading, "" for none, and its blocks. Other blocks have their own titles."""
    scripts = dict[str, None]()
    body = [f'<header><p class="kind">{escape(kind)}</p><h1>{escape(title)}</h1></header>']
    for heading, blocks in parts:
        body += [f"<h2>{escape(heading)}</h2>"] if heading else []
        for block in blocks:
            if drawn := _draw(block.draw):
                name = f"<h3>{escape(block.title)}</h3>" if block.title else ""
                body.append(f"<section>{name}{drawn}</section>")
                scripts |= {} if (source := block.script()) is None else {source: None}
    return html_page(f"{kind}: {title}", "\n".join(body), list(scripts))


def html_page(title: str, body: str, scripts: Sequence[str]) -> str:
    """Make a body a page of its own. scripts: their sources."""
    style = style_sheet()
    sums = [base64.b64encode(hashlib.sha256(source.encode()).digest()).decode() for source in scripts]
    allowed = " ".join(f"'sha256-{sum_}'" for sum_ in sums) or "'none'"
    # The policy makes sure of it twice: nothing in this page can fetch (its pictures and sounds stand in it), or run but the scripts of its blocks, by their sums.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; script-src {allowed}"
    elements = "".join(f"<script>{source}</script>" for source in scripts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(_visible(title))} · Recurra</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"{_visible(body)}\n</main>\n{elements}</body>\n</html>\n"
    )


def data_name(record: Record, folder: Path) -> str:
    """Name the data of a run: as its settings call them, else by their files."""
    data = record.config.get("data")
    values = [data.get(key) for key in _DATA_KEYS] if isinstance(data, Mapping) else [data]
    for value in values:
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        short = [_short(name) for name in names if isinstance(name, str) and name]
        if short:
            more = len(short) - MAX_DATA_NAMES
            return ", ".join(short[:MAX_DATA_NAMES]) + (f" and {more} more" if more > 0 else "")
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
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in shown)
    return f'<dl class="facts">{cells}</dl>'


def _words(key: str) -> str:
    """Write a key of the start event for people: "train_examples" is "Training examples"."""
    return f"Training {key.removeprefix('train_').replace('_', ' ')}"


def _samples(record: Record, task: TaskDescription) -> str:
    """Show the first, the middle and the last sample."""
    events = [event for event in record.samples if isinstance(event.get("text"), str)]
    if not events:
        return ""
    middle = (len(events) - 1) // 2
    chosen = {0: events[0], middle: events[middle], len(events) - 1: events[-1]}
    shown = []
    for event in chosen.values():
        text = event["text"]
        lines = text[:MAX_SAMPLE_CHARACTERS].strip("\n").split("\n")
        cut = "\n".join(lines[:MAX_SAMPLE_LINES])
        more = "…" if len(text) > MAX_SAMPLE_CHARACTERS or len(lines) > MAX_SAMPLE_LINES else ""
        # Text that is set in columns or indented loses its meaning in a proportional face.
        spaced = sum(bool(re.search(r"^\s|\S {2,}\S|\t", line)) for line in cut.split("\n"))
        kind = "blocks" if set(cut) & _BLOCKS else "aligned" if spaced > 0.3 * len(cut.split("\n")) else ""
        face = f' class="{kind}"' if kind else ""
        shown.append(
            f'<figure class="sample"><figcaption>after {count(event["step"])} steps</figcaption>'
            f'<pre dir="auto"{face}>\n{escape(cut)}{more}</pre></figure>'
        )
    title = task.samples_title if len(shown) > 1 else "A sample"
    return f'<section><h2>{escape(title)}</h2><div class="samples">{"".join(shown)}</div></section>'


def _visible(text: str) -> str:
    """Replace what HTML cannot carry: control characters and lone surrogates."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "\ufffd", text)


def _footer(record: Record) -> str:
    unreadable = (
        f" {record.unreadable} line{'s' * (record.unreadable > 1)} of metrics.jsonl could not be read."
        if record.unreadable
        else ""
    )
    return (
        f"<footer>Written by Recurra from config.toml and metrics.jsonl beside this page.{unreadable} "
        "Held-out data is never trained on.</footer>"
    )

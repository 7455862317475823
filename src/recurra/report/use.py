"""What can be done with a run, how it was made, and where."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from recurra.formatting import count, decimal, finite
from recurra.report.description import TaskDescription
from recurra.report.record import Record

USAGE_OF_ANY = (
    ("Measure it on other data", "recurra evaluate {run} DATA"),
    ("What is in it", "recurra info {run}"),
)
"""What can be done with a run of any task."""
MAX_LIST_VALUES = 20
"""Values of a setting that is a list which are shown."""
_SIZES = ("train_", "valid_", "test_")  # prefixes of the start event's sizes of the data, such as train_units


def how_to_use(record: Record, description: TaskDescription, folder: Path) -> str:
    """List the command lines that make use of the run; "" before there is anything to use."""
    if not (record.train or record.valid or record.evaluations):
        return ""
    # A relative path is what the user typed and can type again; an absolute one would tell others about the machine.
    name = str(folder) if not folder.is_absolute() and folder.name else folder.resolve().name
    run = shlex.quote(name if not name.startswith("-") else f"./{name}")
    rows = "".join(
        f"<dt>{escape(purpose)}</dt><dd><code>{escape(line.replace('{run}', run))}</code></dd>"
        for purpose, line in (*description.usage, *USAGE_OF_ANY)
    )
    return f'<section><h2>How to use it</h2><dl class="commands">{rows}</dl></section>'


def settings(config: Mapping[str, Any]) -> str:
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
        shown = ", ".join(_plain(each) for each in value[:MAX_LIST_VALUES])
        return f"{shown} and {len(value) - MAX_LIST_VALUES} more" if len(value) > MAX_LIST_VALUES else shown or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if value != "" else "“”"


def environment(record: Record, elements: str) -> str:
    """List where and when it ran: every plain field of the start event that is not shown above. elements: what a loss is summed over."""
    size = training_size(record)
    above = {"event", "plan", "parameters", "steps", *([size] if size else [])}
    pairs = [
        (key.replace("_", " ").capitalize(), count(value) if key.startswith(_SIZES) else _plain(value))
        for key, value in record.start.items()
        if key not in above and isinstance(value, str | int | float)
    ]
    rates = sorted(rate for event in record.train if (rate := finite(event.get("units_per_second"))) is not None)
    if rates:
        pairs.append((f"{elements.capitalize()} per second (median)", decimal(rates[len(rates) // 2], 0)))
    if record.written is not None and "date" not in record.start:
        pairs.append(("Last written", f"{record.written:%Y-%m-%d %H:%M} UTC"))
    if not pairs:
        return ""
    plan = record.start.get("plan")
    note = f'<p class="note">{escape(plan)}</p>' if isinstance(plan, str) and plan else ""
    return f'<section><h2>Environment</h2>{note}<div class="settings">{_pairs(pairs)}</div></section>'


def training_size(record: Record) -> str | None:
    """Give the key of the start event that says how much there is to train on, such as "train_examples"."""
    return next((key for key in record.start if key.startswith("train_")), None)

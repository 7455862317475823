"""A run's configuration and events, read for showing: what is missing stays empty, what is broken is counted."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recurra.documents import MAX_LOG_BYTES, read_toml
from recurra.errors import RunError
from recurra.formatting import finite
from recurra.report.points import Point

Event = dict[str, Any]


@dataclass
class Record:
    """All that the report shows of a run, by kind of event; steps ascend and no step comes twice."""

    config: dict[str, Any]
    start: Event = field(default_factory=dict)
    end: Event = field(default_factory=dict)
    train: list[Event] = field(default_factory=list)
    valid: list[Event] = field(default_factory=list)
    samples: list[Event] = field(default_factory=list)
    lags: list[Event] = field(default_factory=list)
    plan: Event = field(default_factory=dict)
    """The last change of how many steps there are to be."""
    evaluations: list[Event] = field(default_factory=list)
    unreadable: int = 0
    """Lines of metrics.jsonl that are no JSON object."""
    written: datetime | None = None
    """When the last event was written."""

    @property
    def task(self) -> str:
        """The task's key, from the configuration or else from the evaluation; "" when neither says."""
        named = [self.config.get("task"), *(each.get("task") for each in self.evaluations)]
        return next((name for name in named if isinstance(name, str)), "")

    @property
    def best(self) -> Event | None:
        """The last held-out measurement that was the best so far."""
        return next((event for event in reversed(self.valid) if event.get("best") is True), None)


def curve_of(events: list[Event], key: str) -> list[Point]:
    """Give (step, value) for all events that have the key; what is no finite number is a gap (NaN)."""
    return [
        (float(event["step"]), math.nan if (value := finite(event[key])) is None else value)
        for event in events
        if key in event
    ]


def read_record(folder: Path) -> Record:
    """Read config.toml and metrics.jsonl of a run folder.

    Raises `RunError` when the folder or its configuration is missing or damaged. Metrics may be missing, and their last
    line half-written: training may be going on.
    """
    config_file = folder / "config.toml"
    if not config_file.is_file():
        raise RunError(f"{folder}: expected a run folder with a config.toml, found none; check the path")
    config = read_toml(config_file)
    record = Record(config)
    metrics = folder / "metrics.jsonl"
    try:
        with metrics.open("rb") as file:
            raw = file.read(MAX_LOG_BYTES + 1)
        record.written = datetime.fromtimestamp(metrics.stat().st_mtime, UTC)
    except FileNotFoundError:
        return record
    except OSError as error:
        raise RunError(f"{metrics}: cannot be read: {error.strerror}") from None
    if len(raw) > MAX_LOG_BYTES:
        raise RunError(f"{metrics}: expected up to {MAX_LOG_BYTES:,} bytes, got more")
    _sort(record, raw.decode("utf-8", errors="replace"))
    return record


def _sort(record: Record, text: str) -> None:
    # Split at line feeds alone: JSON strings may hold the other characters that str.splitlines breaks at.
    *lines, rest = text.split("\n")
    steps: dict[str, dict[float, Event]] = {"train": {}, "valid": {}, "sample": {}, "gradient_lags": {}}
    evaluations: dict[str, Event] = {}
    for number, line in enumerate([*lines, rest]):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            record.unreadable += number < len(lines)
            continue
        kind = event.get("event") if isinstance(event, dict) else None
        step = finite(event.get("step")) if isinstance(event, dict) else None
        if not isinstance(kind, str):
            record.unreadable += 1
        elif kind in ("start", "end"):
            setattr(record, kind, event)
            if kind == "start":
                record.end = {}  # an earlier end was followed by a resumption
        elif kind == "plan":
            record.plan = event
        elif kind == "evaluation":
            name = str(event.get("data", ""))
            evaluations.pop(name, None)
            evaluations[name] = event
        elif kind in steps and step is not None:
            # A resumed training says again what came after its checkpoint: the later word counts.
            steps[kind][step] = event
    record.evaluations = list(evaluations.values())
    record.train, record.valid, record.samples, record.lags = (
        [events[step] for step in sorted(events)] for events in steps.values()
    )

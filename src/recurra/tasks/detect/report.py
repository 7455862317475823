"""What a report shows of a detector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recurra.formatting import count, finite
from recurra.report.blocks import Block, Column, Series, Table, Timeline, Track, note_blocks
from recurra.report.fields import details, mapping, mappings, rows

USAGE = (
    ("List the events in other data", "recurra predict {run} FILE"),
    ("Judge each step", "recurra predict {run} FILE --steps"),
    ("Judge a live stream, a line a step", "tail -n +1 -f live.csv | recurra predict {run} -"),
)
MAX_EVENTS_LISTED = 10
"""Events of a series that are listed: those with the highest scores."""
_NOTE = (
    "Above each: the values and what was expected of them. Below: the score, and the threshold beyond which a step is "
    "an alarm. The bars between them: events that were found, and those that are known to be there."
)
_EVENT_COLUMNS = (
    Column("from"),
    Column("to"),
    Column("highest score", "number"),
    Column("responsible channel"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    series = mappings(details(evaluation).get("timelines"))
    tracks = [track for track in map(_track, series) if track is not None]
    return [*note_blocks(evaluation), *([Timeline("Detected anomalies", tracks, _NOTE)] if tracks else [])]


def _track(one: Mapping[str, Any]) -> Track | None:
    curves, steps = mapping(one.get("curves")), finite(one.get("steps"))
    if not steps or steps < 2:
        return None
    times = one.get("times")
    span = f"{times[0]} … {times[1]}" if isinstance(times, list) and len(times) == 2 else f"{count(steps)} steps"
    return Track(
        title=str(one.get("series", "")),
        channel=str(one.get("channel", "")),
        span=span,
        steps=steps,
        values=[_curve("values", curves.get("value"), "train"), _curve("expected", curves.get("expected"), "other")],
        scores=[_curve("score", curves.get("score"), "train"), _curve("threshold", curves.get("threshold"), "held")],
        found=_bars(one.get("events"), steps),
        known=_bars(one.get("truth"), steps),
        events=_event_table(one.get("events")),
    )


def _curve(name: str, points: object, style: str) -> Series:
    found = []
    for each in rows(points):
        if isinstance(each, list) and len(each) == 2 and (step := finite(each[0])) is not None:
            value = finite(each[1])
            found.append((step, math.nan if value is None else value))
    return Series(name, found, style)


def _bars(events: object, steps: float) -> list[tuple[float, float]] | None:
    """Give events as (first step, step behind the last): of lists of these, or objects with "from" and "to"; None where nothing is known."""
    if not isinstance(events, list):
        return None
    bars = []
    for each in events:
        ends = each if isinstance(each, list) else [mapping(each).get("from"), mapping(each).get("to")]
        first, last = (finite(end) for end in ends) if len(ends) == 2 else (None, None)
        if first is not None and last is not None and 0 <= first < last <= steps:
            bars.append((first, last))
    return bars


def _event_table(events: object) -> Table | None:
    """List the events, the one with the highest score first."""
    found = sorted(mappings(events), key=lambda each: -(finite(each.get("score")) or 0.0))[:MAX_EVENTS_LISTED]
    lines = [
        (str(each.get("start", "")), str(each.get("end", "")), each.get("score"), str(each.get("channel", "")))
        for each in found
    ]
    return Table("", _EVENT_COLUMNS, lines) if lines else None

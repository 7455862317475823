"""Series in time with what was expected, the score, its threshold, and the events that were found."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from recurra.report.headline import mapping
from recurra.report.numbers import count, decimal, finite
from recurra.report.svg import Point, Series, line_chart

POINTS = 300
"""Stretches that a long series is cut into: of each the lowest and the highest value are kept."""


def thinned(columns: Mapping[str, np.ndarray], points: int = POINTS) -> dict[str, list[list[float | None]]]:
    """Thin columns (T) of the same steps to a few hundred points each, [step, value], with the lowest and highest of each stretch.

    What is no finite number is kept as one None for a stretch that has nothing else.

    >>> thinned({"x": np.array([1.0, 5.0, 2.0, np.nan])}, points=1)
    {'x': [[0, 1.0], [1, 5.0]]}
    """
    result = {}
    for name, column in columns.items():
        values = np.asarray(column, np.float64)
        width = 1 if len(values) <= 2 * points else -(-len(values) // points)
        kept: list[list[float | None]] = []
        for start in range(0, len(values), width):
            stretch = values[start : start + width]
            there = np.flatnonzero(np.isfinite(stretch))
            if not len(there):
                kept.append([start, None])
                continue
            ends = {int(there[stretch[there].argmin()]), int(there[stretch[there].argmax()])}
            for at in sorted(ends):
                kept.append([start + at, float(f"{stretch[at]:.6g}")])
        result[name] = kept
    return result


def section(value: object) -> str:
    """Draw each series that an evaluation's "timelines" hold; whatever is missing or broken is left out."""
    parts = [_timeline(mapping(one)) for one in value] if isinstance(value, list) else []
    drawn = [part for part in parts if part]
    if not drawn:
        return ""
    said = (
        "Above each: the values and what was expected of them. Below: the score, and the threshold beyond which a step is "
        "an alarm. The bars between them: events that were found, and those that are known to be there."
    )
    return f'<p class="note">{escape(said)}</p>{"".join(drawn)}'


def _timeline(one: Mapping[str, Any]) -> str:
    curves, steps = mapping(one.get("curves")), finite(one.get("steps"))
    if not steps or steps < 2:
        return ""
    values = [_curve("values", curves.get("value"), "train"), _curve("expected", curves.get("expected"), "other")]
    scores = [_curve("score", curves.get("score"), "train"), _curve("threshold", curves.get("threshold"), "held")]
    series, channel = escape(str(one.get("series", ""))), str(one.get("channel", ""))
    times = one.get("times")
    between = f"{times[0]} … {times[1]}" if isinstance(times, list) and len(times) == 2 else f"{count(steps)} steps"
    above = line_chart(values, title=f"{channel} of {series}", x_label="step", small=True, points=4 * POINTS)
    below = line_chart(
        scores, title=f"Score of {series}", x_label="step", zero=True, small=True, points=4 * POINTS, top=_top(scores)
    )
    bars = _bars("found", one.get("events"), steps, "held") + _bars("known", one.get("truth"), steps, "known")
    if not above and not below:
        return ""
    legend = "".join(
        f'<span class="{each.style}">{escape(each.name)}</span>' for each in (*values, *scores) if each.points
    )
    return (
        f'<figure class="card"><h3>{series}{f": {escape(channel)}" if channel else ""}</h3>'
        f'<div class="legend">{legend}</div><p class="note">{escape(between)}</p>{above}{bars}{below}</figure>{_events(one)}'
    )


def _curve(name: str, points: object, style: str) -> Series:
    found: list[Point] = []
    for each in points if isinstance(points, list) else []:
        if isinstance(each, list) and len(each) == 2 and finite(each[0]) is not None:
            value = finite(each[1])
            found.append((float(each[0]), float("nan") if value is None else value))
    return Series(name, found, style)


def _top(scores: list[Series]) -> float | None:
    """Cut the axis of the scores off at some times the highest threshold, which would else be pressed to the ground."""
    lines = [y for _, y in scores[1].points if np.isfinite(y)]
    highest = max((y for _, y in scores[0].points if np.isfinite(y)), default=0.0)
    return 4 * max(lines) if lines and highest > 4 * max(lines) else None


def _bars(name: str, events: object, steps: float, style: str) -> str:
    """Draw events as bars along the time: of lists [first, behind the last], or objects with "from" and "to"."""
    if not isinstance(events, list):
        return ""
    bars = []
    for each in events:
        ends = each if isinstance(each, list) else [mapping(each).get("from"), mapping(each).get("to")]
        first, last = (finite(end) for end in ends) if len(ends) == 2 else (None, None)
        if first is None or last is None or not 0 <= first < last <= steps:
            continue
        x, width = 100 * first / steps, max(100 * (last - first) / steps, 0.3)
        bars.append(f'<rect class="{style}" x="{x:.2f}%" width="{width:.2f}%" height="100%" rx="1"/>')
    label = f"{name} {count(len(bars))}"
    return (
        f'<div class="events"><span>{escape(label)}</span>'
        f'<svg role="img" aria-label="{escape(label)}" preserveAspectRatio="none">{"".join(bars)}</svg></div>'
    )


def _events(one: Mapping[str, Any]) -> str:
    """List the events, the one with the highest score first."""
    events = [mapping(each) for each in one.get("events") or [] if isinstance(each, dict)]
    if not events:
        return ""
    lines = "".join(
        f"<tr><td>{escape(str(each.get('start', '')))}</td><td>{escape(str(each.get('end', '')))}</td>"
        f'<td class="number">{_number(each.get("score"))}</td><td>{escape(str(each.get("channel", "")))}</td></tr>'
        for each in sorted(events, key=lambda each: -(finite(each.get("score")) or 0.0))[:10]
    )
    head = '<th>from</th><th>to</th><th class="number">highest score</th><th>channel to blame</th>'
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _number(value: object) -> str:
    number = finite(value)
    return "–" if number is None else decimal(number, 2)

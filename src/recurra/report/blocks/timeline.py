"""Series in time with what was expected, the score, its threshold, and the events that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

import numpy as np

from recurra.formatting import count
from recurra.report.blocks.base import Block
from recurra.report.blocks.table import Table
from recurra.report.chart import Chart, Series, draw_chart, draw_legend

MAX_STRETCHES = 300
"""Stretches that a long series is cut into: of each the lowest and the highest value are kept."""
Event = tuple[float, float]
"""The first step, and the step behind the last."""


def thin_columns(
    columns: Mapping[str, np.ndarray], stretches: int = MAX_STRETCHES
) -> dict[str, list[list[float | None]]]:
    """Thin columns (T) of the same steps to a few hundred points each, [step, value], with the lowest and highest of each stretch.

    What is no finite number is kept as one None for a stretch that has nothing else.

    >>> thin_columns({"x": np.array([1.0, 5.0, 2.0, np.nan])}, stretches=1)
    {'x': [[0, 1.0], [1, 5.0]]}
    """
    result = {}
    for name, column in columns.items():
        values = np.asarray(column, np.float64)
        width = 1 if len(values) <= 2 * stretches else -(-len(values) // stretches)
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


@dataclass(frozen=True)
class Track:
    """One series: curves of its values, curves of its scores, and events.

    title, channel, span: what it is, which of its channels is drawn, from when to when.  scores: the score, and its threshold.
    found, known: events; None where nothing is known of any.  events: a table of those that were found.
    """

    title: str
    channel: str
    span: str
    steps: float
    values: Sequence[Series]
    scores: Sequence[Series]
    found: Sequence[Event] | None = None
    known: Sequence[Event] | None = None
    events: Table | None = None

    def draw(self) -> str:
        above = draw_chart(self._chart(f"{self.channel} of {self.title}", self.values))
        below = draw_chart(self._chart(f"Score of {self.title}", self.scores, zero=True, top=self._top()))
        if not above and not below:
            return ""
        bars = self._bars("found", self.found, "held") + self._bars("known", self.known, "known")
        legend = draw_legend([each for each in (*self.values, *self.scores) if each.points])
        title = escape(f"{self.title}: {self.channel}" if self.channel else self.title)
        return (
            f'<figure class="card"><h3>{title}</h3><div class="legend">{legend}</div>'
            f'<p class="note">{escape(self.span)}</p>{above}{bars}{below}</figure>'
            f"{self.events.draw() if self.events is not None else ''}"
        )

    def _chart(self, title: str, series: Sequence[Series], *, zero: bool = False, top: float | None = None) -> Chart:
        return Chart(title, series, "step", zero=zero, top=top, small=True, max_points=4 * MAX_STRETCHES)

    def _top(self) -> float | None:
        """Cut the axis of the scores off at some times the highest threshold, which would else be pressed to the ground."""
        scores, thresholds = ([y for _, y in each.points if np.isfinite(y)] for each in self.scores)
        return 4 * max(thresholds) if thresholds and max(scores, default=0.0) > 4 * max(thresholds) else None

    def _bars(self, name: str, events: Sequence[Event] | None, style: str) -> str:
        """Draw events as bars along the time."""
        if events is None:
            return ""
        bars = []
        for first, last in events:
            x, width = 100 * first / self.steps, max(100 * (last - first) / self.steps, 0.3)
            bars.append(f'<rect class="{style}" x="{x:.2f}%" width="{width:.2f}%" height="100%" rx="1"/>')
        label = f"{name} {count(len(bars))}"
        return (
            f'<div class="events"><span>{escape(label)}</span>'
            f'<svg role="img" aria-label="{escape(label)}" preserveAspectRatio="none">{"".join(bars)}</svg></div>'
        )


@dataclass(frozen=True)
class Timeline(Block):
    """Series one below the other.

    note: a sentence above them.
    """

    kind: ClassVar[str] = "timeline"

    tracks: Sequence[Track]
    note: str = ""

    def draw(self) -> str:
        drawn = "".join(track.draw() for track in self.tracks)
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return note + drawn if drawn else ""

"""Line charts as inline SVG that fits any width: text keeps its size, only the curves stretch.

A chart is an `<svg>` without a view box, so that positions are per cents and font sizes are the page's. The curves
live in a nested `<svg>` that is stretched both ways, with strokes that do not scale. Colours come from the page's
style sheet through the class of each series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from recurra.formatting import decimal
from recurra.report.points import Point, thin
from recurra.report.ticks import log_ticks, scientific, tick_labels, ticks

_WIDTH, _HEIGHT = 2000, 1000  # the grid that curve points are rounded to, finer than a screen shows


@dataclass(frozen=True)
class Series:
    """One curve: points by ascending x. A y that is not finite leaves a gap.

    style: its colour, of the style sheet: "held" (the model, held-out data), "train", "other", "early", "known" (actual values) or "raw".
    """

    name: str
    points: Sequence[Point]
    style: str
    dots: bool = False
    """Mark each point, with its values shown on hover: for curves of a few points."""
    legend: bool = True


@dataclass(frozen=True)
class Band:
    """An area between two curves: (x, low, high) by ascending x, all finite."""

    points: Sequence[tuple[float, float, float]]
    style: str


@dataclass(frozen=True)
class Mark:
    """One point that is named in the chart."""

    x: float
    y: float
    text: str
    style: str


@dataclass(frozen=True)
class Chart:
    """Curves over a common pair of axes. No text in it is escaped yet."""

    title: str
    """Read out to those who cannot see it."""
    series: Sequence[Series]
    x_label: str
    marks: Sequence[Mark] = ()
    bands: Sequence[Band] = ()
    x_names: Sequence[str] = ()
    """Written at the whole numbers of the x axis, instead of these."""
    log: bool = False
    """The y axis is logarithmic: values that are not positive are left out."""
    zero: bool = False
    """The y axis begins at zero."""
    top: float | None = None
    """Where the y axis is cut off above."""
    small: bool = False
    max_points: int = 600
    """Points of a curve that are drawn, about."""

    def shows(self, y: float) -> bool:
        """Whether the y axis has a place for a value."""
        return math.isfinite(y) and (y > 0 or not self.log)


class _Axis:
    """One direction of a chart: values to shares of its length."""

    def __init__(self, low: float, high: float, *, log: bool = False) -> None:
        self.log = log
        self.bounds = low, high
        self.low, self.high = (math.log10(low), math.log10(high)) if log else (low, high)

    def share(self, value: float) -> float:
        place = math.log10(value) if self.log else value
        # Divided first: the width of an axis between huge numbers must not overflow.
        return (place - self.low) / (self.high - self.low)


def draw_chart(chart: Chart) -> str:
    """Draw a chart; "" when there is not one finite point."""
    thinned = [replace(each, points=thin(each.points, chart.max_points)) for each in chart.series]
    drawn = [each for each in thinned if any(chart.shows(y) for _, y in each.points)]
    points = [(x, y) for each in drawn for x, y in each.points if chart.shows(y)]
    if not points:
        return ""
    points += [(x, y) for band in chart.bands for x, *ends in band.points for y in ends if chart.shows(y)]
    across, up = _axes(chart, points)
    small = " small" if chart.small else ""
    parts = [
        f'<svg class="chart{small}" role="img" aria-label="{escape(chart.title)}">',
        *_y_axis(chart, up),
        *_x_axis(chart, across),
        *_curves(chart, drawn, across, up),
    ]
    for each in drawn:
        if each.dots or len(each.points) == 1:
            parts += _dots(chart, each, across, up)
    low, high = across.bounds
    parts += [_mark(mark, across, up) for mark in chart.marks if math.isfinite(mark.y) and low <= mark.x <= high]
    return "".join([*parts, "</svg>"])


def _axes(chart: Chart, points: Sequence[Point]) -> tuple[_Axis, _Axis]:
    """Choose from where to where both axes go, so that all points lie between."""
    xs, ys = [x for x, _ in points], [y if chart.top is None else min(y, chart.top) for _, y in points]
    from_zero = chart.zero and not chart.log
    x_low, x_high = (min(xs), max(xs)) if max(xs) > min(xs) else _range(xs, log=False, pad=0)
    y_low, y_high = _range([*ys, *([0.0] if from_zero else [])], log=chart.log, pad=0.05)
    if from_zero and min(ys) >= 0 and max(ys) > 0:
        y_low = 0.0
    return _Axis(x_low, x_high), _Axis(y_low, y_high, log=chart.log)


def _range(values: Sequence[float], *, log: bool, pad: float) -> tuple[float, float]:
    """Widen the values' range a little; a range of nothing gets room on both sides."""
    low, high = min(values), max(values)
    if log:
        first, last = math.log10(low), math.log10(high)
        room = max(0.18, pad * (last - first))
        return 10.0 ** max(first - room, -307), 10.0 ** min(last + room, 307)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = 0.1 * abs(high) or 1.0
        return low - room, high + room
    return low - pad * (high - low), high + pad * (high - low)


def _y_axis(chart: Chart, up: _Axis) -> list[str]:
    """Draw the lines across, each with its value on the left."""
    values = log_ticks(*up.bounds, 5) if chart.log else ticks(*up.bounds, 3 if chart.small else 5)
    names = [scientific(value) for value in values] if chart.log else tick_labels(values)
    parts = []
    for value, name in zip(values, names, strict=True):
        y = f"{100 * (1 - up.share(value)):.2f}%"
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="0" dx="-8" y="{y}" dy=".33em" text-anchor="end">{name}</text>')
    return parts


def _x_axis(chart: Chart, across: _Axis) -> list[str]:
    """Draw the axis with its values or names below, and what they are."""
    values = ticks(*across.bounds, 3 if chart.small or chart.x_names else 5)
    names = [_x_name(value, chart.x_names) for value in values] if chart.x_names else tick_labels(values)
    parts = []
    for value, name in zip(values, names, strict=True):
        share = across.share(value)
        anchor = "start" if share < 0.02 else "end" if share > 0.98 else "middle"
        x = f"{100 * share:.2f}%"
        parts.append(f'<line class="notch" x1="{x}" x2="{x}" y1="100%" y2="100%"/>')
        parts.append(f'<text class="tick" x="{x}" y="100%" dy="1.5em" text-anchor="{anchor}">{escape(name)}</text>')
    parts.append('<line class="axis" x1="0" x2="100%" y1="100%" y2="100%"/>')
    parts.append(f'<text class="label" x="100%" y="100%" dy="2.9em" text-anchor="end">{escape(chart.x_label)}</text>')
    return parts


def _x_name(value: float, names: Sequence[str]) -> str:
    return names[int(value)] if float(value).is_integer() and 0 <= value < len(names) else ""


def _curves(chart: Chart, drawn: Sequence[Series], across: _Axis, up: _Axis) -> list[str]:
    """Draw bands and curves, in a picture of their own that is stretched."""
    parts = [f'<svg width="100%" height="100%" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">']
    parts += [
        f'<path class="band {escape(band.style)}" d="{_area(band, across, up)}"/>'
        for band in chart.bands
        if band.points
    ]
    parts += [
        f'<path class="curve {escape(each.style)}" d="{_path(chart, each.points, across, up)}"/>'
        for each in drawn
        if len(each.points) > 1
    ]
    return [*parts, "</svg>"]


def _path(chart: Chart, points: Sequence[Point], across: _Axis, up: _Axis) -> str:
    """Write the curve as SVG path data in whole grid points, a new piece after each gap."""
    pieces: list[str] = []
    pen_down = False
    for x, y in points:
        if not chart.shows(y):
            pen_down = False
            continue
        # What lies far above a cut-off axis is drawn just outside, so that the numbers stay short.
        height = min(max(1 - up.share(y), -0.2), 1.2)
        pieces.append(f"{'L' if pen_down else 'M'}{_WIDTH * across.share(x):.0f} {_HEIGHT * height:.0f}")
        if not pen_down:
            pieces.append("h0")  # a lone point between two gaps is a dot, thanks to round line ends
        pen_down = True
    return "".join(pieces)


def _area(band: Band, across: _Axis, up: _Axis) -> str:
    """Write the area of a band as SVG path data: along its lower curve and back along the upper one."""
    there = [(x, low) for x, low, _ in band.points] + [(x, high) for x, _, high in reversed(band.points)]
    return "M" + "L".join(f"{_WIDTH * across.share(x):.0f} {_HEIGHT * (1 - up.share(y)):.0f}" for x, y in there) + "Z"


def _dots(chart: Chart, series: Series, across: _Axis, up: _Axis) -> list[str]:
    radius = 2.5 if len(series.points) < 60 else 1.5
    return [
        f'<circle class="dot {escape(series.style)}" r="{radius}" cx="{100 * across.share(x):.2f}%"'
        f' cy="{100 * (1 - up.share(y)):.2f}%"><title>{escape(f"{x:,.0f}: {decimal(y)}")}</title></circle>'
        for x, y in series.points
        if chart.shows(y) and up.share(y) <= 1
    ]


def _mark(mark: Mark, across: _Axis, up: _Axis) -> str:
    share = across.share(mark.x)
    place = f'x="{100 * share:.2f}%" y="{100 * (1 - up.share(mark.y)):.2f}%"'
    circle = place.replace("x=", "cx=").replace("y=", "cy=")
    anchor = "start" if share < 0.3 else "end" if share > 0.7 else "middle"
    style = escape(mark.style)
    return (
        f'<circle class="ring {style}" r="5" {circle}/>'
        f'<text class="mark {style}" {place} dy="-12" text-anchor="{anchor}">{escape(mark.text)}</text>'
    )


def draw_legend(series: Sequence[Series]) -> str:
    """Write the names of curves, each with its colour."""
    return "".join(f'<span class="{escape(each.style)}">{escape(each.name)}</span>' for each in series)

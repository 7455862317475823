"""Line charts and bars as inline SVG that fits any width: text keeps its size, only the curves stretch.

A chart is an `<svg>` without a view box, so that positions are per cents and font sizes are the page's. The curves
live in a nested `<svg>` that is stretched both ways, with strokes that do not scale. Colours come from the page's
style sheet through the class of each series.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from recurra.report.numbers import decimal
from recurra.report.ticks import log_ticks, scientific, tick_labels, ticks

Point = tuple[float, float]

_WIDTH, _HEIGHT = 2000, 1000  # the grid that curve points are rounded to, finer than a screen shows


@dataclass(frozen=True)
class Series:
    """One curve: points by ascending x. A y that is not finite leaves a gap."""

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
    """One point that is named in the picture."""

    x: float
    y: float
    text: str
    style: str


def thin(points: Sequence[Point], limit: int = 600) -> list[Point]:
    """Keep about `limit` points: the first, lowest, highest and last of each stretch, so that no extreme is lost.

    Points that are not finite are kept as one gap for each stretch of them.
    """
    if len(points) <= limit:
        return list(points)
    width = math.ceil(len(points) / max(1, limit // 4))
    kept: list[Point] = []
    for start in range(0, len(points), width):
        stretch = points[start : start + width]
        real = [index for index, (_, y) in enumerate(stretch) if math.isfinite(y)]
        chosen = {real[0], real[-1]} if real else {0}
        if real:
            chosen |= {min(real, key=lambda i: stretch[i][1]), max(real, key=lambda i: stretch[i][1])}
            chosen |= set([i for i in range(len(stretch)) if not math.isfinite(stretch[i][1])][:1])
        kept.extend(stretch[index] for index in sorted(chosen))
    return kept


def smooth(points: Sequence[Point], span: float) -> list[Point]:
    """Average over about `span` points around each, fewer towards both ends, so that the curve lags nowhere.

    Gaps stay gaps.

    >>> smooth([(0, 5.0), (1, 1.0), (2, 3.0), (3, 2.0)], span=3)
    [(0, 5.0), (1, 3.0), (2, 2.0), (3, 2.0)]
    """
    real = [math.isfinite(y) for _, y in points]
    totals = list(accumulate((y if ok else 0.0 for (_, y), ok in zip(points, real, strict=True)), initial=0.0))
    counts = list(accumulate(real, initial=0))
    result: list[Point] = []
    wide = int(span) // 2
    for index, (x, y) in enumerate(points):
        # A fifth of the window is kept even at an end, where a single measurement would say little.
        half = max(min(wide, index, len(points) - 1 - index), wide // 5)
        low, high = max(0, index - half), min(len(points), index + half + 1)
        result.append((x, (totals[high] - totals[low]) / (counts[high] - counts[low]) if real[index] else y))
    return result


class _Axis:
    """One direction of a chart: values to shares of its length."""

    def __init__(self, low: float, high: float, *, log: bool = False) -> None:
        self.log = log
        self.low, self.high = (math.log10(low), math.log10(high)) if log else (low, high)

    def share(self, value: float) -> float:
        place = math.log10(value) if self.log else value
        # Divided first: the width of an axis between huge numbers must not overflow.
        return (place - self.low) / (self.high - self.low)


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


def line_chart(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    marks: Sequence[Mark] = (),
    bands: Sequence[Band] = (),
    names: Sequence[str] = (),
    log: bool = False,
    zero: bool = False,
    top: float | None = None,
    small: bool = False,
    points: int = 600,
) -> str:
    """Draw curves over a common pair of axes; "" when there is not one finite point.

    `title` is said to those who cannot see it; `log` makes the y axis logarithmic (values that are not positive are
    left out); `zero` lets it begin at zero; `top` cuts it off above; `names` are written at the whole numbers of the x axis,
    instead of these. Every text is escaped here.
    """
    drawn = [
        Series(each.name, thin(each.points, points), each.style, each.dots, each.legend)
        for each in series
        if any(_visible(y, log) for _, y in each.points)
    ]
    seen = [(x, y) for each in drawn for x, y in each.points if _visible(y, log)]
    seen += [(x, y) for band in bands for x, *ends in band.points for y in ends if _visible(y, log)] if seen else []
    if not seen:
        return ""
    xs, ys = [x for x, _ in seen], [y if top is None else min(y, top) for _, y in seen]
    x_low, x_high = (min(xs), max(xs)) if max(xs) > min(xs) else _range(xs, log=False, pad=0)
    y_low, y_high = _range([*ys, *([0.0] if zero and not log else [])], log=log, pad=0.05)
    if zero and not log and min(ys) >= 0 and max(ys) > 0:
        y_low = 0.0
    across, up = _Axis(x_low, x_high), _Axis(y_low, y_high, log=log)

    parts = [f'<svg class="chart{" small" if small else ""}" role="img" aria-label="{escape(title)}">']
    y_ticks = log_ticks(y_low, y_high, 5) if log else ticks(y_low, y_high, 3 if small else 5)
    y_names = [scientific(value) for value in y_ticks] if log else tick_labels(y_ticks)
    for value, name in zip(y_ticks, y_names, strict=True):
        y = f"{100 * (1 - up.share(value)):.2f}%"
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="0" dx="-8" y="{y}" dy=".33em" text-anchor="end">{name}</text>')
    x_ticks = ticks(x_low, x_high, 3 if small or names else 5)
    x_names = [_named(value, names) for value in x_ticks] if names else tick_labels(x_ticks)
    for value, name in zip(x_ticks, x_names, strict=True):
        share = across.share(value)
        anchor = "start" if share < 0.02 else "end" if share > 0.98 else "middle"
        x = f"{100 * share:.2f}%"
        parts.append(f'<line class="notch" x1="{x}" x2="{x}" y1="100%" y2="100%"/>')
        parts.append(f'<text class="tick" x="{x}" y="100%" dy="1.5em" text-anchor="{anchor}">{escape(name)}</text>')
    parts.append('<line class="axis" x1="0" x2="100%" y1="100%" y2="100%"/>')
    parts.append(f'<text class="label" x="100%" y="100%" dy="2.9em" text-anchor="end">{escape(x_label)}</text>')

    parts.append(f'<svg width="100%" height="100%" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">')
    parts.extend(
        f'<path class="band {escape(band.style)}" d="{_area(band, across, up)}"/>' for band in bands if band.points
    )
    parts.extend(
        f'<path class="curve {escape(each.style)}" d="{_path(each.points, across, up)}"/>'
        for each in drawn
        if len(each.points) > 1
    )
    parts.append("</svg>")
    for each in drawn:
        if each.dots or len(each.points) == 1:
            parts.extend(_dots(each, across, up, radius=2.5 if len(each.points) < 60 else 1.5))
    for mark in marks:
        if math.isfinite(mark.y) and x_low <= mark.x <= x_high:
            parts.append(_mark(mark, across, up))
    parts.append("</svg>")
    return "".join(parts)


def _visible(y: float, log: bool) -> bool:
    return math.isfinite(y) and (y > 0 or not log)


def _path(points: Sequence[Point], across: _Axis, up: _Axis) -> str:
    """Write the curve as SVG path data in whole grid points, a new piece after each gap."""
    pieces: list[str] = []
    pen_down = False
    for x, y in points:
        if not _visible(y, up.log):
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


def _named(value: float, names: Sequence[str]) -> str:
    return names[int(value)] if float(value).is_integer() and 0 <= value < len(names) else ""


def _dots(series: Series, across: _Axis, up: _Axis, radius: float) -> list[str]:
    return [
        f'<circle class="dot {escape(series.style)}" r="{radius}" cx="{100 * across.share(x):.2f}%"'
        f' cy="{100 * (1 - up.share(y)):.2f}%"><title>{escape(f"{x:,.0f}: {decimal(y)}")}</title></circle>'
        for x, y in series.points
        if _visible(y, up.log) and up.share(y) <= 1
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


def bar(share: float, style: str) -> str:
    """Draw one horizontal bar that fills the given share of its place."""
    width = 100 * min(max(share, 0.005), 1.0)
    return (
        f'<svg class="bar" aria-hidden="true"><rect class="{escape(style)}" width="{width:.2f}%" height="100%" rx="3"/>'
        "</svg>"
    )

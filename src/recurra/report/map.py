"""A map of vectors: a dot for each sequence, near those that are like it; pointing at one shows what it is.

It is a still picture without scripts too, where a dot's title says what it is. `map.js` shows more of it, and changes what the
colours stand for; a page that has a map names the sum of that script in its policy, so that nothing else can run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from recurra.report.numbers import count, finite

COLOURS = 10
SHAPES = ("M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z", "M-5-5H5V5H-5Z", "M0-6L6 5H-6Z", "M0-7L6 0L0 7L-6 0Z")
"""A circle, a square, a triangle, a diamond: where there are more groups than colours."""
NONE = "none"
_WIDTH, _LOWEST, _HIGHEST, _MARGIN = 1000, 260, 640, 24
_NAMES = 24
"""Groups that a legend names."""


@dataclass(frozen=True)
class _Way:
    """What the colours may stand for: the groups, the commonest first, and the place of each dot's among them (−1: none)."""

    key: str
    title: str
    names: list[str]
    sizes: list[int]
    groups: list[int]


def section(value: object) -> str:
    """Draw what an evaluation's "map" holds, {"by", "of", "points": [{"x", "y", …}]}; "" where there are no points.

    x, y: on a plane, of any size, upwards.  A point may have "label", "cluster" (None: of none), "place", and "text" or "lines" (of values,
    None where one is missing) with "steps". What is broken is left out.
    """
    found = value if isinstance(value, Mapping) else {}
    given = found.get("points")
    points = [point for point in (given if isinstance(given, list) else []) if isinstance(point, Mapping)]
    placed = [
        (x, y, point)
        for point in points
        if (x := finite(point.get("x"))) is not None and (y := finite(point.get("y"))) is not None
    ]
    if not placed:
        return ""
    ways = [way for way in (_way("label", "label", placed), _way("cluster", "cluster", placed)) if way is not None]
    spots, height = _spots([(x, y) for x, y, _ in placed])
    dots = "".join(_dot(index, spot, placed[index][2], ways) for index, spot in enumerate(spots))
    legends = "".join(_legend(way, shown=index == 0) for index, way in enumerate(ways))
    of = finite(found.get("of"))
    more = f" of {count(of)}, spread over all of them" if of is not None and of > len(placed) else ""
    said = (
        f"A dot for each of {count(len(placed))} held-out sequences{more}, placed by {escape(str(found.get('by', 'their vectors')))}: "
        "those with like vectors lie together; how far groups lie apart says little. Point at a dot to see what it is."
    )
    return (
        f'<p class="note">{said}</p><figure class="map">{legends}'
        f'<svg viewBox="0 0 {_WIDTH} {height:.1f}" role="img" aria-label="A map of {len(placed)} vectors">{dots}</svg></figure>'
    )


def script() -> tuple[str, str]:
    """Give the element of the script that makes maps answer, and the source that a page's policy has to allow for it."""
    content = Path(__file__).with_name("map.js").read_text(encoding="utf-8")
    sum_ = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"<script>{content}</script>", f"'sha256-{sum_}'"


def _way(key: str, title: str, placed: Sequence[tuple[float, float, Mapping[str, Any]]]) -> _Way | None:
    values = [point.get(key) for _, _, point in placed]
    named = [None if value is None else str(value) for value in values]
    sizes = Counter(name for name in named if name is not None)
    if not sizes:
        return None
    order = [name for name, _ in sizes.most_common()]
    if key == "cluster" and all(name.isdecimal() for name in order):
        order.sort(key=int)
    place = {name: index for index, name in enumerate(order)}
    groups = [-1 if name is None else place[name] for name in named]
    return _Way(key, title, order, [sizes[name] for name in order], groups)


def _style(group: int) -> str:
    return NONE if group < 0 else f"g{group % COLOURS}"


def _shape(group: int) -> str:
    return SHAPES[max(0, group) // COLOURS % len(SHAPES)]


def _spots(points: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], float]:
    """Fit points into a picture, as large as may be and in its middle: (across, down), and how high the picture is."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    room = [(space - 2 * _MARGIN) / size for space, size in ((_WIDTH, wide), (_HIGHEST, high)) if size > 0]
    scale = min(room, default=1.0)
    height = max(_LOWEST, scale * high + 2 * _MARGIN)
    left, top = (_WIDTH - scale * wide) / 2, (height - scale * high) / 2
    return [(left + scale * (x - min(xs)), top + scale * (max(ys) - y)) for x, y in points], height


def _dot(index: int, spot: tuple[float, float], point: Mapping[str, Any], ways: Sequence[_Way]) -> str:
    across, down = spot
    first = ways[0].groups[index] if ways else 0
    groups = "".join(f' data-{way.key}="{way.groups[index]}"' for way in ways)
    lines = _lines(point.get("lines"))
    drawn = f" data-lines='{json.dumps(lines)}'" if lines else ""
    return (
        f'<path class="spot {_style(first)}" transform="translate({across:.1f} {down:.1f})" d="{_shape(first)}"{groups}{drawn}>'
        f"<title>{escape(_said(point))}</title></path>"
    )


def _said(point: Mapping[str, Any]) -> str:
    """Say in lines what a dot is."""
    said = []
    if point.get("label") is not None:
        said.append(str(point["label"]))
    if "cluster" in point:
        said.append("in no cluster" if point["cluster"] is None else f"cluster {point['cluster']}")
    head = " · ".join(said)
    steps = finite(point.get("steps"))
    body = point["text"] if isinstance(point.get("text"), str) else "" if steps is None else f"{count(steps)} steps"
    return "\n".join(part for part in (head, body, str(point.get("place", ""))) if part)


def _lines(value: object) -> list[list[float | None]]:
    lines = value if isinstance(value, list) else []
    return [[finite(each) for each in line] for line in lines if isinstance(line, list) and len(line) > 1]


def _legend(way: _Way, *, shown: bool) -> str:
    """Name the groups with their colours, the first ones where there are many."""
    items = [
        f'<li data-group="{index}"><svg viewBox="-8 -8 16 16" aria-hidden="true"><path class="{_style(index)}" d="{_shape(index)}"/></svg>'
        f"{escape(name)} <small>{count(size)}</small></li>"
        for index, (name, size) in enumerate(zip(way.names, way.sizes, strict=True))
    ]
    rest = len(items) - _NAMES
    if rest > 0:
        items = [*items[:_NAMES], f"<li>and {count(rest)} more</li>"]
    if (alone := sum(group < 0 for group in way.groups)) > 0:
        items.append(
            f'<li data-group="-1"><svg viewBox="-8 -8 16 16" aria-hidden="true"><path class="{NONE}" d="{SHAPES[0]}"/></svg>'
            f"in none <small>{count(alone)}</small></li>"
        )
    hidden = "" if shown else " hidden"
    return f'<ul class="groups" data-way="{way.key}" aria-label="By {way.title}"{hidden}>{"".join(items)}</ul>'

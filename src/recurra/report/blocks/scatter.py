"""A map of vectors: a dot for each sequence, near those that are like it; pointing at one shows what it is.

It is a still picture without scripts too, where a dot's title says what it is. `scatter.js` shows more of it, and changes what the
colours stand for.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import ClassVar

from recurra.formatting import count
from recurra.report.blocks.base import Block

COLOURS = 10
SHAPES = ("M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z", "M-5-5H5V5H-5Z", "M0-6L6 5H-6Z", "M0-7L6 0L0 7L-6 0Z")
"""A circle, a square, a triangle, a diamond: where there are more groups than colours."""
NO_GROUP = "none"
MAX_GROUPS_NAMED = 24
"""Groups that a legend names."""
_WIDTH, _LOWEST, _HIGHEST, _MARGIN = 1000, 260, 640, 24


@dataclass(frozen=True)
class Dot:
    """A point on a plane of any size, y upwards.

    lines: what it is, the first of them in bold.  curves: of its values, None where one is missing.
    """

    x: float
    y: float
    lines: Sequence[str] = ()
    curves: Sequence[Sequence[float | None]] = ()


@dataclass(frozen=True)
class Grouping:
    """One of the things that colours may stand for: the group of each dot, None for one that is in none.

    key: its name, a word.  by_number: groups are named in the order of the numbers that they are called by, instead of the largest first.
    """

    key: str
    groups: Sequence[str | None]
    by_number: bool = False

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The groups in their order, and how many dots each has."""
        sizes = Counter(name for name in self.groups if name is not None)
        order = [name for name, _ in sizes.most_common()]
        if self.by_number and all(name.isdecimal() for name in order):
            order.sort(key=int)
        return {name: sizes[name] for name in order}

    @cached_property
    def numbers(self) -> list[int]:
        """The place of each dot's group among them, −1 for none."""
        place = {name: number for number, name in enumerate(self.sizes)}
        return [-1 if name is None else place[name] for name in self.groups]


@dataclass(frozen=True)
class Scatter(Block):
    """Dots on a plane.

    groupings: what the colours may stand for; at first they stand for the first of them.  note: a sentence above it.
    """

    kind: ClassVar[str] = "scatter"

    dots: Sequence[Dot]
    groupings: Sequence[Grouping] = ()
    note: str = ""

    def draw(self) -> str:
        if not self.dots:
            return ""
        shown = [grouping for grouping in self.groupings if grouping.sizes]
        places, height = _fit([(dot.x, dot.y) for dot in self.dots])
        dots = "".join(_dot(index, places[index], dot, shown) for index, dot in enumerate(self.dots))
        legends = "".join(_legend(grouping, visible=grouping is shown[0]) for grouping in shown)
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return (
            f'{note}<figure class="map">{legends}'
            f'<svg viewBox="0 0 {_WIDTH} {height:.1f}" role="img" aria-label="A map of {len(self.dots)} vectors">{dots}</svg></figure>'
        )

    @classmethod
    def script(cls) -> str:
        return Path(__file__).with_name("scatter.js").read_text(encoding="utf-8")


def _style(group: int) -> str:
    return NO_GROUP if group < 0 else f"g{group % COLOURS}"


def _shape(group: int) -> str:
    return SHAPES[max(0, group) // COLOURS % len(SHAPES)]


def _fit(points: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], float]:
    """Fit points into a picture, as large as may be and in its middle: (across, down), and how high the picture is."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    room = [(space - 2 * _MARGIN) / size for space, size in ((_WIDTH, wide), (_HIGHEST, high)) if size > 0]
    scale = min(room, default=1.0)
    height = max(_LOWEST, scale * high + 2 * _MARGIN)
    left, top = (_WIDTH - scale * wide) / 2, (height - scale * high) / 2
    return [(left + scale * (x - min(xs)), top + scale * (max(ys) - y)) for x, y in points], height


def _dot(index: int, place: tuple[float, float], dot: Dot, groupings: Sequence[Grouping]) -> str:
    across, down = place
    first = groupings[0].numbers[index] if groupings else 0
    groups = "".join(f' data-{escape(each.key)}="{each.numbers[index]}"' for each in groupings)
    curves = f" data-curves='{json.dumps(dot.curves)}'" if dot.curves else ""
    return (
        f'<path class="spot {_style(first)}" transform="translate({across:.1f} {down:.1f})" d="{_shape(first)}"{groups}{curves}>'
        f"<title>{escape(chr(10).join(dot.lines))}</title></path>"
    )


def _legend(grouping: Grouping, *, visible: bool) -> str:
    """Name the groups with their colours, the first ones where there are many."""
    items = [
        f'<li data-group="{number}"><svg viewBox="-8 -8 16 16" aria-hidden="true"><path class="{_style(number)}" d="{_shape(number)}"/></svg>'
        f"{escape(name)} <small>{count(size)}</small></li>"
        for number, (name, size) in enumerate(grouping.sizes.items())
    ]
    rest = len(items) - MAX_GROUPS_NAMED
    if rest > 0:
        items = [*items[:MAX_GROUPS_NAMED], f"<li>and {count(rest)} more</li>"]
    if (alone := sum(group < 0 for group in grouping.numbers)) > 0:
        items.append(
            f'<li data-group="-1"><svg viewBox="-8 -8 16 16" aria-hidden="true"><path class="{NO_GROUP}" d="{SHAPES[0]}"/></svg>'
            f"in none <small>{count(alone)}</small></li>"
        )
    key = escape(grouping.key)
    hidden = "" if visible else " hidden"
    return f'<ul class="groups" data-way="{key}" aria-label="By {key}"{hidden}>{"".join(items)}</ul>'

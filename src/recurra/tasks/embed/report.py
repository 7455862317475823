"""What a report shows of an embedder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.formatting import count, finite
from recurra.report.blocks import Block, Dot, Grouping, Scatter, note_blocks
from recurra.report.fields import details, mapping, mappings, rows

USAGE = (
    ("Give what a file holds its vectors", "recurra predict {run} FILE --json"),
    ("Group it, and find what is alike", "recurra predict {run} FILE --cluster auto --neighbours 3"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    return [*note_blocks(evaluation), *_map_blocks(mapping(details(evaluation).get("map")))]


def _map_blocks(found: Mapping[str, Any]) -> list[Block]:
    """Draw {"by", "of", "points": [{"x", "y", …}]}.

    A point may have "label", "cluster" (None: of none), "place", and "text" or "lines" (of values, None where one is missing) with "steps".
    """
    points, dots = [], []
    for point in mappings(found.get("points")):
        x, y = finite(point.get("x")), finite(point.get("y"))
        if x is not None and y is not None:
            points.append(point)
            dots.append(Dot(x, y, _lines(point), _curves(point.get("lines"))))
    if not dots:
        return []
    of = finite(found.get("of"))
    more = f" of {count(of)}, spread over all of them" if of is not None and of > len(dots) else ""
    note = (
        f"A dot for each of {count(len(dots))} held-out sequences{more}, placed by {found.get('by', 'their vectors')}: "
        "those with like vectors lie together; how far groups lie apart says little. Point at a dot to see what it is."
    )
    groupings = [
        Grouping(key, [None if (group := point.get(key)) is None else str(group) for point in points], by_number)
        for key, by_number in (("label", False), ("cluster", True))
    ]
    return [Scatter("Map of the vectors", dots, groupings, note)]


def _lines(point: Mapping[str, Any]) -> list[str]:
    """Say in lines what a dot is."""
    head = [str(point["label"])] if point.get("label") is not None else []
    if "cluster" in point:
        head.append("in no cluster" if point["cluster"] is None else f"cluster {point['cluster']}")
    steps = finite(point.get("steps"))
    body = point["text"] if isinstance(point.get("text"), str) else "" if steps is None else f"{count(steps)} steps"
    return [line for line in (" · ".join(head), body, str(point.get("place", ""))) if line]


def _curves(value: object) -> list[list[float | None]]:
    return [[finite(each) for each in curve] for curve in rows(value) if isinstance(curve, list) and len(curve) > 1]

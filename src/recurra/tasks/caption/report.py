"""What a report shows of a captioner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.report.blocks import Block, Column, Overlay, Overlays, Table, note_blocks
from recurra.report.fields import details, mappings, numbers, rows, texts

SAMPLES_TITLE = "How the captions improve"
OVERLAYS_TITLE = "Where each word came from"
USAGE = (
    ("Say what a picture shows", "recurra predict {run} photo.jpg"),
    ("Show where each word came from", "recurra predict {run} photo.jpg --overlay where.html"),
    ("Measure on other pictures", "recurra evaluate {run} captions.csv --images FOLDER"),
)
_EXAMPLES = {"spread": "Some of all pictures", "worst": "Of the rest, those furthest from their references"}
_COLUMNS = (
    Column("picture, and where its captions are", "passage"),
    Column("caption"),
    Column("a reference"),
    Column("CIDEr-D", "number"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    return [*note_blocks(evaluation), *_overlay_blocks(found), *_example_blocks(found)]


def _overlay_blocks(found: Mapping[str, Any]) -> list[Block]:
    shown = [
        Overlay(
            _text(each.get("picture")),
            _text(each.get("name")),
            _text(each.get("caption")),
            texts(each.get("references")),
            texts(each.get("words")),
            [[_shares(row) for row in rows(one)] for one in rows(each.get("weights"))],
        )
        for each in mappings(found.get("overlays"))
    ]
    return [Overlays(OVERLAYS_TITLE, shown)] if shown else []


def _shares(row: Any) -> list[float]:
    return [value if 0 <= value <= 1 else 0.0 for value in numbers(row)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _example_blocks(found: Mapping[str, Any]) -> list[Block]:
    shown: list[Block] = []
    for kind, title in _EXAMPLES.items():
        lines = [
            (
                (each.get("image", ""), each.get("place", "")),
                each.get("caption", ""),
                next(iter(texts(each.get("references"))), ""),
                each.get("cider"),
            )
            for each in mappings(found.get("examples"))
            if each.get("kind") == kind
        ]
        if lines:
            shown.append(Table(title, _COLUMNS, lines))
    return shown

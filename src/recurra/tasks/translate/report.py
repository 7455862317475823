"""What a report shows of a translator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.formatting import shorten
from recurra.report.blocks import AttentionMap, Block, Column, Table, note_blocks
from recurra.report.fields import details, mappings, numbers, rows, texts

SAMPLES_TITLE = "How the translations improve"
USAGE = (
    ("Translate lines", "recurra predict {run} lines.txt"),
    ("Show where it looked", 'recurra predict {run} -t "…" --attention'),
    ("How likely a target is: a source, a tab and the target in each line", "recurra score {run} pairs.txt"),
)
_EXAMPLES = {"spread": "Some of all pairs", "worst": "Of the rest, those furthest from their references"}
_EXAMPLE_COLUMNS = (
    Column("source, and where it is from", "passage"),
    Column("translation"),
    Column("reference"),
    Column("edits of characters", "share"),
)
_LENGTH_COLUMNS = (
    Column("units of the source", "name"),
    Column("pairs", "count"),
    Column("exact", "share"),
    Column("edits of characters", "share"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    return [*note_blocks(evaluation), *_example_blocks(found), *_attention_blocks(found), *_length_blocks(found)]


def _example_blocks(found: Mapping[str, Any]) -> list[Block]:
    shown: list[Block] = []
    for kind, title in _EXAMPLES.items():
        lines = [
            (
                (each.get("source", ""), each.get("place", "")),
                each.get("translation", ""),
                each.get("reference", ""),
                each.get("character_error_rate"),
            )
            for each in mappings(found.get("examples"))
            if each.get("kind") == kind
        ]
        if lines:
            shown.append(Table(title, _EXAMPLE_COLUMNS, lines))
    return shown


def _attention_blocks(found: Mapping[str, Any]) -> list[Block]:
    """Show where was looked for each unit written of some examples."""
    shown: list[Block] = []
    for each in mappings(found.get("examples")):
        attention = each.get("attention")
        if not isinstance(attention, Mapping):
            continue
        source, target = texts(attention.get("source")), texts(attention.get("target"))
        weights = [numbers(row) for row in rows(attention.get("weights"))]
        if [len(row) for row in weights] == [len(source)] * len(target):
            shown.append(
                AttentionMap(f"Where it looked: {shorten(str(each.get('source', '')))}", source, target, weights)
            )
    return shown


def _length_blocks(found: Mapping[str, Any]) -> list[Block]:
    """Show how much longer sources are worse."""
    lines = [
        (
            f"{each.get('from', '?')} to {each['to']}" if each.get("to") else f"{each.get('from', '?')} or more",
            each.get("count"),
            each.get("exact"),
            each.get("character_error_rate"),
        )
        for each in mappings(found.get("lengths"))
    ]
    return [Table("By the length of the source", _LENGTH_COLUMNS, lines)] if len(lines) > 1 else []

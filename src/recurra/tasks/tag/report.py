"""What a report shows of a tagger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.report.blocks import Block, note_blocks
from recurra.report.fields import details
from recurra.tasks.sequence.report import class_table_blocks, dominance_blocks, matrix_blocks, mistake_blocks

SAMPLES_TITLE = "How its predictions change"
USAGE = (("Tag sentences, a line each", "recurra predict {run} sentences.txt"),)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    return [
        *dominance_blocks(evaluation),
        *note_blocks(evaluation),
        *matrix_blocks(evaluation),
        *class_table_blocks(found.get("per_class"), "Metrics by class", "class", "examples"),
        *class_table_blocks(found.get("per_type"), "Metrics by type of span", "type", "spans"),
        *mistake_blocks(evaluation),
    ]

"""What a report shows of a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.report.blocks import Block, note_blocks
from recurra.report.fields import details
from recurra.tasks.sequence.report import (
    class_table_blocks,
    dominance_blocks,
    matrix_blocks,
    mistake_blocks,
    reliability_blocks,
)

SAMPLES_TITLE = "How its predictions change"
USAGE = (
    ("Classify what a file holds", "recurra predict {run} FILE"),
    ("See how the prediction forms, element by element", "recurra predict {run} FILE --steps"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    return [
        *dominance_blocks(evaluation),
        *note_blocks(evaluation),
        *matrix_blocks(evaluation),
        *class_table_blocks(details(evaluation).get("per_class"), "Metrics by class", "class", "examples"),
        *reliability_blocks(evaluation),
        *mistake_blocks(evaluation),
    ]

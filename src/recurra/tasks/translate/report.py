"""What a report shows of a translator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.report.blocks import Block, note_blocks

SAMPLES_TITLE = "How the translations improve"
USAGE = (
    ("Translate lines", "recurra predict {run} lines.txt"),
    ("Show where it looked", 'recurra predict {run} -t "…" --attention'),
    (
        "How likely a translation is, a source and a target in each line with a tab between",
        "recurra score {run} pairs.txt",
    ),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation beside its metrics."""
    return note_blocks(evaluation)

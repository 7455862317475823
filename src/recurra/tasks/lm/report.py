"""What a report shows of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.report.blocks import Block, note_blocks

SAMPLES_TITLE = "How the writing improves"
USAGE = (
    ("Write new text", "recurra generate {run} --length 400"),
    ("Score sentences, a line each", "recurra score {run} sentences.txt"),
    ("Complete lines", "recurra predict {run} beginnings.txt"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation beside its metrics: notes, where there are any."""
    return note_blocks(evaluation)

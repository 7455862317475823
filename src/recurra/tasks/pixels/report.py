"""What a report shows of a picture model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.report.blocks import Block, ImageRow, Images, note_blocks
from recurra.report.fields import details, mapping, texts

SAMPLES_TITLE = "How the pictures improve"
USAGE = (
    ("Write new pictures", "recurra generate {run} -n 16 -o new.png"),
    ("Complete a picture from its upper half", "recurra generate {run} --from half.png -o whole.png"),
    ("How likely pictures are", "recurra score {run} pictures.zip"),
)
_ROWS = {
    "known": "known",
    "drawn": "drawn",
    "likeliest": "likeliest",
    "nearest": "nearest picture's",
    "original": "original",
}


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    shown: list[Block] = [*note_blocks(evaluation)]
    if samples := texts(found.get("samples")):
        shown.append(Images("New pictures", [ImageRow("drawn", samples)]))
    files = {**mapping(found.get("completions")), "nearest": mapping(found.get("beside")).get("nearest")}
    rows = [ImageRow(caption, texts(files.get(name))) for name, caption in _ROWS.items() if texts(files.get(name))]
    if rows:
        note = "Held-out pictures: what is known of each, its lower half as it was drawn by the probabilities and as the likeliest, and as it is."
        shown.append(Images("Completed halves", rows, note))
    return shown

"""What a report shows of a model of drawings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.report.blocks import AttentionMap, Block, DrawingRow, Drawings, note_blocks
from recurra.report.fields import details, mapping, numbers, rows, texts

SAMPLES_TITLE = "How the drawings improve"
USAGE = (
    ("Make new drawings", "recurra generate {run} -n 9 -o grid.svg"),
    ("Finish a drawing", "recurra generate {run} --continue half.svg -o whole.svg"),
    ("How likely drawings are", "recurra score {run} drawings.svg"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    shown: list[Block] = [*note_blocks(evaluation)]
    captions = texts(found.get("captions"))
    drawn = [
        DrawingRow(f"temperature {temperature}", rows(inks))
        for temperature, inks in mapping(found.get("samples")).items()
    ]
    if held := rows(found.get("held_out")):
        drawn.append(DrawingRow("held out", held))
    if drawn:
        note = "New drawings: a low temperature is safe, 1 draws by the probabilities as they are. Below them, held-out ones."
        shown.append(Drawings("New drawings", drawn, captions, note))
    halves = mapping(found.get("halves"))
    if known := rows(halves.get("known")):
        finished = [DrawingRow("known", known), DrawingRow("finished", rows(halves.get("finished")))]
        shown.append(
            Drawings(
                "Finished halves",
                finished,
                captions,
                "The first half of the points of held-out drawings, and how the model went on.",
            )
        )
    window = mapping(found.get("window"))
    weights = [numbers(row) for row in rows(window.get("weights"))]
    text = window.get("text")
    if weights and isinstance(text, str) and all(len(row) == len(text) for row in weights):
        steps = [""] * len(weights)
        shown.append(AttentionMap("The window over the letters", list(text), steps, weights))
    return shown

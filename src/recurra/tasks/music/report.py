"""What a report shows of a model of music."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.formatting import finite
from recurra.report.blocks import Block, Column, SoundRow, Sounds, Table, note_blocks
from recurra.report.fields import details, mapping, mappings, rows

SAMPLES_TITLE = "How the music improves"
USAGE = (
    ("Compose, as MIDI and as sound", "recurra generate {run} --bars 16 -o tune.mid --wav tune.wav"),
    ("Go on with a piece", "recurra generate {run} --from mine.mid -o more.mid"),
    ("How likely pieces are", "recurra score {run} FOLDER --rank"),
)
_COPY_COLUMNS = (
    Column("composed", "name"),
    Column("longest run copied, steps", "count"),
    Column("nearest training piece"),
    Column("runs of five steps that it has", "share"),
)
_DISTANCE_COLUMNS = (
    Column("histogram", "name"),
    Column("composed and held-out", "share"),
    Column("training and held-out", "share"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    shown: list[Block] = [*note_blocks(evaluation)]
    for field, title, note in (
        (
            "samples",
            "Composed",
            "Drawn by the probabilities, from nothing: the first ten seconds, by a small synthesiser.",
        ),
        ("real", "Held out", "A piece of the held-out data, for comparison."),
    ):
        sounds = [
            SoundRow(str(each.get("name", "")), str(each.get("sound", "")), "", str(each.get("roll", "")))
            for each in mappings(found.get(field))
        ]
        if sounds:
            shown.append(Sounds(title, sounds, note))
    learnt = mapping(found.get("beside"))
    shown += _copy_blocks(learnt)
    return shown + _distance_blocks(mapping(found.get("distances")), mapping(learnt.get("distances")))


def _copy_blocks(learnt: Mapping[str, Any]) -> list[Block]:
    lines = [
        (f"piece {number}", each.get("run"), str(each.get("nearest", "")), each.get("share"))
        for number, each in enumerate(mappings(learnt.get("copies")), 1)
    ]
    real = [str(int(run)) for run in map(finite, rows(learnt.get("held_out_run"))) if run is not None]
    caption = (
        f"In any key. Held-out pieces have runs of {', '.join(real)} steps in common with training." if real else ""
    )
    return [Table("What was copied", _COPY_COLUMNS, lines, caption)] if lines else []


def _distance_blocks(own: Mapping[str, Any], plain: Mapping[str, Any]) -> list[Block]:
    lines = [(name, value, plain.get(name)) for name, value in own.items() if finite(value) is not None]
    caption = "How far the counts are apart, from 0, the same, to 100 %, nothing in common."
    return [Table("Composed and real music", _DISTANCE_COLUMNS, lines, caption)] if lines else []

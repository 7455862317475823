"""What a report shows of a transcriber."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from recurra.formatting import finite
from recurra.report.blocks import (
    Bin,
    Block,
    Column,
    ImageRow,
    Images,
    Reliability,
    SoundRow,
    Sounds,
    Table,
    note_blocks,
)
from recurra.report.fields import details, mappings, numbers

SAMPLES_TITLE = "How the transcripts improve"
USAGE = (
    ("Write what a signal says", "recurra predict {run} FILE"),
    ("With the time and the confidence of each word", "recurra predict {run} FILE --times"),
    (
        "As it is spoken, with a run in one direction",
        "arecord -t raw -f S16_LE -r 16000 -c 1 | recurra predict {run} - --rate 16000",
    ),
    ("Measure on other signals", "recurra evaluate {run} FOLDER"),
)
_EXAMPLES = {"spread": "Some of all signals", "worst": "Of the rest, those furthest from their texts"}
_DRAWN = "Below each signal, darker where the network sees a unit."
FRAME_SECONDS = 0.05
"""By how much what is heard may be shorter than the frames, which stand at steps."""
_EXAMPLE_COLUMNS = (
    Column("transcript, and where the signal is", "passage"),
    Column("text"),
    Column("confidence", "share"),
    Column("edits of characters", "share"),
)
_RATES = (Column("characters wrong", "share"), Column("words wrong", "share"), Column("without an error", "share"))
_GROUP_COLUMNS = (Column("speaker, writer or document", "name"), Column("signals", "count"), *_RATES)
_LENGTH_COLUMNS = (Column("characters of the text", "name"), Column("signals", "count"), *_RATES)
_CONFUSION_COLUMNS = (
    Column("character"),
    Column("written"),
    Column("times", "count"),
    Column("of the character", "count"),
)


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    return [
        *note_blocks(evaluation),
        *_example_blocks(found),
        *_rate_blocks(found),
        *_confusion_blocks(found),
        *_reliability_blocks(found),
    ]


def _example_blocks(found: Mapping[str, Any]) -> list[Block]:
    shown: list[Block] = []
    for kind, title in _EXAMPLES.items():
        some = [each for each in mappings(found.get("examples")) if each.get("kind") == kind]
        lines = [
            (
                (each.get("text", ""), each.get("place", "")),
                each.get("reference", ""),
                each.get("confidence"),
                each.get("character_error_rate"),
            )
            for each in some
        ]
        if lines:
            shown += [Table(title, _EXAMPLE_COLUMNS, lines), _signals_block(f"{title}: what was read", some)]
    return shown


def _signals_block(title: str, some: Sequence[Mapping[str, Any]]) -> Block:
    """Show signals: sounds to be heard, each above its picture; of others their pictures."""
    heard = [
        SoundRow(_caption(each), sound, _length(each), str(each.get("picture", "")))
        for each in some
        if isinstance(sound := each.get("sound"), str)
    ]
    if heard:
        return Sounds(title, heard, _DRAWN)
    drawn = [ImageRow(_caption(each), [picture]) for each in some if isinstance(picture := each.get("picture"), str)]
    return Images(title, drawn, _DRAWN, width="own")


def _caption(each: Mapping[str, Any]) -> str:
    """Give what was written of a signal, and what its text is where that is another."""
    text, reference = str(each.get("text", "")), str(each.get("reference", ""))
    return text if text == reference else f"{text} (not {reference})"


def _length(each: Mapping[str, Any]) -> str:
    """Say how long a sound is, and how much of it there is to hear.

    >>> _length({"heard": 0.52, "seconds": 0.5}), _length({"heard": 10.0, "seconds": 31.24})
    ('0.5 s', 'the first 10.0 s of 31.2')
    """
    heard, seconds = finite(each.get("heard")), finite(each.get("seconds"))
    if heard is None or seconds is None:
        return ""
    return f"the first {heard:.1f} s of {seconds:.1f}" if seconds > heard + FRAME_SECONDS else f"{heard:.1f} s"


def _rate_blocks(found: Mapping[str, Any]) -> list[Block]:
    groups = [(each.get("group", ""), each.get("count"), *_rates(each)) for each in mappings(found.get("groups"))]
    lengths = [
        (
            f"{each.get('from', '?')} to {each['to']}" if each.get("to") else f"{each.get('from', '?')} or more",
            each.get("count"),
            *_rates(each),
        )
        for each in mappings(found.get("lengths"))
    ]
    shown: list[Block] = [Table("By speaker, writer or document", _GROUP_COLUMNS, groups)] if groups else []
    return shown + ([Table("By the length of the text", _LENGTH_COLUMNS, lengths)] if len(lengths) > 1 else [])


def _rates(each: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return each.get("character_error_rate"), each.get("word_error_rate"), each.get("error_free")


def _confusion_blocks(found: Mapping[str, Any]) -> list[Block]:
    lines = [
        (
            _shown(each.get("character"), "(put in)"),
            _shown(each.get("written"), "(left out)"),
            each.get("count"),
            each.get("of"),
        )
        for each in mappings(found.get("confusions"))
    ]
    return [Table("Characters that are confused", _CONFUSION_COLUMNS, lines)] if lines else []


def _shown(character: Any, none: str) -> str:
    return none if not character else "(blank)" if character == " " else str(character)


def _reliability_blocks(found: Mapping[str, Any]) -> list[Block]:
    names = ("from", "to", "confidence", "accuracy", "count")
    bins = [tuple(numbers([each.get(name) for name in names])) for each in mappings(found.get("reliability"))]
    whole = [cast(Bin, each) for each in bins if all(map(math.isfinite, each)) and each[-1] > 0]
    return [Reliability("Calibration", whole)] if whole else []

"""The parts of the data: what is held out, and what of it stands in the training part too."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurra.data.splits import split_documents
from recurra.errors import DataError
from recurra.tasks.base.dataset import default_valid_share
from recurra.tasks.transcribe.config import Data
from recurra.tasks.transcribe.preprocessing import TranscriptPreprocessor

PARTS = ("train", "valid", "test")
MIN_GROUPS = 5
"""Speakers, writers or documents from which on a split keeps each on one side, unless the user says otherwise."""
MAX_UNSEEN_SHOWN = 20
MIN_REPEATED = 3
"""Times that each text comes, in the mean, from which on texts are commands rather than what anybody may say."""


@dataclass(frozen=True)
class Part:
    """Signals that were read, in their order: what is kept of each, its text, who it is of, where it stands, in which part the data say it is.

    excerpts: what there is to hear of each; none of a part whose signals are not shown.
    """

    kept: list[Any] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    groups: list[str | None] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    excerpts: list[bytes | None] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def select(self, rows: Sequence[int]) -> Part:
        """Give some of it, in the order asked for; what was skipped stays with the whole."""
        names = ("kept", "frames", "texts", "groups", "places", "parts", "excerpts")
        columns: dict[str, Any] = {name: [getattr(self, name)[row] for row in rows] for name in names}
        return Part(**columns)


def split_part(whole: Part, data: Data, notes: list[str]) -> dict[str, Part]:
    """Split as the data say, or the user; what is left open goes by speakers, writers or documents, by texts or by signals."""
    named = {name: [row for row, part in enumerate(whole.parts) if part == name] for name in PARTS}
    open_rows = [row for row, part in enumerate(whole.parts) if part not in PARTS]
    found = {name: whole.select(rows) for name, rows in named.items()}
    test = 0.0 if data.test or named["test"] else data.test_share
    valid = 0.0 if named["valid"] else default_valid_share(data, len(open_rows))
    rest = open_rows or named["train"]
    if not rest or not (test or valid):
        return {**found, "train": whole.select(sorted([*named["train"], *open_rows]))}
    keys, what = _keys(whole, rest, data)
    try:
        split = split_documents(keys, valid, test)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    if what:
        notes.append(f"split by {what}")
    for name in PARTS:
        rows = [rest[index] for index in getattr(split, name)]
        kept = named[name] if rest is open_rows or name != "train" else []
        found[name] = whole.select(sorted([*kept, *rows]))
    return found


def _keys(whole: Part, rows: Sequence[int], data: Data) -> tuple[list[str | bytes], str]:
    """Give what a split goes by, for each row, and what that is; "" for nothing worth a word."""
    groups = {whole.groups[row] for row in rows}
    by = data.split_by
    if by == "auto":
        # A published test of speakers who are learnt from too asks for a validation of the same kind.
        shared = {whole.groups[row] for row, part in enumerate(whole.parts) if part == "test"} & groups
        by = "group" if len(groups) >= MIN_GROUPS and not shared else "signal"
    if by == "group":
        if groups == {None}:
            raise DataError(
                "no signal says who speaks or writes, or of which document it is",
                source=" ".join(data.data[:3]),
                hint="name the field (--group), or {speaker} in --label-from, or leave --split-by out",
            )
        return [
            whole.places[row] if (group := whole.groups[row]) is None else f"group {group}" for row in rows
        ], f"who speaks or writes ({len(groups):,} groups)"
    if by == "text":
        return [whole.texts[row] for row in rows], "texts"
    return [_digest(whole.frames[row], whole.texts[row]) for row in rows], ""


def _digest(frames: np.ndarray, text: str) -> bytes:
    digest = hashlib.sha256(np.ascontiguousarray(frames).data)
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()


def leakage_notes(parts: Mapping[str, Part], preprocessor: TranscriptPreprocessor) -> list[str]:
    """Say which speakers, writers and texts of the held-out parts stand in the training part too, and which characters do not."""
    train, notes = parts["train"], []
    groups = {group for group in train.groups if group is not None}
    texts = set(map(preprocessor.written, train.texts))
    for name in ("valid", "test"):
        part = parts.get(name)
        if part is None or not len(part):
            continue
        own = {group for group in part.groups if group is not None}
        if own & groups:
            notes.append(
                f"leakage: {len(own & groups):,} of {len(own):,} speakers, writers or documents of {name} are in the training data too"
            )
        equal = sum(preprocessor.written(text) in texts for text in part.texts)
        if equal:
            notes.append(f"{equal:,} of {len(part):,} texts of {name} stand in the training data too")
        unseen = Counter(letter for text in part.texts for letter in preprocessor.unseen(text))
        if unseen:
            shown = " ".join(letter for letter, _ in unseen.most_common(MAX_UNSEEN_SHOWN))
            notes.append(f"{name}: characters that no training text has, and that count as errors: {shown}")
    return notes


def unit_notes(train: Part, preprocessor: TranscriptPreprocessor, data: Data) -> list[str]:
    """Say of sounds of single words, each spoken again and again and written by characters, that nothing would part several of them."""
    texts = set(train.texts)
    by_characters = data.unit == "char" and preprocessor.separator is None and max(map(len, texts)) > 1
    if preprocessor.signals.kind != "sound" or not by_characters or len(texts) * MIN_REPEATED > len(train):
        return []
    return [
        f"the texts are {len(texts):,} single words, by characters, with nothing to part several in a row: --unit word writes whole ones, and parts them"
    ]

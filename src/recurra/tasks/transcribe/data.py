"""Files in, signals with their texts out: split, as frames and as labels."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.transcripts import Transcript, iter_transcripts
from recurra.errors import DataError
from recurra.formatting import abbreviate
from recurra.nn import frames_needed
from recurra.tasks.base.dataset import PreparedData, skipped_notes
from recurra.tasks.transcribe.config import Data, Model
from recurra.tasks.transcribe.parts import Part, leakage_notes, split_part, unit_notes
from recurra.tasks.transcribe.preprocessing import UNSEEN, Reading, TranscriptPreprocessor, build_preprocessor
from recurra.tasks.transcribe.signals import SignalKind, signal_kind
from recurra.text import Faults


@dataclass(frozen=True)
class Split:
    """Signals of one split, with their texts as they were read and as labels, `UNSEEN` where no training text has the unit.

    excerpts: what there is to hear of each signal; none of the training part, which is not shown.
    """

    kept: list[Any]
    frames: list[np.ndarray]
    texts: list[str]
    labels: list[np.ndarray]
    groups: list[str | None]
    places: list[str]
    skipped: list[str] = field(default_factory=list)
    excerpts: list[bytes | None] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def lengths(self) -> np.ndarray:
        """The frames of each, (N,)."""
        return np.array([len(one) for one in self.frames])

    @property
    def units(self) -> int:
        """Count the labels of all texts."""
        return sum(max(1, len(labels)) for labels in self.labels)

    def readings(self) -> list[Reading]:
        """Give the signals as `predict` takes them."""
        return [Reading(place, frames) for place, frames in zip(self.places, self.frames, strict=True)]


class Dataset(PreparedData[Split, TranscriptPreprocessor]):
    """Signals with their texts ready for training."""


class SignalReader:
    """Reads signals one by one, so that of each only what is kept takes memory; the first one says what kind all are of."""

    def __init__(self, data: Data, *, live: bool, signals: SignalKind | None = None) -> None:
        self._data, self._live, self.signals = data, live, signals
        self._remarks: Counter[str] = Counter()

    def read(self, files: Sequence[str], data: Data, notes: list[str]) -> Part:
        """Read all of some files; notes: gets what there is to say. Raises `DataError` for the first that cannot be used, unless such are to be skipped."""
        faults = Faults(data.on_error)
        part = Part()
        for one in iter_transcripts(files, data.reading(), faults, notes):
            try:
                self._add(one, part)
            except DataError as error:
                faults.handle(error)
        part.skipped.extend(faults.skipped)
        notes += [f"{count:,} {'signals' if count > 1 else 'signal'}: {text}" for text, count in self._remarks.items()]
        self._remarks.clear()
        notes += skipped_notes(part.skipped)
        if not len(part):
            reason = f": {part.skipped[0]}" if part.skipped else ""
            raise DataError(f"no signal with a text is left{reason}", source=" ".join(files[:3]))
        return part

    def _add(self, one: Transcript, part: Part) -> None:
        if self.signals is None:
            self.signals = signal_kind(one.kind).of([one.signal], self._data, live=self._live)
        if one.kind != self.signals.kind:
            raise DataError(f"expected a {self.signals.kind}, as those before, got a {one.kind}", source=one.source)
        kept = self.signals.prepare(one.signal, one.source)
        frames = self.signals.frames(kept)
        if remark := self.signals.note(one.signal):
            self._remarks[remark] += 1
        part.kept.append(kept)
        part.frames.append(frames)
        part.texts.append(one.text or "")
        part.groups.append(one.group)
        part.places.append(one.source if one.place is None else f"{one.source}: {one.place}")
        part.parts.append(one.split)
        part.excerpts.append(self.signals.excerpt(one.signal))


def read_dataset(data: Data, model: Model, preprocessor: TranscriptPreprocessor | None) -> Dataset:
    """Read, split and encode all that a run needs; how signals and texts become numbers is made from the training part unless it is given.

    Raises `DataError` where a part would be empty.
    """
    notes: list[str] = []
    reader = SignalReader(
        data, live=not model.bidirectional, signals=None if preprocessor is None else preprocessor.signals
    )
    whole = reader.read(data.given, data, notes)
    parts = split_part(whole, data, notes)
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            own: list[str] = []
            parts[name] = reader.read(files, data, own)
            notes += [f"{name}: {message}" for message in own]
    train = parts["train"]
    if not len(train) or reader.signals is None:
        raise DataError("there is nothing to learn from: no signal is left to train on", source=" ".join(data.data[:3]))
    preprocessor = preprocessor or build_preprocessor(
        reader.signals, train.frames, train.texts, data, model.language_order
    )
    notes += leakage_notes(parts, preprocessor) + unit_notes(train, preprocessor, data)
    parts["train"] = replace(train, excerpts=[])
    splits = {name: encode(part, preprocessor) for name, part in parts.items() if len(part)}
    splits["train"] = _long_enough(splits["train"], model, preprocessor, data.on_error, notes)
    sums = _fingerprint(splits.values())
    return Dataset(splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, sums)


def read_split(
    arguments: Sequence[str],
    data: Data,
    preprocessor: TranscriptPreprocessor,
    note: Callable[[str], None],
) -> Split:
    """Read what a user names at evaluation time, as the training data were read; of data that name a test, as published ones do, that alone."""
    files, settings = resolve_files(arguments)
    given = data.model_copy(update={"valid_names": None, "test_names": None, **settings})
    notes: list[str] = []
    part = SignalReader(given, live=False, signals=preprocessor.signals).read(files, given, notes)
    tests = [row for row, name in enumerate(part.parts) if name == "test"]
    if 0 < len(tests) < len(part):
        notes.append(f"{len(tests):,} of {len(part):,} signals are the test, and are measured on")
        part = replace(part.select(tests), skipped=part.skipped)
    for message in notes:
        note(message)
    return encode(part, preprocessor)


def encode(part: Part, preprocessor: TranscriptPreprocessor) -> Split:
    """Turn texts into labels."""
    labels = [preprocessor.encode(text) for text in part.texts]
    return Split(part.kept, part.frames, part.texts, labels, part.groups, part.places, part.skipped, part.excerpts)


def steps_of(frames: int, model: Model, signals: SignalKind) -> int:
    """Count the steps at which the network says something of so many frames."""
    reduction = 4 if signals.has_convolutions else model.stack or signals.frame_stack
    return -(-frames // reduction)


def spellable(split: Split, model: Model, preprocessor: TranscriptPreprocessor) -> list[int]:
    """List the rows whose labels are all known, and which have the steps that these take."""
    return [
        row
        for row, (frames, labels) in enumerate(zip(split.frames, split.labels, strict=True))
        if UNSEEN not in labels and frames_needed(labels) <= steps_of(len(frames), model, preprocessor.signals)
    ]


def _long_enough(
    train: Split, model: Model, preprocessor: TranscriptPreprocessor, on_error: str, notes: list[str]
) -> Split:
    """Leave out the training signals that are too short for their texts, or raise `DataError` for them."""
    rows = spellable(train, model, preprocessor)
    if len(rows) == len(train):
        return train
    short = sorted({*range(len(train))} - {*rows})
    places = ", ".join(abbreviate(train.places[row], 80) for row in short[:3]) + (", …" if len(short) > 3 else "")
    first = short[0]
    steps = steps_of(len(train.frames[first]), model, preprocessor.signals)
    text = f"{len(short):,} signals have fewer steps than their texts take ({steps} for {len(train.labels[first])} units in the first): {places}"
    if on_error == "stop" or not rows:
        hint = "mend their texts, read fewer frames at a step (--stack), or leave them out (--on-error skip)"
        raise DataError(text, source=train.places[first], hint=hint)
    notes.append(f"left out: {text}")
    return select(train, rows)


def select(split: Split, rows: Sequence[int]) -> Split:
    """Give some rows of a split; what was skipped stays."""
    names = ("kept", "frames", "texts", "labels", "groups", "places")
    columns: dict[str, Any] = {name: [getattr(split, name)[row] for row in rows] for name in names}
    return Split(**columns, skipped=split.skipped)


def _fingerprint(splits: Iterable[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        for frames, labels in zip(split.frames, split.labels, strict=True):
            digest.update(np.ascontiguousarray(frames).data)
            digest.update(len(labels).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(labels, dtype=np.int32).data)
        digest.update(b"|")
    return digest.hexdigest()

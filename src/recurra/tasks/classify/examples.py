"""Files in, examples out: sequences with their classes, split, and as numbers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurra.data.labelled import Labelled, Reading, read_labelled
from recurra.data.reading import parse_renames
from recurra.data.splits import split_documents, split_fold
from recurra.errors import DataError, UsageError
from recurra.tasks.classify.config import Data
from recurra.tasks.inputs import Input, begin_with_vectors, make_input
from recurra.tasks.labels import in_order
from recurra.tasks.shares import left_out, share_of_valid

SHOWN = 5


@dataclass(frozen=True)
class Part:
    """Examples of one split.

    sequences: as they were read; encoded: as numbers.  targets: (N) int64, -1 for a label that training never saw; with
    several labels (N, C) float32.  missed: (N), how many such labels each has.  unseen: which they are, and how often they come.
    """

    sequences: list[Any]
    encoded: list[Any]
    targets: np.ndarray
    places: list[str]
    missed: np.ndarray
    unseen: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sequences)


@dataclass(frozen=True)
class Examples:
    """Labelled data ready for training."""

    train: Part
    valid: Part | None
    test: Part | None
    classes: list[str]
    input: Input
    notes: list[str]
    fingerprint: str


def reading(data: Data, *, need_labels: bool = True, phrases: bool = False) -> Reading:
    """Give how the run reads all its data."""
    return Reading(
        text=data.text,
        label=data.label,
        series=data.series,
        time=data.time,
        columns=tuple(data.columns),
        images=data.images,
        phrases=phrases,
        rename=parse_renames(data.rename),
        multi_label=data.multi_label,
        need_labels=need_labels,
        on_error=data.on_error,
    )


def read_examples(data: Data, classes: list[str] | None, made: Input | None) -> Examples:
    """Read, split and encode all that a run needs; classes and input are made from the training part unless they are given.

    Raises `DataError` where a part would be empty or there is but one class, `UsageError` where settings contradict each other.
    """
    if not data.data:
        raise UsageError("data: expected files, folders, globs or the name of a data set; got nothing")
    if data.phrases and not data.test and data.test_share:
        raise UsageError(
            "phrases: expected a test file of its own (--test FILE), or phrases of test sentences are trained on"
        )
    if data.folds and (data.test or data.fold > data.folds):
        raise UsageError(
            "folds: the test is one of the folds; leave out --test"
            if data.test
            else f"fold: expected 1 to {data.folds}, got {data.fold}"
        )
    whole = read_labelled(data.data, reading(data, phrases=data.phrases))
    notes = [*whole.notes, *left_out(whole.skipped)]
    parts = _split(whole, data)
    for name, arguments in (("valid", data.valid), ("test", data.test)):
        if arguments:
            parts[name] = read_labelled(arguments, reading(data))
            notes += [f"{name}: {message}" for message in left_out(parts[name].skipped)]
            _check_kind(parts["train"], parts[name], name)
    train = parts["train"]
    if classes is None:
        classes = in_order(label for labels in train.labels for label in labels)
    if len(classes) < (1 if data.multi_label else 2):
        raise DataError(
            f"expected two classes or more in the training data, got {len(classes)}: {', '.join(classes) or 'none'}",
            source=" ".join(data.data[:3]),
            hint="check --label, and that the data is not sorted into files by class",
        )
    if made is None:
        made = make_input(train.kind, train.sequences, train.channels, data, unit=data.unit)
        notes += begin_with_vectors(made, data.vectors)
    notes += _same_texts(parts, made)
    built = {name: encode(part, classes, made, data.multi_label) for name, part in parts.items() if part.sequences}
    for name, part in built.items():
        if part.unseen:
            listed = ", ".join(f"{label} ({count})" for label, count in list(part.unseen.items())[:SHOWN])
            notes.append(f"{name}: labels that training never saw, which count as wrong: {listed}")
    return Examples(
        built["train"], built.get("valid"), built.get("test"), classes, made, notes, _fingerprint(parts, made)
    )


def encode(part: Labelled, classes: Sequence[str], made: Input, multi_label: bool) -> Part:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    encoded = []
    for sequence, place in zip(part.sequences, part.places, strict=True):
        try:
            encoded.append(made.encode(sequence))
        except DataError as error:
            raise DataError(str(error), source=place) from None
    index = {label: number for number, label in enumerate(classes)}
    unseen = Counter(label for labels in part.labels for label in labels if label not in index)
    if multi_label:
        targets = np.zeros((len(part.sequences), len(classes)), np.float32)
        for row, labels in enumerate(part.labels):
            targets[row, [index[label] for label in labels if label in index]] = 1.0
    else:
        targets = np.array([index.get(labels[0], -1) for labels in part.labels], np.int64)
    missed = np.array([sum(label not in index for label in labels) for labels in part.labels], np.int64)
    return Part(list(part.sequences), encoded, targets, part.places, missed, dict(unseen.most_common()))


def _split(whole: Labelled, data: Data) -> dict[str, Labelled]:
    valid, test = share_of_valid(data, len(whole.sequences)), 0.0 if data.test else data.test_share
    keys = [sequence.encode() if isinstance(sequence, str) else sequence.tobytes() for sequence in whole.sequences]
    split = split_fold(keys, data.folds, data.fold, valid) if data.folds else split_documents(keys, valid, test)
    return {name: _taken(whole, getattr(split, name)) for name in ("train", "valid", "test")}


def _taken(whole: Labelled, indices: list[int]) -> Labelled:
    picked = {name: [getattr(whole, name)[index] for index in indices] for name in ("sequences", "labels", "places")}
    return Labelled(whole.kind, channels=whole.channels, skipped=[], **picked)


def _check_kind(train: Labelled, other: Labelled, name: str) -> None:
    if other.kind != train.kind:
        raise DataError(f"{name}: expected {train.kind} as in the training data, got {other.kind}")


def _same_texts(parts: dict[str, Labelled], made: Input) -> list[str]:
    """Say what stands on both sides of a split, and what is labelled in two ways."""
    notes = []
    labels: dict[bytes, set[tuple[str, ...]]] = {}
    for sequence, label in zip(parts["train"].sequences, parts["train"].labels, strict=True):
        labels.setdefault(made.key(sequence), set()).add(label)
    twice = sum(len(said) > 1 for said in labels.values())
    if twice:
        notes.append(f"{twice:,} training examples are there with different labels")
    for name in ("valid", "test"):
        count = sum(made.key(sequence) in labels for sequence in parts[name].sequences)
        if count:
            notes.append(
                f"leakage: {count:,} of {len(parts[name].sequences):,} {name} examples stand in the training data too"
            )
    return notes


def _fingerprint(parts: dict[str, Labelled], made: Input) -> str:
    digest = hashlib.sha256()
    for part in parts.values():
        for sequence, label in zip(part.sequences, part.labels, strict=True):
            key, said = made.key(sequence), "\0".join(label).encode()
            digest.update(len(key).to_bytes(8, "little") + key + len(said).to_bytes(8, "little") + said)
        digest.update(b"|")
    return digest.hexdigest()

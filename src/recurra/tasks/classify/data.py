"""Files in, examples out: sequences with their classes, split, and as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from recurra.data.labelled.reader import Labelled, Reading, read_labelled
from recurra.errors import DataError, UsageError
from recurra.tasks.base.dataset import left_out
from recurra.tasks.base.labels import in_order
from recurra.tasks.classify.config import Data
from recurra.tasks.sequence.data import (
    Examples,
    contradictions,
    cutting,
    encode_each,
    fingerprint,
    leakage,
    named,
    read_held_out,
    split_up,
    unseen_labels,
)
from recurra.tasks.sequence.preprocessing import Input, begin_with_vectors, make_input


@dataclass(frozen=True)
class Part:
    """Examples of one split.

    sequences: as they were read; encoded: as numbers.  targets: (N) int64, -1 for a label that training never saw; with
    several labels (N, C) float32.  missed: (N), how many such labels each has.  unseen: which they are, and how often they come.
    skipped: what was left out in reading.
    """

    sequences: list[Any]
    encoded: list[Any]
    targets: np.ndarray
    places: list[str]
    missed: np.ndarray
    unseen: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sequences)


def reading(data: Data, *, phrases: bool = False, for_answers: bool = False) -> Reading:
    """Give how the run reads all its data; for_answers: whatever is there has an answer, so nothing is left out."""
    return replace(data.reading(for_answers=for_answers), phrases=phrases, multi_label=data.multi_label)


def read_examples(data: Data, classes: list[str] | None, made: Input | None) -> Examples[Part]:
    """Read, split and encode all that a run needs; classes and input are made from the training part unless they are given.

    Raises `DataError` where a part would be empty or there is but one class, `UsageError` where settings contradict each other.
    """
    if data.phrases and not data.test and data.test_share:
        raise UsageError(
            "phrases: expected a test file of its own (--test FILE), or phrases of test sentences are trained on"
        )
    cut = cutting(data, data)
    whole = read_labelled(data.given, reading(data, phrases=data.phrases))
    notes = [*whole.notes, *left_out(whole.skipped)]
    parts = split_up(whole, data, cut)
    train = parts["train"]
    if classes is None:
        classes = in_order(label for labels in train.labels for label in labels)
    if len(classes) < (1 if data.multi_label else 2):
        raise DataError(
            f"expected two classes or more in the training data, got {len(classes)}: {', '.join(classes) or 'none'}",
            source=named(data),
            hint="check --label, and that the data is not sorted into files by class",
        )
    if made is None:
        made = make_input(train.kind, train.sequences, train.channels, data, unit=data.unit)
        notes += begin_with_vectors(made, data.vectors)
    held_out, more = read_held_out(data, made, lambda files: read_labelled(files, reading(data)))
    parts, notes = parts | held_out, notes + more
    notes += contradictions(train.sequences, train.labels, made)
    notes += leakage({name: part.sequences for name, part in parts.items()}, made)
    built = {name: encode(part, classes, made, data.multi_label) for name, part in parts.items() if part.sequences}
    for name, part in built.items():
        notes += unseen_labels(name, part.unseen)
    sums = fingerprint((zip(part.sequences, part.labels, strict=True) for part in parts.values()), made)
    return Examples(built["train"], built.get("valid"), built.get("test"), classes, made, notes, sums)


def encode(part: Labelled, classes: Sequence[str], made: Input, multi_label: bool) -> Part:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    encoded = encode_each(part.sequences, part.places, made)
    index = {label: number for number, label in enumerate(classes)}
    unseen = Counter(label for labels in part.labels for label in labels if label not in index)
    if multi_label:
        targets = np.zeros((len(part.sequences), len(classes)), np.float32)
        for row, labels in enumerate(part.labels):
            targets[row, [index[label] for label in labels if label in index]] = 1.0
    else:
        targets = np.array([index.get(labels[0], -1) for labels in part.labels], np.int64)
    missed = np.array([sum(label not in index for label in labels) for labels in part.labels], np.int64)
    said = dict(unseen.most_common())
    return Part(list(part.sequences), encoded, targets, part.places, missed, said, part.skipped)

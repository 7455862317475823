"""Files in, examples out: sequences with their classes, split, and as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.data.labelled.options import LabelledOptions
from recurra.data.labelled.reader import Labelled, read_labelled
from recurra.errors import DataError, UsageError
from recurra.formatting import WARNING
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.base.labels import natural_sort
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.tasks.classify.config import Data
from recurra.tasks.classify.excerpts import encode_excerpts
from recurra.tasks.classify.preprocessing import ClassifierPreprocessor
from recurra.tasks.sequence.data import (
    Dataset,
    conflicting_label_notes,
    encode_all,
    fingerprint,
    leakage_notes,
    remember_columns,
    source_name,
    split_function,
    split_labelled,
    unseen_label_notes,
)
from recurra.tasks.sequence.preprocessing import build_preprocessor, load_pretrained_vectors
from recurra.tasks.sequence.transfer import check_inputs
from recurra.tasks.sequence.unlabelled import read_remaining

MAX_CLASSES = 10_000
"""Each example has a probability of each of them."""
MIN_EXAMPLES_WITH_OWN_LABELS = 8
MIN_SHARE_OF_OWN_LABELS = 0.9
"""Share of the training examples from which on labels that come once are noted."""


@dataclass(frozen=True)
class Split:
    """Examples of one split.

    sequences: as they were read; encoded: as numbers.  targets: (N) int64, -1 for a label that training never saw; with
    several labels (N, C) float32.  missed: (N), how many such labels each has.  unseen: which they are, and how often they come.
    skipped: what was left out in reading.  linear: the logits of the linear classifier, (N, C) float32, where there is one and the
    part is held out.
    """

    sequences: list[Any]
    encoded: list[Any]
    targets: np.ndarray
    places: list[str]
    missed: np.ndarray
    unseen: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    linear: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.sequences)


def reading_options(data: Data, *, phrases: bool = False, labelled: bool = True) -> LabelledOptions:
    """Give how the run reads all its data; labelled: False: whatever is there gets a prediction, with a label or not."""
    return replace(data.reading(labelled=labelled), phrases=phrases, multi_label=data.multi_label)


def read_dataset(
    data: Data, known: ClassifierPreprocessor | None, given: PretrainedLayers | None = None
) -> Dataset[Split]:
    """Read, split and encode all that a run needs; classes and inputs are known, or made from the training part.

    given: of the run to begin with, whose words are known too.

    Raises `DataError` where a part would be empty or there is but one class, `UsageError` where settings contradict each other.
    """
    if data.phrases and not data.test and data.test_share:
        raise UsageError(
            "phrases: expected a test file of its own (--test FILE), or phrases of test sentences are trained on"
        )
    cut = split_function(data, data)
    whole = read_labelled(data.given, reading_options(data, phrases=data.phrases))
    remember_columns(data, whole)
    whole = whole if data.folds is None else replace(whole, test=[])
    parts, published = split_labelled(whole, data, cut)
    notes = [*whole.notes, *published, *skipped_notes(whole.skipped)]
    train = parts["train"]
    read = partial(read_labelled, options=reading_options(data))
    make = partial(_make_preprocessor, data=data, given=given)
    parts, preprocessor, unlabelled, more = read_remaining(data.unlabelled, data, parts, read, known, make)
    inputs, notes = preprocessor.inputs, notes + more
    notes += _own_label_notes(train.labels)
    notes += conflicting_label_notes(train.sequences, train.labels, inputs)
    notes += leakage_notes({name: part.sequences for name, part in parts.items()}, inputs)
    splits = {name: encode(part, preprocessor, data.multi_label) for name, part in parts.items() if part.sequences}
    for name, split in splits.items():
        notes += unseen_label_notes(name, split.unseen)
    digest = fingerprint((zip(part.sequences, part.labels, strict=True) for part in parts.values()), inputs)
    return Dataset(splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, digest, unlabelled)


def _make_preprocessor(
    train: Labelled, unlabelled: Sequence[str], *, data: Data, given: PretrainedLayers | None
) -> tuple[ClassifierPreprocessor, list[str]]:
    classes = natural_sort(label for labels in train.labels for label in labels)
    if len(classes) < (1 if data.multi_label else 2):
        raise DataError(
            f"expected two classes or more in the training data, got {len(classes)}: {', '.join(classes) or 'none'}",
            source=source_name(data),
            hint="check --label, and that the data is not sorted into files by class",
        )
    if len(classes) > MAX_CLASSES:
        raise DataError(
            f"expected at most {MAX_CLASSES:,} classes, got {len(classes):,} in {len(train.labels):,} training examples",
            source=source_name(data),
            hint="check --label: is it the column that was meant?",
        )
    if given is not None:
        check_inputs(given, train.kind, data.unit)
    texts = [*train.sequences, *unlabelled]
    inputs = build_preprocessor(train.kind, texts, train.channels, data, unit=data.unit, given=given)
    return ClassifierPreprocessor(inputs, classes), load_pretrained_vectors(inputs, data.vectors)


def _own_label_notes(labels: Sequence[tuple[str, ...]]) -> list[str]:
    """Warn of labels nearly each of which one example alone has."""
    several = Counter(label for one in labels for label in one)
    alone = sum(count == 1 for count in several.values())
    if len(labels) < MIN_EXAMPLES_WITH_OWN_LABELS or alone < MIN_SHARE_OF_OWN_LABELS * len(labels):
        return []
    return [
        f"{WARNING}{alone:,} of {len(labels):,} training examples have a label that no other one has, so nothing can be learnt of "
        "it; is --label the column that was meant?"
    ]


def encode(read: Labelled, preprocessor: ClassifierPreprocessor, multi_label: bool) -> Split:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    classes = preprocessor.labels
    encoded = encode_all(read.sequences, read.places, preprocessor.inputs)
    index = {label: number for number, label in enumerate(classes)}
    unseen = Counter(label for labels in read.labels for label in labels if label not in index)
    if multi_label:
        targets = np.zeros((len(read.sequences), len(classes)), np.float32)
        for row, labels in enumerate(read.labels):
            targets[row, [index[label] for label in labels if label in index]] = 1.0
    else:
        targets = np.array([index.get(labels[0], -1) for labels in read.labels], np.int64)
    missed = np.array([sum(label not in index for label in labels) for labels in read.labels], np.int64)
    return Split(list(read.sequences), encoded, targets, read.places, missed, dict(unseen.most_common()), read.skipped)


def add_linear(split: Split, preprocessor: ClassifierPreprocessor) -> Split:
    """Give a split with the logits of the linear classifier, if there is one."""
    return replace(split, linear=preprocessor.linear_logits(split.sequences))


def take_excerpts(split: Split, preprocessor: ClassifierPreprocessor, most: int | None) -> Split:
    """Give a split with what the network reads of its long texts (`encode_excerpts`)."""
    return replace(split, encoded=encode_excerpts(split.sequences, split.encoded, preprocessor, most))


def has_known_label(split: Split) -> np.ndarray:
    """Tell which examples have a label that training has seen, (N) bool."""
    return np.ones(len(split), bool) if split.targets.ndim == 2 else split.targets >= 0


def label_counts(targets: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    """Count the examples of each class, by its name.

    >>> label_counts(np.array([1, 1, 0]), ["no", "yes", "maybe"])
    {'no': 1, 'yes': 2, 'maybe': 0}
    """
    counts = targets.sum(0) if targets.ndim == 2 else np.bincount(targets[targets >= 0], minlength=len(classes))
    return dict(zip(classes, map(int, counts), strict=True))


def class_frequencies(targets: np.ndarray, classes: int) -> Tensor:
    """Give how often each class comes in training, (C), as if each had come once more; with several labels each by itself."""
    if targets.ndim == 2:
        return torch.from_numpy((targets.sum(0) + 1) / (len(targets) + 2)).float()
    count = np.bincount(targets, minlength=classes) + 1.0
    return torch.from_numpy(count / count.sum()).float()


def balanced_weights(targets: np.ndarray, classes: int) -> Tensor:
    """Give what each class counts in the loss, (C), so that all count alike, with a mean of 1 over the training examples."""
    if targets.ndim == 2:
        count = targets.sum(0)
        return torch.from_numpy((len(targets) - count) / np.maximum(1, count)).float()
    count = np.bincount(targets, minlength=classes)
    return torch.from_numpy(len(targets) / (np.count_nonzero(count) * np.maximum(1, count))).float()

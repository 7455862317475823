"""Files in, examples out: sentences or series with a tag for each step, split, and as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurra.data.labelled.tagged import Tagged, TaggedOptions, read_tagged
from recurra.errors import DataError
from recurra.metrics import marks_spans
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.base.labels import natural_sort
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.tasks.sequence.data import (
    Dataset,
    encode_all,
    fingerprint,
    leakage_notes,
    source_name,
    split_dataset,
    split_function,
    unseen_label_notes,
)
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.sequence.preprocessing import build_preprocessor, load_pretrained_vectors
from recurra.tasks.sequence.transfer import check_inputs
from recurra.tasks.sequence.unlabelled import read_remaining
from recurra.tasks.tag.config import Data
from recurra.text import whole_number

UNKNOWN = -1
"""The number of a tag that training never saw, and of what stands behind the end of a sequence."""


@dataclass(frozen=True)
class Split:
    """Examples of one split.

    sequences: lists of words, or series (T, C); encoded: as numbers.  tags: as they were read.  targets: (T) int64 each,
    `UNKNOWN` for a tag that training never saw.  unseen: which those are, and how often they come.  skipped: what was left out
    in reading.
    """

    sequences: list[Any]
    encoded: list[Any]
    tags: list[list[str]]
    targets: list[np.ndarray]
    places: list[str]
    unseen: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def steps(self) -> int:
        """Count the steps that have a tag."""
        return sum(len(tags) for tags in self.tags)


def reading_options(data: Data, *, labelled: bool = True) -> TaggedOptions:
    """Give how the run reads all its data; labelled: False: whatever is there gets a prediction, with a label or not."""
    return TaggedOptions(
        column=_column(data.column),
        tokens=_column(data.tokens),
        series=tuple(data.series),
        time=data.time,
        columns=tuple(data.columns),
        header=data.header,
        need_labels=labelled,
        on_error=data.on_error,
    )


def _column(given: str | None) -> int | str | None:
    number = None if given is None else whole_number(given.removeprefix("-"))
    return given if number is None or given is None else -number if given.startswith("-") else number


def read_dataset(
    data: Data, known: LabelledPreprocessor | None, given: PretrainedLayers | None = None
) -> Dataset[Split]:
    """Read, split and encode all that a run needs; tags and inputs are known, or made from the training part.

    given: of the run to begin with, whose words are known too.

    Raises `DataError` where a part would be empty or there is but one tag, `UsageError` where settings contradict each other.
    """
    cut = split_function(data, data)
    whole = read_tagged(data.given, reading_options(data))
    notes = [*whole.notes, *skipped_notes(whole.skipped)]
    parts = split_dataset(whole, data, cut)
    train = parts["train"]
    if not any(train.tags):
        raise DataError("there is nothing to learn from: no training sentence has a word", source=source_name(data))
    read = partial(read_tagged, options=reading_options(data))
    make = partial(_make_preprocessor, data=data, given=given)
    parts, preprocessor, unlabelled, more = read_remaining(data.unlabelled, data, parts, read, known, make)
    inputs, notes = preprocessor.inputs, notes + more
    notes += leakage_notes({name: part.inputs for name, part in parts.items()}, inputs)
    splits = {name: encode(part, preprocessor) for name, part in parts.items() if part.tags}
    for name, split in splits.items():
        notes += unseen_label_notes(name, split.unseen)
    digest = fingerprint((zip(split.sequences, split.tags, strict=True) for split in splits.values()), inputs)
    return Dataset(splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, digest, unlabelled)


def _make_preprocessor(
    train: Tagged, unlabelled: Sequence[str], *, data: Data, given: PretrainedLayers | None
) -> tuple[LabelledPreprocessor, list[str]]:
    tags = natural_sort(tag for sentence in train.tags for tag in sentence)
    if len(tags) < 2:
        raise DataError(
            f"expected two tags or more in the training data, got {len(tags)}: {', '.join(tags) or 'none'}",
            source=source_name(data),
            hint="name the column that has the tags: --column",
        )
    if given is not None:
        check_inputs(given, train.kind, "word")
    texts = [*train.inputs, *unlabelled]
    inputs = build_preprocessor(train.kind, texts, train.channels, data, given=given)
    return LabelledPreprocessor(inputs, tags), load_pretrained_vectors(inputs, data.vectors)


def encode(read: Tagged, preprocessor: LabelledPreprocessor) -> Split:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    sequences, tags = read.inputs, preprocessor.labels
    encoded = encode_all(sequences, read.places, preprocessor.inputs)
    index = {tag: number for number, tag in enumerate(tags)}
    targets = [np.array([index.get(tag, UNKNOWN) for tag in row], np.int64) for row in read.tags]
    unseen = Counter(tag for row in read.tags for tag in row if tag not in index)
    if marks_spans(tags):
        _check_marks(read, set(unseen))
    return Split(sequences, encoded, read.tags, targets, read.places, dict(unseen.most_common()), read.skipped)


def _check_marks(read: Tagged, unseen: set[str]) -> None:
    """Raise `DataError`, with its place, for a tag that marks no span where the tags of training mark some."""
    wrong = {tag for tag in unseen if tag != "O" and not marks_spans([tag, "O", "B"])}
    for tags, place in zip(read.tags, read.places, strict=True) if wrong else ():
        if found := next((tag for tag in tags if tag in wrong), None):
            raise DataError(
                f"expected tags that mark spans, as in the training data (O, B-…, I-…); got {found!r}",
                source=place,
                hint="name the column that has them (--column)",
            )


def tag_frequencies(targets: Sequence[np.ndarray], tags: int) -> Tensor:
    """Give how often each tag comes in training, (K), as if each had come once more."""
    count = np.bincount(np.concatenate(targets), minlength=tags) + 1.0
    return torch.from_numpy(count / count.sum()).float()


def padded_targets(targets: Sequence[np.ndarray]) -> np.ndarray:
    """Put targets (T) of each sequence side by side: (T, B), `UNKNOWN` behind the shorter ones.

    >>> padded_targets([np.array([1, 2]), np.array([3])]).tolist()
    [[1, 3], [2, -1]]
    """
    steps = max((len(one) for one in targets), default=0)
    whole = np.full((steps, len(targets)), UNKNOWN, np.int64)
    for row, one in enumerate(targets):
        whole[: len(one), row] = one
    return whole

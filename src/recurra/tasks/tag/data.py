"""Files in, examples out: sentences or series with a tag for each step, split, and as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recurra.data.labelled.tagged import Tagged, TagReading, read_tagged
from recurra.errors import DataError
from recurra.metrics import marks_spans
from recurra.tasks.base.labels import in_order
from recurra.tasks.sequence.data import (
    Examples,
    cutting,
    encode_all,
    fingerprint,
    leakage_notes,
    named,
    read_held_out,
    sequences,
    split_dataset,
    unseen_label_notes,
)
from recurra.tasks.sequence.preprocessing import Preprocessor, build_preprocessor, load_pretrained_vectors
from recurra.tasks.tag.config import Data


@dataclass(frozen=True)
class Part:
    """Examples of one split.

    sequences: lists of words, or series (T, C); encoded: as numbers.  tags: as they were read.  targets: (T) int64 each, -1
    for a tag that training never saw.  unseen: which those are, and how often they come.  skipped: what was left out in reading.
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


def reading(data: Data, *, for_answers: bool = False) -> TagReading:
    """Give how the run reads all its data; for_answers: whatever is there has an answer, so nothing is left out."""
    return TagReading(
        column=_column(data.column),
        tokens=_column(data.tokens),
        series=data.series,
        time=data.time,
        columns=tuple(data.columns),
        need_labels=not for_answers,
        on_error="stop" if for_answers else data.on_error,
    )


def _column(given: str | None) -> int | str | None:
    return int(given) if given is not None and given.lstrip("-").isdecimal() else given


def read_examples(data: Data, tags: list[str] | None, made: Preprocessor | None) -> Examples[Part]:
    """Read, split and encode all that a run needs; tags and input are made from the training part unless they are given.

    Raises `DataError` where a part would be empty or there is but one tag.
    """
    cut = cutting(data, data)
    whole = read_tagged(data.given, reading(data))
    notes = [*whole.notes, *left_out(whole.skipped)]
    parts = split_dataset(whole, data, cut)
    train = parts["train"]
    if tags is None:
        tags = in_order(tag for sentence in train.tags for tag in sentence)
    if not any(train.tags):
        raise DataError("there is nothing to learn from: no training sentence has a word", source=named(data))
    if len(tags) < 2:
        raise DataError(
            f"expected two tags or more in the training data, got {len(tags)}: {', '.join(tags) or 'none'}",
            source=named(data),
            hint="name the column that has the tags: --column",
        )
    if made is None:
        made = build_preprocessor(train.kind, sequences(train), train.channels, data)
        notes += load_pretrained_vectors(made, data.vectors)
    held_out, more = read_held_out(data, made, lambda files: read_tagged(files, reading(data)))
    parts, notes = parts | held_out, notes + more
    notes += leakage_notes({name: sequences(part) for name, part in parts.items()}, made)
    built = {name: encode(part, tags, made) for name, part in parts.items() if part.tags}
    for name, part in built.items():
        notes += unseen_label_notes(name, part.unseen)
    sums = fingerprint((zip(part.sequences, part.tags, strict=True) for part in built.values()), made)
    return Examples(built["train"], built.get("valid"), built.get("test"), tags, made, notes, sums)


def encode(read: Tagged, tags: Sequence[str], made: Preprocessor) -> Part:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    given, index = sequences(read), {tag: number for number, tag in enumerate(tags)}
    encoded = encode_all(given, read.places, made)
    targets = [np.array([index.get(tag, -1) for tag in said], np.int64) for said in read.tags]
    unseen = Counter(tag for said in read.tags for tag in said if tag not in index)
    if marks_spans(tags):
        _check_marks(read, set(unseen))
    return Part(given, encoded, read.tags, targets, read.places, dict(unseen.most_common()), read.skipped)


def _check_marks(read: Tagged, unseen: set[str]) -> None:
    """Raise `DataError`, with its place, for a tag that marks no span where the tags of training mark some."""
    wrong = {tag for tag in unseen if tag != "O" and not marks_spans([tag, "O", "B"])}
    for said, place in zip(read.tags, read.places, strict=True) if wrong else ():
        if found := next((tag for tag in said if tag in wrong), None):
            raise DataError(
                f"expected tags that mark spans, as in the training data (O, B-…, I-…); got {found!r}",
                source=place,
                hint="name the column that has them (--column)",
            )


def padded_targets(targets: Sequence[np.ndarray], fill: int) -> np.ndarray:
    """Put targets (T) of each sequence side by side: (T, B), `fill` behind the shorter ones.

    >>> padded_targets([np.array([1, 2]), np.array([3])], -1).tolist()
    [[1, 3], [2, -1]]
    """
    steps = max((len(one) for one in targets), default=0)
    whole = np.full((steps, len(targets)), fill, np.int64)
    for row, one in enumerate(targets):
        whole[: len(one), row] = one
    return whole

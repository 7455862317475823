"""Files in, examples out: sentences or series with a tag for each step, split, and as numbers."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurra.data.splits import split_documents
from recurra.data.tagged import Tagged, TagReading, read_tagged
from recurra.errors import DataError, UsageError
from recurra.tasks.inputs import Input, begin_with_vectors, make_input
from recurra.tasks.labels import in_order
from recurra.tasks.shares import left_out, share_of_valid
from recurra.tasks.tag.config import Data

SHOWN = 5


@dataclass(frozen=True)
class Part:
    """Examples of one split.

    sequences: lists of words, or series (T, C); encoded: as numbers.  tags: as they were read.  targets: (T) int64 each, -1
    for a tag that training never saw.
    """

    sequences: list[Any]
    encoded: list[Any]
    tags: list[list[str]]
    targets: list[np.ndarray]
    places: list[str]

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def steps(self) -> int:
        """Count the steps that have a tag."""
        return sum(len(tags) for tags in self.tags)


@dataclass(frozen=True)
class Examples:
    """Tagged data ready for training."""

    train: Part
    valid: Part | None
    test: Part | None
    tags: list[str]
    input: Input
    notes: list[str]
    fingerprint: str


def reading(data: Data, *, need_labels: bool = True) -> TagReading:
    """Give how the run reads all its data."""
    return TagReading(
        column=_column(data.column),
        tokens=_column(data.tokens),
        series=data.series,
        time=data.time,
        columns=tuple(data.columns),
        need_labels=need_labels,
        on_error=data.on_error,
    )


def _column(given: str | None) -> int | str | None:
    return int(given) if given is not None and given.lstrip("-").isdecimal() else given


def read_examples(data: Data, tags: list[str] | None, made: Input | None) -> Examples:
    """Read, split and encode all that a run needs; tags and input are made from the training part unless they are given.

    Raises `DataError` where a part would be empty or there is but one tag.
    """
    if not data.data:
        raise UsageError("data: expected files, folders, globs or the name of a data set; got nothing")
    whole = read_tagged(data.data, reading(data))
    notes = [*whole.notes, *left_out(whole.skipped)]
    parts = _split(whole, data)
    for name, arguments in (("valid", data.valid), ("test", data.test)):
        if arguments:
            parts[name] = read_tagged(arguments, reading(data))
            notes += [f"{name}: {message}" for message in left_out(parts[name].skipped)]
            if parts[name].kind != whole.kind:
                raise DataError(f"{name}: expected {whole.kind} as in the training data, got {parts[name].kind}")
    train = parts["train"]
    if tags is None:
        tags = in_order(tag for sentence in train.tags for tag in sentence)
    if len(tags) < 2:
        raise DataError(
            f"expected two tags or more in the training data, got {len(tags)}: {', '.join(tags) or 'none'}",
            source=" ".join(data.data[:3]),
            hint="name the column that has the tags: --column",
        )
    if made is None:
        made = make_input(train.kind, sequences(train), train.channels, data)
    notes += begin_with_vectors(made, data.vectors)
    built = {name: encode(part, tags, made) for name, part in parts.items() if part.tags}
    for name, part in built.items():
        unseen = Counter(tag for sentence in part.tags for tag in sentence if tag not in tags)
        if unseen:
            listed = ", ".join(f"{tag} ({count})" for tag, count in unseen.most_common(SHOWN))
            notes.append(f"{name}: tags that training never saw, which count as wrong: {listed}")
    if built["train"].steps == 0:
        raise DataError("there is nothing to learn from: no training sentence has a word")
    notes += _leaks(built, made)
    return Examples(built["train"], built.get("valid"), built.get("test"), tags, made, notes, _fingerprint(built, made))


def sequences(read: Tagged) -> list[Any]:
    """Give what the tags are of: lists of words, or series."""
    return list(read.sentences) if read.kind == "text" else list(read.sequences)


def encode(read: Tagged, tags: Sequence[str], made: Input) -> Part:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    encoded, targets = [], []
    index = {tag: number for number, tag in enumerate(tags)}
    for sequence, said, place in zip(sequences(read), read.tags, read.places, strict=True):
        try:
            encoded.append(made.encode(sequence))
        except DataError as error:
            raise DataError(str(error), source=place) from None
        targets.append(np.array([index.get(tag, -1) for tag in said], np.int64))
    return Part(sequences(read), encoded, read.tags, targets, read.places)


def _split(whole: Tagged, data: Data) -> dict[str, Tagged]:
    valid, test = share_of_valid(data, len(whole.tags)), 0.0 if data.test else data.test_share
    keys = [
        "\0".join(sequence).encode() if isinstance(sequence, list) else sequence.tobytes()
        for sequence in sequences(whole)
    ]
    split = split_documents(keys, valid, test)
    return {name: _taken(whole, getattr(split, name)) for name in ("train", "valid", "test")}


def _taken(whole: Tagged, indices: list[int]) -> Tagged:
    def pick(values: list[Any]) -> list[Any]:
        return [values[index] for index in indices] if values else []

    return Tagged(
        whole.kind,
        pick(whole.sentences),
        pick(whole.tags),
        pick(whole.places),
        [],
        sequences=pick(whole.sequences),
        channels=whole.channels,
    )


def _leaks(parts: dict[str, Part], made: Input) -> list[str]:
    known = {made.key(sequence) for sequence in parts["train"].sequences}
    notes = []
    for name in ("valid", "test"):
        if name in parts:
            count = sum(made.key(sequence) in known for sequence in parts[name].sequences)
            if count:
                notes.append(
                    f"leakage: {count:,} of {len(parts[name]):,} {name} examples stand in the training data too"
                )
    return notes


def _fingerprint(parts: dict[str, Part], made: Input) -> str:
    digest = hashlib.sha256()
    for part in parts.values():
        for sequence, tags in zip(part.sequences, part.tags, strict=True):
            key, said = made.key(sequence), "\0".join(tags).encode()
            digest.update(len(key).to_bytes(8, "little") + key + len(said).to_bytes(8, "little") + said)
        digest.update(b"|")
    return digest.hexdigest()

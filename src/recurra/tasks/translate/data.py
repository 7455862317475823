"""Files in, pairs out: sources and targets, split, and as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.pairs import Pairs, read_pairs
from recurra.data.splits import split_documents
from recurra.errors import DataError
from recurra.tasks.base.dataset import PreparedData, default_valid_share, skipped_notes
from recurra.tasks.translate.config import Data
from recurra.tasks.translate.preprocessing import TranslationPreprocessor, build_preprocessor

MAX_VALIDATION_PAIRS = 2_000
"""More tell hardly more, and would be translated again and again while training."""


@dataclass(frozen=True)
class Split:
    """Pairs of one split, as they were read and as ids; encoded_sources end with the end mark, encoded_targets have no marks."""

    sources: list[str]
    targets: list[str]
    encoded_sources: list[np.ndarray]
    encoded_targets: list[np.ndarray]
    places: list[str]
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sources)

    @cached_property
    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """The ids of each source and of each target."""
        return np.array([len(ids) for ids in self.encoded_sources]), np.array(
            [len(ids) for ids in self.encoded_targets]
        )

    @property
    def units(self) -> int:
        """Count the ids to predict: every id of a target, and its end."""
        return sum(len(ids) + 1 for ids in self.encoded_targets)

    def rows_by_source(self) -> list[list[int]]:
        """Give the pairs of each source, in the order in which the sources first come: several targets of one are all right."""
        rows: dict[str, list[int]] = {}
        for row, source in enumerate(self.sources):
            rows.setdefault(source, []).append(row)
        return list(rows.values())


class Dataset(PreparedData[Split, TranslationPreprocessor]):
    """Pairs ready for training."""


def read_dataset(data: Data, preprocessor: TranslationPreprocessor | None) -> Dataset:
    """Read, split and encode all that a run needs; the vocabularies are made from the training part unless they are given.

    Raises `DataError` where a part would be empty.
    """
    whole = read_pairs(data.given, data.reading())
    notes = [*whole.notes, *skipped_notes(whole.skipped)]
    parts = _split(whole, data)
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            parts[name] = part = read_pairs(files, data.reading())
            notes += [f"{name}: {message}" for message in [*part.notes, *skipped_notes(part.skipped)]]
    train = parts["train"]
    if not train.sources:
        raise DataError("there is nothing to learn from: no pair is left to train on", source=" ".join(data.data[:3]))
    preprocessor = preprocessor or build_preprocessor(train.sources, train.targets, data)
    notes += leakage_notes(parts)
    splits = {name: encode(part, preprocessor) for name, part in parts.items() if part.sources}
    return Dataset(
        splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, _fingerprint(splits.values())
    )


def _split(whole: Pairs, data: Data) -> dict[str, Pairs]:
    valid = default_valid_share(data, len(whole.sources))
    if data.valid_share is None:
        valid = min(valid, MAX_VALIDATION_PAIRS / len(whole.sources))
    try:
        split = split_documents(whole.keys, valid, 0.0 if data.test else data.test_share)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    return {name: whole.select(getattr(split, name)) for name in ("train", "valid", "test")}


def leakage_notes(parts: Mapping[str, Pairs]) -> list[str]:
    """Say how many held-out sources stand in the training data too."""
    known = set(parts["train"].sources)
    notes = []
    for name in ("valid", "test"):
        if part := parts.get(name):
            count = sum(source in known for source in part.sources)
            if count:
                notes.append(
                    f"leakage: {count:,} of {len(part.sources):,} {name} sources stand in the training data too"
                )
    return notes


def read_split(
    arguments: Sequence[str], data: Data, preprocessor: TranslationPreprocessor, note: Callable[[str], None]
) -> Split:
    """Read what a user names at evaluation time, as the training data were read."""
    files, settings = resolve_files(arguments)
    read = read_pairs(files, data.model_copy(update=settings).reading())
    for message in [*read.notes, *skipped_notes(read.skipped)]:
        note(message)
    return encode(read, preprocessor)


def encode(read: Pairs, preprocessor: TranslationPreprocessor) -> Split:
    """Turn pairs into ids."""
    return Split(
        read.sources,
        read.targets,
        [preprocessor.encode_source(text) for text in read.sources],
        [preprocessor.encode_target(text) for text in read.targets],
        read.places,
        read.skipped,
    )


def _fingerprint(splits: Iterable[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        for sequence in (*split.encoded_sources, *split.encoded_targets):
            digest.update(len(sequence).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(sequence, dtype=np.int32).data)
        digest.update(b"|")
    return digest.hexdigest()

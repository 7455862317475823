"""Sequences on their way to a network, whatever is predicted of them: split, encoded, compared, fingerprinted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np
from torch import Tensor

from recurra.data.labelled.reader import Labelled
from recurra.data.labelled.tagged import Tagged
from recurra.data.splits import SplitIndices, split_documents, split_fold
from recurra.errors import DataError, UsageError
from recurra.tasks.base.config import Folds, LabelledData, SequenceData
from recurra.tasks.base.dataset import PreparedData, default_valid_share, skipped_notes
from recurra.tasks.sequence.preprocessing import Preprocessor
from recurra.text import Faults

MAX_LABELS_SHOWN = 5
MAX_STEPS = 100_000
"""Steps of a sequence that is trained on as a whole: what each of them computes is kept until the gradient has come back."""
ReadT = TypeVar("ReadT", bound=Labelled | Tagged)


class Split(Protocol):
    """Examples of one split: as they were read, as numbers, where each stands, labels that are new, and what was left out."""

    @property
    def sequences(self) -> list[Any]: ...
    @property
    def encoded(self) -> list[Any]: ...
    @property
    def places(self) -> list[str]: ...
    @property
    def unseen(self) -> dict[str, int]: ...
    @property
    def skipped(self) -> list[str]: ...
    def __len__(self) -> int: ...


SplitT = TypeVar("SplitT", bound=Split)


@dataclass(frozen=True)
class Dataset(PreparedData[SplitT, Any], Generic[SplitT]):
    """Sequences ready for training; preprocessor: how they became numbers, and what the numbers of labels mean where there are some."""

    unlabelled: list[Any] = field(default_factory=list)
    """Texts that have no labels, to learn from before; read only where a preprocessor is made."""


@dataclass(frozen=True)
class Batch:
    """Sequences side by side: what the input layer takes, their lengths (B), and the targets, as the task has them."""

    inputs: Any
    lengths: Tensor
    targets: Tensor


def split_function(data: SequenceData, folds: Folds) -> Callable[[list[bytes], float, float], SplitIndices]:
    """Give how `split_dataset` is to cut: by shares, or one fold out; data, folds: both faces of the settings.

    Raises `UsageError` for a fold that is not there, and for one beside test files.
    """
    count, fold = folds.folds, folds.fold
    if count is None:
        return split_documents
    if data.test or fold > count:
        raise UsageError(
            "folds: the test is one of the folds; leave out --test"
            if data.test
            else f"fold: expected 1 to {count}, got {fold}"
        )
    return lambda keys, valid, test: split_fold(keys, count, fold, valid)  # noqa: ARG005


def split_dataset(
    whole: ReadT, data: SequenceData, cut: Callable[[list[bytes], float, float], SplitIndices]
) -> dict[str, ReadT]:
    """Split what was read into train, valid and test; cut: (keys, share of valid, of test) → which go where.

    Raises `DataError`, with the files, where a part would be empty.
    """
    valid = default_valid_share(data, len(whole.inputs))
    try:
        split = cut(whole.keys, valid, 0.0 if data.test else data.test_share)
    except DataError as error:
        raise DataError(str(error), source=source_name(data)) from None
    return {name: whole.select(getattr(split, name)) for name in ("train", "valid", "test")}


def split_labelled(
    whole: Labelled, data: LabelledData, cut: Callable[[list[bytes], float, float], SplitIndices]
) -> tuple[dict[str, Labelled], list[str]]:
    """Split as `split_dataset` does, but for examples that are published as the test, and give what there is to say of these.

    They are the test, or are left out where the user names files to test on.
    """
    if not whole.test:
        return split_dataset(whole, data, cut), []
    published = set(whole.test)
    rest = whole.select([at for at in range(len(whole.inputs)) if at not in published])
    parts = split_dataset(rest, data.model_copy(update={"test_share": 0.0}), cut)
    names = ", ".join(dict.fromkeys(whole.places[at].split(", row ")[0] for at in whole.test))
    if data.test:
        return parts, [f"{names}: left out, since it is published as a test, and --test names another"]
    return parts | {"test": whole.select(whole.test)}, [f"{names} is the test, as it is published"]


def remember_columns(data: LabelledData, read: Labelled) -> None:
    """Write into the settings of a run which columns were read, where those were open or positions: other files are read alike."""
    for name, column in read.chosen.items():
        setattr(data, name, column)


def read_held_out(
    data: SequenceData, preprocessor: Preprocessor, read: Callable[[Sequence[str]], ReadT]
) -> tuple[dict[str, ReadT], list[str]]:
    """Read the files that the user names to hold out, and give what there is to say of how they were read."""
    parts, notes = {}, []
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            parts[name] = part = align_channels(read(files), preprocessor, f"{name}: {' '.join(files[:3])}")
            notes += [f"{name}: {message}" for message in [*part.notes, *skipped_notes(part.skipped)]]
    return parts, notes


def source_name(data: SequenceData) -> str:
    """Name the training data in a message."""
    return " ".join(data.data[:3])


def align_channels(read: ReadT, preprocessor: Preprocessor, source: str) -> ReadT:
    """Bring what was read into the form of the training data: series with their channels in the same order.

    Raises `DataError` for another kind, and for channels of other names.
    """
    if read.kind != preprocessor.kind:
        raise DataError(f"expected {preprocessor.kind}, as in the training data; got {read.kind}", source=source)
    order = preprocessor.channel_order(read.channels, source)
    if order is None:
        return read
    return replace(
        read,
        sequences=[series[:, order] for series in cast(list[np.ndarray], read.sequences)],
        channels=preprocessor.channel_names,
    )


def encode_all(given: Sequence[Any], places: Sequence[str], preprocessor: Preprocessor) -> list[Any]:
    """Turn sequences into numbers; raises `DataError` with its place for one of another make."""
    encoded = []
    for sequence, place in zip(given, places, strict=True):
        try:
            encoded.append(preprocessor.encode(sequence))
        except DataError as error:
            raise DataError(str(error), source=place) from None
    return encoded


def check_lengths(lengths: Sequence[int], places: Sequence[str]) -> None:
    """Raise `DataError` with its place for a sequence that is too long to be trained on as a whole.

    >>> check_lengths([3, 4], ["a.csv, line 2", "a.csv, line 3"])
    """
    for length, place in zip(lengths, places, strict=True):
        if length > MAX_STEPS:
            raise DataError(
                f"expected at most {MAX_STEPS:,} steps, which are trained on together; got {length:,}",
                source=place,
                hint="cut it into several, or leave it out",
            )


def check_all(given: Sequence[Any], places: Sequence[str], preprocessor: Preprocessor, faults: Faults) -> list[Any]:
    """Give the sequences that can be encoded; faults: gets a `DataError` with its place for each other one."""
    found = []
    for sequence, place in zip(given, places, strict=True):
        try:
            preprocessor.check(sequence)
        except DataError as error:
            faults.handle(DataError(str(error), source=place))
        else:
            found.append(sequence)
    return found


def _digest(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=16).digest()  # a long series is not kept a second time


def leakage_notes(parts: Mapping[str, Sequence[Any]], preprocessor: Preprocessor) -> list[str]:
    """Say how many held-out sequences stand in the training data too."""
    known = {_digest(preprocessor.dedup_key(sequence)) for sequence in parts["train"]}
    notes = []
    for name in ("valid", "test"):
        if given := parts.get(name):
            count = sum(_digest(preprocessor.dedup_key(sequence)) in known for sequence in given)
            if count:
                notes.append(f"leakage: {count:,} of {len(given):,} {name} examples stand in the training data too")
    return notes


def conflicting_label_notes(
    given: Sequence[Any], labels: Sequence[tuple[str, ...]], preprocessor: Preprocessor
) -> list[str]:
    """Say how many sequences are labelled in two ways."""
    seen: dict[bytes, set[tuple[str, ...]]] = {}
    for sequence, label in zip(given, labels, strict=True):
        seen.setdefault(_digest(preprocessor.dedup_key(sequence)), set()).add(label)
    twice = sum(len(ways) > 1 for ways in seen.values())
    return [f"{twice:,} training examples are there with different labels"] if twice else []


def unseen_label_notes(name: str, counts: Mapping[str, int]) -> list[str]:
    """Say which labels of a part training never saw; counts: how often each comes, the commonest first."""
    if not counts:
        return []
    listed = ", ".join(f"{label} ({count})" for label, count in list(counts.items())[:MAX_LABELS_SHOWN])
    more = f" and {len(counts) - MAX_LABELS_SHOWN:,} more" if len(counts) > MAX_LABELS_SHOWN else ""
    return [f"{name}: labels that training never saw, which count as wrong: {listed}{more}"]


def evaluation_notes(dataset_notes: Sequence[str], name: str, split: Split) -> list[str]:
    """Give what is to be known of an evaluation: the notes on the training data, if they were read, and on the data that it was made on."""
    notes = [*dataset_notes, *unseen_label_notes(name, split.unseen), *skipped_notes(split.skipped)]
    return list(dict.fromkeys(notes))


def fingerprint(parts: Iterable[Iterable[tuple[Any, Sequence[str]]]], preprocessor: Preprocessor) -> str:
    """Give a sum that changes whenever the (sequence, labels) of a part do, or their order."""
    digest = hashlib.sha256()
    for part in parts:
        for sequence, labels in part:
            key, written = preprocessor.dedup_key(sequence), "\0".join(labels).encode()
            digest.update(len(key).to_bytes(8, "little") + key + len(written).to_bytes(8, "little") + written)
        digest.update(b"|")
    return digest.hexdigest()

"""Files in, pictures out: split, and as levels of grey."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.pictures import Pictures, read_pictures, size_text
from recurra.data.splits import split_documents
from recurra.errors import DataError, UsageError
from recurra.tasks.base.dataset import PreparedData, default_valid_share, skipped_notes
from recurra.tasks.pixels.config import MAX_SIDE, Data
from recurra.tasks.pixels.preprocessing import PicturePreprocessor

MAX_VALIDATION_PICTURES = 2_000
"""More tell hardly more, and would be read again and again while training."""


@dataclass(frozen=True)
class Split:
    """Pictures of one split: in grey and as levels, both uint8 (N, H, W); labels: one each, or none."""

    pictures: np.ndarray
    levels: np.ndarray
    labels: list[str]
    places: list[str]
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures)


class Dataset(PreparedData[Split, PicturePreprocessor]):
    """Pictures ready for training."""


def read_dataset(data: Data, preprocessor: PicturePreprocessor | None) -> Dataset:
    """Read, split and encode all that a run needs; the size, where it is open, is chosen by the first picture and written into `data`.

    Raises `DataError` where a part would be empty.
    """
    whole = read_pictures(data.given, data.reading())
    if max(whole.size) > MAX_SIDE:
        raise UsageError(f"size: expected sides of at most {MAX_SIDE} pixels, got {size_text(whole.size)}")
    data.size = size_text(whole.size)
    preprocessor = preprocessor or PicturePreprocessor(whole.size, data.levels, data.binarise == "sample")
    notes = [*whole.notes, *skipped_notes(whole.skipped)]
    parts, published = _split(whole, data)
    notes += published
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            parts[name] = part = read_pictures(files, data.reading())
            notes += [f"{name}: {message}" for message in [*part.notes, *skipped_notes(part.skipped)]]
    notes += [*leakage_notes(parts), _levels_note(data)]
    splits = {name: encode(part, preprocessor) for name, part in parts.items() if len(part)}
    return Dataset(
        splits["train"], splits.get("valid"), splits.get("test"), preprocessor, notes, _fingerprint(splits.values())
    )


def _levels_note(data: Data) -> str:
    if data.levels > 2:
        return f"{data.levels} levels of grey, of equal steps"
    if data.binarise == "sample":
        return "black and white, drawn with the brightness as the chance: in training again for each pass, held-out pictures once"
    return "black and white, at a threshold of half the full brightness"


def _split(whole: Pictures, data: Data) -> tuple[dict[str, Pictures], list[str]]:
    """Split by shares, but for what is published as the test, which is the test unless files are named; gives also what there is to say of it."""
    published = set(whole.test)
    rest = whole.select([at for at in range(len(whole)) if at not in published]) if published else whole
    valid = default_valid_share(data, len(rest))
    if data.valid_share is None:
        valid = min(valid, MAX_VALIDATION_PICTURES / len(rest))
    try:
        split = split_documents(rest.keys, valid, 0.0 if data.test or published else data.test_share)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    parts = {name: rest.select(getattr(split, name)) for name in ("train", "valid", "test")}
    if not published:
        return parts, []
    names = ", ".join(dict.fromkeys(whole.places[at].split(", row ")[0] for at in whole.test))
    if data.test:
        return parts, [f"{names}: left out, since it is published as a test, and --test names another"]
    return parts | {"test": whole.select(whole.test)}, [f"{names} is the test, as it is published"]


def leakage_notes(parts: Mapping[str, Pictures]) -> list[str]:
    """Say how many held-out pictures stand in the training data too."""
    known = set(parts["train"].keys)
    notes = []
    for name in ("valid", "test"):
        if (part := parts.get(name)) is not None and len(part):
            count = sum(key in known for key in part.keys)
            if count:
                notes.append(f"leakage: {count:,} of {len(part):,} {name} pictures stand in the training data too")
    return notes


def read_split(
    arguments: Sequence[str], data: Data, preprocessor: PicturePreprocessor, note: Callable[[str], None]
) -> Split:
    """Read what a user names at evaluation time, as the training data were read."""
    files, _ = resolve_files(arguments)
    read = read_pictures(files, data.reading())
    for message in [*read.notes, *skipped_notes(read.skipped)]:
        note(message)
    return encode(read, preprocessor)


def encode(read: Pictures, preprocessor: PicturePreprocessor) -> Split:
    """Turn what was read into levels."""
    return Split(read.values, preprocessor.encode(read.values), read.labels, read.places, read.skipped)


def _fingerprint(splits: Iterable[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        digest.update(repr(split.levels.shape).encode())
        digest.update(np.ascontiguousarray(split.levels).data)
        digest.update(b"|")
    return digest.hexdigest()

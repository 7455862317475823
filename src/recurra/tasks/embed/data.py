"""Files in, examples out: sequences, split, and as numbers; and what is said of them, to measure by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from recurra.data.labelled.reader import Labelled, Reading, read_labelled
from recurra.data.splits import split_documents
from recurra.errors import DataError
from recurra.tasks.embed.config import Data
from recurra.tasks.sequence.data import (
    Examples,
    encode_all,
    fingerprint,
    leakage_notes,
    named,
    read_held_out,
    split_dataset,
)
from recurra.tasks.sequence.preprocessing import Preprocessor, build_preprocessor, load_pretrained_vectors


@dataclass(frozen=True)
class Part:
    """Examples of one split.

    sequences: as they were read; encoded: as numbers.  labels: what is said of each, never learnt from; [] where nothing is.
    """

    sequences: list[Any]
    encoded: list[Any]
    labels: list[str]
    places: list[str]
    unseen: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sequences)


def reading(data: Data, *, for_answers: bool = False) -> Reading:
    """Give how the run reads all its data: labels are read where there are some, and needed where the user says which they are."""
    needed = data.label is not None and not for_answers
    return replace(data.reading(for_answers=for_answers), phrases=data.phrases and not for_answers, need_labels=needed)


def read_examples(data: Data, made: Preprocessor | None) -> Examples[Part]:
    """Read, split and encode all that a run needs; the input is made from the training part unless it is given.

    Raises `DataError` where a part would be empty or there is nothing to learn, `UsageError` where no data are named.
    """
    whole = read_labelled(data.given, reading(data))
    notes = [*whole.notes, *left_out(whole.skipped)]
    parts = split_dataset(whole, data, split_documents)
    train = parts["train"]
    if made is None:
        made = build_preprocessor(train.kind, train.sequences, train.channels, data, unit=data.unit)
        notes += load_pretrained_vectors(made, data.vectors)
    held_out, more = read_held_out(data, made, lambda files: read_labelled(files, reading(data)))
    parts, notes = parts | held_out, notes + more
    notes += leakage_notes({name: part.sequences for name, part in parts.items()}, made)
    built = {name: encode(part, made) for name, part in parts.items() if part.sequences}
    if not any(len(one) for one in built["train"].encoded):
        raise DataError("expected sequences to learn from, got none that is not empty", source=named(data))
    sums = fingerprint((((sequence, ()) for sequence in part.sequences) for part in parts.values()), made)
    return Examples(built["train"], built.get("valid"), built.get("test"), [], made, notes, sums)


def encode(part: Labelled, made: Preprocessor) -> Part:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    encoded = encode_all(part.sequences, part.places, made)
    labels = [" ".join(said) for said in part.labels]
    return Part(list(part.sequences), encoded, labels, part.places, skipped=part.skipped)

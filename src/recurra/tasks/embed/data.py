"""Files in, examples out: sequences, split, and as numbers; and their labels, to measure by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from recurra.data.labelled.options import LabelledOptions
from recurra.data.labelled.reader import Labelled, read_labelled
from recurra.data.splits import split_documents
from recurra.errors import DataError
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.tasks.embed.config import Data
from recurra.tasks.sequence.data import (
    Dataset,
    encode_all,
    fingerprint,
    leakage_notes,
    read_held_out,
    remember_columns,
    source_name,
    split_labelled,
)
from recurra.tasks.sequence.preprocessing import Preprocessor, build_preprocessor, load_pretrained_vectors
from recurra.tasks.sequence.transfer import check_inputs


@dataclass(frozen=True)
class Split:
    """Examples of one split.

    sequences: as they were read; encoded: as numbers.  labels: one for each, never learnt from; [] where there are none.
    """

    sequences: list[Any]
    encoded: list[Any]
    labels: list[str]
    places: list[str]
    unseen: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sequences)


def reading_options(data: Data, *, labelled: bool = True) -> LabelledOptions:
    """Give how the run reads all its data: labels are read where there are some, and needed where the user says which they are.

    labelled: False: whatever is there gets a vector, with a label or not.
    """
    needed = data.label is not None and labelled
    return replace(data.reading(labelled=labelled), phrases=data.phrases and labelled, need_labels=needed)


def read_dataset(data: Data, known: Preprocessor | None, given: PretrainedLayers | None = None) -> Dataset[Split]:
    """Read, split and encode all that a run needs; the preprocessor is known, or made from the training part.

    given: of the run to begin with, whose words are known too.

    Raises `DataError` where a part would be empty or there is nothing to learn, `UsageError` where no data are named.
    """
    whole = read_labelled(data.given, reading_options(data))
    label = data.label
    remember_columns(data, whole)
    if label is None:
        data.label = None  # labels that nobody names may be missing elsewhere
    parts, published = split_labelled(whole, data, split_documents)
    notes = [*whole.notes, *published, *skipped_notes(whole.skipped)]
    train = parts["train"]
    inputs = known
    if inputs is None:
        if given is not None:
            check_inputs(given, train.kind, data.unit)
        inputs = build_preprocessor(train.kind, train.sequences, train.channels, data, unit=data.unit, given=given)
        notes += load_pretrained_vectors(inputs, data.vectors)
    held_out, more = read_held_out(data, inputs, lambda files: read_labelled(files, reading_options(data)))
    parts, notes = parts | held_out, notes + more
    notes += leakage_notes({name: part.sequences for name, part in parts.items()}, inputs)
    splits = {name: encode(part, inputs) for name, part in parts.items() if part.sequences}
    if not any(len(one) for one in splits["train"].encoded):
        raise DataError("expected sequences to learn from, got none that is not empty", source=source_name(data))
    digest = fingerprint((((sequence, ()) for sequence in part.sequences) for part in parts.values()), inputs)
    return Dataset(splits["train"], splits.get("valid"), splits.get("test"), inputs, notes, digest)


def encode(read: Labelled, inputs: Preprocessor) -> Split:
    """Turn what was read into numbers; raises `DataError` with its place for a sequence of another make."""
    encoded = encode_all(read.sequences, read.places, inputs)
    labels = [" ".join(several) for several in read.labels]
    return Split(list(read.sequences), encoded, labels, read.places, skipped=read.skipped)

"""What is read after the data with labels: texts without labels, and the files that are held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from recurra.data.labelled.options import LabelledOptions
from recurra.data.labelled.reader import read_labelled
from recurra.errors import DataError, UsageError
from recurra.tasks.base.config import SequenceData
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.sequence.data import ReadT, read_held_out
from recurra.tasks.sequence.labels import LabelledPreprocessor

PreprocessorT = TypeVar("PreprocessorT", bound=LabelledPreprocessor)


def read_remaining(
    files: Sequence[str],
    data: SequenceData,
    parts: Mapping[str, ReadT],
    read: Callable[[Sequence[str]], ReadT],
    known: PreprocessorT | None,
    make: Callable[[ReadT, Sequence[str]], tuple[PreprocessorT, list[str]]],
) -> tuple[dict[str, ReadT], PreprocessorT, list[str], list[str]]:
    """Give all parts, how they become numbers, the texts without labels, and what there is to say of them.

    files: with the texts without labels.  parts: train, valid and test, as they were cut from the data with labels.  read: reads the files that
    are held out.  known: how sequences become numbers, or make: finds it from the training part and the texts without labels, which are read
    for that alone.
    """
    unlabelled, notes = list[str](), list[str]()
    if known is None:
        unlabelled, notes = read_unlabelled(files, data, parts, read)
        known, more = make(parts["train"], unlabelled)
        notes += more
    held_out, more = read_held_out(data, known.inputs, read)
    return {**parts, **held_out}, known, unlabelled, notes + more


def read_unlabelled(
    files: Sequence[str], data: SequenceData, parts: Mapping[str, ReadT], read_part: Callable[[Sequence[str]], ReadT]
) -> tuple[list[str], list[str]]:
    """Read the texts of files, and give them and what there is to say of them; none where there are no files.

    parts: train, valid and test, as they were cut from the data with labels.  read_part: reads the files that are held out. What is held out
    is left out. Raises `UsageError` where the data with labels are no texts, and `DataError` where the others are none, or nothing is left.
    """
    if not files:
        return [], []
    if (kind := parts["train"].kind) != "text":
        raise UsageError(f"unlabelled: is for texts, and the data with labels are {kind}; leave it out")
    held_out = [parts["valid"], parts["test"], *(read_part(named) for named in (data.valid, data.test) if named)]
    field = getattr(data, "text", None)
    options = LabelledOptions(text=field, need_labels=False, on_error=data.on_error)
    source = " ".join(files[:3])
    read = read_labelled(files, options)
    if read.kind != "text":
        hint = "name the column with the text: --text COLUMN" if field is None else None
        raise DataError(f"unlabelled: expected texts, got {read.kind}", source=source, hint=hint)
    excluded = {_key(text) for part in held_out for text in part.inputs}
    texts = [
        str(text) for text in read.sequences if _key(text) not in excluded and not str(text).isspace() and text != ""
    ]
    if not texts:
        raise DataError(
            "unlabelled: expected texts to learn from, got none that is neither empty nor held out", source=source
        )
    left_out = sum(_key(text) in excluded for text in read.sequences)
    notes = [f"unlabelled: {message}" for message in [*read.notes, *skipped_notes(read.skipped)]]
    if left_out:
        notes.append(
            f"unlabelled: {left_out:,} of {len(read.sequences):,} texts are held out to measure on, and are not read"
        )
    return texts, notes


def _key(text: Any) -> str:
    """Give a text without white space, by which one that is cut into words is known too."""
    return "".join((text if isinstance(text, str) else "".join(text)).split())

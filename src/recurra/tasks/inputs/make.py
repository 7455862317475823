"""Which kind of input a run has: by its data when it is made, by its files when it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recurra.errors import DataError, UsageError
from recurra.tasks.inputs import series
from recurra.tasks.inputs.base import Input
from recurra.tasks.inputs.series import Cutting, SeriesInput
from recurra.tasks.inputs.units import UnitInput
from recurra.tasks.inputs.words import WordInput
from recurra.tasks.sections import SequenceData


def make_input(
    kind: str, sequences: Sequence[Any], channels: Sequence[str], data: SequenceData, *, unit: str = "word"
) -> Input:
    """Make the input from the training data; unit: "word", or one of `recurra.text.UNITS`."""
    if kind == "series":
        try:
            return SeriesInput.build(sequences, channels, Cutting(data.scale, data.differences, data.frame, data.hop))
        except DataError as error:
            raise DataError(str(error), source=" ".join(data.data[:3])) from None
    if unit == "word":
        return WordInput.build(sequences, max_words=data.max_words)
    return UnitInput.build(sequences, unit)


def load_input(folder: Path, *, unit: str = "word") -> Input:
    """Read what `Input.save` wrote into a run folder; raises `RunError` when it is damaged."""
    if (folder / series.FILE).is_file():
        return SeriesInput.load(folder)
    return WordInput.load(folder) if unit == "word" else UnitInput.load(folder)


def vector_size(made: Input) -> int | None:
    """Give the size of the vectors that words begin with, where there are some: it is then the embedding's."""
    return made.vector_size if isinstance(made, WordInput) else None


def begin_with_vectors(made: Input, files: Sequence[str]) -> list[str]:
    """Read the vectors that words begin with, where a file is named, and say how many were found."""
    if not files:
        return []
    if not isinstance(made, WordInput):
        raise UsageError("vectors: are for words; leave them out, or set unit = word")
    count, size = made.read_vectors(files[0])
    return [f"{count:,} of {len(made.vocabulary.words):,} words begin with a vector of {size} numbers from {files[0]}"]

"""Which kind of input a run has: by its data when it is made, by its files when it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from recurra.errors import DataError, UsageError
from recurra.tasks.base.config import SequenceData
from recurra.tasks.sequence.preprocessing import series
from recurra.tasks.sequence.preprocessing.base import Input
from recurra.tasks.sequence.preprocessing.series import Cutting, SeriesInput
from recurra.tasks.sequence.preprocessing.tokens import UnitInput
from recurra.tasks.sequence.preprocessing.words import WordInput

FRAMES = 40
"""Frames that a series is cut into, where nothing else is asked for."""


def make_input(
    kind: str, sequences: Sequence[Any], channels: Sequence[str], data: SequenceData, *, unit: str = "word"
) -> Input:
    """Make the input from the training data; unit: "word", or one of `recurra.text.UNITS`.

    What `data` leaves open of how series are cut is chosen by their length, and written into it.
    """
    if kind == "series":
        data.hop, data.frame = choose_cutting([len(one) for one in sequences], data.hop, data.frame)
        try:
            return SeriesInput.build(sequences, channels, Cutting(data.scale, data.differences, data.frame, data.hop))
        except DataError as error:
            raise DataError(str(error), source=" ".join(data.data[:3])) from None
    if unit == "word":
        return WordInput.build(sequences, max_words=data.max_words)
    return UnitInput.build(sequences, unit)


def choose_cutting(lengths: Sequence[int], hop: int | None, frame: int | None) -> tuple[int, int]:
    """Choose how many steps are gone on and how many are read at once, where that is open: some forty frames to a series.

    A memory of hundreds of steps is learnt slowly and from many examples; of forty it is learnt from a few. Frames overlap by half.

    >>> choose_cutting([140] * 9, None, None), choose_cutting([24] * 9, None, None), choose_cutting([140], None, 1)
    ((4, 8), (1, 1), (1, 1))
    """
    if hop is None:
        hop = frame if frame is not None else max(1, round(median(lengths) / FRAMES)) if lengths else 1
    return hop, (1 if hop == 1 else 2 * hop) if frame is None else frame


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

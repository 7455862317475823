"""Which preprocessor a run has: by its data when it is made, by its files when it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recurra.errors import RunError, UsageError
from recurra.tasks.base.config import SequenceData
from recurra.tasks.base.transfer import PretrainedLayers
from recurra.tasks.sequence.preprocessing.base import Preprocessor, preprocessors
from recurra.tasks.sequence.preprocessing.words import WordPreprocessor


def build_preprocessor(
    kind: str,
    sequences: Sequence[Any],
    channels: Sequence[str],
    data: SequenceData,
    *,
    unit: str = "word",
    given: PretrainedLayers | None = None,
) -> Preprocessor:
    """Make the preprocessor from the training data; unit: "word", or one of `recurra.text.UNITS`.  given: of the run to begin with.

    What `data` leaves open of how series are framed is chosen by their length, and written into it.
    """
    for cls in preprocessors():
        if cls.kind == kind and cls.reads_unit(unit):
            made = cls.from_data(sequences, channels, data, unit)
            if given is not None and isinstance(made, WordPreprocessor):
                made.extend(given, data.max_words)
            return made
    raise UsageError(f"unit: nothing reads {kind} by {unit}")


def load_preprocessor(folder: Path, *, unit: str = "word") -> Preprocessor:
    """Read what `Preprocessor.save` wrote into a run folder; raises `RunError` when it is damaged."""
    for cls in preprocessors():
        if cls.is_saved_in(folder, unit):
            return cls.load(folder)
    raise RunError(f"{folder}: has no vocabulary, and no channels of series")


def vector_size(preprocessor: Preprocessor) -> int | None:
    """Give the size of the vectors that words begin with, where there are some: it is then the embedding's."""
    return preprocessor.vector_size if isinstance(preprocessor, WordPreprocessor) else None


def load_pretrained_vectors(preprocessor: Preprocessor, files: Sequence[str]) -> list[str]:
    """Read the vectors that words begin with, where a file is named, and say how many were found."""
    if not files:
        return []
    if not isinstance(preprocessor, WordPreprocessor):
        raise UsageError("vectors: are for words; leave them out, or set unit = word")
    count, size = preprocessor.read_vectors(files[0])
    words = len(preprocessor.vocabulary.words)
    return [f"{count:,} of {words:,} words begin with a vector of {size} numbers from {files[0]}"]

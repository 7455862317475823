"""How labelled sequences become numbers: the sequences themselves, and what is predicted of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from recurra.tasks.base.labels import load_labels, save_labels
from recurra.tasks.sequence.preprocessing import Preprocessor, load_preprocessor


@dataclass(frozen=True)
class LabelledPreprocessor:
    """inputs: how sequences become numbers.  labels: the classes or tags, in the order of their numbers."""

    inputs: Preprocessor
    labels: list[str]

    def save(self, folder: Path) -> list[str]:
        """Write both into a run folder, and give the names of the files."""
        return [save_labels(folder, self.labels), *self.inputs.save(folder)]

    @classmethod
    def load(cls, folder: Path, *, unit: str) -> Self:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        labels = load_labels(folder)
        return cls(load_preprocessor(folder, unit=unit), labels)

"""What can be set about a classifier, and what each setting means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recurra.tasks.sections import SequenceData, SequenceModel
from recurra.tasks.settings import Settings


class Data(SequenceData):
    """What is read, and what the classes are."""

    text: str | None = Field(default=None, description="Field with the text in CSV, JSON, JSONL or Parquet data.")
    label: str | None = Field(
        default=None,
        description="Field with the label; file: each file is a class; folder: each folder is; line: a line begins with it. Default: by what is there.",
    )
    rename: list[str] = Field(
        default=[], description="OLD=NEW: another name for a label, or one for several; OLD= leaves its examples out."
    )
    multi_label: bool = Field(default=False, description="An example may have several labels, or none.")
    phrases: bool = Field(default=False, description="Trees: train on each labelled phrase too.")
    images: Literal["rows", "pixels"] = Field(default="rows", description="What of an image is read at one step.")
    unit: Literal["word", "char", "byte", "bpe"] = Field(
        default="word", description="What of a text is read at one step."
    )
    folds: int | None = Field(
        default=None, ge=2, description="Cross-validation: the test is one of so many folds, by a hash of each example."
    )
    fold: int = Field(default=1, ge=1, description="Which fold is the test.")

    @field_validator("rename")
    @classmethod
    def _are_pairs(cls, value: list[str]) -> list[str]:
        for pair in value:
            if "=" not in pair:
                raise ValueError(f"expected OLD=NEW, got {pair!r}")
        return value


class Model(SequenceModel):
    """The network."""

    pooling: Literal["last", "mean", "max", "attention"] | None = Field(
        default=None, description="What of all steps decides. Default: max for text, attention for series."
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none", description="balanced: each class counts alike in training, however rare it is."
    )
    smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the certainty that is spread over all classes in training."
    )


class ClassifierConfig(Settings):
    """A classifier: says which class a whole text or series belongs to."""

    data: Data = Data()
    model: Model = Model()

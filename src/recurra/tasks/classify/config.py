"""The settings of a classifier, and what each of them means."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from recurra.tasks.base.config import Folds, LabelledData, SequenceModel, Unlabelled
from recurra.tasks.base.settings import Renamed, Settings


class Data(Unlabelled, Folds, LabelledData):
    """What is read, and what the classes are."""

    multi_label: bool = Field(default=False, description="An example may have several labels, or none.")


class Model(SequenceModel):
    """The network."""

    renamed: ClassVar = {"smoothing": Renamed("label_smoothing")}

    pooling: Literal["last", "mean", "max", "attention"] | None = Field(
        default=None, description="How all steps become one vector. Default: max for text, attention for series."
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        description="balanced: each class counts alike in training, however rare it is; of several labels in the network's alone.",
    )
    linear: Literal["auto", "none"] = Field(
        default="auto",
        description="auto: the network is added to a linear classifier of n-grams (text) or convolutions (series), fitted first; validation decides how much each counts.",
    )
    linear_seconds: float | None = Field(
        default=None,
        gt=0,
        description="Seconds that the linear classifier may take on one core, by an estimate from the sizes. Default: a tenth of --within, or 60.",
    )
    excerpt: int | None = Field(
        default=None,
        ge=0,
        description="Text: about so many steps of a longer one are read by the network, its beginning, its end and what tells the linear classifier most; 0: all. Default: 400, or all where it reads forward only.",
    )
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the certainty that is spread over all classes in training."
    )


class ClassifierConfig(Settings):
    """A classifier: says which class a whole text or series belongs to."""

    data: Data = Data()
    model: Model = Model()

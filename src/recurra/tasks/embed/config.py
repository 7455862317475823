"""The settings of an embedder and of its predictions, and what each of them means."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from recurra.cells import cell_names
from recurra.formatting import abbreviate
from recurra.tasks.base import options
from recurra.tasks.base.config import LabelledData, SequenceModel
from recurra.tasks.base.settings import Flag, Renamed, Settings


class Data(LabelledData):
    """What is read; labels are not learnt from: where there are some, the vectors are measured by them."""


class Model(SequenceModel):
    """The network."""

    renamed: ClassVar = {
        "method": Renamed("objective", {"next": "next_step"}),
        "size": Renamed("vector_size"),
        "blind": Renamed("decoder_input_dropout"),
    }

    cell: str = Field(default="gru", description=f"One of {', '.join(cell_names())}.")
    objective: Literal["autoencoder", "next_step"] = Field(
        default="autoencoder",
        description="What it learns by: giving a sequence back from its vector, or predicting each next step.",
    )
    pooling: Literal["last", "mean", "max", "attention"] | None = Field(
        default=None, description="How all steps become one vector. Default: mean."
    )
    vector_size: int | None = Field(
        default=None,
        ge=1,
        le=65_536,
        description="Numbers in a vector. Default: 16 for series, 64 for text; with next_step as many as hidden units.",
    )
    decoder_input_dropout: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of the steps that the decoder has to give back without seeing the one before. Default: 1 for series, 0.5 for text.",
    )

    @model_validator(mode="before")
    @classmethod
    def _next_step_reads_forwards(cls, given: Any) -> Any:
        if isinstance(given, dict) and str(given.get("objective")) == "next_step":
            if given.get("bidirectional") not in (None, False, "false", "False"):
                raise ValueError("bidirectional: next_step reads forwards alone; leave it out, or take autoencoder")
            for name in ("vector_size", "decoder_input_dropout"):
                if given.get(name) is not None:
                    raise ValueError(f"{name}: is for the autoencoder alone; leave it out")
            return {**given, "bidirectional": False}
        return given


class EmbedderConfig(Settings):
    """An embedder: learns without labels to give each text or series a vector, near those of the ones that are like it."""

    data: Data = Data()
    model: Model = Model()


class PredictOptions(options.PredictOptions):
    """What `predict` takes."""

    joint: ClassVar = frozenset({"cluster", "neighbours"})

    cluster: Annotated[int | Literal["auto"] | None, Flag(metavar="K|auto")] = Field(
        default=None,
        description="Also group the inputs: into so many clusters, or with auto into as many as stand out.",
    )
    neighbours: int | None = Field(
        default=None, description="Also so many of the nearest others among the inputs, the nearest first."
    )

    @field_validator("cluster", mode="before")
    @classmethod
    def _number_or_auto(cls, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value == "auto"):
            return value
        plain = isinstance(value, str | int | float | np.integer | np.floating) and not isinstance(value, bool)
        try:
            count = int(value) if plain else 0
        except (ValueError, OverflowError):
            count = 0
        if count < 1:
            raise ValueError(f"expected a number of clusters from 1, or auto; got {abbreviate(value)}")
        return count

    @field_validator("neighbours")
    @classmethod
    def _from_one(cls, value: int | None) -> int | None:
        if value is not None and value < 1:
            raise ValueError(f"expected a number from 1, got {value}")
        return value

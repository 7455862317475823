"""What can be set about an embedder, and what each setting means."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from recurra.cells import cell_names
from recurra.tasks.base.config import LabelledData, SequenceModel
from recurra.tasks.base.settings import Settings


class Data(LabelledData):
    """What is read; labels are not learnt from: where there are some, the vectors are measured by them."""


class Model(SequenceModel):
    """The network."""

    cell: str = Field(default="gru", description=f"One of {', '.join(cell_names())}.")
    method: Literal["autoencoder", "next"] = Field(
        default="autoencoder",
        description="What it learns by: giving a sequence back from its vector, or foretelling each next step.",
    )
    pooling: Literal["last", "mean", "max", "attention"] | None = Field(
        default=None, description="What of all steps goes into the vector. Default: mean."
    )
    size: int | None = Field(
        default=None,
        ge=1,
        le=65_536,
        description="Numbers in a vector. Default: 16 for series, 64 for text; with next as many as hidden units.",
    )
    blind: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of the steps that the decoder has to give back without seeing the one before. Default: 1 for series, 0.5 for text.",
    )

    @model_validator(mode="before")
    @classmethod
    def _next_reads_forwards(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("method") == "next":
            if given.get("bidirectional") not in (None, False, "false", "False"):
                raise ValueError("bidirectional: next reads forwards alone; leave it out, or take autoencoder")
            for name in ("size", "blind"):
                if given.get(name) is not None:
                    raise ValueError(f"{name}: is for the autoencoder alone; leave it out")
            return {**given, "bidirectional": False}
        return given


class EmbedderConfig(Settings):
    """An embedder: learns without labels to give each text or series a vector, near those of the ones that are like it."""

    data: Data = Data()
    model: Model = Model()

"""What can be set about a language model, and what each setting means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recurra.cells import cell_names
from recurra.nn import SCHEMES
from recurra.tasks.settings import Files, Settings, unknown

Documents = Literal["auto", "none", "line", "file", "blank", "record"]


class Data(Settings):
    """What is read, and how it is cut into units."""

    data: Files = Field(
        default=[], description="Files, folders, globs, the name of a data set, or - for standard input."
    )
    name: str | None = Field(
        default=None, description="What the report calls the data. Default: the data set or the files."
    )
    valid: Files = Field(default=[], description="Files to validate on, instead of a share of the data.")
    test: Files = Field(default=[], description="Files to test on, instead of a share of the data.")
    valid_share: float = Field(default=0.05, ge=0, lt=1, description="Share of the data held out for validation.")
    test_share: float = Field(default=0.05, ge=0, lt=1, description="Share of the data held out for the final test.")
    text: str | None = Field(default=None, description="Field with the text in JSON, JSONL, CSV or Parquet data.")
    documents: Documents = Field(
        default="auto",
        description="What a document is; none: all is one long text. auto: a record of JSON, CSV or Parquet, else none.",
    )
    unit: Literal["char", "byte", "word", "bpe"] = Field(
        default="char", description="What the model reads and writes, one a step."
    )
    words: Literal["auto", "space", "punctuation"] = Field(
        default="auto", description="How words are cut: at spaces (tokenised text), or punctuation on its own too."
    )
    min_count: int | None = Field(
        default=None, ge=1, description="Units that are rarer than this are not in the vocabulary."
    )
    max_size: int | None = Field(default=None, ge=4, description="Most units in the vocabulary.")
    on_error: Literal["stop", "skip"] = Field(
        default="stop", description="At a row that cannot be read: stop, or skip and count it."
    )
    window: int = Field(
        default=128, ge=1, le=100_000, description="Steps that the gradient is carried back (truncated BPTT)."
    )
    shift: bool = Field(default=True, description="Cut a long text into windows at other places in every epoch.")


class Model(Settings):
    """The network."""

    cell: str = Field(default="lstm", description=f"One of {', '.join(cell_names())}.")
    layers: int = Field(default=2, ge=1, le=64, description="Layers on top of each other.")
    hidden: int | None = Field(
        default=None, ge=1, le=65_536, description="Hidden units of a layer. Default: by the data and the time."
    )
    embedding: int | None = Field(
        default=None, ge=1, le=65_536, description="Size of a unit's vector. Default: the hidden size."
    )
    tied: bool = Field(
        default=False, description="Use the embedding as the output's weights too; the last layer then has its size."
    )
    dropout: float | None = Field(
        default=None, ge=0, lt=1, description="Share dropped between layers. Default: by the size and the data."
    )
    input_dropout: float | None = Field(
        default=None, ge=0, lt=1, description="Share dropped from the embedding. Default: half of dropout."
    )
    output_dropout: float | None = Field(
        default=None, ge=0, lt=1, description="Share dropped before the output. Default: as dropout."
    )
    recurrent_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the recurrent weights dropped (DropConnect)."
    )
    variational: bool = Field(default=True, description="Drop the same features at all steps of a window.")
    residual: bool = Field(default=False, description="Add a layer's input to its output where the sizes agree.")
    layer_norm: bool = Field(default=True, description="Normalise each layer's output.")
    init: str = Field(default="orthogonal", description=f"How weights begin: {', '.join(SCHEMES)}.")
    init_gain: float = Field(default=1.0, gt=0, description="Factor on the initial weights; for uniform, their range.")
    forget_bias: float = Field(
        default=1.0, description="Bias that the forget gate begins with, in cells that have one."
    )

    @field_validator("cell")
    @classmethod
    def _known_cell(cls, value: str) -> str:
        if value not in cell_names():
            raise ValueError(unknown(value, cell_names()))
        return value

    @field_validator("init")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if value not in SCHEMES:
            raise ValueError(unknown(value, SCHEMES))
        return value


class LanguageModelConfig(Settings):
    """A language model: predicts the next unit of a text."""

    data: Data = Data()
    model: Model = Model()

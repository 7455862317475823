"""What can be set about a language model, and what it can be asked with; and what each setting means."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from recurra.tasks.base import options
from recurra.tasks.base.config import DataFiles, RecurrentModel, Transfer
from recurra.tasks.base.settings import Flag, Renamed, Settings

Documents = Literal["auto", "none", "line", "file", "blank", "record"]


class Data(DataFiles):
    """What is read, and how it is cut into units."""

    renamed: ClassVar = {"window": Renamed("bptt"), "shift": Renamed("random_offset")}

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
    unknown: Literal["auto", "write", "avoid"] = Field(
        default="auto", description="Whether <unk> is ever written; auto: where the training text itself has it."
    )
    bptt: int = Field(
        default=128, ge=1, le=100_000, description="Steps that the gradient is carried back (truncated BPTT)."
    )
    random_offset: bool = Field(
        default=True, description="Cut a long text into windows at other places in every epoch."
    )


class Model(Transfer, RecurrentModel):
    """The network."""

    embedding: int | None = Field(
        default=None, ge=1, le=65_536, description="Size of a unit's vector. Default: the hidden size."
    )
    tied: bool = Field(
        default=False, description="Use the embedding as the output's weights too; the last layer then has its size."
    )
    ngram: Literal["auto", "5", "none"] = Field(
        default="auto",
        description="Predict by the weighted mean of the network and a Kneser–Ney 5-gram of the training text; validation decides the weights, and with auto whether.",
    )


class LanguageModelConfig(Settings):
    """A language model: predicts the next unit of a text."""

    data: Data = Data()
    model: Model = Model()


class EvaluateOptions(options.EvaluateOptions):
    """What `evaluate` takes beside the data: ways to learn from a text that was read, once it was predicted."""

    cache: bool = Field(
        default=False, description="Also expect what followed like states in the text just read (Grave 2016)."
    )
    dynamic: bool = Field(
        default=False, description="Also train the network on the text just read (dynamic evaluation, Krause 2018)."
    )


class PredictOptions(options.RankedOptions):
    """What `predict` takes beside the texts."""

    k: Annotated[int | None, Flag(short="-k")] = Field(
        default=5, ge=1, description="How many of the likeliest next units."
    )
    steps: bool = Field(default=False, description="Also the likeliest after each unit of the text.")

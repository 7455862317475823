"""Settings that several tasks share: where the data come from, and what a stack of cells is like."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from recurra.cells import cell_names
from recurra.data.labelled.options import LabelledOptions, parse_renames
from recurra.errors import UsageError
from recurra.nn import SCHEMES
from recurra.tasks.base.settings import Files, Flag, Settings, unknown_choice_message

MAX_FRAME = 2**30
"""Steps of a frame, and from one to the next."""


class DataFiles(Settings):
    """What is read, and what of it is held out."""

    data: Files = Field(
        default=[], description="Files, folders, globs, the name of a data set, or - for standard input."
    )
    name: str | None = Field(
        default=None, description="What the report calls the data. Default: the data set or the files."
    )
    valid: Files = Field(default=[], description="Files to validate on, instead of a share of the data.")
    test: Files = Field(default=[], description="Files to test on, instead of a share of the data.")
    on_error: Literal["stop", "skip"] = Field(
        default="stop", description="At a row that cannot be read: stop, or skip and count it."
    )

    @property
    def given(self) -> list[str]:
        """What is read; raises `UsageError` where nothing is named."""
        if not self.data:
            raise UsageError("data: expected files, folders, globs or the name of a data set; got nothing")
        return self.data


class TableFiles(DataFiles):
    """Data that may be tables."""

    header: Literal["auto", "yes", "no"] = Field(
        default="auto",
        description="Whether the first row of a CSV or TSV table names its columns; auto: by what it looks like. Columns may be named by position too: 1, 2, …, last.",
    )
    series: list[str] = Field(
        default=[], description="Column, or columns, that say which series a row belongs to (long tables)."
    )


class SequenceData(TableFiles):
    """Whole sequences: texts, or series of numbers."""

    valid_share: float | None = Field(
        default=None, ge=0, lt=1, description="Share of the data held out for validation. Default: 0.1; none of a few."
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the data held out for the final test, where no test files are."
    )
    max_words: int = Field(
        default=10_000, ge=1, description="Words that have a vector of their own, the commonest; others: by characters."
    )
    vectors: Files = Field(
        default=[], description="File with word vectors to begin with, as text (GloVe, fastText, word2vec)."
    )
    time: str | None = Field(default=None, description="Column that the rows of a series are sorted by (long tables).")
    columns: list[str] = Field(default=[], description="Columns with the values. Default: all that hold numbers.")
    scale: Literal["data", "series", "none"] = Field(
        default="data", description="Series: scaled by what the training data are like, each by itself, or not."
    )
    differences: bool = Field(default=True, description="Series: read each value's change since the step before too.")
    frame: int | None = Field(
        default=None,
        ge=1,
        le=MAX_FRAME,
        description="Series: steps that are read at once. Default: two hops of a long series, else 1.",
    )
    hop: int | None = Field(
        default=None,
        ge=1,
        le=MAX_FRAME,
        description="Series: steps from one frame to the next. Default: a fortieth of their length.",
    )

    @field_validator("vectors")
    @classmethod
    def _one_file(cls, value: list[str]) -> list[str]:
        if len(value) > 1:
            raise ValueError(f"expected one file, got {len(value)}")
        return value


class Folds(Settings):
    """Which part of the data the test is, of a cross-validation."""

    folds: int | None = Field(
        default=None, ge=2, description="Cross-validation: the test is one of so many folds, by a hash of each example."
    )
    fold: int = Field(default=1, ge=1, description="Which fold is the test.")


class Unlabelled(Settings):
    """Texts without labels, which are read before those that have some."""

    unlabelled: Files = Field(
        default=[],
        description="Files with texts that have no labels: a language model of them, and of the training texts, is trained first.",
    )
    pretraining_share: float = Field(
        default=0.5, gt=0, lt=1, description="unlabelled: share of --within that the language model has."
    )
    pretraining_epochs: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="unlabelled: passes over the texts. Default: by how many there are, or by --within.",
    )


class LabelledData(SequenceData):
    """Whole sequences, and what is said of each as a whole."""

    text: str | None = Field(default=None, description="Field with the text in CSV, JSON, JSONL or Parquet data.")
    label: str | None = Field(
        default=None,
        description="Field with the label; file: each file is a class; folder: each folder is; line: a line begins with it. Default: by what is there.",
    )
    rename: list[str] = Field(
        default=[], description="OLD=NEW: another name for a label, or one for several; OLD= leaves its examples out."
    )
    phrases: bool = Field(default=False, description="Trees: train on each labelled phrase too.")
    images: Literal["rows", "pixels"] = Field(default="rows", description="What of an image is read at one step.")
    unit: Literal["word", "char", "byte", "bpe"] = Field(
        default="word", description="What of a text is read at one step."
    )

    @field_validator("rename")
    @classmethod
    def _are_pairs(cls, value: list[str]) -> list[str]:
        for pair in value:
            if "=" not in pair:
                raise ValueError(f"expected OLD=NEW, got {pair!r}")
        return value

    def reading(self, *, labelled: bool = True) -> LabelledOptions:
        """Give how all data of the run are read; labelled: False: whatever is there gets a prediction, with a label or not."""
        return LabelledOptions(
            text=self.text,
            label=self.label,
            series=tuple(self.series),
            time=self.time,
            columns=tuple(self.columns),
            images=self.images,
            rename=parse_renames(self.rename) if labelled else (),
            need_labels=labelled,
            header=self.header,
            on_error=self.on_error,
        )


class RecurrentModel(Settings):
    """A stack of cells."""

    cell: str = Field(default="lstm", description=f"One of {', '.join(cell_names())}.")
    layers: int = Field(default=2, ge=1, le=64, description="Layers on top of each other.")
    hidden: int | None = Field(
        default=None, ge=1, le=65_536, description="Hidden units of a layer. Default: by the data and the time."
    )
    dropout: float | None = Field(
        default=None, ge=0, lt=1, description="Share dropped between layers. Default: by the size and the data."
    )
    input_dropout: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share dropped from the input of the first layer. Default: half of dropout; dropout where words are classified or tagged.",
    )
    output_dropout: float | None = Field(
        default=None, ge=0, lt=1, description="Share dropped before the output. Default: as dropout."
    )
    recurrent_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the recurrent weights dropped (DropConnect)."
    )
    variational: bool = Field(default=True, description="Drop the same features at all steps of a sequence.")
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
            raise ValueError(unknown_choice_message(value, cell_names()))
        return value

    @field_validator("init")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if value not in SCHEMES:
            raise ValueError(unknown_choice_message(value, SCHEMES))
        return value

    @property
    def dropouts(self) -> tuple[float, float, float]:
        """The shares dropped before, between and behind the layers; raises `ValueError` while `dropout` is not chosen."""
        if self.dropout is None:
            raise ValueError("dropout has to be chosen before the network is built")
        before = self.dropout / 2 if self.input_dropout is None else self.input_dropout
        return before, self.dropout, self.dropout if self.output_dropout is None else self.output_dropout


class Transfer(Settings):
    """What a network begins with, where it is not chance, and how carefully that is changed."""

    from_run: Annotated[Files, Flag(long="--from", metavar="RUN")] = Field(
        default=[],
        description="Begin with the words and cells of this run: a language model, a classifier, a tagger, an embedder.",
    )
    layer_lr: float = Field(
        default=0.4,
        gt=0,
        le=1,
        description="Where weights were learnt before: the learning rate of a layer, as a share of that of the layer above it.",
    )
    unfreeze: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Where weights were learnt before: share of the training after which the next lower layer is trained too.",
    )
    ablate: bool = Field(
        default=False, description="Also train without what was learnt before, and report what it gives."
    )

    @field_validator("from_run")
    @classmethod
    def _one_run(cls, value: list[str]) -> list[str]:
        if len(value) > 1:
            raise ValueError(f"expected one run folder, got {len(value)}")
        return value


class EncoderModel(RecurrentModel):
    """A stack of cells that has the whole sequence before it."""

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    bidirectional: bool = Field(default=True, description="Read backwards too, which no live stream can.")
    embedding: int | None = Field(
        default=None,
        ge=1,
        le=65_536,
        description="Size of a word's or character's vector. Default: 128 for words, 64 for other units, or as long as the vectors.",
    )


class SequenceModel(Transfer, EncoderModel):
    """An encoder that may begin with what another one has learnt."""

    noise: float | None = Field(
        default=None,
        ge=0,
        description="Series: spread of the noise added in training, in units of the scaled values. Default: 0.1 for a few.",
    )

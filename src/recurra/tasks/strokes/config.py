"""The settings of a model of drawings, and what each of them means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from recurra.data.drawings import DrawingOptions
from recurra.tasks.base import options
from recurra.tasks.base.config import DataFiles, RecurrentModel
from recurra.tasks.base.settings import Flag, Settings

MAX_SAMPLES_AT_ONCE = 4096
MAX_DRAWN_POINTS = 20_000
Condition = Literal["none", "label", "text"]


class Data(DataFiles):
    """What is read: drawings, and perhaps what each shows or says."""

    condition: Literal["auto", "none", "label", "text"] = Field(
        default="auto",
        description="What a drawing is drawn by: nothing, its label, or the text that it says, letter by letter. auto: by what the data hold.",
    )
    label: str | None = Field(
        default=None, description="Field with the label or the text. Default: by what it is called."
    )
    only: str | None = Field(default=None, description="Read only files whose names fit this pattern.")
    level: str | None = Field(
        default=None, description="UNIPEN: which segments are read: WORD, TEXT or CHARACTER. Default: those there are."
    )
    header: Literal["auto", "yes", "no"] = Field(
        default="auto", description="Whether the first row of a CSV or TSV table names its columns."
    )
    split_by: Literal["auto", "group", "drawing"] = Field(
        default="auto",
        description="What stays on one side of a split: a writer, or nothing but equal drawings. auto: writers where there are several.",
    )
    valid_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of the drawings held out for validation. Default: 0.1; none of a few.",
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the drawings held out for the final test, where none is named."
    )
    every: int = Field(default=1, ge=1, le=1000, description="Keep each so many-th point of a stroke, and its last.")
    simplify: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Leave out points that lie near the line between others: within this share of a drawing's longer side.",
    )
    scale: Literal["data", "drawing"] = Field(
        default="data",
        description="Sizes as they are, in units of the spread of all training steps; or each drawing brought to one size before.",
    )
    dequantise: float | None = Field(
        default=None,
        ge=0,
        le=1e6,
        description="Width of the noise added to each step, in units of the data. Default: 1 where all steps are whole numbers, whose density would have no end; else 0.",
    )
    max_points: int = Field(
        default=2000, ge=2, le=MAX_DRAWN_POINTS, description="Drawings of more points are left out, and counted."
    )

    def reading(self) -> DrawingOptions:
        """Give how all data of the run are read."""
        return DrawingOptions(self.label, self.only, self.level, self.header, self.on_error)


class Model(RecurrentModel):
    """The network: cells that read a pen step by step, and a mixture of normal distributions for the next step."""

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    components: int = Field(default=20, ge=1, le=256, description="Normal distributions that are mixed.")
    embedding: int = Field(default=32, ge=1, le=4096, description="Size of a label's or a letter's vector.")
    window: int = Field(default=10, ge=1, le=64, description="With a text: parts of the window that moves over it.")
    stretch: float = Field(
        default=0.15,
        ge=0,
        lt=1,
        description="In training each drawing is stretched across and down by up to this share.",
    )
    drop_points: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the points within strokes that are left out in training."
    )


class DrawingConfig(Settings):
    """A model of drawings or handwriting: learns how a pen goes on, draws new ones and finishes given ones."""

    data: Data = Data()
    model: Model = Model()


class PredictOptions(options.PredictOptions):
    """What a model of drawings can be asked with."""

    temperature: float = Field(default=0.3, ge=0, le=100, description="Below 1 safer, above 1 bolder.")
    seed: int = Field(default=0, ge=0, lt=2**63, description="Fixes how a drawing is finished.")


class GenerateOptions(Settings):
    """What `generate` takes of a model of drawings."""

    count: Annotated[int, Flag(short="-n")] = Field(
        default=1, ge=1, le=MAX_SAMPLES_AT_ONCE, description="Drawings to make."
    )
    label: str | None = Field(default=None, description="What is drawn, of a run that learnt by label.")
    text: str | None = Field(default=None, description="What is written, of a run that learnt by text.")
    prefix: Annotated[str | None, Flag(long="--continue", metavar="FILE")] = Field(
        default=None, description="Finish this drawing: SVG, JSON or whatever else `train` reads."
    )
    like: Annotated[str | None, Flag(metavar="FILE")] = Field(
        default=None, description="With a text: write like this sample, a file with ink and what it says."
    )
    temperature: float = Field(default=1.0, ge=0, le=100, description="Below 1 safer, above 1 bolder.")
    bias: float = Field(
        default=0.0, ge=0, le=20, description="Above 0 tidier: how much more certain each step is made."
    )
    length: Annotated[int | None, Flag(short="-l")] = Field(
        default=None,
        ge=1,
        le=MAX_DRAWN_POINTS,
        description="Most points to draw. Default: as many as the longest drawing learnt from, and half as many again.",
    )
    seed: int | None = Field(default=None, ge=0, lt=2**63, description="Fixes the output.")
    out: Annotated[str | None, Flag(short="-o", metavar="FILE", writes=True)] = Field(
        default=None,
        description="An SVG file, of several drawings a grid; a .jsonl file of strokes; or a folder, for one SVG each. Default: drawn in the terminal.",
    )
    animate: bool = Field(default=False, description="SVG: show how it is drawn, point by point.")

    @model_validator(mode="after")
    def _fits_together(self) -> GenerateOptions:
        if self.like is not None and self.text is None:
            raise ValueError("like: belongs to a text that is written; name one with --text")
        if self.like is not None and self.prefix is not None:
            raise ValueError("like, continue: expected one of the two, got both")
        return self


class EvaluateOptions(options.JudgedOptions):
    """What `evaluate` takes of a model of drawings."""

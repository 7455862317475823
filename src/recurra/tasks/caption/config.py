"""The settings of a captioner, and what each of them means."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from recurra.data.captions import CaptionOptions
from recurra.images import Normalisation
from recurra.tasks.base.config import DataFiles
from recurra.tasks.base.options import EvaluateOptions
from recurra.tasks.base.settings import Files, Flag, Settings
from recurra.tasks.seq2seq.config import AttentionChoice, DecoderModel, SearchedOptions

SIDE_STEP = 16
"""Pixels of a picture's side for each cell of the grid: the network of our own halves it four times."""
PAGES = (".html", ".htm")


class Data(DataFiles):
    """What is read: captions, the pictures that they belong to, and which of these are held out."""

    images: Files = Field(
        default=[],
        description="Folder, archive or pictures that the captions name. Default: the folder images beside the captions, else their own.",
    )
    image: str | None = Field(
        default=None, description="Column or field with a picture's name. Default: by what it is called."
    )
    caption: str | None = Field(default=None, description="Column or field with a caption, likewise.")
    header: Literal["auto", "yes", "no"] = Field(
        default="auto", description="Whether the first row of a CSV or TSV table names its columns."
    )
    train_images: Files = Field(
        default=[], description="List of the pictures to train on, a name a line. Default: all that are not held out."
    )
    valid_images: Files = Field(default=[], description="List of the pictures to validate on, instead of a share.")
    test_images: Files = Field(default=[], description="List of the pictures to test on, likewise.")
    valid_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of the pictures held out for validation. Default: 0.1; none of a few.",
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the pictures held out for the final test, where none are named."
    )
    side: int = Field(
        default=96, ge=32, le=512, description="Pixels of a picture's side, as the network reads it: a multiple of 16."
    )
    vocabulary: int = Field(default=10_000, ge=10, le=1_000_000, description="Words that can be written, at most.")
    min_count: int | None = Field(
        default=None, ge=1, description="Captions that a word has to be in. Default: 5 of many captions, 1 of a few."
    )
    encoder: Files = Field(
        default=[],
        description="ONNX file of an image model that gives a grid of features, in the place of a network of our own.",
    )
    encoder_output: str | None = Field(
        default=None, description="encoder: its output with the grid. Default: the first that is one."
    )
    normalise: Normalisation = Field(
        default="imagenet",
        description="encoder: what it reads of a pixel: its colours as the networks of ImageNet do, from 0 to 1 (unit), from -1 to 1 (signed), or as they are (none).",
    )

    @field_validator("encoder")
    @classmethod
    def _one_file(cls, value: list[str]) -> list[str]:
        if len(value) > 1:
            raise ValueError(f"expected one file, got {len(value)}")
        return value

    @field_validator("side")
    @classmethod
    def _in_steps(cls, value: int) -> int:
        if value % SIDE_STEP:
            raise ValueError(f"expected a multiple of {SIDE_STEP}, got {value}")
        return value

    def reading(self) -> CaptionOptions:
        """Give how all captions of the run are read."""
        return CaptionOptions(self.image, self.caption, self.header, self.on_error)


class Model(DecoderModel):
    """The network: convolutions over the picture, and a decoder that looks at their grid."""

    attention: AttentionChoice = Field(
        default="additive", description=DecoderModel.model_fields["attention"].description
    )
    attention_penalty: float = Field(
        default=1.0, ge=0, le=1e6, description=DecoderModel.model_fields["attention_penalty"].description
    )
    channels: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Features of the first convolution; the last has eight times as many. Default: by the pictures.",
    )
    picture_dropout: float = Field(
        default=0.2, ge=0, lt=1, description="Share of the grid's features that are dropped in training."
    )
    augment: bool = Field(
        default=True,
        description="In training pictures are cut, brightened and mirrored by chance; none is mirrored whose captions say left or right.",
    )
    content_words: int = Field(
        default=300,
        ge=0,
        le=10_000,
        description="Words that the convolutions are first taught to find in pictures; 0: they begin with nothing.",
    )
    pretraining_share: float = Field(default=0.35, gt=0, lt=1, description="content_words: share of --within for that.")
    pretraining_epochs: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="content_words: passes over the pictures. Default: by how many there are, or by --within.",
    )
    layer_lr: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="content_words: the convolutions' learning rate afterwards, as a share of the decoder's.",
    )
    unfreeze: float = Field(
        default=0.0, ge=0, lt=1, description="content_words: share of the training after which they are trained too."
    )


class CaptionConfig(Settings):
    """A captioner: says in a sentence what a picture shows, and where it saw each word."""

    data: Data = Data()
    model: Model = Model()


class CaptionPredictOptions(SearchedOptions):
    """What a captioner can be asked with."""

    joint: ClassVar = frozenset({"overlay"})

    overlay: Annotated[str | None, Flag(metavar="FILE.html", writes=True)] = Field(
        default=None,
        max_length=4_096,
        description="Also write a page that shows on each picture where each word came from.",
    )

    @model_validator(mode="after")
    def _a_page(self) -> Self:
        if self.overlay is not None and not self.overlay.lower().endswith(PAGES):
            raise ValueError(f"overlay: expected a file that ends with .html, got {self.overlay!r}")
        return self


class CaptionEvaluateOptions(EvaluateOptions):
    """What a captioner can be measured with."""

    images: Files = Field(
        default=[],
        description="Folder, archive or pictures that the captions name. Default: the folder images beside them, else their own.",
    )

"""The settings of a picture model, and what each of them means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from recurra.data.pictures import PictureOptions, parse_size, size_text
from recurra.tasks.base import options
from recurra.tasks.base.config import DataFiles, RecurrentModel
from recurra.tasks.base.settings import Flag, Settings

MAX_SIDE = 512
MAX_SAMPLES_AT_ONCE = 4096


class Data(DataFiles):
    """What is read, and as what kind of pictures."""

    size: str | None = Field(
        default=None,
        description="Height and width of all pictures, as in 28 or 32x24. Default: the first one's, its longer side at most 64.",
    )
    levels: int = Field(default=2, ge=2, le=256, description="Levels of grey that are told apart; 2: black and white.")
    binarise: Literal["threshold", "sample"] = Field(
        default="threshold",
        description="2 levels: white from half of full brightness on; or drawn with the brightness as the chance: again each time in training, else always the same for the same picture.",
    )
    valid_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of the pictures held out for validation. Default: 0.1; none of a few.",
    )
    test_share: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of the pictures held out for the final test, where no test files are.",
    )

    @field_validator("size")
    @classmethod
    def _is_size(cls, value: str | None) -> str | None:
        if value is None:
            return None
        size = parse_size(value)
        if max(size) > MAX_SIDE:
            raise ValueError(f"expected sides of at most {MAX_SIDE} pixels, got {value!r}")
        return size_text(size)

    @model_validator(mode="after")
    def _two_levels_to_draw(self) -> Data:
        if self.binarise == "sample" and self.levels != 2:
            raise ValueError(f"binarise: sample is of 2 levels, got {self.levels}; leave one of the two out")
        return self

    def reading(self) -> PictureOptions:
        """Give how all data of the run are read."""
        return PictureOptions(None if self.size is None else parse_size(self.size), self.on_error)


class Model(RecurrentModel):
    """The network: cells that read a picture row by row, and a masked network for the pixels of the next row."""

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    head: int | None = Field(
        default=None, ge=1, le=65_536, description="Units of a layer of the masked network. Default: as hidden."
    )
    head_layers: int = Field(
        default=1,
        ge=0,
        le=8,
        description="Layers of the masked network; 0: a pixel is a weighted sum of those before it.",
    )


class PictureConfig(Settings):
    """A model of pictures: learns how likely each row is after those above it, writes new ones and completes given ones."""

    data: Data = Data()
    model: Model = Model()


class PredictOptions(options.PredictOptions):
    """What a picture model can be asked with."""

    rows: int | None = Field(
        default=None,
        ge=0,
        le=MAX_SIDE,
        description="Rows that are kept of a picture; the others are predicted. Default: half of them.",
    )


class GenerateOptions(Settings):
    """What `generate` takes of a picture model."""

    count: Annotated[int, Flag(short="-n")] = Field(
        default=1, ge=1, le=MAX_SAMPLES_AT_ONCE, description="Pictures to write, or completions of the given one."
    )
    picture: Annotated[str | None, Flag(long="--from", metavar="PICTURE")] = Field(
        default=None, description="Complete this picture, from its upper rows."
    )
    rows: int | None = Field(
        default=None, ge=0, le=MAX_SIDE, description="With --from: rows that are kept. Default: half of them."
    )
    temperature: float = Field(
        default=1.0, ge=0, le=1e3, description="Below 1 safer, above 1 bolder; 0: always the likeliest level."
    )
    seed: int | None = Field(default=None, ge=0, lt=2**63, description="Fixes the output.")
    out: Annotated[str | None, Flag(short="-o", metavar="FILE", writes=True)] = Field(
        default=None,
        description="A PNG file, of several pictures a sheet; or a folder, for one file each. Default: drawn in the terminal.",
    )
    scale: int = Field(default=1, ge=1, le=64, description="Pixels of a written file for each side of a pixel.")


class EvaluateOptions(options.JudgedOptions):
    """What `evaluate` takes of a picture model."""

"""The settings of a translator, and what each of them means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recurra.data.pairs import PairOptions
from recurra.nn import AttentionKind
from recurra.tasks.base import options
from recurra.tasks.base.config import DataFiles, EncoderModel
from recurra.tasks.base.options import MAX_BEAM_WIDTH, MAX_LENGTH_PENALTY
from recurra.tasks.base.settings import Settings

Unit = Literal["auto", "bpe", "word", "char", "byte"]


class Data(DataFiles):
    """What is read, and what of it is the source and the target."""

    source: str | None = Field(
        default=None,
        description="Ending of the source's file (de), its column or field, or language. Default: by what is there.",
    )
    target: str | None = Field(default=None, description="The target's, likewise.")
    header: Literal["auto", "yes", "no"] = Field(
        default="auto", description="Whether the first row of a CSV or TSV table names its columns."
    )
    valid_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of the pairs held out for validation. Default: 0.1, at most 2,000; none of a few.",
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the pairs held out for the final test, where no test files are."
    )
    source_unit: Unit = Field(default="auto", description="What of a source is read at one step. Default: by the data.")
    target_unit: Unit = Field(
        default="auto", description="What of a target is written at one step. Default: by the data."
    )
    vocabulary: int = Field(
        default=8000, ge=258, le=1_000_000, description="bpe, word: units that have a vector, at most."
    )
    joint: bool | None = Field(
        default=None,
        description="bpe: one vocabulary for both sides, and one table of vectors. Default: where they share many words.",
    )
    lower: bool = Field(default=False, description="Read and write small letters alone.")

    def reading(self, *, targets: bool = True) -> PairOptions:
        """Give how all data of the run are read; targets: False: sources alone will do."""
        return PairOptions(
            source=self.source,
            target=self.target,
            header=self.header,
            need_targets=targets,
            on_error=self.on_error if targets else "stop",
        )


class Model(EncoderModel):
    """The network: an encoder, and a decoder that looks at what it made."""

    cell: str = Field(default="gru", description=EncoderModel.model_fields["cell"].description)
    attention: AttentionKind | Literal["none"] = Field(
        default="general",
        description="How the decoder looks at the source; none: it has the encoder's last state alone.",
    )
    heads: int = Field(default=1, ge=1, le=1024, description="Attention: how many look, each for itself.")
    tied: bool = Field(default=True, description="The output's weights are the vectors of the target's units.")
    label_smoothing: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of the probability that training asks to leave for all units alike. Default: 0.1 of sentences, else 0.",
    )
    unit_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the units that are hidden from the decoder in training."
    )


class TranslatorConfig(Settings):
    """A translator: turns a sequence into another, of any length."""

    data: Data = Data()
    model: Model = Model()


class PredictOptions(options.PredictOptions):
    """What a translator can be asked with."""

    beam: int = Field(
        default=5,
        ge=1,
        le=MAX_BEAM_WIDTH,
        description="Hypotheses that the search keeps; 1: always the likeliest unit.",
    )
    length_penalty: float = Field(
        default=1.0,
        ge=0,
        le=MAX_LENGTH_PENALTY,
        allow_inf_nan=False,
        description="Strength of the length normalisation.",
    )
    best: int = Field(default=1, ge=1, le=MAX_BEAM_WIDTH, description="How many of the likeliest translations.")
    attention: bool = Field(
        default=False, description="Also how much each unit of the source counted for each one written."
    )

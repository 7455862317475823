"""The settings of a translator, and what each of them means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recurra.data.pairs import PairOptions
from recurra.tasks.base.config import DataFiles, EncoderModel
from recurra.tasks.base.settings import Settings
from recurra.tasks.seq2seq.config import DecoderModel

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
            on_error=self.on_error,
        )


class Model(DecoderModel, EncoderModel):
    """The network: an encoder, and a decoder that looks at what it made."""

    cell: str = Field(default="gru", description=EncoderModel.model_fields["cell"].description)
    bpe_dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="bpe: share of the merges left out in training, so that a word is read and written in several ways; needs more passes.",
    )


class TranslatorConfig(Settings):
    """A translator: turns a sequence into another, of any length."""

    data: Data = Data()
    model: Model = Model()

"""The settings of a transcriber, and what each of them means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from recurra.audio import MAX_RATE, MIN_RATE
from recurra.data.transcripts import TranscriptOptions
from recurra.tasks.base import options
from recurra.tasks.base.config import DataFiles, RecurrentModel
from recurra.tasks.base.options import MAX_BEAM_WIDTH
from recurra.tasks.base.settings import Files, Flag, Settings

Unit = Literal["char", "word", "bpe"]
OWN, NONE = "own", "none"
"""The language model of the run's own transcripts, and none."""
ARPA = ".arpa"
MAX_WEIGHT = 100.0
MAX_HEIGHT = 512


class Data(DataFiles):
    """What is read: signals, and what was said or written in each."""

    files: Files = Field(
        default=[],
        description="Where the signals are that a table or list names: files, folders, archives. Default: beside it.",
    )
    text: str | None = Field(default=None, description="Column or field with the text. Default: by what it is called.")
    file: str | None = Field(default=None, description="Column or field with the name of the signal's file, likewise.")
    group: str | None = Field(
        default=None, description="Column or field with who speaks or writes, or which document it is, likewise."
    )
    label_from: str | None = Field(
        default=None,
        description="Pattern of the files' names, where these say the text: {text}_{speaker}_*; * is anything.",
    )
    only: str | None = Field(default=None, description="Read only files whose names fit this pattern.")
    level: str | None = Field(
        default=None, description="UNIPEN: which segments are read: WORD, TEXT or CHARACTER. Default: those there are."
    )
    header: Literal["auto", "yes", "no"] = Field(
        default="auto", description="Whether the first row of a CSV or TSV table names its columns."
    )
    valid_names: str | None = Field(
        default=None, description="Validate on the files whose names fit this pattern, instead of a share."
    )
    test_names: str | None = Field(
        default=None, description="Test on the files whose names fit this pattern, instead of a share."
    )
    split_by: Literal["auto", "group", "text", "signal"] = Field(
        default="auto",
        description="What stays on one side of a split: a speaker, writer or document; equal texts; or nothing but equal signals. auto: groups where there are several.",
    )
    valid_share: float | None = Field(
        default=None, ge=0, lt=1, description="Share of the data held out for validation. Default: 0.1; none of a few."
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the data held out for the final test, where none is named."
    )
    raw_rate: int | None = Field(
        default=None, ge=MIN_RATE, le=MAX_RATE, description="Samples a second of raw sounds, which do not say it."
    )
    sample_rate: int | None = Field(
        default=None,
        ge=MIN_RATE,
        le=MAX_RATE,
        description="Sounds: samples a second that all are brought to. Default: those of the first, at most 16000.",
    )
    mels: int = Field(default=40, ge=8, le=256, description="Sounds: energies that are read of a frame of 25 ms.")
    height: int = Field(
        default=64,
        ge=16,
        le=MAX_HEIGHT,
        multiple_of=8,
        description="Pictures: pixels of a line's height: a multiple of 8.",
    )
    unit: Unit = Field(default="char", description="What of a text is written at one step.")
    vocabulary: int = Field(default=1000, ge=258, le=100_000, description="bpe, word: units at most.")
    lower: bool = Field(default=False, description="Write small letters alone.")

    def reading(self, *, need_texts: bool = True) -> TranscriptOptions:
        """Give how all data of the run are read; need_texts: False: signals alone will do."""
        return TranscriptOptions(
            text=self.text,
            file=self.file,
            group=self.group,
            label_from=self.label_from,
            files=tuple(self.files),
            only=self.only,
            valid_names=self.valid_names,
            test_names=self.test_names,
            level=self.level,
            rate=self.raw_rate,
            need_texts=need_texts,
            header=self.header,
            on_error=self.on_error,
        )


class Model(RecurrentModel):
    """The network: cells over frames, and for each frame the probability of every unit and of none."""

    cell: str = Field(default="gru", description=RecurrentModel.model_fields["cell"].description)
    bidirectional: bool = Field(default=True, description="Read backwards too, which no live stream can.")
    stack: int | None = Field(
        default=None,
        ge=1,
        le=32,
        description="Frames that are read at one step. Default: 3 of sounds, 1 of a pen; pictures have convolutions instead.",
    )
    channels: int | None = Field(
        default=None, ge=1, le=1024, description="Pictures: features of the first convolution. Default: by the data."
    )
    augment: bool = Field(
        default=True,
        description="Vary signals in training: their speed and pitch, noise, gaps; slant and width of writing.",
    )
    joined: int | None = Field(
        default=None,
        ge=1,
        le=16,
        description="Signals that are put together in training, at most, so that several are read in a row. Default: 3 of single words that are spoken, else 1.",
    )
    language_order: int = Field(
        default=6, ge=1, le=12, description="Units of the n-grams that are counted in the training texts."
    )


class TranscriberConfig(Settings):
    """A transcriber: writes what was said, or what a pen or a picture of a line says."""

    data: Data = Data()
    model: Model = Model()


class Decoding(Settings):
    """How texts are searched for in what the network says of each frame."""

    beam: int = Field(
        default=16,
        ge=1,
        le=MAX_BEAM_WIDTH,
        description="Texts that the search keeps; 1: the likeliest unit of each frame.",
    )
    lm: Annotated[str, Flag(metavar="RUN|FILE.arpa")] = Field(
        default=OWN,
        max_length=4_096,
        description="Language model: a run of lm, an ARPA file, own (counted in the training texts) or none.",
    )
    lm_weight: float | None = Field(
        default=None, ge=0, le=MAX_WEIGHT, description="What the language model counts. Default: as validated."
    )
    bonus: float | None = Field(
        default=None, ge=-MAX_WEIGHT, le=MAX_WEIGHT, description="Added for each unit written. Default: as validated."
    )
    words: Annotated[str | None, Flag(metavar="FILE")] = Field(
        default=None,
        max_length=4_096,
        description="Write only words of this list, a word a line; where lines have blanks, one whole line of it.",
    )
    _run: Any = PrivateAttr(default=None)

    @property
    def language_run(self) -> Any:
        """The predictor of the run `lm`; None where that is no run."""
        return self._run

    def load_runs(self, load: Callable[[str], Any]) -> None:
        """Load the run that is named, if one is; load: gives a predictor by its folder."""
        if self.lm not in (OWN, NONE) and not self.lm.lower().endswith(ARPA):
            self._run = load(self.lm)

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Self:
        given = [name for name in ("lm_weight", "bonus", "words") if getattr(self, name) is not None]
        if self.beam == 1 and (given or self.lm not in (OWN, NONE)):
            raise ValueError(f"{[*given, 'lm'][0]}: belongs to the search; take a beam of 2 or more")
        if self.lm == NONE and self.lm_weight:
            raise ValueError("lm_weight: there is no language model; leave it out, or --lm none")
        return self


class TranscribePredictOptions(Decoding, options.PredictOptions):
    """What a transcriber can be asked with."""

    best: int = Field(default=1, ge=1, le=MAX_BEAM_WIDTH, description="How many of the likeliest texts.")
    times: bool = Field(default=False, description="Also when each word begins and ends, and how sure it is.")
    rate: int | None = Field(
        default=None,
        ge=MIN_RATE,
        le=MAX_RATE,
        description="Samples a second of raw sound in 16 bits; from a pipe it is transcribed as it comes.",
    )
    strokes: bool = Field(
        default=False,
        description="Pens: each line of the pipe is one stroke, read as it comes; an empty line ends the text.",
    )

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.best > self.beam:
            raise ValueError(f"best: expected 1 to {self.beam}, as many as the beam is wide, got {self.best}")
        return self

    @classmethod
    def searching(cls, decoding: Decoding) -> TranscribePredictOptions:
        """Give options that search as others do."""
        found = cls.model_validate({name: getattr(decoding, name) for name in Decoding.model_fields})
        found._run = decoding.language_run
        return found


class TranscribeEvaluateOptions(Decoding, options.EvaluateOptions):
    """What a transcriber can be measured with."""

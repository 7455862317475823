"""The settings of a model of music, and what each of them means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from recurra.data.music import MusicOptions
from recurra.music import MAX_TEMPO, MIN_TEMPO, parse_key
from recurra.tasks.base import options
from recurra.tasks.base.config import DataFiles, RecurrentModel
from recurra.tasks.base.settings import Flag, Settings

MAX_BAR = 256
MAX_BARS = 10_000


class Data(DataFiles):
    """What is read, and how it is brought to a grid."""

    kind: Literal["auto", "notes", "voices", "drums"] = Field(
        default="auto",
        description="What is learnt: sets of notes, voices, or the drums of channel 10; auto: by what most files hold.",
    )
    steps: int = Field(
        default=4, ge=1, le=96, description="Steps of the grid in a beat, a quarter note; 4: sixteenths."
    )
    metre: str | None = Field(
        default=None,
        description="Only pieces of this metre, as in 4/4. Rolls, which state none, are read in it. Default: all.",
    )
    transpositions: int = Field(
        default=12,
        ge=1,
        le=12,
        description="Keys that a piece is read in while training, one drawn for each pass; 1: its own. 12: from 5 semitones lower to 6 higher.",
    )
    excerpt: int = Field(
        default=256, ge=2, le=100_000, description="Steps of a training example at most; longer pieces are cut."
    )
    valid_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of the pieces held out for validation. Default: 0.1; none of a few.",
    )
    test_share: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Share of the pieces held out for the final test, where no test is published or named.",
    )

    @field_validator("metre")
    @classmethod
    def _is_metre(cls, value: str | None) -> str | None:
        if value is not None:
            parse_metre(value)
        return value

    def reading(self) -> MusicOptions:
        """Give how all data of the run are read."""
        quarters = None if self.metre is None else parse_metre(self.metre)
        bar = None if quarters is None else max(1, round(quarters * self.steps))
        return MusicOptions(self.kind, self.steps, bar, quarters, self.on_error)


def parse_metre(text: str) -> float:
    """Read a metre as the quarters of its bar; raises `ValueError`.

    >>> parse_metre("4/4"), parse_metre("6/8")
    (4.0, 3.0)
    """
    upper, slash, lower = text.strip().partition("/")
    if not (
        slash and upper.isascii() and upper.isdigit() and 1 <= int(upper) <= 64 and lower in ("1", "2", "4", "8", "16")
    ):
        raise ValueError(f"expected a metre such as 4/4 or 6/8, got {text!r}")
    return 4 * int(upper) / int(lower)


class Model(RecurrentModel):
    """The network: cells that read step by step, and a head that gives what sounds at the next one."""

    cell: str = Field(default="gru", description=RecurrentModel.model_fields["cell"].description)
    head: Literal["joint", "bernoulli"] = Field(
        default="joint",
        description="Notes: joint: one after another from the highest, each given those above; bernoulli: each by itself, which can say no chords.",
    )
    head_units: int | None = Field(
        default=None, ge=1, le=65_536, description="Units of the joint head. Default: as hidden."
    )
    expression: bool = Field(
        default=True, description="Drums: also learn how hard and how early or late each is hit, for all hits together."
    )
    last_bar: bool = Field(
        default=True, description="Read what was a bar before the next step too, not only the step before it."
    )
    position: bool = Field(default=True, description="Read at which step of the bar the next one is.")
    key: bool = Field(
        default=True, description="Read the key, in every other training example, so that one can be asked for."
    )
    tempo: bool = Field(default=True, description="Read the tempo, likewise, where the files state it.")


class MusicConfig(Settings):
    """A model of music: learns how likely each step is after those before it, composes, goes on with and harmonises what is given."""

    data: Data = Data()
    model: Model = Model()


class PredictOptions(options.PredictOptions):
    """What a model of music can be asked with."""


class GenerateOptions(options.SampledOptions):
    """What `generate` takes of a model of music."""

    count: Annotated[int, Flag(short="-n")] = Field(default=1, ge=1, le=1024, description="Pieces to compose.")
    out: Annotated[str | None, Flag(short="-o", metavar="FILE", writes=True)] = Field(
        default=None, description="A MIDI file, or a folder for several. Default: drawn in the terminal."
    )
    wav: Annotated[str | None, Flag(metavar="FILE", writes=True)] = Field(
        default=None, description="Also a WAV file, by a small synthesiser; or a folder for several."
    )
    bars: int = Field(default=16, ge=1, le=MAX_BARS, description="Bars to compose.")
    key: str | None = Field(default=None, description="The key, as in 'D minor' or Bb.")
    tempo: float | None = Field(
        default=None, ge=MIN_TEMPO, le=MAX_TEMPO, description="Beats a minute. Default: 100, or that of what is given."
    )
    given: Annotated[str | None, Flag(long="--from", metavar="FILE")] = Field(
        default=None, description="Go on with this MIDI file or roll."
    )
    harmonise: Annotated[str | None, Flag(metavar="FILE")] = Field(
        default=None,
        description="Put other notes or voices below this melody. Each step is chosen without looking ahead, so that it is an approximation.",
    )

    humanize: Annotated[str | None, Flag(metavar="FILE")] = Field(
        default=None,
        description="Drums: play the hits of this MIDI file as the training data are played, hard and soft, early and late.",
    )

    @field_validator("key")
    @classmethod
    def _is_key(cls, value: str | None) -> str | None:
        if value is not None:
            parse_key(value)
        return value

    @model_validator(mode="after")
    def _one_given(self) -> GenerateOptions:
        given = {"from": self.given, "harmonise": self.harmonise, "humanize": self.humanize}
        named = [name for name, file in given.items() if file is not None]
        if len(named) > 1:
            raise ValueError(f"{', '.join(named)}: expected one of them, got {len(named)}")
        return self


class EvaluateOptions(options.EvaluateOptions):
    """What `evaluate` takes of a model of music."""

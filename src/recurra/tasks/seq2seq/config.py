"""The settings of a decoder, and what can be asked of one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from recurra.decoding import Sampling
from recurra.errors import UsageError
from recurra.nn import AttentionKind
from recurra.tasks.base import options
from recurra.tasks.base.config import RecurrentModel
from recurra.tasks.base.options import MAX_BEAM_WIDTH, MAX_LENGTH_PENALTY
from recurra.tasks.base.settings import Flag

AttentionChoice = Literal[AttentionKind, "location", "none"]


class DecoderModel(RecurrentModel):
    """A network that writes a sequence, and looks at what was read for each unit of it."""

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    embedding: int | None = Field(
        default=None, ge=1, le=65_536, description="Size of a unit's vector. Default: as hidden, at most 256."
    )
    attention: AttentionChoice = Field(
        default="general",
        description="How the decoder looks at what was read; location: also by where it looked before, a step at a time; none: it has one vector of all of it.",
    )
    location_width: int = Field(
        default=15,
        ge=1,
        le=255,
        description="attention location: over how many steps of what was read, around each, it sees where it looked before; odd.",
    )
    heads: int = Field(default=1, ge=1, le=1024, description="Attention: how many look, each for itself.")
    input_feed: bool = Field(
        default=False,
        description="The decoder also reads what it made of its last step, so that each step waits for the one before; slower, and what is dropped between layers is drawn for each step.",
    )
    tied: bool = Field(default=True, description="The output's weights are the vectors of the units.")
    label_smoothing: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of the probability that training asks to leave for all units alike. Default: 0.1 of sentences, else 0.",
    )
    unit_dropout: float = Field(
        default=0.0, ge=0, lt=1, description="Share of the units that are hidden from the decoder in training."
    )
    scheduled_sampling: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the units that the decoder reads in training as it would have written them itself.",
    )
    attention_penalty: float = Field(
        default=0.0,
        ge=0,
        le=1e6,
        description="Attention: strength with which all that was read is to count alike, over a whole sequence (doubly stochastic).",
    )

    @field_validator("location_width")
    @classmethod
    def _around_each(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"expected an odd number, as many steps before each as behind it, got {value}")
        return value


class SearchedOptions(options.PredictOptions):
    """What a task that writes can be asked with."""

    beam: int = Field(
        default=5,
        ge=1,
        le=MAX_BEAM_WIDTH,
        description="Hypotheses that the search keeps; 1: always the likeliest unit.",
    )
    length_penalty: float = Field(
        default=1.5,
        ge=0,
        le=MAX_LENGTH_PENALTY,
        allow_inf_nan=False,
        description="Strength of the length normalisation.",
    )
    coverage_penalty: float = Field(
        default=0.0,
        ge=0,
        le=MAX_LENGTH_PENALTY,
        allow_inf_nan=False,
        description="With attention: strength of the penalty for what of the source was not looked at.",
    )
    best: int = Field(default=1, ge=1, le=MAX_BEAM_WIDTH, description="How many of the likeliest, or samples.")
    prefix: Annotated[str | None, Flag(long="--begin")] = Field(
        default=None, max_length=2_000, description="What each answer begins with."
    )
    sample: bool = Field(default=False, description="Draw by chance instead of searching the likeliest.")
    temperature: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="With sample: below 1 safer, above 1 bolder. Default: 1."
    )
    top_k: int | None = Field(
        default=None, ge=1, lt=2**31, description="With sample: choose among the N likeliest only."
    )
    top_p: float | None = Field(
        default=None, gt=0, le=1, description="With sample: choose among the likeliest that make up the share X."
    )
    seed: int | None = Field(default=None, ge=0, lt=2**63, description="With sample: fixes what is drawn. Default: 0.")
    attention: bool = Field(
        default=False, description="Also how much each part of the input counted for each unit written."
    )

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Self:
        given = [name for name in ("temperature", "top_k", "top_p", "seed") if getattr(self, name) is not None]
        if given and not self.sample:
            raise ValueError(f"{given[0]}: belongs to sampling; drop it, or add sample")
        if self.sample and self.coverage_penalty:
            raise ValueError("coverage_penalty: belongs to the search; drop it, or drop sample")
        return self

    def check_for(self, model: DecoderModel) -> None:
        """Raise `UsageError` for what needs attention, where the network has none."""
        asked = [name for name in ("attention", "coverage_penalty") if getattr(self, name)]
        if asked and model.attention == "none":
            raise UsageError(f"{asked[0]}: this run has no attention; leave it out")

    @property
    def sampling(self) -> Sampling:
        """How a unit is drawn."""
        temperature = 1.0 if self.temperature is None else self.temperature
        return Sampling(temperature=temperature, top_k=self.top_k, top_p=self.top_p)

"""The settings of a grammar learner, and what each of them means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recurra.grammar import Sizes
from recurra.tasks.base import options
from recurra.tasks.base.config import DataFiles, RecurrentModel
from recurra.tasks.base.settings import Files, Settings

MAX_SIZE = 10_000
"""Of a string that is drawn, and symbols of one that is read."""


class Data(DataFiles):
    """Which grammar, or whose strings."""

    data: Files = Field(
        default=[],
        description="The name of a grammar; a file with an automaton; or files with strings, one a line, or - for standard input.",
    )
    automaton: Files = Field(
        default=[], description="File with the automaton that strings of one's own are of: they are measured by it."
    )
    unit: Literal["char", "word"] = Field(
        default="char", description="What a symbol of one's own strings is: a character, or what stands between spaces."
    )
    strings: int | None = Field(
        default=None, ge=2, le=1_000_000, description="Strings to draw for training. Default: by the grammar."
    )
    train_sizes: str | None = Field(
        default=None, description="Sizes of the drawn strings to train on, as in 2-50. Default: by the grammar."
    )
    valid_sizes: str | None = Field(
        default=None, description="Sizes of those that the weights are chosen by. Default: above those of training."
    )
    test_sizes: str | None = Field(
        default=None,
        description="Sizes of those that are tested on. Default: by the grammar, beyond those of training.",
    )
    draw_seed: int = Field(default=1, ge=0, lt=2**63, description="Fixes which strings are drawn.")
    valid_share: float | None = Field(
        default=None, ge=0, lt=1, description="Own strings: share held out for validation. Default: 0.1; none of a few."
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Own strings: share held out for the test, where no test files are."
    )

    @field_validator("train_sizes", "valid_sizes", "test_sizes")
    @classmethod
    def _are_sizes(cls, value: str | None) -> str | None:
        if value is None:
            return None
        sizes = Sizes.parse(value)
        if not 1 <= sizes.least <= sizes.most <= MAX_SIZE:
            raise ValueError(f"expected sizes from 1 to {MAX_SIZE:,}, got {value!r}")
        return str(sizes)

    @field_validator("automaton")
    @classmethod
    def _one_file(cls, value: list[str]) -> list[str]:
        if len(value) > 1:
            raise ValueError(f"expected one file, got {len(value)}")
        return value


class Model(RecurrentModel):
    """The network: cells over symbols, each an input of its own, and an output for each symbol and for the end."""

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    layer_norm: bool = Field(default=False, description="Normalise each layer's output.")
    # pyrefly: ignore[bad-override-mutable-attribute]
    forget_bias: float | None = Field(
        default=None,
        description="Bias that the forget gate begins with, in cells that have one. Default: 1; of strings that a grammar draws, the logarithm of the longest one's steps.",
    )
    target: Literal["auto", "symbol", "legal"] = Field(
        default="auto",
        description="What is learnt: the next symbol, by a softmax; or all that may follow, a sigmoid each (Gers & Schmidhuber 2001). auto: what may follow, where the grammar says no probabilities.",
    )


class GrammarConfig(Settings):
    """A learner of grammars: from strings alone, what may follow each beginning of one, and when it may end."""

    data: Data = Data()
    model: Model = Model()


class PredictOptions(options.RankedOptions):
    """What a grammar learner can be asked with."""


class GenerateOptions(options.GenerateOptions):
    """What `generate` takes of a grammar learner."""

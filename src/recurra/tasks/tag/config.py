"""The settings of a tagger, and what each of them means."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from recurra.tasks.base.config import Folds, SequenceData, SequenceModel, Unlabelled
from recurra.tasks.base.settings import Settings


class Data(Unlabelled, Folds, SequenceData):
    """What is read, and what the tags are."""

    column: str | None = Field(
        default=None,
        description="The tags: a column's number from 1 (CoNLL; default: the last), its name (CoNLL-U; default: upos), a field, a column of a table.",
    )
    tokens: str | None = Field(default=None, description="The words, likewise. Default: the first column, or form.")
    # pyrefly: ignore[bad-override-mutable-attribute]
    frame: Literal[1] = Field(default=1, description="Series: steps that are read at once; every step has its tag.")
    # pyrefly: ignore[bad-override-mutable-attribute]
    hop: Literal[1] = Field(default=1, description="Series: steps from one to the next; every step has its tag.")

    @field_validator("column", "tokens", mode="before")
    @classmethod
    def _number_or_name(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Model(SequenceModel):
    """The network."""

    head: Literal["crf", "softmax"] | None = Field(
        default=None,
        description="crf: tags are chosen together; softmax: each by itself. Default: crf for spans (B-, I-).",
    )
    characters: int = Field(
        default=32,
        ge=1,
        le=4096,
        description="Size of a character's vector, and of what each direction reads of a word.",
    )


class TaggerConfig(Settings):
    """A tagger: says what each word of a sentence or each step of a series is."""

    data: Data = Data()
    model: Model = Model()

"""What a page may ask for, as types that its JSON is checked against."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_LEVELS = 64
"""Of lists and objects in one another."""
Id = Annotated[str, Field(max_length=64)]
Name = Annotated[str, Field(max_length=200)]


class Body(BaseModel):
    """A JSON object without unknown keys, whose texts are Unicode that UTF-8 can write."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        _check(value, 0)
        return value


def _check(value: Any, level: int) -> None:
    """Raise `ValueError` for half a surrogate pair, and for too many levels."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("expected a text in Unicode, as UTF-8 can write it") from None
        return
    if isinstance(value, dict | list):
        if level >= MAX_LEVELS:
            raise ValueError(f"expected up to {MAX_LEVELS} levels of lists and objects")
        for each in value.values() if isinstance(value, dict) else value:
            if isinstance(each, str | dict | list):
                _check(each, level + 1)
        for key in value if isinstance(value, dict) else ():
            _check(key, level)


class Inputs(Body):
    """What a model is asked about: some inputs, or the file of an upload."""

    inputs: list[Any] = []
    upload: Id | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Inputs:
        if self.upload is not None and self.inputs:
            raise ValueError("inputs, upload: expected one of the two, got both")
        return self


class PredictBody(Inputs):
    """Of `predict`."""

    options: dict[str, Any] = {}


class LiveBody(Body):
    """Of a stream that is opened: the rate of raw sound, or `strokes`, and other options of `predict`."""

    options: dict[str, Any]


class GenerateBody(Body):
    """Of `generate`; a prompt is a text, or for a run of pixels a picture."""

    prompt: str | dict[str, Any] = ""
    upload: Id | None = None
    options: dict[str, Any] = {}


class ExplainBody(Inputs):
    """Of `explain`."""

    options: dict[str, Any] = {}
    fast: bool = False
    memory: bool = False
    permutations: int | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class InsideBody(Inputs):
    """Of `inside`."""

    unit: Annotated[str, Field(max_length=32)] | None = None
    dynamics: bool = False
    full: bool = False


class MatchBody(Body):
    """Of a search for a pattern: steps `from` up to but not including `to`."""

    layer: int
    signal: Name
    first: int = Field(alias="from")
    last: int = Field(alias="to")
    threshold: float


class Data(Body):
    """What to train on: uploads, or a data set by its name."""

    upload: Annotated[list[Id], Field(max_length=100)] = []
    dataset: Name | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Data:
        if bool(self.upload) == (self.dataset is not None):
            raise ValueError("data: expected uploads or the name of a data set")
        return self


class TrainBody(Body):
    """Of a training, or of the command that would begin it."""

    task: Name
    data: Data
    settings: dict[str, Any] = {}
    name: Name | None = None
    check: bool = False

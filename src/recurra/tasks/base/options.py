"""What a trained model can be asked with: the options of `predict`, `evaluate` and `generate`, declared once for all faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from recurra.errors import UsageError
from recurra.formatting import abbreviate, closest
from recurra.tasks.base.settings import Flag, Renamed, Settings

DEFAULT_BEAM = 8
MAX_BEAM_WIDTH = 1024
"""Hypotheses of a prompt that a search keeps at most: each is a row of the network's state."""
MAX_SAMPLES = 65_536
"""Samples of a prompt at most."""
MAX_GENERATED_UNITS = 1_000_000
"""Units of a text that is shown as it is made."""
MAX_SEARCHED_UNITS = 10_000
"""Units of a text that is shown when the search for it is over."""
MAX_LENGTH_PENALTY = 30.0
"""A million units to this power is still a finite number."""


class PredictOptions(Settings):
    """What `predict` takes beside the inputs; a task derives its own from it."""

    joint: ClassVar[frozenset[str]] = frozenset()
    """Options with which a result may depend on all inputs together, so that these are not predicted in batches."""

    steps: bool = Field(default=False, description="Also the prediction after each element.")

    @property
    def is_joint(self) -> bool:
        """Whether a result may depend on all inputs together."""
        return any(getattr(self, name) is not None for name in self.joint)

    def load_runs(self, load: Callable[[str], Any]) -> None:
        """Load the runs that are named, where there are such; load: gives a predictor by its folder."""


class RankedOptions(PredictOptions):
    """What `predict` takes where a result has several candidates, the likeliest first."""

    k: Annotated[int | None, Flag(short="-k")] = Field(
        default=None, ge=1, description="How many of the likeliest. Default: all."
    )


class EvaluateOptions(Settings):
    """What `evaluate` takes beside the data and `baselines`; a task derives its own from it."""

    def load_runs(self, load: Callable[[str], Any]) -> None:
        """Load the runs that are named, where there are such; load: gives a predictor by its folder."""


class JudgedOptions(EvaluateOptions):
    """What `evaluate` takes where a classifier can say what was made."""

    judge: Annotated[str | None, Flag(metavar="RUN")] = Field(
        default=None, description="Run of classify that says what the completed pictures show, where these have labels."
    )
    _judge: Any = PrivateAttr(default=None)

    @property
    def judging(self) -> Any:
        """The predictor of the run `judge`; None where there is none."""
        return self._judge

    def load_runs(self, load: Callable[[str], Any]) -> None:
        self._judge = None if self.judge is None else load(self.judge)


class SampledOptions(Settings):
    """How what is written is drawn, and what fixes it."""

    temperature: float | None = Field(default=None, ge=0, description="Below 1 safer, above 1 bolder. Default: 1.")
    top_k: int | None = Field(default=None, ge=1, lt=2**31, description="Choose among the N likeliest only.")
    top_p: float | None = Field(
        default=None, gt=0, le=1, description="Choose among the likeliest that make up the share X."
    )
    seed: int | None = Field(default=None, ge=0, lt=2**63, description="Fixes the output.")


class GenerateOptions(SampledOptions):
    """What `generate` takes beside the prompts; a task derives its own from it."""

    renamed: ClassVar = {"alpha": Renamed("length_penalty")}

    count: Annotated[int, Flag(short="-n")] = Field(
        default=1, ge=1, le=MAX_SAMPLES, description="Samples of each prompt."
    )
    length: Annotated[int, Flag(short="-l")] = Field(
        default=400, ge=0, le=MAX_GENERATED_UNITS, description="Most units to write."
    )
    greedy: bool = Field(default=False, description="Always take the likeliest unit (argmax).")
    beam: int | None = Field(
        default=None, ge=1, le=MAX_BEAM_WIDTH, description="Search the likeliest text, N candidates wide."
    )
    length_penalty: float | None = Field(
        default=None,
        ge=0,
        le=MAX_LENGTH_PENALTY,
        allow_inf_nan=False,
        description="With beam: strength of the length normalisation. Default: 0.6.",
    )

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> Self:
        sampling = [name for name in ("temperature", "top_k", "top_p", "seed") if getattr(self, name) is not None]
        if (self.greedy or self.beam is not None) and sampling:
            raise ValueError(f"{sampling[0]}: belongs to sampling; drop it, or greedy or beam")
        if self.greedy and self.beam is not None:
            raise ValueError("greedy, beam: expected one of the two, got both")
        if self.length_penalty is not None and self.beam is None:
            raise ValueError("length_penalty: belongs to a search; drop it, or add beam")
        if self.beam is not None and self.count > self.beam:
            raise ValueError(f"count: expected 1 to {self.beam}, as many as the beam is wide, got {self.count}")
        if self.beam is not None and not self.length:
            raise ValueError("length: expected 1 or more units for a search, got 0")
        if self.beam is not None and self.length > MAX_SEARCHED_UNITS:
            raise ValueError(f"length: expected at most {MAX_SEARCHED_UNITS:,} units for a search, got {self.length:,}")
        return self


class ExplainOptions(Settings):
    """What `explain` takes to name the output that is explained; a task derives its own from it."""


OptionsT = TypeVar("OptionsT", bound=Settings)


def read_options(kind: type[OptionsT], given: Mapping[str, Any], task: str) -> OptionsT:
    """Read what a user gives by name as the options of a task; None stands for what was left open.

    Raises `UsageError` for one that the task does not take, and for a value that does not fit.

    >>> read_options(RankedOptions, {"k": 3, "steps": None}, "classify").k
    3
    >>> read_options(RankedOptions, {"cluster": 3}, "lm")
    Traceback (most recent call last):
    ...
    recurra.errors.UsageError: cluster: a run of 'lm' does not take this option; it takes k, steps
    """
    named: dict[str, Any] = {}
    for name, value in given.items():
        now = kind.renamed[name].name if name in kind.renamed else name
        if now not in kind.model_fields:
            raise UsageError(unknown_option_message(name, kind.model_fields, task))
        if value is not None and named.get(now) is not None:
            old = next(old for old, new in kind.renamed.items() if new.name == now and old in given)
            raise UsageError(f"{old}, {now}: expected one of the two, which are the same option; got both")
        named[now] = named.get(now) if value is None else value
    try:
        return kind.model_validate({name: value for name, value in named.items() if value is not None})
    except ValidationError as problem:
        first = problem.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:  # several options that do not go together
            raise UsageError(message) from None
        got = "" if "got" in message else f", got {abbreviate(first['input'])}"
        raise UsageError(f"{first['loc'][0]}: {message[:1].lower()}{message[1:]}{got}") from None


def unknown_option_message(name: str, names: Iterable[str], task: str) -> str:
    """Say that a run of a task does not take an option, which it takes, and which was probably meant."""
    known = sorted(names, key=lambda each: each.lstrip("-"))
    options = ", ".join(known) or "none of its own"
    by_letters = {each.lstrip("-"): each for each in known}
    close = closest(name.lstrip("-"), by_letters)
    hint = f"; did you mean {by_letters[close]}?" if close else ""
    return f"{name}: a run of {task!r} does not take this option; it takes {options}{hint}"

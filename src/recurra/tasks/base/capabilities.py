"""What only some trained models can do, as protocols: a verb asks whether a predictor has the ability, not which task it is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from recurra.ink import Ink
from recurra.music import Piece
from recurra.stream import Stream
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.options import ExplainOptions, GenerateOptions
from recurra.tasks.base.settings import Settings
from recurra.tasks.base.transfer import PretrainedLayers


@runtime_checkable
class Streams(Protocol):
    """Can be fed one element at a time."""

    def why_not_streamable(self) -> str | None:
        """Say why this very model cannot; None where it can."""
        ...

    def stream(self, prompt: Any = "") -> Stream:
        """Give a stream that has read the beginning of a sequence; raises `UsageError` where the model cannot be one."""
        ...


@runtime_checkable
class StreamsLines(Protocol):
    """Can read each line of a pipe as the next step of one stream, instead of as an input of its own."""

    def line_stream(self) -> Callable[[str], Mapping[str, Any] | None] | None:
        """Give what is called with every line in turn; it gives None for a line without a result, such as a header.

        None where this very model takes each line as an input of its own.
        """
        ...


class ByteStream(Protocol):
    """Reads a signal as it comes, in pieces of bytes, and gives what is new after each: {"type": "partial" or "final", "text", …}."""

    def push(self, data: bytes) -> Iterable[dict[str, Any]]: ...

    def finish(self) -> list[dict[str, Any]]:
        """Give what is left once the signal has ended, or was interrupted."""
        ...


@runtime_checkable
class StreamsBytes(Protocol):
    """Can read a pipe that is no text as it comes."""

    def byte_stream(self, options: Any) -> ByteStream | None:
        """Give what reads it; None where the options do not say that the pipe is of this kind."""
        ...


class Chunk(Protocol):
    """A part of a sample that has become certain: of which sample, and whether it was that sample's last."""

    @property
    def sample(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def last(self) -> bool: ...


@runtime_checkable
class Generates(Protocol):
    """Continues prompts by something new."""

    GenerateOptions: ClassVar[type[GenerateOptions]]

    def generate(self, prompts: Iterable[Any], options: Any) -> Iterator[Chunk]:
        """Give chunks as they are made; the samples are numbered through: those of the first prompt, of the second, and so on."""
        ...

    def beam_search(self, prompts: Iterable[Any], options: Any) -> list[list[dict[str, Any]]]:
        """Give the likeliest continuations of each prompt, the best first."""
        ...


@runtime_checkable
class WritesLive(Protocol):
    """Writes its answer piece by piece."""

    def predict_live(self, item: Any, options: Any, show: Callable[[str], None]) -> Mapping[str, Any]:
        """Give the result of one input; show: takes each piece of the answer as soon as it is certain."""
        ...


@runtime_checkable
class GeneratesWhole(Protocol):
    """Makes whole things, pictures or drawings, from nothing or from the beginning of one."""

    name: ClassVar[str]
    GenerateOptions: ClassVar[type[Settings]]

    def generate_whole(self, prefix: Any, options: Any) -> Any:
        """Give them as Python has them; prefix: what is to be gone on with, or None."""
        ...


@runtime_checkable
class GeneratesPictures(GeneratesWhole, Protocol):
    """Writes pictures, from nothing or from the upper rows of one."""

    def generate_pictures(self, picture: Any, options: Any) -> np.ndarray:
        """Give pictures, grey uint8 (N, H, W); picture: what is to be completed, or None."""
        ...


@runtime_checkable
class GeneratesDrawings(GeneratesWhole, Protocol):
    """Draws with a pen, from nothing or from what was drawn before."""

    def generate_drawings(self, prefix: Any, options: Any) -> tuple[list[Ink], int]:
        """Give drawings, and how many strokes of each were there before; prefix: what is to be finished, or None."""
        ...


@runtime_checkable
class Composes(GeneratesWhole, Protocol):
    """Writes music, from nothing, going on with a piece, or for a given one."""

    def compose(self, given: Any, options: Any) -> list[Piece]:
        """Give pieces; given: what they go on with, or None."""
        ...


@runtime_checkable
class Scores(Protocol):
    """Knows how likely a text is, or whatever else it was trained on."""

    def score(self, texts: Iterable[Any]) -> list[dict[str, Any]]:
        """Give the log-probability of each, nats, in all and for each unit."""
        ...


@runtime_checkable
class ScoresFiles(Scores, Protocol):
    """Scores what stands in files of a form of its own, not in lines."""

    def read_scored(self, source: str) -> list[Any] | None:
        """Read such a file; None where each line of it names something to score."""
        ...


@runtime_checkable
class BeginsOthers(Protocol):
    """Has weights that a new training can begin with."""

    def pretrained_layers(self, run: str) -> PretrainedLayers:
        """Give them; run: the folder's name, for messages. Raises `UsageError` where this very model has none that serve."""
        ...


@runtime_checkable
class NamesSteps(Protocol):
    """Can say what its network reads at each step."""

    def step_names(self, item: Any) -> list[str]:
        """Name it, for an input of `predict`: a unit of a text as it is shown, the number of a step of a series."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """Gives vectors."""

    def embed(self, inputs: Iterable[Any]) -> np.ndarray:
        """Give the vector of each sequence, (N, D) float32."""
        ...


@runtime_checkable
class Explains(Protocol):
    """Gives an output as a function of what is there of an input."""

    ExplainOptions: ClassVar[type[ExplainOptions]]

    def explained(self, item: Any, options: Any) -> Explained:
        """Give the output that the options name, of an input as `parse` gives it; raises `UsageError` where there is no such output."""
        ...

"""What only some trained models can do, as protocols: a verb asks whether a predictor has the ability, not which task it is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from recurra.stream import Stream
from recurra.tasks.base.options import GenerateOptions
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
class Scores(Protocol):
    """Knows how likely a text is."""

    def score(self, texts: Iterable[str]) -> list[dict[str, Any]]:
        """Give the log-probability of each text, nats, in all and for each unit."""
        ...


@runtime_checkable
class BeginsOthers(Protocol):
    """Has weights that a new training can begin with."""

    def pretrained_layers(self, run: str) -> PretrainedLayers:
        """Give them; run: the folder's name, for messages. Raises `UsageError` where this very model has none that serve."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """Gives vectors."""

    def embed(self, inputs: Iterable[Any]) -> np.ndarray:
        """Give the vector of each sequence, (N, D) float32."""
        ...

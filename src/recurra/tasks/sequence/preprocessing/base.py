"""What every kind of preprocessor promises, and the kinds that there are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from torch import Tensor, nn

from recurra.tasks.base.config import SequenceData


class Encoded(Protocol):
    """One sequence as numbers; its length is its steps."""

    def __len__(self) -> int: ...


EncodedT = TypeVar("EncodedT", bound=Encoded)


class InputLayer(nn.Module):
    """The first layer: what `Preprocessor.collate` gives → vectors (T, B, size)."""

    size: int

    @property
    def table(self) -> nn.Embedding:
        """The vectors of the units that have one each; only of a layer that reads text."""
        raise NotImplementedError

    def blank(self) -> Tensor:
        """Give the vector that stands for a unit of which nothing is known, (size,). Only of a layer that reads text."""
        raise NotImplementedError

    def forward(self, inputs: Any) -> Tensor:
        raise NotImplementedError


class Preprocessor(ABC, Generic[EncodedT]):
    """How a sequence becomes numbers, and the first layer that reads these.

    It is made from the training data, saved with the run, and the same from then on. A class that is registered
    (`register_preprocessor`) is found by the kind of the data when a run is made, and by its files when it is loaded.
    """

    kind: ClassVar[str]
    """"text" or "series", as in `recurra.data.labelled.reader`; in JSON the name of the input."""
    discrete: ClassVar[bool]
    """Whether its elements are from a vocabulary (words, characters), each with a vector of its own, instead of numbers."""
    reads_words: ClassVar[bool] = False
    """Whether an element of a text is a word, which is not cut any further."""

    @classmethod
    @abstractmethod
    def reads_unit(cls, unit: str) -> bool:
        """Tell whether it reads texts by this unit; what is no text has none, and gives True."""

    @classmethod
    @abstractmethod
    def from_data(
        cls, sequences: Sequence[Any], channels: Sequence[str], data: SequenceData, unit: str
    ) -> Preprocessor[Any]:
        """Make it from the training sequences; what `data` leaves open of how they are read is chosen, and written into it."""

    @classmethod
    @abstractmethod
    def is_saved_in(cls, folder: Path, unit: str) -> bool:
        """Tell whether the preprocessor of a run folder is of this class."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Preprocessor[Any]:
        """Read what `save` wrote; raises `RunError` when it is damaged."""

    @abstractmethod
    def encode(self, sequence: Any) -> EncodedT:
        """Turn a sequence into numbers; raises `DataError` for one that is of another make than the training data."""

    @abstractmethod
    def collate(self, encoded: Sequence[EncodedT]) -> Any:
        """Put sequences side by side, padded to the longest: tensors for the input layer."""

    def unit_names(self) -> list[str]:
        """Name the rows of the input layer's `table`, no two alike. Only of text."""
        raise NotImplementedError

    def pieces(self, encoded: EncodedT, steps: int) -> list[EncodedT]:
        """Cut an encoded text into pieces of so many units at most. Only of text."""
        raise NotImplementedError

    def unit_ids(self, inputs: Any) -> Tensor:
        """Give of a collation the rows of the input layer's `table` that its units have, (T, B) int64; -1: none. Only of text."""
        raise NotImplementedError

    @abstractmethod
    def input_layer(self, size: int | None, **options: Any) -> InputLayer:
        """Build the first layer; size: of an element's vector, where it has one."""

    @property
    def channel_names(self) -> list[str]:
        """The names of the channels; none for text."""
        return []

    def channel_order(self, channels: Sequence[str], source: str) -> list[int] | None:  # noqa: ARG002
        """Give where each channel stands among those of a file; None where they stand in order already.

        Raises `DataError` for other ones.
        """
        return None

    @property
    def causal(self) -> bool:
        """Whether what is read of an element does not depend on those after it, as a stream needs it."""
        return True

    @abstractmethod
    def elements(self, sequence: Any) -> list[Any]:
        """Give what `step` takes one by one: a word, a character, the values of a step."""

    def is_element(self, element: Any) -> bool:  # noqa: ARG002
        """Tell whether something is an element as `elements` gives them, as far as that can be told."""
        return True

    @abstractmethod
    def prefixes(self, sequence: Any) -> Iterator[EncodedT]:
        """Give as numbers what there is after each element, the whole last."""

    @abstractmethod
    def prefixes_json(self, sequence: Any) -> Iterator[dict[str, Any]]:
        """Give what JSON and people get to see of a sequence after each element."""

    def text_and_ends(self, sequence: Any) -> tuple[str, list[int]]:
        """Give a text as it is shown, and where each element ends in it; raises `NotImplementedError` of what is no text."""
        raise NotImplementedError

    def step_names(self, sequence: Any) -> list[str]:
        """Name what is read at each step: a word or a character as it is shown, the number of a step of a series, from 1."""
        return [str(number) for number in range(1, len(self.encode(sequence)) + 1)]

    def initial_state(self) -> tuple[Tensor, ...]:
        """Give what `step` carries before the first element."""
        return ()

    def step(self, element: Any, carried: tuple[Tensor, ...]) -> tuple[EncodedT, bool, tuple[Tensor, ...]]:
        """Take one element more; gives the steps to read, whether they stay when more elements come, and what is carried on."""
        return element, True, carried

    @abstractmethod
    def validate(self, sequence: Any) -> Any:
        """Give what a user handed over as a sequence; raises `DataError` for what is none, as `check` does."""

    @abstractmethod
    def parse(self, line: str) -> Any:
        """Read a sequence from a line of text; raises `DataError` for one that holds none."""

    @abstractmethod
    def check(self, sequence: Any) -> None:
        """Raise `DataError` for a sequence that `encode` would not take; it costs less."""

    @abstractmethod
    def to_json(self, sequence: Any) -> Any:
        """Give a sequence as JSON and people get to see it."""

    @abstractmethod
    def dedup_key(self, sequence: Any) -> bytes:
        """Give the bytes that a split goes by: equal sequences have equal ones."""

    @abstractmethod
    def save(self, folder: Path) -> list[str]:
        """Write what has to be known of it, and give the names of the files."""


_kinds: list[type[Preprocessor]] = []
PreprocessorT = TypeVar("PreprocessorT", bound=Preprocessor)


def register_preprocessor(cls: type[PreprocessorT]) -> type[PreprocessorT]:
    """Make a kind of preprocessor known; used as a class decorator."""
    _kinds.append(cls)
    return cls


def preprocessors() -> list[type[Preprocessor]]:
    """List all kinds, in the order of their registration."""
    return list(_kinds)

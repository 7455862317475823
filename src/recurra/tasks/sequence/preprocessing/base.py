"""What every kind of input promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from torch import Tensor, nn


class Encoded(Protocol):
    """One sequence as numbers; its length is its steps."""

    def __len__(self) -> int: ...


EncodedT = TypeVar("EncodedT", bound=Encoded)


class Encoder(nn.Module):
    """The first layer: what `Input.collate` gives → vectors (T, B, size)."""

    size: int

    def forward(self, inputs: Any) -> Tensor:
        raise NotImplementedError


class Input(ABC, Generic[EncodedT]):
    """What sequences are made of: how one becomes numbers, and the first layer that reads them.

    It is made from the training data, saved with the run, and the same from then on.
    """

    kind: ClassVar[str]
    """"text" or "series", as in `recurra.data.labelled.reader`."""
    reads_words: ClassVar[bool] = False
    """Whether an element of a text is a word, which is not cut any further."""

    @abstractmethod
    def encode(self, sequence: Any) -> EncodedT:
        """Turn a sequence into numbers; raises `DataError` for one that is of another make than the training data."""

    @abstractmethod
    def collate(self, encoded: Sequence[EncodedT]) -> Any:
        """Put sequences side by side, padded to the longest: tensors for the encoder."""

    @abstractmethod
    def encoder(self, size: int | None, **options: Any) -> Encoder:
        """Build the first layer; size: of a unit's vector, where it has one."""

    @property
    def names(self) -> list[str]:
        """The names of the channels; none for text."""
        return []

    def order(self, channels: Sequence[str], source: str) -> list[int] | None:  # noqa: ARG002
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
        """Give what `follow` takes one by one: a word, a character, the values of a step."""

    @abstractmethod
    def beginnings(self, sequence: Any) -> Iterator[EncodedT]:
        """Give as numbers what there is after each element, the whole last."""

    @abstractmethod
    def shown_after_each(self, sequence: Any) -> Iterator[dict[str, Any]]:
        """Give what JSON and people get to see of a sequence after each element."""

    def begin(self) -> tuple[Tensor, ...]:
        """Give what `follow` carries before the first element."""
        return ()

    def follow(self, element: Any, carried: tuple[Tensor, ...]) -> tuple[EncodedT, bool, tuple[Tensor, ...]]:
        """Take one element more; gives the steps to read, whether they stay when more elements come, and what is carried on."""
        return element, True, carried

    @abstractmethod
    def read(self, sequence: Any) -> Any:
        """Give what a user handed over as a sequence; raises `DataError` for what is none, as `check` does."""

    @abstractmethod
    def parse(self, line: str) -> Any:
        """Read a sequence from a line of text; raises `DataError` for one that holds none."""

    @abstractmethod
    def check(self, sequence: Any) -> None:
        """Raise `DataError` for a sequence that `encode` would not take; it costs less."""

    @abstractmethod
    def shown(self, sequence: Any) -> Any:
        """Give a sequence as JSON and people get to see it."""

    @abstractmethod
    def key(self, sequence: Any) -> bytes:
        """Give the bytes that a split goes by: equal sequences have equal ones."""

    @abstractmethod
    def save(self, folder: Path) -> list[str]:
        """Write what has to be known of it, and give the names of the files."""

"""What every kind of input promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
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
    """"text" or "series", as in `recurra.data.labelled`."""

    @abstractmethod
    def encode(self, sequence: Any) -> EncodedT:
        """Turn a sequence into numbers; raises `DataError` for one that is of another make than the training data."""

    @abstractmethod
    def collate(self, encoded: Sequence[EncodedT]) -> Any:
        """Put sequences side by side, padded to the longest: tensors for the encoder."""

    @abstractmethod
    def encoder(self, size: int | None, **options: Any) -> Encoder:
        """Build the first layer; size: of a unit's vector, where it has one."""

    @abstractmethod
    def prefixes(self, sequence: Any) -> list[Any]:
        """Give what was there after each element: the sequence's beginnings, the shortest first, itself last."""

    @abstractmethod
    def shown(self, sequence: Any) -> Any:
        """Give a sequence as JSON and people get to see it."""

    @abstractmethod
    def key(self, sequence: Any) -> bytes:
        """Give the bytes that a split goes by: equal sequences have equal ones."""

    @abstractmethod
    def save(self, folder: Path) -> list[str]:
        """Write what has to be known of it, and give the names of the files."""


def place_of(folder: Path, name: str) -> Path:
    """Give where a file of a run stands."""
    return Path(folder) / name

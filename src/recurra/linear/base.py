"""What a linear classifier is: linear in features that are not learnt, and fitted by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from torch import Tensor

from recurra.errors import UsageError

State = tuple[Tensor, ...]


class LinearClassifier(ABC):
    """A classifier that is linear in fixed features of a sequence, such as its n-grams or what random convolutions give.

    Logits are on the scale of log-probabilities, up to a constant in each row: softmax(logits) are probabilities, or
    sigmoid(logits) where a sequence may have several labels.
    """

    kind: ClassVar[str]
    """What its sequences are: "text" or "series"."""
    title: ClassVar[str]
    """What a report calls it."""

    @abstractmethod
    def fit(
        self,
        sequences: Sequence[Any],
        targets: np.ndarray,
        classes: int,
        *,
        weights: np.ndarray | None = None,
        seconds: float | None = None,
    ) -> Self:
        """Learn from sequences.

        targets: classes (N,), or which labels each has, (N, C).  weights: what each example counts, (N,); None: all the same.
        seconds: about how long it may take on one core; what is done is chosen by the sizes, not by a clock, so that the same data always
        give the same model. Raises `UsageError` for nothing to learn from.
        """

    @abstractmethod
    def logits(self, sequences: Sequence[Any]) -> np.ndarray:
        """Give the logits, (N, C) float32, of the model that has learnt from all training sequences."""

    @abstractmethod
    def prior(self) -> np.ndarray:
        """Give the logits where nothing was read, (C,) float32."""

    @abstractmethod
    def initial_state(self) -> State:
        """Give the state of a stream that has read nothing."""

    @abstractmethod
    def step(self, element: Any, state: State) -> tuple[np.ndarray, State]:
        """Read a piece more, and give the logits (C,) for all that was read: those that `logits` gives of it."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Give what JSON can hold of it."""

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Give its weights."""

    @classmethod
    @abstractmethod
    def from_state(cls, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Make it again from `settings` and `tensors`; raises `ValueError` or `KeyError` for those that do not fit."""


_kinds: dict[str, type[LinearClassifier]] = {}
LinearT = TypeVar("LinearT", bound=LinearClassifier)


def register_linear(cls: type[LinearT]) -> type[LinearT]:
    """Make a linear classifier known for its kind of sequences; used as a class decorator."""
    _kinds[cls.kind] = cls
    return cls


def linear_classifier(kind: str) -> type[LinearClassifier]:
    """Give the linear classifier for a kind of sequences, "text" or "series"; raises `UsageError` for another."""
    if kind not in _kinds:
        raise UsageError(f"kind: expected {' or '.join(sorted(_kinds))}, got {kind!r}")
    return _kinds[kind]

"""What an embedder foretells or gives back, step by step: the values of a series, the units of a text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.tasks.sequence.preprocessing import Preprocessor, SeriesPreprocessor, TokenPreprocessor, WordPreprocessor

NONE = -1
"""The unit that stands where there is none to foretell."""
NOTHING = np.float32(np.inf)
"""The value that stands where there is none: unlike NaN it equals itself."""


class Targets(ABC):
    """What is to be said at each step.

    size: how many numbers the network says at a step.  figure: what the mean error is called.
    """

    size: int
    figure: str

    @abstractmethod
    def of(self, sequence: Any, encoded: Any) -> np.ndarray:
        """Give what is to be said at each step of a sequence, (T, …)."""

    @abstractmethod
    def collate(self, given: Sequence[np.ndarray]) -> Tensor:
        """Put the targets of sequences side by side, (T, B, …), with nothing to say past the end of each."""

    @abstractmethod
    def errors(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Give the summed error (B) of outputs (T, B, size), and over how many elements (B) it is summed."""

    @abstractmethod
    def reader(self) -> Reader:
        """Build what reads targets, so that a decoder may see the step before."""

    @abstractmethod
    def mean(self, error: float, count: int) -> float:
        """Give the figure of a summed error."""


class Reader(nn.Module):
    """targets (T, B, …), seen (T, B) bool → vectors (T, B, size), of which those that are not seen say so."""

    size: int


class Values(Targets):
    """The scaled values of a frame, (T, B, W), `NOTHING` where there is none; the error is squared.

    new: only those at its end that no frame before has.
    """

    figure = "rmse"

    def __init__(self, made: SeriesPreprocessor, *, new: bool) -> None:
        self._made = made
        frame, hop = made.cutting.frame, made.cutting.hop
        self._steps = min(frame, hop) if new else frame
        self.size = self._steps * len(made.channels)

    def of(self, sequence: np.ndarray, encoded: np.ndarray) -> np.ndarray:
        frame, hop, channels = self._made.cutting.frame, self._made.cutting.hop, len(self._made.channels)
        if not len(encoded):
            return np.zeros((0, self.size), np.float32)
        values = encoded.reshape(len(encoded), frame, -1)[:, :, :channels]
        places = np.arange(len(encoded))[:, None] * hop + np.arange(frame)
        missing = np.isnan(sequence)[places.clip(max=len(sequence) - 1)] | (places >= len(sequence))[:, :, None]
        return np.where(missing, NOTHING, values)[:, -self._steps :].reshape(len(encoded), -1)

    def collate(self, given: Sequence[np.ndarray]) -> Tensor:
        return _padded(given, (self.size,), np.float32, NOTHING)

    def errors(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        there = targets.isfinite()
        wrong = outputs.float().masked_fill(~there, 0) - targets.masked_fill(~there, 0)
        return (wrong**2).sum((0, 2)), there.sum((0, 2))

    def reader(self) -> ValueReader:
        return ValueReader(self.size)

    def mean(self, error: float, count: int) -> float:
        return (error / max(1, count)) ** 0.5


class ValueReader(Reader):
    """Values as they are, and whether they are seen."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size + 1

    def forward(self, targets: Tensor, seen: Tensor) -> Tensor:
        shown = seen.unsqueeze(2).float()
        return torch.cat([targets.masked_fill(~(targets.isfinite() & seen.unsqueeze(2)), 0), shown], 2)


class Units(Targets):
    """The number of each unit, (T, B), `NONE` where there is none; the error is −log p. A word that is not known is 0."""

    figure = "nll"

    def __init__(self, made: WordPreprocessor | TokenPreprocessor, embedding: int) -> None:
        self._words = isinstance(made, WordPreprocessor)
        self.size = len(made.vocabulary.words) + 1 if isinstance(made, WordPreprocessor) else made.vocabulary.size
        self._embedding = embedding

    def of(self, sequence: Any, encoded: Any) -> np.ndarray:  # noqa: ARG002
        return (encoded.ids[encoded.places] if self._words else encoded).astype(np.int64)

    def collate(self, given: Sequence[np.ndarray]) -> Tensor:
        return _padded(given, (), np.int64, NONE)

    def errors(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        each = F.cross_entropy(outputs.flatten(0, 1).float(), targets.flatten(), ignore_index=NONE, reduction="none")
        return each.view(targets.shape).sum(0), (targets != NONE).sum(0)

    def reader(self) -> UnitReader:
        return UnitReader(self.size, self._embedding)

    def mean(self, error: float, count: int) -> float:
        return error / max(1, count)


class UnitReader(Reader):
    """A vector for each unit, and one for a unit that is not seen."""

    def __init__(self, units: int, size: int) -> None:
        super().__init__()
        self.size, self.unseen = size, units
        self.embedding = nn.Embedding(units + 1, size)

    def forward(self, targets: Tensor, seen: Tensor) -> Tensor:
        return cast(Tensor, self.embedding(targets.masked_fill(~seen | (targets < 0), self.unseen)))


def make_targets(made: Preprocessor, embedding: int, *, new: bool) -> Targets:
    """Choose by what is read; new: of overlapping frames only what the one before has not."""
    if isinstance(made, SeriesPreprocessor):
        return Values(made, new=new)
    assert isinstance(made, WordPreprocessor | TokenPreprocessor)
    return Units(made, embedding)


def _padded(given: Sequence[np.ndarray], inner: tuple[int, ...], kind: Any, nothing: Any) -> Tensor:
    steps = max((len(one) for one in given), default=0)
    padded = np.full((steps, len(given), *inner), nothing, kind)
    for row, one in enumerate(given):
        padded[: len(one), row] = one
    return torch.from_numpy(padded)

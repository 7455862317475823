"""What an embedder predicts or gives back, step by step: the values of a series, the tokens of a text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recurra.tasks.embed.config import Model
from recurra.tasks.embed.data import Split
from recurra.tasks.sequence.preprocessing import Preprocessor, SeriesPreprocessor, TokenPreprocessor, WordPreprocessor

EMBEDDING = 64
"""Size of a token's vector, where none is set."""
NO_TOKEN = -1
"""The token that stands where there is none to predict."""
NO_VALUE = np.float32(np.inf)
"""The value that stands where there is none: unlike NaN it equals itself."""


class Targets(ABC):
    """What the network's output is compared with at each step.

    size: how many numbers the network gives at a step.  metric: what the mean error is called.
    """

    size: int
    metric: str

    @abstractmethod
    def of(self, sequence: Any, encoded: Any) -> np.ndarray:
        """Give the targets at each step of a sequence, (T, …)."""

    @abstractmethod
    def collate(self, given: Sequence[np.ndarray]) -> Tensor:
        """Put the targets of sequences side by side, (T, B, …), with none past the end of each."""

    @abstractmethod
    def errors(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Give the summed error (B) of outputs (T, B, size), and over how many elements (B) it is summed."""

    @abstractmethod
    def build_reader(self) -> TargetReader:
        """Build what reads targets, so that a decoder may see the step before."""

    @abstractmethod
    def mean_error(self, error: float, count: int) -> float:
        """Give the metric for an error that is summed over so many elements."""


class TargetReader(nn.Module):
    """targets (T, B, …), seen (T, B) bool → vectors (T, B, size); those of targets that are not seen tell only that."""

    size: int


class ValueTargets(Targets):
    """The scaled values of a frame, (T, B, W), `NO_VALUE` where there is none; the error is squared.

    only_new: only those at its end that no frame before has.
    """

    metric = "rmse"

    def __init__(self, inputs: SeriesPreprocessor, *, only_new: bool) -> None:
        self._inputs = inputs
        frame, hop = inputs.options.frame, inputs.options.hop
        self._steps = min(frame, hop) if only_new else frame
        self.size = self._steps * len(inputs.channels)

    def of(self, sequence: np.ndarray, encoded: np.ndarray) -> np.ndarray:
        options, channels = self._inputs.options, len(self._inputs.channels)
        if not len(encoded):
            return np.zeros((0, self.size), np.float32)
        values = encoded.reshape(len(encoded), options.frame, -1)[:, :, :channels]
        places = np.arange(len(encoded))[:, None] * options.hop + np.arange(options.frame)
        missing = np.isnan(sequence)[places.clip(max=len(sequence) - 1)] | (places >= len(sequence))[:, :, None]
        return np.where(missing, NO_VALUE, values)[:, -self._steps :].reshape(len(encoded), -1)

    def collate(self, given: Sequence[np.ndarray]) -> Tensor:
        return _padded(given, (self.size,), np.float32, NO_VALUE)

    def errors(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        there = targets.isfinite()
        wrong = outputs.float().masked_fill(~there, 0) - targets.masked_fill(~there, 0)
        return (wrong**2).sum((0, 2)), there.sum((0, 2))

    def build_reader(self) -> ValueReader:
        return ValueReader(self.size)

    def mean_error(self, error: float, count: int) -> float:
        return (error / max(1, count)) ** 0.5


class ValueReader(TargetReader):
    """Values as they are, and whether they are seen."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size + 1

    def forward(self, targets: Tensor, seen: Tensor) -> Tensor:
        flag = seen.unsqueeze(2).float()
        return torch.cat([targets.masked_fill(~(targets.isfinite() & seen.unsqueeze(2)), 0), flag], 2)


class TokenTargets(Targets):
    """The number of each token, (T, B), `NO_TOKEN` where there is none; the error is −log p. A word that is not known is 0."""

    metric = "nll"

    def __init__(self, inputs: WordPreprocessor | TokenPreprocessor, embedding: int) -> None:
        self._words = isinstance(inputs, WordPreprocessor)
        self.size = len(inputs.vocabulary.words) + 1 if isinstance(inputs, WordPreprocessor) else inputs.vocabulary.size
        self._embedding = embedding

    def of(self, sequence: Any, encoded: Any) -> np.ndarray:  # noqa: ARG002
        return (encoded.ids[encoded.places] if self._words else encoded).astype(np.int64)

    def collate(self, given: Sequence[np.ndarray]) -> Tensor:
        return _padded(given, (), np.int64, NO_TOKEN)

    def errors(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        each = F.cross_entropy(
            outputs.flatten(0, 1).float(), targets.flatten(), ignore_index=NO_TOKEN, reduction="none"
        )
        return each.view(targets.shape).sum(0), (targets != NO_TOKEN).sum(0)

    def build_reader(self) -> TokenReader:
        return TokenReader(self.size, self._embedding)

    def mean_error(self, error: float, count: int) -> float:
        return error / max(1, count)


class TokenReader(TargetReader):
    """A vector for each token, and one for a token that is not seen."""

    def __init__(self, tokens: int, size: int) -> None:
        super().__init__()
        self.size, self.unseen = size, tokens
        self.embedding = nn.Embedding(tokens + 1, size)

    def forward(self, targets: Tensor, seen: Tensor) -> Tensor:
        return cast(Tensor, self.embedding(targets.masked_fill(~seen | (targets < 0), self.unseen)))


def build_targets(inputs: Preprocessor, model: Model) -> Targets:
    """Choose by what is read; the next step of overlapping frames is only what the one before has not."""
    if isinstance(inputs, SeriesPreprocessor):
        return ValueTargets(inputs, only_new=model.objective == "next_step")
    assert isinstance(inputs, WordPreprocessor | TokenPreprocessor)
    return TokenTargets(inputs, model.embedding or EMBEDDING)


def collate(
    split: Split, indices: Sequence[int] | np.ndarray, inputs: Preprocessor, targets: Targets
) -> tuple[Any, Tensor, Tensor]:
    """Put some of the examples of a split side by side: what the input layer takes, their lengths (B), and the targets."""
    encoded = [split.encoded[index] for index in indices]
    wanted = [targets.of(split.sequences[index], split.encoded[index]) for index in indices]
    return inputs.collate(encoded), torch.tensor([len(one) for one in encoded]), targets.collate(wanted)


def _padded(given: Sequence[np.ndarray], inner: tuple[int, ...], kind: Any, nothing: Any) -> Tensor:
    steps = max((len(one) for one in given), default=0)
    padded = np.full((steps, len(given), *inner), nothing, kind)
    for row, one in enumerate(given):
        padded[: len(one), row] = one
    return torch.from_numpy(padded)

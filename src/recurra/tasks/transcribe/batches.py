"""Signals side by side, varied and joined by chance, with their labels: what a step of training reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recurra.data.batching import batches_by_length, cut_large
from recurra.nn import frames_needed
from recurra.tasks.transcribe.config import Model
from recurra.tasks.transcribe.data import Split, steps_of
from recurra.tasks.transcribe.preprocessing import TranscriptPreprocessor

MAX_BATCH_FRAMES = 60_000
"""Frames of a batch, padding included: of long signals fewer are read side by side."""
GAP_SHARE = 0.5
"""How often there is quiet before the first signal, and behind the last."""
TRIES = 3
"""How often a signal is varied again that has become too short for its text, before it is read as it is."""


class SignalBatch(NamedTuple):
    """Frames (T, B, F), how many each has (B), the labels (B, S), how many each has (B), and how many these are in all."""

    frames: Tensor
    lengths: Tensor
    labels: Tensor
    label_counts: Tensor
    units: int


def collate_frames(frames: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Put frames, each (T, F), side by side: (T, B, F) float32, zeros behind the shorter ones, and their lengths (B)."""
    lengths = [len(one) for one in frames]
    size = frames[0].shape[1] if frames else 0
    padded = np.zeros((max(lengths, default=0), len(frames), size), np.float32)
    for row, one in enumerate(frames):
        padded[: len(one), row] = one
    return torch.from_numpy(padded), torch.tensor(lengths, dtype=torch.int64)


def collate_labels(labels: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Put labels side by side: (B, S) int64, ones behind the shorter, and how many each has (B)."""
    counts = [len(one) for one in labels]
    padded = np.ones((len(labels), max(1, *counts)), np.int64)
    for row, one in enumerate(labels):
        padded[row, : len(one)] = one
    return torch.from_numpy(padded), torch.tensor(counts, dtype=torch.int64)


def cut_batches(split: Split, batch: int, *, seed: int, epoch: int) -> list[np.ndarray]:
    """Give which signals each batch of an epoch is of: those of like length, and fewer where they are long."""
    lengths = split.lengths
    cut = batches_by_length(lengths, batch, seed=seed, epoch=epoch)
    return cut_large(cut, lambda some: len(some) * int(lengths[some].max()), MAX_BATCH_FRAMES)


def signal_batches(
    split: Split,
    preprocessor: TranscriptPreprocessor,
    model: Model,
    *,
    batch: int,
    seed: int,
    epoch: int,
    start: int = 0,
) -> Iterator[SignalBatch]:
    """Give the batches of an epoch from batch `start` on; what chance does to a batch is fixed by the seed, the epoch and its number."""
    maker = _Maker(split, preprocessor, model)
    for number, rows in enumerate(cut_batches(split, batch, seed=seed, epoch=epoch)[start:], start):
        yield maker.make(rows, np.random.default_rng([seed, epoch, number]))


class _Maker:
    """Makes batches of some signals."""

    def __init__(self, split: Split, preprocessor: TranscriptPreprocessor, model: Model) -> None:
        self._split, self._preprocessor, self._model = split, preprocessor, model
        separator = preprocessor.separator
        # Who reads as it comes meets silence of any length.
        self._gaps = (model.joined or 1) > 1 or (
            model.augment and preprocessor.signals.seconds is not None and not model.bidirectional
        )
        self._between = np.zeros(0, np.int64) if separator is None else np.array([separator])

    def make(self, rows: np.ndarray, chance: np.random.Generator) -> SignalBatch:
        made = [self._one(int(row), chance) for row in rows]
        frames, lengths = collate_frames([self._preprocessor.normalised(one) for one, _ in made])
        labels, counts = collate_labels([one for _, one in made])
        return SignalBatch(frames, lengths, labels, counts, sum(max(1, len(one)) for _, one in made))

    def _one(self, row: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Give a signal, and by chance others behind it, with gaps between; before and behind, as often as not."""
        most, split = self._model.joined or 1, self._split
        count = int(chance.integers(1, most + 1))
        chosen = [row, *chance.integers(0, len(split), count - 1).tolist()]
        pieces: list[np.ndarray] = []
        labels: list[np.ndarray] = []
        for place, each in enumerate(chosen):
            frames = self._varied(each, chance)
            gap = self._preprocessor.signals.gap(frames, chance) if self._gaps else frames[:0]
            if self._gaps and not place and chance.random() < GAP_SHARE:
                pieces.append(gap[: len(gap) // 2])
            pieces.append(frames)
            # Some end where the recording does, as many do that are read: what waited for quiet to write would lose their last unit.
            if self._gaps and (place + 1 < count or chance.random() < GAP_SHARE):
                pieces.append(gap)
            labels += [self._between, split.labels[each]] if place else [split.labels[each]]
        return np.concatenate(pieces), np.concatenate(labels)

    def _varied(self, row: int, chance: np.random.Generator) -> np.ndarray:
        split, signals = self._split, self._preprocessor.signals
        if not self._model.augment:
            return split.frames[row]
        needed = frames_needed(split.labels[row])
        for _ in range(TRIES):
            frames = signals.vary(split.kept[row], chance)
            if steps_of(len(frames), self._model, signals) >= needed:
                return frames
        return split.frames[row]

"""Drawings side by side, varied as another hand would draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from recurra.ink import DOWN
from recurra.tasks.strokes.config import Model
from recurra.tasks.strokes.data import Split, fixed_noise
from recurra.tasks.strokes.preprocessing import StrokePreprocessor


@dataclass(frozen=True)
class Given:
    """What is drawn by: labels (B) int64; or letters (B, S) int64 and how many each text has, (B) on the CPU; or neither."""

    labels: Tensor | None = None
    letters: Tensor | None = None
    letter_counts: Tensor | None = None

    def to(self, device: torch.device) -> Given:
        """Move it."""
        return replace(
            self,
            labels=None if self.labels is None else self.labels.to(device),
            letters=None if self.letters is None else self.letters.to(device),
        )

    def select(self, rows: Tensor) -> Given:
        """Give some rows of it."""
        return Given(
            *(None if part is None else part[rows] for part in (self.labels, self.letters, self.letter_counts))
        )


@dataclass(frozen=True)
class Batch:
    """steps (T, B, 2) in the unit, pens (T, B) int64, zeros past each drawing's end; lengths (B) int64 on the CPU."""

    steps: Tensor
    pens: Tensor
    lengths: Tensor
    given: Given

    def to(self, device: torch.device) -> Batch:
        """Move all but the lengths."""
        return replace(self, steps=self.steps.to(device), pens=self.pens.to(device), given=self.given.to(device))

    def __len__(self) -> int:
        return len(self.lengths)


def collate(
    steps: Sequence[np.ndarray], pens: Sequence[np.ndarray], ids: Sequence[np.ndarray], condition: str
) -> Batch:
    """Put drawings side by side: steps (N, 2) in the unit and pen states (N) each.

    >>> made = collate([np.ones((3, 2)), np.ones((1, 2))], [np.zeros(3, int), np.array([2])], [np.array([0]), np.array([1])], "label")
    >>> made.pens.tolist(), made.lengths.tolist(), made.given.labels.tolist()
    ([[0, 2], [0, 0], [0, 0]], [3, 1], [0, 1])
    """
    lengths = [len(each) for each in pens]
    longest = max(lengths, default=0)
    points = np.zeros((longest, len(pens), 2), np.float32)
    states = np.zeros((longest, len(pens)), np.int64)
    for row, (some, each) in enumerate(zip(steps, pens, strict=True)):
        points[: len(each), row] = some
        states[: len(each), row] = each
    given = collate_given(ids, condition)
    return Batch(torch.from_numpy(points), torch.from_numpy(states), torch.tensor(lengths, dtype=torch.int64), given)


def collate_given(ids: Sequence[np.ndarray], condition: str) -> Given:
    """Put what drawings are drawn by side by side."""
    if condition == "label":
        return Given(labels=torch.from_numpy(np.concatenate(ids) if ids else np.zeros(0, np.int64)))
    if condition == "text":
        counts = [len(each) for each in ids]
        letters = np.zeros((len(ids), max(counts, default=0)), np.int64)
        for row, each in enumerate(ids):
            letters[row, : len(each)] = each
        return Given(letters=torch.from_numpy(letters), letter_counts=torch.tensor(counts, dtype=torch.int64))
    return Given()


def training_batch(
    split: Split, indices: np.ndarray, preprocessor: StrokePreprocessor, model: Model, chance: np.random.Generator
) -> Batch:
    """Put training drawings side by side, each varied by chance."""
    steps, pens = [], []
    for index in indices.tolist():
        some, each = drop_points(split.steps[index], split.pens[index], model.drop_points, chance)
        some = some + (chance.random(some.shape) - 0.5) * preprocessor.noise
        some = some * chance.uniform(1 - model.stretch, 1 + model.stretch, 2)
        steps.append(preprocessor.encode(some))
        pens.append(each)
    return collate(steps, pens, [split.ids[index] for index in indices.tolist()], preprocessor.condition)


def drop_points(
    steps: np.ndarray, pens: np.ndarray, share: float, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Leave out a share of the points within strokes; the step to the next point becomes longer, ends of strokes stay.

    >>> some, kept = drop_points(np.ones((4, 2)), np.array([0, 0, 0, 2]), 0.999999, np.random.default_rng(0))
    >>> some.tolist(), kept.tolist()
    ([[4.0, 4.0]], [2])
    """
    if not share:
        return steps, pens
    begins = np.concatenate([[False], pens[:-1] != DOWN])
    dropped = (chance.random(len(pens)) < share) & (pens == DOWN) & ~begins
    if not dropped.any():
        return steps, pens
    kept = np.flatnonzero(~dropped)
    starts = np.concatenate([[0], kept[:-1] + 1])
    return np.add.reduceat(steps, starts, axis=0), pens[kept]


def evaluation_batch(split: Split, indices: Sequence[int], preprocessor: StrokePreprocessor) -> Batch:
    """Put held-out drawings side by side as they are, with their fixed noise where steps are dequantised."""
    steps = [preprocessor.encode(noisy_steps(split, index, preprocessor.noise)) for index in indices]
    return collate(
        steps,
        [split.pens[index] for index in indices],
        [split.ids[index] for index in indices],
        preprocessor.condition,
    )


def noisy_steps(split: Split, index: int, width: float) -> np.ndarray:
    """Give the steps of a drawing (N, 2), in units of the data, with noise that is always the same."""
    steps = split.steps[index].astype(np.float64)
    return steps + fixed_noise(split.inks[index], len(steps), width) if width else steps

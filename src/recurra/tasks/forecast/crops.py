"""Batches of training: pieces of rows, and from some of their steps what came next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.data.batches import batches_by_length
from recurra.tasks.forecast.examples import Examples
from recurra.tasks.forecast.rows import Row
from recurra.tasks.forecast.windows import TINY

ORIGINS = 32
"""Steps of a piece that are learnt from: those next to each other say nearly the same, and a head is dear."""
SMALL = 0.1
"""Values smaller than this share of a series' mean count as if they were as large."""


@dataclass(frozen=True)
class Batch:
    """Pieces of rows side by side, and what came after some of their steps.

    inputs (T, B, I), lengths (B); steps, lanes (n): from where is foretold; ahead (n, h, K), targets, weights, units (n, h, C),
    in units of the window that was read, a weight of 0 where there is no target.  plain (T', B, 3·C), which (B): what smoothing
    reads, from some steps before the pieces on, and the numbers of their rows.
    """

    inputs: Tensor
    lengths: Tensor
    steps: Tensor
    lanes: Tensor
    ahead: Tensor
    targets: Tensor
    weights: Tensor
    units: Tensor
    plain: Tensor | None = None
    which: Tensor | None = None


def pieces(examples: Examples, window: int, seed: int, epoch: int) -> np.ndarray:
    """Give the pieces of an epoch, (N, 3): row, first step, and the step after the last; as many as would cover all rows once."""
    generator = np.random.Generator(np.random.PCG64([seed, epoch, 1]))
    found = []
    for number, end in enumerate(examples.ends):
        if end < 2:
            continue
        length = min(window, end)
        firsts = generator.integers(0, end - length + 1, size=-(-end // window))
        found += [(number, first, first + length) for first in firsts.tolist()]
    return np.array(found, np.int64)


def batches(
    examples: Examples, window: int, horizon: int, loss_by: str, *, batch: int, seed: int, epoch: int, start: int
) -> Iterator[Batch]:
    """Give the batches of an epoch from batch `start` on."""
    cut = pieces(examples, window, seed, epoch)
    order = batches_by_length(cut[:, 2] - cut[:, 1], batch, seed=seed, epoch=epoch)
    for number, indices in enumerate(order):
        if number >= start:
            generator = np.random.Generator(np.random.PCG64([seed, epoch, 2, number]))
            yield collate(examples, cut[indices], horizon, loss_by, generator)


def collate(examples: Examples, cut: np.ndarray, horizon: int, loss_by: str, generator: np.random.Generator) -> Batch:
    """Put pieces side by side."""
    form = examples.form
    lengths = cut[:, 2] - cut[:, 1]
    inputs = np.zeros((int(lengths.max()), len(cut), form.size), np.float32)
    before = form.lookback + 2 * form.season if form.smoothed else 0
    plain = np.zeros((before + len(inputs), len(cut), 3 * form.channels), np.float32)
    found: list[tuple[np.ndarray, ...]] = []
    for lane, (number, first, last) in enumerate(cut.tolist()):
        row, end = examples.rows[number], examples.ends[number]
        inputs[: last - first, lane] = form.read(row, first, last)
        if form.smoothed:
            plain[: before + last - first, lane] = form.plain(row, first - before, last)
        origins = np.arange(first, min(last, end - 1))
        if len(origins) > ORIGINS:
            origins = np.sort(generator.choice(origins, ORIGINS, replace=False))
        ahead, values = future(row, origins, horizon, end)
        unit = row.measured.unit[origins, None]
        usable = ~np.isnan(values) & (unit > TINY)
        target = np.where(usable, (values - row.measured.level[origins, None]) / np.maximum(unit, TINY), 0.0)
        weight = np.where(usable, unit * weighed(examples, number, values, loss_by), 0.0)
        units = np.broadcast_to(unit, target.shape)
        found.append((origins - first, np.full(len(origins), lane), ahead, target, weight, units))
    steps, lanes, ahead, targets, weights, units = (np.concatenate(parts) for parts in zip(*found, strict=True))
    numbers = [torch.from_numpy(each.astype(np.float32)) for each in (ahead, targets, weights, units)]
    read = (torch.from_numpy(each) for each in (inputs, lengths, steps, lanes))
    if not form.smoothed:
        return Batch(*read, *numbers)
    return Batch(*read, *numbers, plain=torch.from_numpy(plain), which=numbers_of(examples, cut))


def numbers_of(examples: Examples, cut: np.ndarray) -> Tensor:
    """Give the numbers of the pieces' rows among those whose smoothing is learnt."""
    return torch.tensor([examples.form.number(examples.rows[number]) for number in cut[:, 0].tolist()])


def weighed(examples: Examples, number: int, values: np.ndarray, loss_by: str) -> np.ndarray:
    """Give what an error of one counts for values (n, h, C) of a row; over all series both ways come to the same mean."""
    scale = examples.scales[number]
    by_steps = np.broadcast_to(1.0 / scale, values.shape)
    if loss_by == "steps":
        return by_steps
    if examples.form.transform == "log":  # an error is a share already
        by_size = np.full(values.shape, 1.0 / examples.share)
    else:
        size = examples.sizes[number]
        near = np.maximum(np.abs(np.nan_to_num(values) + examples.rows[number].reference), SMALL * size)
        by_size = 1.0 / (examples.share * near)
    return by_size if loss_by == "size" else 0.5 * (by_steps + by_size)


def future(row: Row, origins: np.ndarray, horizon: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Give what is known and what came after some steps of a row: ahead (n, h, K), values (n, h, C), NaN from `end` on."""
    at = origins[:, None] + np.arange(1, horizon + 1)
    # Where nothing is known of a step ahead, what was known last goes on.
    ahead = row.ahead[np.minimum(at, len(row.ahead) - 1)]
    values = np.where((at < end)[..., None], row.values[np.minimum(at, len(row) - 1)], np.nan)
    return ahead, values

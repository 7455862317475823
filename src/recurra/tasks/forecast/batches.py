"""Batches of training: pieces of rows, and from some of their steps what came next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from recurra.data.batching import batches_by_length
from recurra.tasks.forecast.data import Examples
from recurra.tasks.forecast.scaling import TINY, side_by_side

SMALL = 0.1
"""Values smaller than this share of a series' mean count as if they were as large."""


@dataclass(frozen=True)
class Batch:
    """Pieces of rows side by side, and what came after some of their steps.

    inputs (T, B, I), lengths (B), None where all are as long; steps, lanes (n): from where is foretold; ahead (n, h, K), targets, weights, units (n, h, C),
    in units of the window that was read, a weight of 0 where there is no target.  plain (T', B, 3·C), which (B): what smoothing
    reads, from some steps before the pieces on, and the numbers of their rows.
    """

    inputs: Tensor
    lengths: Tensor | None
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


def whole(examples: Examples, window: int) -> np.ndarray:
    """Give pieces that cover all that is trained on once, (N, 3): row, first step, and the step after the last."""
    found = [
        (number, first, min(first + window, end))
        for number, end in enumerate(examples.ends)
        for first in range(0, end if end > 1 else 0, window)
    ]
    return np.array(found, np.int64).reshape(-1, 3)


def batches(
    examples: Examples,
    window: int,
    horizon: int,
    loss_by: str,
    *,
    origins: int,
    batch: int,
    seed: int,
    epoch: int,
    start: int,
) -> Iterator[Batch]:
    """Give the batches of an epoch from batch `start` on; origins: steps of each piece that are learnt from, at most."""
    cut = pieces(examples, window, seed, epoch)
    order = batches_by_length(cut[:, 2] - cut[:, 1], batch, seed=seed, epoch=epoch)
    for number, indices in enumerate(order):
        if number >= start:
            generator = np.random.Generator(np.random.PCG64([seed, epoch, 2, number]))
            yield collate(examples, cut[indices], horizon, loss_by, origins, generator)


def collate(
    examples: Examples, cut: np.ndarray, horizon: int, loss_by: str, origins: int, generator: np.random.Generator
) -> Batch:
    """Put pieces side by side."""
    form, rows = examples.form, [examples.rows[number] for number in cut[:, 0].tolist()]
    ends = np.array([examples.ends[number] for number in cut[:, 0].tolist()])
    _, firsts, lasts = cut.T
    inputs = form.read(rows, firsts, lasts)
    lanes, steps = chosen(np.minimum(lasts, ends - 1) - firsts, origins, generator)
    values = side_by_side([row.values for row in rows], firsts + 1, lasts + horizon)
    values[np.arange(values.shape[1]) + firsts[:, None] + 1 >= ends[:, None]] = np.nan
    values = _after(values, lanes, steps, horizon)
    # Where nothing is known of a step ahead, what was known last goes on.
    ahead = _after(side_by_side([row.ahead for row in rows], firsts + 1, lasts + horizon), lanes, steps, horizon)
    level = side_by_side([row.measured.level for row in rows], firsts, lasts)[lanes, steps][:, None]
    unit = side_by_side([row.measured.unit for row in rows], firsts, lasts)[lanes, steps][:, None]
    usable = ~np.isnan(values) & (unit > TINY)
    targets = np.where(usable, (values - level) / np.maximum(unit, TINY), 0.0)
    weights = np.where(usable, unit * weighed(examples, cut[:, 0], lanes, values, loss_by), 0.0)
    units = np.broadcast_to(unit, targets.shape)
    lengths = lasts - firsts
    batch = Batch(
        torch.from_numpy(inputs),
        None if (lengths == len(inputs)).all() else torch.from_numpy(lengths),
        torch.from_numpy(steps),
        torch.from_numpy(lanes),
        *(torch.from_numpy(each.astype(np.float32)) for each in (ahead, targets, weights, units)),
    )
    if not form.smoothed:
        return batch
    before = form.lookback + 2 * form.season
    plain = np.zeros((before + len(inputs), len(cut), 3 * form.channels), np.float32)
    for lane, (row, first, last) in enumerate(zip(rows, firsts.tolist(), lasts.tolist(), strict=True)):
        plain[: before + last - first, lane] = form.plain(row, first - before, last)
    return replace(batch, plain=torch.from_numpy(plain), which=numbers_of(examples, cut))


def chosen(counts: np.ndarray, most: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Choose at most so many of the first steps of each lane, counts (B): lanes (n) and steps (n), both rising.

    >>> chosen(np.array([2, 0, 3]), 2, np.random.default_rng(1))
    (array([0, 0, 2, 2]), array([0, 1, 1, 2]))
    """
    keys = generator.random((len(counts), int(counts.max(initial=0))))
    keys[np.arange(keys.shape[1]) >= counts[:, None]] = 2.0
    if keys.shape[1] > most:
        limit = np.partition(keys, most - 1, axis=1)[:, most - 1 : most]
        keys[keys > limit] = 2.0
    lanes, steps = np.nonzero(keys < 2.0)
    return lanes, steps


def _after(values: np.ndarray, lanes: np.ndarray, steps: np.ndarray, horizon: int) -> np.ndarray:
    """Give `horizon` values (n, h, …) of values (B, T, …) from some steps on."""
    if not values.shape[2]:
        return np.zeros((len(steps), horizon, 0), values.dtype)
    return sliding_window_view(values, horizon, axis=1)[lanes, steps].swapaxes(1, 2)


def numbers_of(examples: Examples, cut: np.ndarray) -> Tensor:
    """Give the numbers of the pieces' rows among those whose smoothing is learnt."""
    return torch.tensor([examples.form.number(examples.rows[number]) for number in cut[:, 0].tolist()])


def weighed(examples: Examples, numbers: np.ndarray, lanes: np.ndarray, values: np.ndarray, loss_by: str) -> np.ndarray:
    """Give what an error of one counts for values (n, h, C) of rows; over all series both ways come to the same mean.

    numbers (B): of the rows.  lanes (n): whose values they are.
    """
    scale = np.stack([examples.scales[number] for number in numbers.tolist()])[lanes, None]
    by_steps = np.broadcast_to(1.0 / scale, values.shape)
    if loss_by == "steps":
        return by_steps
    if examples.form.transform == "log":  # an error is a share already
        by_size = np.full(values.shape, 1.0 / examples.share)
    else:
        size = np.stack([examples.sizes[number] for number in numbers.tolist()])[lanes, None]
        reference = np.stack([examples.rows[number].reference for number in numbers.tolist()])[lanes, None]
        near = np.maximum(np.abs(np.nan_to_num(values) + reference), SMALL * size)
        by_size = 1.0 / (examples.share * near)
    return by_size if loss_by == "size" else 0.5 * (by_steps + by_size)

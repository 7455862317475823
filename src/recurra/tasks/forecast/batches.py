"""Batches of training: chunks of series, and from some of their steps the values that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from recurra.data.batching import batches_by_length
from recurra.tasks.forecast.data import Dataset
from recurra.tasks.forecast.scaling import MIN_SCALE, pad_batch

MIN_RELATIVE_SIZE = 0.1
"""Values smaller than this share of a series' mean count as if they were as large."""


@dataclass(frozen=True)
class BatchOptions:
    """How batches are made: window: steps of a chunk; origins: steps of it that are learnt from, at most; horizon: steps ahead of each.

    loss_scale: what errors are measured by, as in the configuration.
    """

    window: int
    origins: int
    horizon: int
    loss_scale: str


@dataclass(frozen=True)
class Batch:
    """Chunks of series side by side, and the values that follow some of their steps.

    inputs (T, B, I), lengths (B), None where all are as long; steps, lanes (n): the origins of forecasts; known_ahead (n, h, K), targets, weights, scales
    (n, h, C), in units of the window that was read, a weight of 0 where there is no target.  smoothing_inputs (T', B, 3·C), from some steps before the
    chunks on, and smoothing_indices (B): what exponential smoothing reads, and the numbers of the series.
    """

    inputs: Tensor
    lengths: Tensor | None
    steps: Tensor
    lanes: Tensor
    known_ahead: Tensor
    targets: Tensor
    weights: Tensor
    scales: Tensor
    smoothing_inputs: Tensor | None = None
    smoothing_indices: Tensor | None = None


def sample_chunks(dataset: Dataset, window: int, seed: int, epoch: int) -> np.ndarray:
    """Draw the chunks of an epoch, (N, 3): series, first step, and the step after the last; as many as would cover all series once."""
    generator = np.random.Generator(np.random.PCG64([seed, epoch, 1]))
    found = []
    for number, end in enumerate(dataset.train_ends):
        if end < 2:
            continue
        length = min(window, end)
        firsts = generator.integers(0, end - length + 1, size=-(-end // window))
        found += [(number, first, first + length) for first in firsts.tolist()]
    return np.array(found, np.int64)


def all_chunks(dataset: Dataset, window: int) -> np.ndarray:
    """Give chunks that cover all that is trained on once, (N, 3): series, first step, and the step after the last."""
    found = [
        (number, first, min(first + window, end))
        for number, end in enumerate(dataset.train_ends)
        for first in range(0, end if end > 1 else 0, window)
    ]
    return np.array(found, np.int64).reshape(-1, 3)


def batches(
    dataset: Dataset, options: BatchOptions, *, batch: int, seed: int, epoch: int, start: int
) -> Iterator[Batch]:
    """Give the batches of an epoch from batch `start` on."""
    chunks = sample_chunks(dataset, options.window, seed, epoch)
    order = batches_by_length(chunks[:, 2] - chunks[:, 1], batch, seed=seed, epoch=epoch)
    for number, indices in enumerate(order):
        if number >= start:
            generator = np.random.Generator(np.random.PCG64([seed, epoch, 2, number]))
            yield collate(dataset, chunks[indices], options, generator)


def collate(dataset: Dataset, chunks: np.ndarray, options: BatchOptions, generator: np.random.Generator) -> Batch:
    """Put chunks side by side."""
    preprocessor, horizon = dataset.preprocessor, options.horizon
    series = [dataset.series[number] for number in chunks[:, 0].tolist()]
    ends = np.array([dataset.train_ends[number] for number in chunks[:, 0].tolist()])
    _, firsts, lasts = chunks.T
    inputs = preprocessor.features(series, firsts, lasts)
    lanes, steps = sample_origins(np.minimum(lasts, ends - 1) - firsts, options.origins, generator)
    values = pad_batch([one.values for one in series], firsts + 1, lasts + horizon)
    values[np.arange(values.shape[1]) + firsts[:, None] + 1 >= ends[:, None]] = np.nan
    values = _following(values, lanes, steps, horizon)
    # Where nothing is known of a step ahead, what was known last goes on.
    known = pad_batch([one.known_covariates for one in series], firsts + 1, lasts + horizon)
    known = _following(known, lanes, steps, horizon)
    loc = pad_batch([one.scaled.loc for one in series], firsts, lasts)[lanes, steps][:, None]
    scale = pad_batch([one.scaled.scale for one in series], firsts, lasts)[lanes, steps][:, None]
    usable = ~np.isnan(values) & (scale > MIN_SCALE)
    targets = np.where(usable, (values - loc) / np.maximum(scale, MIN_SCALE), 0.0)
    weights = loss_weights(dataset, chunks[:, 0], lanes, values, options.loss_scale)
    weights = np.where(usable, scale * weights, 0.0)
    scales = np.broadcast_to(scale, targets.shape)
    lengths = lasts - firsts
    batch = Batch(
        torch.from_numpy(inputs),
        None if (lengths == len(inputs)).all() else torch.from_numpy(lengths),
        torch.from_numpy(steps),
        torch.from_numpy(lanes),
        *(torch.from_numpy(each.astype(np.float32)) for each in (known, targets, weights, scales)),
    )
    return _add_smoothing(batch, dataset, chunks) if preprocessor.smoothed else batch


def _add_smoothing(batch: Batch, dataset: Dataset, chunks: np.ndarray) -> Batch:
    """Add what exponential smoothing reads."""
    preprocessor = dataset.preprocessor
    before = preprocessor.lookback + 2 * preprocessor.season
    inputs = np.zeros((before + len(batch.inputs), len(chunks), 3 * preprocessor.channels), np.float32)
    for lane, (number, first, last) in enumerate(chunks.tolist()):
        inputs[: before + last - first, lane] = preprocessor.smoothing_inputs(
            dataset.series[number], first - before, last
        )
    indices = [preprocessor.smoothing_index(dataset.series[number]) for number in chunks[:, 0].tolist()]
    return replace(batch, smoothing_inputs=torch.from_numpy(inputs), smoothing_indices=torch.tensor(indices))


def sample_origins(counts: np.ndarray, most: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw at most so many of the first steps of each lane, counts (B): lanes (n) and steps (n), both rising.

    >>> sample_origins(np.array([2, 0, 3]), 2, np.random.default_rng(1))
    (array([0, 0, 2, 2]), array([0, 1, 1, 2]))
    """
    keys = generator.random((len(counts), int(counts.max(initial=0))))
    keys[np.arange(keys.shape[1]) >= counts[:, None]] = 2.0
    if keys.shape[1] > most:
        limit = np.partition(keys, most - 1, axis=1)[:, most - 1 : most]
        keys[keys > limit] = 2.0
    lanes, steps = np.nonzero(keys < 2.0)
    return lanes, steps


def _following(values: np.ndarray, lanes: np.ndarray, steps: np.ndarray, horizon: int) -> np.ndarray:
    """Give `horizon` values (n, h, …) of values (B, T, …) from some steps on."""
    if not values.shape[2]:
        return np.zeros((len(steps), horizon, 0), values.dtype)
    return sliding_window_view(values, horizon, axis=1)[lanes, steps].swapaxes(1, 2)


def loss_weights(
    dataset: Dataset, numbers: np.ndarray, lanes: np.ndarray, values: np.ndarray, loss_scale: str
) -> np.ndarray:
    """Give what an error of one counts for values (n, h, C) of series; over all series both ways come to the same mean.

    numbers (B): of the series.  lanes (n): whose values they are.
    """
    scale = np.stack([dataset.seasonal_scales[number] for number in numbers.tolist()])[lanes, None]
    by_steps = np.broadcast_to(1.0 / np.maximum(scale, MIN_SCALE), values.shape)
    if loss_scale == "steps":
        return by_steps
    if dataset.preprocessor.options.transform == "log":  # an error is a share already
        by_size = np.full(values.shape, 1.0 / dataset.relative_step)
    else:
        size = np.stack([dataset.mean_abs_values[number] for number in numbers.tolist()])[lanes, None]
        reference = np.stack([dataset.series[number].reference for number in numbers.tolist()])[lanes, None]
        near = np.maximum(np.abs(np.nan_to_num(values) + reference), MIN_RELATIVE_SIZE * size)
        by_size = 1.0 / np.maximum(dataset.relative_step * near, MIN_SCALE)
    return by_size if loss_scale == "size" else 0.5 * (by_steps + by_size)

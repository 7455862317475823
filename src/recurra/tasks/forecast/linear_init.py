"""The straight line that a forecaster begins with: by least squares, as far as it holds on steps that it was not made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from recurra.baselines.linear import held_out_start
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.forecast.batches import BatchOptions, all_chunks, collate
from recurra.tasks.forecast.data import Dataset
from recurra.tasks.forecast.network import ForecastNetwork

MAX_MULTIPLICATIONS = 2 * 10**10
"""Multiplications that moments are worth, and trying the lines on the end: a second or two of one core."""
MAX_NUMBERS_READ = 50_000_000
"""Numbers that are read for it, as often."""
STEPS_PER_CHUNK = 512
CHUNKS_PER_BATCH = 8
MAX_INPUTS = 1_024
MAX_WEIGHTS = 2**20
"""Values read at once, and weights, of which a line is made at most: for more, to solve for it would take as long as to learn it."""
STRENGTHS = tuple(10.0**power for power in range(-5, 2))
"""Of the shrinkage, relative to the mean square of what is read."""
MIN_ERROR_UNIT = 1e-3
"""Smallest unit of errors, in units of the window: below it, float32 numbers are too coarse."""
ERROR_UNIT_FACTOR = 2.0
"""Unit of errors relative to their mean: in it, a network that has learnt nothing yet gives intervals of about their width."""


@dataclass(frozen=True)
class ShrinkageTarget:
    """Where a line is shrunk to, the seasonal naive forecast, the last value or the mean of those read, and how strongly."""

    to: str
    strength: float


SHRINKAGE_TARGETS = [ShrinkageTarget(to, strength) for to in ("naive", "last", "mean") for strength in STRENGTHS]


@dataclass(frozen=True)
class _Steps:
    """Steps of training: windows (n, w·C), targets less the naive forecast, and how much they count, (n, h·C).

    early, late (n): all targets lie before the end that is held out, or in it.  What is missing counts nothing, and is as
    the naive forecast has it.
    """

    windows: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    early: np.ndarray
    late: np.ndarray


def init_linear(network: ForecastNetwork, dataset: Dataset, options: BatchOptions) -> ShrinkageTarget | None:
    """Set the straight line of a fresh network, and its usual errors: gradients would take thousands of steps to get there.

    The line is that of ridge regression of the targets on the values read, where an error counts as it does to quantiles. It is
    shrunk to where, and as strongly, as gives the least absolute error on the end of each series' training part, by the line of
    what is before it; then it is made again of the whole training part. The usual errors are from that end too. Gives what it is
    shrunk to; None where no line is better there than the naive forecast, or where it would be too wide: then there is none.
    """
    width, size = network.line.in_features, network.line.out_features
    fits = width <= MAX_INPUTS and width * size <= MAX_WEIGHTS
    early, all_moments = (np.zeros((width, width + size) if fits else 0) for _ in range(2))
    late = 0
    for steps in _read_steps(network, dataset, options) if fits else ():
        weighted = steps.windows * steps.weights.mean(axis=1, keepdims=True)
        both = np.concatenate([steps.windows, steps.targets], axis=1)
        all_moments += weighted.T @ both
        early += weighted[steps.early].T @ both[steps.early]
        late += int(steps.late.sum())
    candidates = SHRINKAGE_TARGETS if early.any() else []
    lines = [_solve(early, candidate, network) for candidate in candidates]
    stride = max(1, late * len(lines) * width * size // MAX_MULTIPLICATIONS)
    errors, counts = np.zeros((len(lines) + 1, size)), np.zeros(size)  # by each line and by none, on the end
    before = np.zeros((2, size))  # the same by none before it
    for steps in _read_steps(network, dataset, options):
        rest = ~steps.late
        before += [(steps.weights * np.abs(steps.targets))[rest].sum(0), steps.weights[rest].sum(0)]
        windows, targets, weights = (
            each[steps.late][::stride] for each in (steps.windows, steps.targets, steps.weights)
        )
        counts += weights.sum(axis=0)
        for number, line in enumerate([*lines, None]):
            residuals = targets if line is None else targets - windows @ line
            errors[number] += (weights * np.abs(residuals)).sum(axis=0)
    best = len(lines) - int(errors[::-1].sum(axis=1).argmin())  # none, where none is better
    units = _error_units((errors[best], counts), (before[0], before[1])).reshape(network.usual_error.shape)
    with torch.no_grad():
        network.usual_error.copy_(torch.from_numpy(units))
        if best == len(lines):
            return None
        network.straight.copy_(torch.from_numpy(_solve(all_moments, candidates[best], network).T))
    return candidates[best]


def _error_units(*sums: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Give the unit of errors of each value that is forecast, (h·C), from sums of errors and of what they count.

    From the first sums where something counts, or else from the next, or else, of steps further ahead than any series is
    long, from all of them.
    """
    total = sum(counts.sum() for _, counts in sums)
    mean = np.full(len(sums[0][0]), sum(errors.sum() for errors, _ in sums) / total if total else 1.0)
    for errors, counts in reversed(sums):
        mean = np.where(counts > 0, errors / np.where(counts > 0, counts, 1.0), mean)
    return np.maximum(ERROR_UNIT_FACTOR * mean, MIN_ERROR_UNIT)


def _solve(moments: np.ndarray, target: ShrinkageTarget, network: ForecastNetwork) -> np.ndarray:
    """Give the line, (w·C, h·C), from the moments of what is read with itself and with the targets, (w·C, w·C + h·C).

    With P to take off what a window is measured from, and T for what it is shrunk to, the forecast of values v is
    v T + v P W, of which the naive forecast v N is no part of the line: T − N + P W.
    """
    width, (horizon, channels) = network.line.in_features, network.usual_error.shape
    each = np.eye(channels)
    last, mean = np.zeros((network.lookback, 1)), np.full((network.lookback, 1), 1 / network.lookback)
    last[-1] = 1.0
    naive = np.zeros((network.lookback, horizon))
    naive[network.seasonal_places.cpu().numpy(), np.arange(horizon)] = 1.0
    centre = last if target.to == "last" else mean
    to = {"naive": naive, "last": last, "mean": mean}[target.to] - naive
    away = np.eye(width) - np.kron(centre, each) @ np.kron(np.ones((1, network.lookback)), each)
    to = np.kron(to, each)
    inner, outer = moments[:, :width], moments[:, width:]
    own = away.T @ inner @ away
    ridge = target.strength * np.trace(own) / width or 1.0  # what never changes tells nothing
    return to + away @ np.linalg.solve(own + ridge * np.eye(width), away.T @ (outer - inner @ to))


def _read_steps(network: ForecastNetwork, dataset: Dataset, options: BatchOptions) -> Iterator[_Steps]:
    """Read the training part once, or evenly chosen steps of it where that would be much."""
    width, horizon = network.line.in_features, network.horizon
    chunks = all_chunks(dataset, STEPS_PER_CHUNK)
    numbers = dataset.preprocessor.input_size * int((chunks[:, 2] - chunks[:, 1]).sum())
    if numbers > MAX_NUMBERS_READ:
        chunks = chunks[evenly_spaced(len(chunks), max(1, len(chunks) * MAX_NUMBERS_READ // numbers))]
    affordable = MAX_MULTIPLICATIONS // ((width + network.line.out_features) ** 2 * max(1, len(chunks)))
    options = replace(options, origins=max(1, min(STEPS_PER_CHUNK, affordable)))
    borders = np.array([held_out_start(end, horizon) for end in dataset.train_ends])
    for first in range(0, len(chunks), CHUNKS_PER_BATCH):
        some = chunks[first : first + CHUNKS_PER_BATCH]
        batch = collate(dataset, some, options, np.random.Generator(np.random.PCG64([first])))
        with torch.inference_mode():
            _, windows, naive = (each.cpu() for each in network.batch_inputs(batch))
        weights = batch.weights.flatten(1).double().numpy()
        targets = np.where(weights > 0, (batch.targets - naive).flatten(1).double().numpy(), 0.0)
        lanes = batch.lanes.numpy()
        steps, end = some[lanes, 1] + batch.steps.numpy(), borders[some[lanes, 0]]
        yield _Steps(windows.double().numpy(), targets, weights, steps + horizon < end, steps + 1 >= end)

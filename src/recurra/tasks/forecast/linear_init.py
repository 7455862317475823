"""The straight line that a forecaster begins with: by least squares, as far as it holds on steps that it was not made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from recurra.baselines.linear import held_out_from
from recurra.tasks.base.inference import spread
from recurra.tasks.forecast.batches import collate, whole

if TYPE_CHECKING:
    from recurra.tasks.forecast.network import ForecastNetwork
    from recurra.tasks.forecast.task import Forecaster

WORK = 2 * 10**10
"""Multiplications that moments are worth, and trying the lines on the end: a second or two of one core."""
MOST = 50_000_000
"""Numbers that are read for it, as often."""
PIECE = 512
"""Steps that are read on end."""
WIDEST = 1_024
LARGEST = 2**20
"""Values read at once, and weights, of which a line is made at most: for more, to solve for it would take as long as to learn it."""
LANES = 8
"""Pieces that are read side by side."""
STRENGTHS = tuple(10.0**power for power in range(-5, 2))
"""Of the pull, beside the mean square of what is read."""
LEAST = 1e-3
"""Smallest unit of errors, in units of the window: below it, float32 numbers are too coarse."""
USUAL = 2.0
"""Unit of errors beside their mean: in it, a network that has learnt nothing yet says intervals of about their width."""


@dataclass(frozen=True)
class Pull:
    """Where a line is pulled to, the seasonal naive forecast, the last value or the mean of those read, and how strongly."""

    to: str
    strength: float


PULLS = [Pull(to, strength) for to in ("naive", "last", "mean") for strength in STRENGTHS]


@dataclass(frozen=True)
class _Some:
    """Steps of training: values read (n, w·C), what came less the naive forecast, and how much it counts, (n, h·C).

    early, late (n): all that came lies before the end that is held out, or in it.  What is missing counts nothing, and is as
    the naive forecast says.
    """

    values: np.ndarray
    came: np.ndarray
    weights: np.ndarray
    early: np.ndarray
    late: np.ndarray


def begin_line(task: Forecaster, network: ForecastNetwork) -> Pull | None:
    """Set the straight line of a fresh network, and its usual errors: gradients would take thousands of steps to get there.

    The line is that of ridge regression of what came on the values read, where an error counts as it does to quantiles. It is
    pulled to where, and as strongly, as gives the least absolute error on the end of each row's training part, by the line of
    what is before it; then it is made anew of the whole training part. The usual errors are from that end too. Gives the pull;
    None where no line is better there than the naive forecast, or where it would be too wide: then there is none.
    """
    width, size = network.line.in_features, network.line.out_features
    fits = width <= WIDEST and width * size <= LARGEST
    early, whole_part = (np.zeros((width, width + size) if fits else 0) for _ in range(2))
    late = 0
    for some in _read(task, network) if fits else ():
        weighed = some.values * some.weights.mean(axis=1, keepdims=True)
        beside = np.concatenate([some.values, some.came], axis=1)
        whole_part += weighed.T @ beside
        early += weighed[some.early].T @ beside[some.early]
        late += int(some.late.sum())
    pulls = PULLS if early.any() else []
    lines = [_solved(early, pull, network) for pull in pulls]
    thin = max(1, late * len(lines) * width * size // WORK)
    spent, counted = np.zeros((len(lines) + 1, size)), np.zeros(size)  # by each line and by none, on the end
    before = np.zeros((2, size))  # the same by none before it
    for some in _read(task, network):
        before += [(some.weights * np.abs(some.came))[~some.late].sum(0), some.weights[~some.late].sum(0)]
        values, came, weights = (each[some.late][::thin] for each in (some.values, some.came, some.weights))
        counted += weights.sum(axis=0)
        for number, line in enumerate([*lines, None]):
            left = came if line is None else came - values @ line
            spent[number] += (weights * np.abs(left)).sum(axis=0)
    best = len(lines) - int(spent[::-1].sum(axis=1).argmin())  # none, where none is better
    usual = _usual((spent[best], counted), (before[0], before[1])).reshape(network.usual_error.shape)
    with torch.no_grad():
        network.usual_error.copy_(torch.from_numpy(usual))
        if best == len(lines):
            return None
        network.straight.copy_(torch.from_numpy(_solved(whole_part, pulls[best], network).T))
    return pulls[best]


def _usual(*sums: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Give the unit of errors of each value that is foretold, (h·C), from sums of errors and of what they count.

    From the first sums where something counts, or else from the next, or else, of steps further ahead than any series is
    long, from all of them.
    """
    counted = sum(much.sum() for _, much in sums)
    mean = np.full(len(sums[0][0]), sum(spent.sum() for spent, _ in sums) / counted if counted else 1.0)
    for spent, much in reversed(sums):
        mean = np.where(much > 0, spent / np.where(much > 0, much, 1.0), mean)
    return np.maximum(USUAL * mean, LEAST)


def _solved(moments: np.ndarray, pull: Pull, network: ForecastNetwork) -> np.ndarray:
    """Give the line, (w·C, h·C), from the moments of what is read with itself and with what came, (w·C, w·C + h·C).

    With P to take off what a window is measured from, and T for where it is pulled to, values v are foretold to be
    v T + v P W, of which the naive forecast v N is no part of the line: T − N + P W.
    """
    width, (horizon, channels) = network.line.in_features, network.usual_error.shape
    each = np.eye(channels)
    last, mean = np.zeros((network.lookback, 1)), np.full((network.lookback, 1), 1 / network.lookback)
    last[-1] = 1.0
    naive = np.zeros((network.lookback, horizon))
    naive[network.season.cpu().numpy(), np.arange(horizon)] = 1.0
    centre = last if pull.to == "last" else mean
    to = {"naive": naive, "last": last, "mean": mean}[pull.to] - naive
    away = np.eye(width) - np.kron(centre, each) @ np.kron(np.ones((1, network.lookback)), each)
    to = np.kron(to, each)
    inner, outer = moments[:, :width], moments[:, width:]
    own = away.T @ inner @ away
    ridge = pull.strength * np.trace(own) / width or 1.0  # what never changes says nothing
    return to + away @ np.linalg.solve(own + ridge * np.eye(width), away.T @ (outer - inner @ to))


def _read(task: Forecaster, network: ForecastNetwork) -> Iterator[_Some]:
    """Read the training part once, or evenly chosen steps of it where that would be much."""
    examples, loss_by = task.examples, task.config.model.loss_by
    width, horizon = network.line.in_features, network.horizon
    cut = whole(examples, PIECE)
    numbers = task.form.size * int((cut[:, 2] - cut[:, 1]).sum())
    if numbers > MOST:
        cut = cut[spread(len(cut), max(1, len(cut) * MOST // numbers))]
    origins = max(1, min(PIECE, WORK // ((width + network.line.out_features) ** 2 * max(1, len(cut)))))
    borders = np.array([held_out_from(end, horizon) for end in examples.ends])
    for first in range(0, len(cut), LANES):
        lot = cut[first : first + LANES]
        batch = collate(examples, lot, horizon, loss_by, origins, np.random.Generator(np.random.PCG64([first])))
        with torch.inference_mode():
            _, values, naive = (each.cpu() for each in network.seen(batch))
        weights = batch.weights.flatten(1).double().numpy()
        came = np.where(weights > 0, (batch.targets - naive).flatten(1).double().numpy(), 0.0)
        lanes = batch.lanes.numpy()
        steps, end = lot[lanes, 1] + batch.steps.numpy(), borders[lot[lanes, 0]]
        yield _Some(values.double().numpy(), came, weights, steps + horizon < end, steps + 1 >= end)

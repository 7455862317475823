"""How far back a task that is learnt window by window needs to look: by what the network gains, and by the data alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import numpy as np
from torch import nn

from recurra.nn import State
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.tbptt import TBPTTTask

MIN_WINDOWS, MAX_WINDOWS = 4, 100
MAX_UNITS_COUNTED = 100_000
"""Of a text, whose pairs at each lag are counted."""
MAX_UNITS_APART, COMMONEST = 512, 63
"""Lags looked at, and units that are told apart; all others count as one, which only lowers what is found."""


@dataclass(frozen=True)
class ContextGain:
    """What is gained by reading on from what came before a window, in the mean loss of an element.

    any_before: by the state that was carried from the beginning, against a state of zeros.  further: against a state that has read one whole
    window before.  error: the standard error of `further`.  windows: how many were compared.
    """

    any_before: float
    further: float
    error: float
    windows: int


def context_gain(task: TBPTTTask, network: nn.Module, batch: int, seed: int) -> ContextGain | None:
    """Compare states carried with states reset on the task's training part; None where there are too few windows in a row."""
    lanes = max(1, min(batch, task.batch_count(0, batch=1, seed=seed) // 8))
    rows: list[tuple[float, float, float]] = []
    with eval_mode(network):
        carried: State | None = None
        recent: State | None = None  # has read the window before, and nothing else
        read = 0  # windows since all lanes began
        for window in islice(task.batches(0, batch=lanes, seed=seed), MAX_WINDOWS):
            zero = cast(State, cast(Any, network).zero_state(len(window.reset)))
            if carried is None or recent is None or bool(window.reset.any()):
                _, _, carried = task.window_loss(network, window, zero)
                recent, read = carried, 1
                continue
            reset, count, after = task.window_loss(network, window, zero)
            one, _, _ = task.window_loss(network, window, recent)
            whole, _, carried = task.window_loss(network, window, carried)
            recent, read = after, read + 1
            if read > 2:  # in the second window both have read the same
                rows.append((float(reset) / count, float(one) / count, float(whole) / count))
    if len(rows) < MIN_WINDOWS:
        return None
    losses = np.array(rows)
    further = losses[:, 1] - losses[:, 2]
    error = float(further.std(ddof=1) / math.sqrt(len(further)))
    return ContextGain(float((losses[:, 0] - losses[:, 2]).mean()), float(further.mean()), error, len(losses))


@dataclass(frozen=True)
class Dependence:
    """How much a unit of a text says of the one k steps later, in nats: within the window at most, and beyond it, with the lags.

    score: by how many standard deviations the latter is above what chance gives.
    """

    within: float
    within_lag: int
    beyond: float
    beyond_lag: int
    score: float


def dependence(ids: np.ndarray, window: int) -> Dependence | None:
    """Find the lag that says most, within a window and beyond it, up to eight windows; None where the text is too short.

    The mutual information of units k apart, less its bias by chance (Miller 1955; Roulston 1999, DOI 10.1016/S0167-2789(98)00269-3).

    >>> rng = np.random.default_rng(0)
    >>> ids = rng.integers(4, size=5000)
    >>> for at in range(20, 5000): ids[at] = ids[at - 20] if rng.random() < 0.8 else ids[at]
    >>> dependence(ids, window=4).beyond_lag
    20
    """
    ids = _commonest(ids[:MAX_UNITS_COUNTED])
    lags = min(8 * window, MAX_UNITS_APART, len(ids) // 10)
    if lags <= window:
        return None
    found = [_information(ids, lag) for lag in range(1, lags + 1)]
    near = max(range(window), key=lambda at: found[at][0])
    far = max(range(window, lags), key=lambda at: found[at][0])
    return Dependence(found[near][0], near + 1, found[far][0], far + 1, found[far][1])


def _commonest(ids: np.ndarray) -> np.ndarray:
    values, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    rank = np.full(len(values), min(COMMONEST, len(values) - 1))
    kept = np.argsort(-counts, kind="stable")[:COMMONEST]
    rank[kept] = np.arange(len(kept))
    return rank[places]


def _information(ids: np.ndarray, lag: int) -> tuple[float, float]:
    """Give the mutual information at a lag, nats, without its bias, and by how many deviations the statistic G is above that of chance."""
    size = int(ids.max()) + 1
    joint = np.bincount(ids[:-lag] * size + ids[lag:], minlength=size * size).reshape(size, size).astype(np.float64)
    count = joint.sum()
    rows, columns = joint.sum(1), joint.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * np.log(joint * count / (rows[:, None] * columns))
    plain = float(np.nansum(terms)) / count
    freedom = max(1, (np.count_nonzero(rows) - 1) * (np.count_nonzero(columns) - 1))
    return plain - freedom / (2 * count), (2 * count * plain - freedom) / math.sqrt(2 * freedom)

"""How wide intervals have to be, which training does not tell: a network knows what it has learnt from too well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from recurra.tasks.base.inference import spread
from recurra.tasks.forecast.backtest import backtest
from recurra.tasks.forecast.data import Part
from recurra.tasks.forecast.evaluate import Ground, askable

if TYPE_CHECKING:
    from recurra.tasks.forecast.task import Forecaster

MOST = 4_096
"""Forecasts that are looked at, spread over all series."""
VALUES = 500_000
"""Steps ahead, of all forecasts and of all futures that are drawn for one, that are worked out for it at most."""
WIDEST = 5.0
"""Factor by which intervals are made wider or narrower at most."""
DOUBT = 5.0
"""Validation parts of one horizon that weigh as much as what is expected beforehand, a factor of 1."""
HALVINGS = 40


def stretch_of(task: Forecaster, network: nn.Module) -> float:
    """Give the factor of the quantiles' distance from the median with which the validation part costs least by the pinball loss.

    Each forecast is measured by its own width, so that large series do not decide alone. Steps that follow each other are wrong
    together, so a validation part counts by how often the horizon goes into it, over all series; of few such the factor stays
    near 1. 1 without a validation part, and for counts, whose quantiles are whole numbers.
    """
    examples = task.examples
    if examples.valid is None or task.config.model.output == "negative-binomial":
        return 1.0
    horizon, part = task.form.horizon, examples.valid
    origins = _origins(task, part)
    if not any(map(len, origins)):
        return 1.0
    ground = Ground(examples.rows, part, examples.ends, task.form, [])
    middle, logarithmic = task.levels.index(0.5), task.form.transform == "log"
    gone, said = [], []
    for found in backtest(task, network, examples.rows, origins):
        pairs = zip(found.rows.tolist(), found.origins.tolist(), strict=True)
        came = np.stack([ground.actual(number, origin) for number, origin in pairs])
        quantiles = found.quantiles
        if logarithmic:
            came, quantiles = np.log(came), np.log(quantiles)
        median = quantiles[..., middle]
        width = (quantiles[..., -1] - quantiles[..., 0]).mean(axis=1, keepdims=True)  # (n, 1, C)
        measured = ~np.isnan(came) & (width > 0)
        width = np.where(width > 0, width, 1.0)
        gone.append(((came - median) / width)[measured])
        said.append(((quantiles - median[..., None]) / width[..., None])[measured])
    windows = sum(max(0, end - first) for first, end in zip(part.firsts, part.ends, strict=True)) / horizon
    return best_stretch(np.concatenate(gone), np.concatenate(said), task.levels) ** (windows / (windows + DOUBT))


def _origins(task: Forecaster, part: Part) -> list[np.ndarray]:
    """Choose the steps of each row that are forecast from: not so many that it takes long, or much memory."""
    rows, model, horizon = task.examples.rows, task.config.model, task.form.horizon
    fed_back = model.form == "autoregressive"
    count = max(1, min(MOST, VALUES // (horizon * (model.paths if fed_back else 1))))
    chosen = set(spread(len(rows), count))
    found = askable(rows, part, horizon, horizon if fed_back else 1, max(1, count // max(1, len(rows))))
    return [steps if number in chosen else steps[:0] for number, steps in enumerate(found)]


def best_stretch(gone: np.ndarray, said: np.ndarray, levels: list[float]) -> float:
    """Give the factor of said (n, Q), the quantiles' distance from the median, with which values gone (n) from it cost least.

    >>> chance = np.random.default_rng(1)
    >>> said = np.tile([-0.84, 0.0, 0.84], (20_000, 1))  # of a spread of 1
    >>> round(best_stretch(chance.normal(scale=1.5, size=20_000), said, [0.2, 0.5, 0.8]), 1)
    1.5
    """
    outer = np.array(levels) != 0.5
    share, said = np.array(levels)[outer], said[:, outer]
    if not said.size:
        return 1.0

    def cost(factor: float) -> float:
        over = gone[:, None] - factor * said
        return float(np.maximum(share * over, (share - 1) * over).mean())

    # It is convex in the factor: the golden section finds its least.
    golden = (np.sqrt(5.0) - 1) / 2
    low, high = 1 / WIDEST, WIDEST
    for _ in range(HALVINGS):
        third = (high - low) * golden
        if cost(high - third) < cost(low + third):
            high = low + third
        else:
            low = high - third
    return float(low + high) / 2

"""How wide intervals have to be, which training does not show: a network knows what it has learnt from too well."""

from __future__ import annotations

import numpy as np

from recurra.metrics import golden_section
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.forecast.backtest import EvaluationSet, valid_origins
from recurra.tasks.forecast.data import Dataset, Split
from recurra.tasks.forecast.predict import Forecaster

MAX_FORECASTS = 4_096
"""Forecasts that are looked at, spread over all series."""
MAX_VALUES = 500_000
"""Steps ahead, of all forecasts and of all futures that are sampled for one, that are worked out for it at most."""
MAX_FACTOR = 5.0
"""Factor by which intervals are made wider or narrower at most."""
PRIOR_WINDOWS = 5.0
"""Validation parts of one horizon that weigh as much as what is expected beforehand, a factor of 1."""
SEARCH_ITERATIONS = 40


def fit_interval_scale(forecaster: Forecaster, dataset: Dataset) -> float:
    """Give the factor of the quantiles' distance from the median with which the validation part costs least by the quantile loss.

    Each forecast is measured by its own width, so that large series do not decide alone. Steps that follow each other are wrong
    together, so a validation part counts by how often the horizon goes into it, over all series; of few such the factor stays
    near 1. 1 without a validation part, and for counts, whose quantiles are whole numbers.
    """
    split, preprocessor = dataset.valid, dataset.preprocessor
    if split is None or forecaster.config.model.likelihood == "negative-binomial":
        return 1.0
    origins = _choose_origins(forecaster, dataset, split)
    if not any(map(len, origins)):
        return 1.0
    evaluated = EvaluationSet(dataset.series, split, dataset.train_ends, preprocessor, [])
    levels, logarithmic = forecaster.quantiles, preprocessor.options.transform == "log"
    errors, offsets = [], []
    for found in forecaster.backtest(dataset.series, origins):
        pairs = zip(found.series.tolist(), found.origins.tolist(), strict=True)
        actual = np.stack([evaluated.actual(number, origin) for number, origin in pairs])
        quantiles = found.quantiles
        if logarithmic:
            actual, quantiles = np.log(actual), np.log(quantiles)
        median = quantiles[..., levels.index(0.5)]
        width = (quantiles[..., -1] - quantiles[..., 0]).mean(axis=1, keepdims=True)  # (n, 1, C)
        measured = ~np.isnan(actual) & (width > 0)
        width = np.where(width > 0, width, 1.0)
        errors.append(((actual - median) / width)[measured])
        offsets.append(((quantiles - median[..., None]) / width[..., None])[measured])
    steps = sum(max(0, end - first) for first, end in zip(split.firsts, split.ends, strict=True))
    windows = steps / preprocessor.horizon
    best = best_interval_scale(np.concatenate(errors), np.concatenate(offsets), levels)
    return best ** (windows / (windows + PRIOR_WINDOWS))


def _choose_origins(forecaster: Forecaster, dataset: Dataset, split: Split) -> list[np.ndarray]:
    """Choose the steps of each series that are forecast from: not so many that it takes long, or much memory."""
    model, horizon, total = forecaster.config.model, forecaster.horizon, len(dataset.series)
    recursive = model.strategy == "recursive"
    count = max(1, min(MAX_FORECASTS, MAX_VALUES // (horizon * (model.samples if recursive else 1))))
    chosen = set(evenly_spaced(total, count))
    stride = horizon if recursive else 1
    found = valid_origins(dataset.series, split, horizon, stride, max(1, count // max(1, total)))
    return [steps if number in chosen else steps[:0] for number, steps in enumerate(found)]


def best_interval_scale(errors: np.ndarray, offsets: np.ndarray, levels: list[float]) -> float:
    """Give the factor of offsets (n, Q), the quantiles' distance from the median, with which the errors (n) of the median cost least.

    >>> chance = np.random.default_rng(1)
    >>> offsets = np.tile([-0.84, 0.0, 0.84], (20_000, 1))  # of a spread of 1
    >>> round(best_interval_scale(chance.normal(scale=1.5, size=20_000), offsets, [0.2, 0.5, 0.8]), 1)
    1.5
    """
    outer = np.array(levels) != 0.5
    shares, offsets = np.array(levels)[outer], offsets[:, outer]
    if not offsets.size:
        return 1.0

    def cost(factor: float) -> float:
        over = errors[:, None] - factor * offsets
        return float(np.maximum(shares * over, (shares - 1) * over).mean())

    # It is convex in the factor.
    return float(golden_section(cost, 1 / MAX_FACTOR, MAX_FACTOR, SEARCH_ITERATIONS))

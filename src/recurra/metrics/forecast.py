"""How far forecasts are from the actual values: for each series the mean over its scored steps.

Everywhere `actual` and `forecast` are (N, h), series by steps ahead, float64 inside; a NaN in `actual` is not scored. Each
measure gives (N): the mean over each series' scored steps, NaN where a series has none. The metric of many series is the mean
of theirs, each with the same weight, as in the M4 competition (Makridakis, Spiliotis and Assimakopoulos 2020): `over_series`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from recurra.errors import DivergedError, UsageError
from recurra.formatting import PER_CENT
from recurra.metrics.base import Metric, register_metric, register_metric_family

register_metric(
    Metric(
        "owa",
        "OWA",
        rank=180,
        lower_is_better=True,
        gloss="The naive forecast that knows the season has 1 (the M4 competition's measure).",
    ),
    Metric(
        "mase",
        "MASE",
        rank=190,
        lower_is_better=True,
        gloss="Its error is {value} times the mean step of a series from one season to the next, in training.",
    ),
    Metric(
        "scaled_crps",
        "scaled CRPS",
        rank=200,
        lower_is_better=True,
        gloss="How good the intervals are: the CRPS, measured as the MASE is.",
    ),
    Metric("scaled_mse", "scaled MSE", rank=210, lower_is_better=True),
    Metric("scaled_mae", "scaled MAE", rank=220, lower_is_better=True),
    Metric("smape", "sMAPE", rank=230, lower_is_better=True, digits=2, unit="%"),
    Metric("crps", "CRPS", rank=240, lower_is_better=True),
    Metric("mse", "mean squared error", rank=280, lower_is_better=True),
    Metric("mae", "mean absolute error", rank=290, lower_is_better=True),
    Metric("rmse", "root mean squared error", rank=300, lower_is_better=True),
)
register_metric_family(
    r"coverage_([\d.]+)",
    lambda match: Metric(match[0], f"inside the {match[1]}{PER_CENT} interval", percent=True, versus="difference"),
)


def smape(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Give M4's symmetric mean absolute percentage error, in per cent from 0 to 200, (N).

        200 · mean |y − f| / (|y| + |f|)      a step where both are 0 counts 0

    >>> smape(np.array([[100.0, 0.0]]), np.array([[50.0, 0.0]])).round(3).tolist()
    [33.333]
    """
    return series_means(percentage_errors(*_check_pair(actual, forecast)))


def mse(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Give the mean squared error, (N).

    >>> mse(np.array([[1.0, 2.0], [1.0, np.nan]]), np.array([[1.0, 4.0], [4.0, 4.0]])).tolist()
    [2.0, 9.0]
    """
    actual, forecast = _check_pair(actual, forecast)
    return series_means((actual - forecast) ** 2)


def rmse(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Give the root of each series' mean squared error, (N).

    >>> rmse(np.array([[1.0, 2.0]]), np.array([[4.0, 5.0]])).tolist()
    [3.0]
    """
    return np.sqrt(mse(actual, forecast))


def mae(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Give the mean absolute error, (N).

    >>> mae(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])).tolist()
    [1.0]
    """
    actual, forecast = _check_pair(actual, forecast)
    return series_means(np.abs(actual - forecast))


def mase(actual: np.ndarray, forecast: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Give the mean absolute error over the in-sample error of the seasonal naive forecast, (N) (Hyndman and Koehler 2006).

    scale: (N), of `naive_scale`. NaN where it is 0 or NaN, as `scaled` describes.

    >>> mase(np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]]), np.array([0.5])).tolist()
    [2.0]
    """
    return scaled(mae(actual, forecast), scale)


def scaled(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Divide measures in the unit of the data by each series' scale (`naive_scale`), so that series can be compared.

    A scale of 0 (a series that repeats itself exactly) or NaN (one too short to have a scale) gives NaN: such a series has no
    scaled metric, and `over_series` leaves it out rather than let one quotient of rounding errors decide the mean.

    >>> scaled(np.array([3.0, 3.0]), np.array([2.0, 0.0])).tolist()
    [1.5, nan]
    """
    divisor = np.asarray(scale, np.float64)
    usable = np.isfinite(divisor) & (divisor > 0)
    return np.asarray(values, np.float64) / np.where(usable, divisor, np.nan)


def naive_scale(history: np.ndarray, season: int = 1) -> np.ndarray:
    """Give the mean of |y_t − y_(t−m)| over a history (T) or, for each channel, (T, C): what MASE divides by.

    Pairs with a missing value are left out. NaN where no pair is left (fewer than m + 1 steps), and 0 where the series repeats
    itself exactly: `scaled` describes what becomes of these.

    Args:
        history: what was known when the forecast was made, the training part; (T) or (T, C).
        season: m, steps of a season; 1: the naive forecast's.

    Returns:
        () or (C), float64.

    Raises:
        UsageError: another rank, a season below 1, or an infinite value.

    >>> float(naive_scale(np.array([1.0, 2.0, 4.0, 8.0]), season=2))
    4.5
    """
    values = np.asarray(history, np.float64)
    if values.ndim not in (1, 2):
        raise UsageError(f"history: expected (steps) or (steps, channels), got {values.shape}")
    check_season(season)
    if np.isinf(values).any():
        raise UsageError("history: expected finite values, or NaN where one is missing, got an infinite one")
    return series_means(np.abs(values[season:] - values[:-season]).T)


def owa(smape: float, mase: float, naive2_smape: float, naive2_mase: float) -> float:
    """Give M4's overall weighted average: the mean of sMAPE and MASE, each as a share of Naive2's over the same series.

    >>> round(owa(13.912, 1.193, 18.383, 2.395), 3)
    0.627
    """
    if not naive2_smape > 0 or not naive2_mase > 0:
        return float("nan")  # where Naive2 makes no error, nothing can be measured in its units
    return (smape / naive2_smape + mase / naive2_mase) / 2


def quantile_loss(actual: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Give the mean pinball loss at each level, (N, Q): max(q·(y − f), (q − 1)·(y − f)).

    quantiles: (N, h, Q), the forecast quantiles at the levels, each between 0 and 1.

    >>> quantile_loss(np.array([[10.0]]), np.array([[[8.0, 12.0]]]), [0.1, 0.9]).round(3).tolist()
    [[0.2, 0.2]]
    """
    actual, quantiles, marks = _check_triple(actual, quantiles, levels)
    losses = pinball_losses(actual, quantiles, marks)
    return np.stack([series_means(losses[..., place]) for place in range(len(marks))], axis=-1)


def crps(actual: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Give the continuous ranked probability score as far as quantiles determine it, in the unit of the data, (N).

        CRPS = 2 ∫ pinball(q) dq ≈ 2 · Σ w_q · pinball(q)      (Gneiting and Ranjan 2011)

    Each level stands for the levels that are nearest to it: w_q reaches half-way to its neighbours, and the outermost to 0 and 1
    (`level_weights`). For 0.05, 0.15, …, 0.95 this is the plain mean. With few levels it is rough, most in the tails; compare
    only scores of the same levels. Quantiles that are all the same number give that number's absolute error where levels are
    symmetric about 0.5.

    >>> crps(np.array([[3.0]]), np.full((1, 1, 3), 5.0), [0.1, 0.5, 0.9]).round(6).tolist()
    [2.0]
    """
    actual, quantiles, marks = _check_triple(actual, quantiles, levels)
    return series_means(2 * pinball_losses(actual, quantiles, marks) @ level_weights(marks))


def level_weights(levels: Sequence[float] | np.ndarray) -> np.ndarray:
    """Give the share of 0 … 1 that is nearest to each level, (Q); levels in any order, all different.

    >>> level_weights([0.1, 0.5, 0.9]).round(3).tolist()
    [0.3, 0.4, 0.3]
    """
    marks = check_levels(levels)
    order = np.argsort(marks)
    between = (marks[order][1:] + marks[order][:-1]) / 2
    weights = np.empty(len(marks))
    weights[order] = np.diff(between, prepend=0.0, append=1.0)
    return weights


def coverage(actual: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Give the share of steps that lie in the forecast interval, ends included, (N).

    >>> coverage(np.array([[1.0, 2.0, 9.0, np.nan]]), np.zeros((1, 4)), np.full((1, 4), 2.0)).round(3).tolist()
    [0.667]
    """
    _, low = _check_pair(actual, low)
    actual, high = _check_pair(actual, high)
    inside = ((low <= actual) & (actual <= high)).astype(np.float64)
    return series_means(np.where(np.isnan(actual), np.nan, inside))


def over_series(values: np.ndarray) -> float:
    """Give the mean over the series that have a value, each with the same weight; NaN where none has.

    >>> over_series(np.array([1.0, np.nan, 2.0]))
    1.5
    """
    return float(series_means(np.asarray(values, np.float64).reshape(1, -1))[0])


def percentage_errors(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Give each step's 200 · |y − f| / (|y| + |f|); NaN where there is no actual value."""
    size = np.abs(actual) + np.abs(forecast)
    return 200 * np.divide(np.abs(actual - forecast), size, out=np.where(np.isnan(size), np.nan, 0.0), where=size > 0)


def pinball_losses(actual: np.ndarray, quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Give each step's pinball loss at each level: actual (…), quantiles (…, Q), levels (Q) → (…, Q)."""
    error = actual[..., None] - quantiles
    return np.maximum(levels * error, (levels - 1) * error)


def series_means(values: np.ndarray) -> np.ndarray:
    """Average over the last axis what is not NaN; NaN where nothing is left."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        return np.nanmean(values, axis=-1)


def check_levels(levels: Sequence[float] | np.ndarray) -> np.ndarray:
    """Give levels as float64 (Q); raises `UsageError` unless they are different shares between 0 and 1."""
    marks = np.asarray(levels, np.float64)
    if marks.ndim != 1 or not len(marks) or not ((marks > 0) & (marks < 1)).all() or len(set(marks)) != len(marks):
        raise UsageError(f"levels: expected different shares between 0 and 1, such as 0.1, 0.5, 0.9, got {levels}")
    return marks


def check_season(season: int) -> None:
    """Raise `UsageError` unless a season is a whole number of steps, 1 or more."""
    if season != int(season) or season < 1:
        raise UsageError(f"season: expected a whole number of steps, 1 or more, got {season}")


def check_actual(actual: np.ndarray) -> np.ndarray:
    """Give actual values as float64; raises `UsageError` for infinite ones."""
    values = np.asarray(actual, np.float64)
    if np.isinf(values).any():
        place = tuple(np.argwhere(np.isinf(values))[0].tolist())
        raise UsageError(f"actual: expected finite values, or NaN where one is missing, got infinity at {place}")
    return values


def check_forecast(forecast: np.ndarray, name: str = "forecast") -> np.ndarray:
    """Give a forecast as float64; raises `DivergedError` where it is infinite or not a number, scored or not."""
    values = np.asarray(forecast, np.float64)
    if not np.isfinite(values).all():
        place = tuple(np.argwhere(~np.isfinite(values))[0].tolist())
        raise DivergedError(f"{name}: expected finite numbers, got {values[place]} at {place}")
    return values


def _check_pair(actual: np.ndarray, forecast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    actual, forecast = check_actual(actual), check_forecast(forecast)
    if actual.ndim != 2 or actual.shape != forecast.shape:
        raise UsageError(f"actual and forecast: expected both (series, steps), got {actual.shape} and {forecast.shape}")
    return actual, forecast


def _check_triple(actual: np.ndarray, quantiles: np.ndarray, levels: Sequence[float]) -> tuple[np.ndarray, ...]:
    actual, quantiles = check_actual(actual), check_forecast(quantiles, "quantiles")
    marks = check_levels(levels)
    if actual.ndim != 2 or quantiles.shape != (*actual.shape, len(marks)):
        raise UsageError(
            f"quantiles: expected (series, steps, {len(marks)} levels) with actual values (series, steps), "
            f"got {quantiles.shape} with {actual.shape}"
        )
    return actual, quantiles, marks

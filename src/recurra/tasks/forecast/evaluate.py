"""The metrics of a forecaster and of the baselines from the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.timeseries.reader import read_time_series
from recurra.errors import DataError, UsageError
from recurra.formatting import decimal
from recurra.metrics import ForecastScores
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.forecast.backtest import EvaluationSet, Forecasts, forecast_origins, valid_origins
from recurra.tasks.forecast.baselines import POINT_BASELINES, run_baselines
from recurra.tasks.forecast.data import Dataset, check_panel, default_test_split, reading_options
from recurra.tasks.forecast.predict import Forecaster
from recurra.tasks.forecast.results import format_times

MIN_ORIGINS_PER_SERIES = 8
"""Origins of a series that validation looks at, at least; one where futures are sampled."""
MAX_VALIDATION_VALUES = 200_000
"""Values that validation forecasts, where that is more: a few series are looked at from more of their steps."""
MAX_SAMPLED_STEPS = 400
"""Steps ahead that validation samples at once, where that is more than a forecast of each series."""
MAX_BACKTEST_VALUES = 2_000_000
"""Values that a backtest forecasts; of longer series not every step is an origin."""
MAX_FORECASTS_SHOWN = 4
"""Forecasts that the report draws."""
HISTORY_HORIZONS = 3
"""Horizons of history that are drawn before a forecast."""
MAX_STEPS_PREVIEWED = 6


def channel_spread(values: np.ndarray) -> np.ndarray:
    """Give the spread of each channel of (T, C), NaN where there is no value.

    >>> channel_spread(np.array([[1.0, np.nan], [3.0, np.nan]])).tolist()
    [1.0, nan]
    """
    spread = np.full(values.shape[1], np.nan)
    there = ~np.isnan(values).all(axis=0)
    spread[there] = np.nanstd(values[:, there], axis=0)
    return spread


class MetricAccumulator:
    """The metrics of one model, gathered origin after origin; points: it gives no quantiles."""

    def __init__(self, evaluated: EvaluationSet, levels: list[float], *, points: bool = False) -> None:
        self.evaluated, self.levels, self.points = evaluated, levels, points
        self.scores = ForecastScores(evaluated.preprocessor.season, levels)
        self.standardised = ForecastScores()
        self.count = 0
        self._scales_by_series: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def _scales(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the seasonal step and the spread of a series' training part, (C) each."""
        if number not in self._scales_by_series:
            evaluated = self.evaluated
            # What the first origin knows: in a competition, all that is there before the test.
            past = evaluated.values(number)[: evaluated.split.firsts[number]]
            train = evaluated.values(number)[: max(2, evaluated.train_ends[number])]
            spread = channel_spread(train)
            self._scales_by_series[number] = self.scores.scale_of(past), np.where(spread > 0, spread, np.nan)
        return self._scales_by_series[number]

    def add(self, found: Forecasts) -> None:
        """Count some forecasts."""
        pairs = list(zip(found.series.tolist(), found.origins.tolist(), strict=True))
        self.count += len(pairs)
        actual = np.stack([self.evaluated.actual(number, origin) for number, origin in pairs])
        scales = [self._scales(number) for number, _ in pairs]
        naive, spread = (np.stack(parts) for parts in zip(*scales, strict=True))
        quantiles = found.quantiles if len(self.levels) else None
        self.scores.add(found.series, naive, actual, found.mean, quantiles)
        divisor = spread[:, None]
        self.standardised.add(found.series, 1.0, actual / divisor, found.mean / np.nan_to_num(divisor, nan=1.0))

    def metrics(self, naive2: MetricAccumulator | None = None) -> dict[str, float]:
        """Give all metrics; naive2: the baseline that the OWA is relative to."""
        metrics = self.scores.metrics(naive2.scores if naive2 else None)
        if self.points:  # a point is an interval without any width, which covers nothing
            metrics = {name: value for name, value in metrics.items() if not name.startswith("coverage_")}
        try:
            standardised = self.standardised.metrics()
        except UsageError:  # every series is constant
            return metrics
        return {**metrics, "scaled_mse": standardised["mse"], "scaled_mae": standardised["mae"]}


def validation_metrics(forecaster: Forecaster, dataset: Dataset) -> dict[str, float] | None:
    """Measure what is looked at while training: the CRPS and the absolute error, in units of the series' mean seasonal step.

    None where there is no validation part, or no step of it can be forecast from one that has a value before it.
    """
    if dataset.valid is None:
        return None
    evaluated = EvaluationSet(dataset.series, dataset.valid, dataset.train_ends, dataset.preprocessor, [])
    recursive = forecaster.config.model.strategy == "recursive"
    least, values = (1, MAX_SAMPLED_STEPS) if recursive else (MIN_ORIGINS_PER_SERIES, MAX_VALIDATION_VALUES)
    per_series = max(least, values // (len(dataset.series) * forecaster.horizon))
    origins = valid_origins(dataset.series, dataset.valid, forecaster.horizon, 1, per_series)
    if not any(map(len, origins)):
        return None
    accumulator = MetricAccumulator(evaluated, forecaster.quantiles)
    for found in forecaster.backtest(dataset.series, origins):
        accumulator.add(found)
    metrics = accumulator.metrics()
    chosen = {name: metrics[name] for name in ("scaled_crps", "mase", "smape") if name in metrics}
    if "scaled_crps" not in chosen:  # every series repeats exactly
        return {"scaled_crps": metrics["crps"], "mase": metrics["mae"], **chosen}
    return chosen


def read_evaluation_set(forecaster: Forecaster, data: list[str]) -> EvaluationSet:
    """Read other series, whose end is forecast, as much as the run holds out of its own."""
    preprocessor, config = forecaster.preprocessor, forecaster.config.data
    files, settings = resolve_files(data)
    panel = read_time_series(files, reading_options(config.model_copy(update=settings), preprocessor))
    checked = check_panel(panel, preprocessor, config, data[0])
    series = [made for one in checked for made in preprocessor.transform(one)]
    split = default_test_split(series, config)
    return EvaluationSet(series, split, split.firsts, preprocessor, [*panel.notes, *skipped_notes(panel.skipped)])


def evaluate(
    forecaster: Forecaster,
    evaluated: EvaluationSet,
    *,
    name: str,
    train: Dataset | None,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a forecaster compared with the baselines: the object that `evaluate` prints.

    train: what the baselines learn from; None: none are measured, but Naive2 for the OWA.
    """
    origins = valid_origins(evaluated.series, evaluated.split, forecaster.horizon, _stride(forecaster, evaluated))
    if not any(map(len, origins)):
        raise DataError("holds no value that could be forecast from one before it", source=name)
    progress("measuring the model")
    wanted = _origins_shown(origins)
    own, shown = MetricAccumulator(evaluated, forecaster.quantiles), []
    for found in forecaster.backtest(evaluated.series, origins):
        own.add(found)
        shown += [_to_drawing(forecaster, evaluated, found, at) for at in _positions(found, wanted)]
    baselines: dict[str, MetricAccumulator] = {}
    for title, forecasts in run_baselines(forecaster, train, evaluated, origins, progress):
        progress(f"measuring the baseline {title}")
        baselines[title] = MetricAccumulator(evaluated, forecaster.quantiles, points=title in POINT_BASELINES)
        for found in forecasts:
            baselines[title].add(found)
    naive2 = baselines.get("naive2")
    every = ((number, origin) for number, steps in enumerate(origins) for origin in steps.tolist())
    details: dict[str, Any] = {
        "notes": [*evaluated.notes, *_notes(evaluated, origins, own), *_interval_notes(forecaster)],
        "intervals": own.scores.intervals(naive2.scores if naive2 else None),
        "by_step": _by_step(own),
        "forecasts": shown,
    }
    result: dict[str, Any] = {
        "task": forecaster.name,
        "data": name,
        "count": int(sum(np.isfinite(evaluated.actual(number, origin)).sum() for number, origin in every)),
        "metrics": own.metrics(naive2),
        "baselines": {},
    }
    if fewer := [title for title, each in baselines.items() if each.count < own.count]:
        details["fewer"] = {title: [baselines[title].count, own.count] for title in fewer}
    if train is not None:
        result["baselines"] = {title: each.metrics(naive2) for title, each in baselines.items()}
        details["beside"] = {title: _by_step(each) for title, each in baselines.items()}
    return {**result, "details": details}


def _by_step(accumulator: MetricAccumulator) -> dict[str, list[float | None]]:
    steps = accumulator.scores.by_step()
    return {name: steps[name] for name in ("mase", "mae") if name in steps}


def _stride(forecaster: Forecaster, evaluated: EvaluationSet) -> int:
    """Choose from which steps is forecast: all, unless the user wants otherwise or there are very many."""
    config, horizon = forecaster.config, forecaster.horizon
    if config.data.stride is not None:
        return config.data.stride
    if config.model.strategy == "recursive":
        return horizon
    values = sum(len(steps) for steps in forecast_origins(evaluated.split, horizon, 1)) * horizon
    return max(1, -(-values // MAX_BACKTEST_VALUES))


def _notes(evaluated: EvaluationSet, origins: list[np.ndarray], accumulator: MetricAccumulator) -> list[str]:
    count, series = sum(map(len, origins)), sum(bool(len(steps)) for steps in origins)
    horizon = evaluated.preprocessor.horizon
    notes = [f"forecasts of {horizon} steps from {count:,} steps of {series:,} series and targets"]
    if left := accumulator.scores.without_scale:
        notes.append(f"{left:,} of them repeat exactly, or are too short for a seasonal step: they are not in the MASE")
    return notes


def _interval_notes(forecaster: Forecaster) -> list[str]:
    stretch = forecaster.network.get_buffer("stretch").item()
    if f"{stretch:.2f}" == "1.00":
        return []
    return [f"the intervals are {stretch:.2f} times as wide as was learnt, as the validation part asks for"]


def _origins_shown(origins: list[np.ndarray]) -> dict[int, int]:
    """Choose the forecasts that are drawn: series → origin, series spread over all, the last origin of each."""
    there = [number for number, steps in enumerate(origins) if len(steps)]
    return {there[at]: int(origins[there[at]][-1]) for at in evenly_spaced(len(there), MAX_FORECASTS_SHOWN)}


def _positions(found: Forecasts, wanted: dict[int, int]) -> Iterator[int]:
    for at, (number, origin) in enumerate(zip(found.series.tolist(), found.origins.tolist(), strict=True)):
        if wanted.get(number) == origin:
            yield at


def _to_drawing(forecaster: Forecaster, evaluated: EvaluationSet, found: Forecasts, at: int) -> dict[str, Any]:
    """Give one forecast with its history and the actual values, as the report draws it: the series' first channel."""
    number, origin = int(found.series[at]), int(found.origins[at])
    one, preprocessor = evaluated.series[number], forecaster.preprocessor
    first = max(0, origin + 1 - HISTORY_HORIZONS * max(preprocessor.horizon, preprocessor.season))
    last = origin + 1 + preprocessor.horizon
    times = one.times[first : min(last, len(one.times))]
    levels = {f"{level:g}": _to_json(found.quantiles[at, :, 0, at_]) for at_, level in enumerate(forecaster.quantiles)}
    return {
        "series": one.series,
        "target": preprocessor.targets[one.channels[0]],
        "time": format_times(times, preprocessor.step, numbers=one.numbers) if len(times) == last - first else [],
        "history": _to_json(evaluated.values(number)[first : origin + 1, 0]),
        "actual": _to_json(evaluated.actual(number, origin)[:, 0]),
        "mean": _to_json(found.mean[at, :, 0]),
        "quantiles": levels,
    }


def _to_json(values: Iterable[float]) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.7g}") for value in values]


def preview_forecast(forecaster: Forecaster, dataset: Dataset, seed: int) -> str | None:
    """Show in a few lines how a forecast of the validation part compares: one series, chosen by the seed."""
    split, preprocessor = dataset.valid, dataset.preprocessor
    if split is None:
        return None
    there = [at for at, (first, end) in enumerate(zip(split.firsts, split.ends, strict=True)) if end > first]
    number = there[seed % len(there)]
    one, first = dataset.series[number], split.firsts[number]
    found = next(forecaster.backtest([one], [np.array([first - 1])]))
    steps = min(preprocessor.horizon, split.ends[number] - first, MAX_STEPS_PREVIEWED)
    actual = preprocessor.inverse_transform(one.values[first : first + steps], one.reference)[:, 0]
    name = " ".join([one.series, preprocessor.targets[one.channels[0]]]).strip()
    forecast = ", ".join(decimal(value) for value in found.mean[0, :steps, 0])
    return (
        f"{name}: {forecast} …\nit was: {', '.join('–' if np.isnan(value) else decimal(value) for value in actual)} …"
    )

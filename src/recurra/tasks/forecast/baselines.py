"""The plain forecasters that a network is compared with, from the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from recurra.baselines import ETS, ForecastBaseline, Linear, Naive2, SeasonalNaive
from recurra.errors import DataError, MissingExtraError
from recurra.tasks.forecast.backtest import EvaluationSet, Forecasts
from recurra.tasks.forecast.data import Dataset
from recurra.tasks.forecast.predict import Forecaster

MAX_NAIVE2_ORIGINS = 5_000
"""Origins from which Naive2 is forecast: each takes the history apart again."""
ORIGINS_PER_BATCH = 2_000
POINT_BASELINES = frozenset({Naive2.name})
"""Baselines that give a number for each step, and no interval."""
ETS_SECONDS = 45.0
"""Time that ETS is worth: it is fitted again at every step."""


def run_baselines(
    forecaster: Forecaster,
    train: Dataset | None,
    evaluated: EvaluationSet,
    origins: list[np.ndarray],
    progress: Callable[[str], None],
) -> Iterator[tuple[str, Iterator[Forecasts]]]:
    """Give each baseline's name and its forecasts; they have learnt from the same training data.

    train: None: Naive2 alone, which learns nothing. It is always among them where it is worth its time, since the OWA is made with it.
    """
    preprocessor, count = forecaster.preprocessor, sum(map(len, origins))
    histories = [evaluated.values(number) for number, steps in enumerate(origins) if len(steps)][:1]
    if train is not None:
        histories = training_histories(train)
    for baseline in (SeasonalNaive(), Naive2(), ETS(), Linear()) if train is not None else (Naive2(),):
        title = baseline.title
        if isinstance(baseline, Naive2) and count > MAX_NAIVE2_ORIGINS:
            note(
                evaluated, f"{title} is left out, and with it the OWA: from so many steps it would take long", progress
            )
            continue
        chosen = _ets_origins(evaluated, origins) if isinstance(baseline, ETS) else origins
        if chosen is None:
            note(evaluated, f"{title} is left out: on so many series it would take minutes", progress)
            continue
        if chosen is not origins:
            few = sum(map(len, chosen))
            only = f"{title}* is measured from {few:,} of the {count:,} steps alone: from all it would take long"
            note(evaluated, only, progress)
        try:
            baseline.fit(histories, preprocessor.season, preprocessor.horizon)
        except (DataError, MissingExtraError) as error:
            note(evaluated, f"{title} is left out: {error}", progress)
            continue
        yield baseline.name, _forecasts(baseline, evaluated, chosen, forecaster.quantiles)


def training_histories(train: Dataset) -> list[np.ndarray]:
    """Give the training part of each series as its values are, (T, C); those without any value are left out."""
    return [
        train.preprocessor.inverse_transform(one.values[:end], one.reference)
        for one, end in zip(train.series, train.train_ends, strict=True)
        if end > 1 and not np.isnan(one.values[:end]).all(axis=0).any()
    ]


def note(evaluated: EvaluationSet, what: str, progress: Callable[[str], None]) -> None:
    """Say what is not measured, at once and in the report."""
    progress(what)
    evaluated.notes.append(what)


def _ets_origins(evaluated: EvaluationSet, origins: list[np.ndarray]) -> list[np.ndarray] | None:
    """Choose as many steps of each series as its time is enough for; None where not one of each."""
    there = [steps for steps in origins if len(steps)]
    length = int(np.mean([len(steps) and steps[-1] + 1 for steps in there]))
    channels, season = evaluated.preprocessor.channels, evaluated.preprocessor.season
    most = ETS.max_forecasts(length, channels, season, seconds=ETS_SECONDS) // len(there)
    if most == 0:
        return None
    if most >= max(map(len, there)):
        return origins
    return [steps[np.linspace(0, len(steps) - 1, min(most, len(steps))).round().astype(np.int64)] for steps in origins]


def _forecasts(
    baseline: ForecastBaseline, evaluated: EvaluationSet, origins: list[np.ndarray], levels: Sequence[float]
) -> Iterator[Forecasts]:
    for number, steps in enumerate(origins):
        history = evaluated.values(number)
        for first in range(0, len(steps), ORIGINS_PER_BATCH):
            some = steps[first : first + ORIGINS_PER_BATCH]
            mean, quantiles = baseline.rolling(history, some + 1, levels)
            if quantiles is None:
                quantiles = np.repeat(mean[..., None], len(levels), axis=-1)
            yield Forecasts(np.full(len(some), number), some, mean, quantiles)

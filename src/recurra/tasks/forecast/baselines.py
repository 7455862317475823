"""The plain forecasters to stand beside a network, from the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from recurra.baselines import ETS, ForecastBaseline, Linear, Naive2, SeasonalNaive
from recurra.errors import DataError, MissingExtraError
from recurra.report.names import baseline_name
from recurra.tasks.forecast.backtest import Forecasts

if TYPE_CHECKING:
    from recurra.tasks.forecast.evaluate import Ground
    from recurra.tasks.forecast.task import Forecaster

MOST_NAIVE2 = 5_000
"""Origins from which Naive2 is forecast: each takes the history apart anew."""
AT_ONCE = 2_000
POINTS = frozenset({Naive2.name})
"""Baselines that say a number for each step, and not between which it is."""
ETS_SECONDS = 45.0
"""Time that ETS is worth: it is fitted anew at every step."""


def baselines_of(
    task: Forecaster,
    ground: Ground,
    origins: list[np.ndarray],
    progress: Callable[[str], None],
    *,
    all_of_them: bool,
) -> Iterator[tuple[str, Iterator[Forecasts]]]:
    """Give each baseline's name and its forecasts; they have learnt from the same training data.

    Naive2 is always among them where it is worth its time, since the OWA is made with it.
    """
    examples, form = task.examples, task.form
    learnt = [
        form.back(row.values[:end], row.reference)
        for row, end in zip(examples.rows, examples.ends, strict=True)
        if end > 1 and not np.isnan(row.values[:end]).all(axis=0).any()
    ]
    count = sum(map(len, origins))
    for baseline in (SeasonalNaive(), Naive2(), ETS(), Linear()) if all_of_them else (Naive2(),):
        title = baseline_name(baseline.name)
        if isinstance(baseline, Naive2) and count > MOST_NAIVE2:
            left_out(
                ground, f"{title} is left out, and with it the OWA: from so many steps it would take long", progress
            )
            continue
        asked = _asked_of_ets(ground, origins) if isinstance(baseline, ETS) else origins
        if asked is None:
            left_out(ground, f"{title} is left out: on so many series it would take minutes", progress)
            continue
        if asked is not origins:
            few, many = sum(map(len, asked)), count
            said = f"{title}* is measured from {few:,} of the {many:,} steps alone: from all it would take long"
            left_out(ground, said, progress)
        try:
            baseline.fit(learnt, form.season, form.horizon)
        except (DataError, MissingExtraError) as error:
            left_out(ground, f"{title} is left out: {error}", progress)
            continue
        yield baseline.name, _forecasts(baseline, ground, asked, task.levels)


def left_out(ground: Ground, what: str, progress: Callable[[str], None]) -> None:
    """Say what is not measured, at once and in the report."""
    progress(what)
    ground.notes.append(what)


def _asked_of_ets(ground: Ground, origins: list[np.ndarray]) -> list[np.ndarray] | None:
    """Choose as many steps of each series as its time is enough for; None where not one of each."""
    there = [steps for steps in origins if len(steps)]
    length = int(np.mean([len(steps) and steps[-1] + 1 for steps in there]))
    most = ETS.affordable(length, ground.form.channels, ground.form.season, seconds=ETS_SECONDS) // len(there)
    if most == 0:
        return None
    if most >= max(map(len, there)):
        return origins
    return [steps[np.linspace(0, len(steps) - 1, min(most, len(steps))).round().astype(np.int64)] for steps in origins]


def _forecasts(
    baseline: ForecastBaseline, ground: Ground, origins: list[np.ndarray], levels: list[float]
) -> Iterator[Forecasts]:
    for number, steps in enumerate(origins):
        history = ground.values(number)
        for first in range(0, len(steps), AT_ONCE):
            some = steps[first : first + AT_ONCE]
            mean, quantiles = baseline.rolling(history, some + 1, levels)
            if quantiles is None:
                quantiles = np.repeat(mean[..., None], len(levels), axis=-1)
            yield Forecasts(np.full(len(some), number), some, mean, quantiles)

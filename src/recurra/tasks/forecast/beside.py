"""The plain forecasters to stand beside a network, from the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from recurra.baselines.forecasts import ForecastBaseline
from recurra.baselines.linear import Linear
from recurra.baselines.naive2 import Naive2
from recurra.baselines.seasonal import SeasonalNaive
from recurra.tasks.forecast.asking import Forecasts

if TYPE_CHECKING:
    from recurra.tasks.forecast.measure import Ground
    from recurra.tasks.forecast.task import Forecaster

MOST_NAIVE2 = 5_000
"""Origins from which Naive2 is forecast: each takes the history apart anew."""
AT_ONCE = 2_000


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
    for baseline in (SeasonalNaive(), Naive2(), Linear()) if all_of_them else (Naive2(),):
        if isinstance(baseline, Naive2) and count > MOST_NAIVE2:
            progress("naive2 is left out, and with it the OWA: from so many steps it would take long")
            continue
        baseline.fit(learnt, form.season, form.horizon)
        yield baseline.name, _forecasts(baseline, ground, origins, task.levels)


def _forecasts(
    baseline: ForecastBaseline, ground: Ground, origins: list[np.ndarray], levels: list[float]
) -> Iterator[Forecasts]:
    for number, steps in enumerate(origins):
        history = ground.values(number)
        # Nothing can be said before the first value, by anyone.
        known = steps[steps >= int(np.argmax(~np.isnan(history).any(axis=1)))] if len(steps) else steps
        for first in range(0, len(known), AT_ONCE):
            some = known[first : first + AT_ONCE]
            mean, quantiles = baseline.rolling(history, some + 1, levels)
            if quantiles is None:
                quantiles = np.repeat(mean[..., None], len(levels), axis=-1)
            yield Forecasts(np.full(len(some), number), some, mean, quantiles)

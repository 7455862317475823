"""The figures of a forecaster and of the baselines from the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from recurra.data.datasets.locate import named_files
from recurra.data.timeseries.reader import read_timed
from recurra.errors import DataError, UsageError
from recurra.metrics import ForecastScores
from recurra.tasks.base.dataset import left_out
from recurra.tasks.base.inference import spread
from recurra.tasks.forecast.backtest import Forecasts, backtest
from recurra.tasks.forecast.baselines import POINTS, baselines_of
from recurra.tasks.forecast.data import Part, cut_part, reading
from recurra.tasks.forecast.predict import checked
from recurra.tasks.forecast.preprocessing import Form, Row
from recurra.tasks.forecast.results import write_times

if TYPE_CHECKING:
    from recurra.tasks.forecast.task import Forecaster

FEW = 8
"""Origins of a series that validation looks at, at least; one where futures are drawn."""
WATCHED = 200_000
"""Values that validation forecasts, where that is more: a few series are looked at from more of their steps."""
FED_BACK = 400
"""Steps ahead that validation draws at once, where that is more than a forecast of each series."""
MOST = 2_000_000
"""Values that a backtest forecasts; of longer series not every step is an origin."""
SHOWN = 4
"""Forecasts that the report draws."""
SEASONS = 3
"""Horizons of history that are drawn before a forecast."""


@dataclass(frozen=True)
class Ground:
    """What is measured on: rows, a part of them, how much of each is training, and what errors are measured by."""

    rows: list[Row]
    part: Part
    ends: list[int]
    form: Form
    notes: list[str]

    def values(self, number: int) -> np.ndarray:
        """Give the values of a row as they are, (T, C)."""
        row = self.rows[number]
        return self.form.back(row.values, row.reference)

    def actual(self, number: int, origin: int) -> np.ndarray:
        """Give what came after a step, (h, C), NaN where nothing is to be compared with."""
        steps = min(self.form.horizon, self.part.ends[number] - origin - 1)
        row = self.rows[number]
        came = np.full((self.form.horizon, row.values.shape[1]), np.nan)
        came[:steps] = self.form.back(row.values[origin + 1 : origin + 1 + steps], row.reference)
        return came


def spread_of(values: np.ndarray) -> np.ndarray:
    """Give the spread of each channel of (T, C), NaN where there is no value.

    >>> spread_of(np.array([[1.0, np.nan], [3.0, np.nan]])).tolist()
    [1.0, nan]
    """
    spread = np.full(values.shape[1], np.nan)
    there = ~np.isnan(values).all(axis=0)
    spread[there] = np.nanstd(values[:, there], axis=0)
    return spread


def askable(rows: list[Row], part: Part, horizon: int, stride: int, most: int | None = None) -> list[np.ndarray]:
    """Give `origins_of` rows, at most so many of each, spread over all of its own.

    Those before a row's first value are left out, where nothing can be said by anyone, and those after which nothing came.
    """
    found = []
    for row, end, steps in zip(rows, part.ends, origins_of(part, horizon, stride), strict=True):
        known = np.append(0, np.cumsum(~np.isnan(row.values).all(axis=1)))
        came = known[np.minimum(steps + 1 + horizon, end)] > known[steps + 1]
        steps = steps[came & (steps >= row.begin)]
        if most is not None and len(steps) > most:
            steps = steps[np.linspace(0, len(steps) - 1, most).round().astype(np.int64)]
        found.append(steps)
    return found


def origins_of(part: Part, horizon: int, stride: int) -> list[np.ndarray]:
    """Give the steps of each row that are forecast from: the last known one, and each `stride` further while there is a whole
    horizon to compare with; at least one wherever anything is to be compared with.

    >>> [steps.tolist() for steps in origins_of(Part("test", [5, 3], [12, 3]), 3, 2)]
    [[4, 6, 8], []]
    """
    found = []
    for first, end in zip(part.firsts, part.ends, strict=True):
        if end <= first:
            found.append(np.zeros(0, np.int64))
            continue
        last = max(first - 1, end - 1 - horizon)
        found.append(np.arange(first - 1, last + 1, stride))
    return found


class Scores:
    """The figures of one model, gathered origin after origin; points: it says no quantiles."""

    def __init__(self, ground: Ground, levels: list[float], *, points: bool = False) -> None:
        self.ground, self.levels, self.points = ground, levels, points
        self.whole = ForecastScores(ground.form.season, levels)
        self.standard = ForecastScores()
        self.asked = 0
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def _scales(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the seasonal step and the spread of a row's training part, (C) each."""
        if number not in self._known:
            ground = self.ground
            # What the first origin knows: in a competition, all that is there before the test.
            past = ground.values(number)[: ground.part.firsts[number]]
            learnt = ground.values(number)[: max(2, ground.ends[number])]
            spread = spread_of(learnt)
            self._known[number] = self.whole.scale_of(past), np.where(spread > 0, spread, np.nan)
        return self._known[number]

    def add(self, found: Forecasts) -> None:
        """Count some forecasts."""
        pairs = list(zip(found.rows.tolist(), found.origins.tolist(), strict=True))
        self.asked += len(pairs)
        actual = np.stack([self.ground.actual(number, origin) for number, origin in pairs])
        scales = [self._scales(number) for number, _ in pairs]
        naive, spread = (np.stack(parts) for parts in zip(*scales, strict=True))
        quantiles = found.quantiles if len(self.levels) else None
        self.whole.add(found.rows, naive, actual, found.point, quantiles)
        divisor = spread[:, None]
        self.standard.add(found.rows, 1.0, actual / divisor, found.point / np.nan_to_num(divisor, nan=1.0))

    def figures(self, naive2: Scores | None = None) -> dict[str, float]:
        """Give all figures."""
        figures = self.whole.figures(naive2.whole if naive2 else None)
        if self.points:  # a point is an interval without any width, which covers nothing
            figures = {name: value for name, value in figures.items() if not name.startswith("coverage_")}
        try:
            standard = self.standard.figures()
        except UsageError:  # every row is constant
            return figures
        return {**figures, "scaled_mse": standard["mse"], "scaled_mae": standard["mae"]}


def watched(task: Forecaster, network: nn.Module, part: Part) -> dict[str, float] | None:
    """Measure what is looked at while training: the CRPS and the absolute error, in units of the series' mean seasonal step.

    None where no step of the part can be foretold from one that has a value before it.
    """
    examples = task.examples
    ground = Ground(examples.rows, part, examples.ends, task.form, [])
    least, much = (1, FED_BACK) if task.config.model.form == "autoregressive" else (FEW, WATCHED)
    few = max(least, much // (len(examples.rows) * task.form.horizon))
    origins = askable(examples.rows, part, task.form.horizon, 1, few)
    if not any(map(len, origins)):
        return None
    scores = Scores(ground, task.levels)
    for found in backtest(task, network, examples.rows, origins):
        scores.add(found)
    figures = scores.figures()
    chosen = {name: figures[name] for name in ("scaled_crps", "mase", "smape") if name in figures}
    return (
        chosen if "scaled_crps" in chosen else {"scaled_crps": figures["crps"], "mase": figures["mae"], **chosen}
    )  # every series repeats exactly


def evaluation(
    task: Forecaster,
    network: nn.Module,
    data: list[str] | None,
    progress: Callable[[str], None],
    *,
    baselines: bool = True,
) -> dict[str, Any]:
    """Measure a network beside the baselines: the object that `evaluate` prints."""
    ground, name = _ground(task, data)
    origins = askable(ground.rows, ground.part, task.form.horizon, _stride(task, ground))
    if not any(map(len, origins)):
        raise DataError("holds no value that could be foretold from one before it", source=name)
    progress("measuring the model")
    few = _few(origins)
    scores, shown = Scores(ground, task.levels), []
    for found in backtest(task, network, ground.rows, origins):
        scores.add(found)
        shown += [_shown(task, ground, found, at) for at in _wanted(found, few)]
    beside: dict[str, Scores] = {}
    for title, forecasts in baselines_of(task, ground, origins, progress, all_of_them=baselines):
        progress(f"measuring the baseline {title}")
        beside[title] = Scores(ground, task.levels, points=title in POINTS)
        for found in forecasts:
            beside[title].add(found)
    naive2 = beside.get("naive2")
    count = int(sum(np.isfinite(ground.actual(n, o)).sum() for n, steps in enumerate(origins) for o in steps.tolist()))
    details: dict[str, Any] = {
        "notes": [*ground.notes, *_notes(ground, origins, scores), *_stretched(network)],
        "intervals": scores.whole.intervals(naive2.whole if naive2 else None),
        "by_step": _by_step(scores),
        "forecasts": shown,
    }
    result: dict[str, Any] = {
        "task": task.name,
        "data": name,
        "count": count,
        "metrics": scores.figures(naive2),
        "baselines": {},
    }
    if few_of := [title for title, each in beside.items() if each.asked < scores.asked]:
        details["fewer"] = {title: [beside[title].asked, scores.asked] for title in few_of}
    if baselines:
        result["baselines"] = {title: each.figures(naive2) for title, each in beside.items()}
        details["beside"] = {title: _by_step(each) for title, each in beside.items()}
    return {**result, "details": details}


def _by_step(scores: Scores) -> dict[str, list[float | None]]:
    steps = scores.whole.by_step()
    return {name: steps[name] for name in ("mase", "mae") if name in steps}


def _ground(task: Forecaster, data: list[str] | None) -> tuple[Ground, str]:
    """Find what is measured on: the run's own test part, or the end of other series."""
    if not data:
        examples, (part, name) = task.examples, task.held_out_part()
        return Ground(examples.rows, part, examples.ends, task.form, list(examples.notes)), name
    files, settings = named_files(data)
    panel = read_timed(files, reading(task.config.data.model_copy(update=settings), task.form))
    rows = [row for series in checked(task, panel, data[0]) for row in task.form.rows(series)]
    part = cut_part(rows, task.config.data)
    notes = [*panel.notes, *left_out(panel.skipped)]
    return Ground(rows, part, part.firsts, task.form, notes), " ".join(data)


def _stride(task: Forecaster, ground: Ground) -> int:
    """Choose from which steps is forecast: all, unless the user says otherwise or there are very many."""
    if task.config.data.stride is not None:
        return task.config.data.stride
    if task.config.model.form == "autoregressive":
        return task.form.horizon
    values = sum(len(steps) for steps in origins_of(ground.part, task.form.horizon, 1)) * task.form.horizon
    return max(1, -(-values // MOST))


def _notes(ground: Ground, origins: list[np.ndarray], scores: Scores) -> list[str]:
    count, rows = sum(map(len, origins)), sum(bool(len(steps)) for steps in origins)
    notes = [f"forecasts of {ground.form.horizon} steps from {count:,} steps of {rows:,} series and targets"]
    if left := scores.whole.without_scale:
        notes.append(f"{left:,} of them repeat exactly, or are too short for a seasonal step: they are not in the MASE")
    return notes


def _stretched(network: nn.Module) -> list[str]:
    stretch = network.get_buffer("stretch").item()
    if f"{stretch:.2f}" == "1.00":
        return []
    return [f"the intervals are {stretch:.2f} times as wide as was learnt, as the validation part asks for"]


def _few(origins: list[np.ndarray]) -> dict[int, int]:
    """Choose the forecasts that are drawn: row → origin, rows spread over all, the last origin of each."""
    there = [number for number, steps in enumerate(origins) if len(steps)]
    return {there[at]: int(origins[there[at]][-1]) for at in spread(len(there), SHOWN)}


def _wanted(found: Forecasts, few: dict[int, int]) -> Iterator[int]:
    for at, (number, origin) in enumerate(zip(found.rows.tolist(), found.origins.tolist(), strict=True)):
        if few.get(number) == origin:
            yield at


def _shown(task: Forecaster, ground: Ground, found: Forecasts, at: int) -> dict[str, Any]:
    """Give one forecast with what was before it and what came, as the report draws it: the row's first channel."""
    number, origin = int(found.rows[at]), int(found.origins[at])
    row, form = ground.rows[number], task.form
    first = max(0, origin + 1 - SEASONS * max(form.horizon, form.season))
    last = origin + 1 + form.horizon
    times = row.times[first : min(last, len(row.times))]
    levels = {f"{level:g}": _plain(found.quantiles[at, :, 0, place]) for place, level in enumerate(task.levels)}
    return {
        "series": row.series,
        "target": form.targets[row.channels[0]],
        "time": write_times(times, form.step, numbers=row.numbers) if len(times) == last - first else [],
        "history": _plain(ground.values(number)[first : origin + 1, 0]),
        "actual": _plain(ground.actual(number, origin)[:, 0]),
        "mean": _plain(found.point[at, :, 0]),
        "quantiles": levels,
    }


def _plain(values: Iterable[float]) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.7g}") for value in values]

"""The metrics of a backtest, gathered origin after origin in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np

from recurra.errors import UsageError
from recurra.metrics.bootstrap import MAX_NUMBERS_TOUCHED, MIN_ROUNDS, Interval
from recurra.metrics.forecast import (
    check_actual,
    check_forecast,
    check_levels,
    check_season,
    level_weights,
    naive_scale,
    over_series,
    owa,
    percentage_errors,
    pinball_losses,
    scaled,
)


class ForecastScores:
    """Errors of forecasts from many origins, summed for each series and channel, and for each step ahead.

    What is kept are sums: O(series · channels + steps) numbers, whatever the number of origins.

        metric of a series and channel = mean over all its scored steps of all its origins
        metric of all = mean over the series and channels that have one, each with the same weight (as M4 does for series)

    So a long series with many origins counts no more than a short one. rmse is the root of the mse over all. Metrics:
    `mase`, `smape` (per cent, 0 … 200), `mse`, `mae`, `rmse`; with levels `crps`, `scaled_crps` (over the MASE's scale, so that
    series of different size count alike) and, for each pair of levels q and 1 − q, `coverage_80` and the like; `owa` with
    Naive2's scores. See `recurra.metrics.forecast` for what each is.

    Args:
        season: m, of `scale_of`.
        levels: (Q), those of the quantiles that `add` is given; none: no quantiles.

    >>> scores = ForecastScores(season=1)
    >>> history, actual = np.array([[1.0], [2.0], [4.0]]), np.array([[[5.0], [6.0]]])
    >>> scores.add(0, scores.scale_of(history), actual, mean=np.full((1, 2, 1), 4.0)).metrics()["mase"]
    1.0
    """

    def __init__(self, season: int = 1, levels: Sequence[float] = ()) -> None:
        check_season(season)
        self.season = season
        self.levels = check_levels(levels) if len(levels) else np.zeros(0)
        self._pairs = _intervals(self.levels)
        names = ["mase", "smape", *(["crps", "scaled_crps"] if len(levels) else []), "mse", "mae", *self._pairs]
        self._names = tuple(names)
        # Sums and counts by metric, series and channel, (M, S, C), and by metric and step, (M, h).
        self._sums = self._counts = np.zeros((len(names), 0, 0))
        self._step_sums = self._step_counts = np.zeros((len(names), 0))
        self._series = 0  # space is made for more than there are

    def scale_of(self, history: np.ndarray) -> np.ndarray:
        """Give `naive_scale` of a history (T, C) with this season, (C)."""
        return naive_scale(history, self.season)

    def add(
        self,
        series: int | np.ndarray,
        scale: float | np.ndarray,
        actual: np.ndarray,
        mean: np.ndarray,
        quantiles: np.ndarray | None = None,
    ) -> Self:
        """Count the forecasts from n origins, of one series or of a series each.

        Args:
            series: number from 0, of all n, or (n).
            scale: of MASE: (), (C), or (n, C). In a backtest take that of the training part for all origins, or each origin's own
                history; M4 has one origin, and these are the same.
            actual: (n, h, C), NaN where a step is not scored, as after the end of a series.
            mean: (n, h, C).
            quantiles: (n, h, C, Q), at the levels.

        Raises:
            DivergedError: a forecast is infinite or not a number.
            UsageError: shapes that do not fit each other, or those added before.
        """
        actual, mean = check_actual(actual), check_forecast(mean, "mean")
        self._check(actual, mean, quantiles)
        count, steps, channels = actual.shape
        numbers = np.broadcast_to(np.asarray(series), (count,)).astype(np.int64)
        if count and numbers.min() < 0:
            raise UsageError(f"series: expected numbers from 0, got {numbers.min()}")
        self._series = max(self._series, int(numbers.max(initial=-1)) + 1)
        self._grow(self._series, channels, steps)
        divisor = np.broadcast_to(np.asarray(scale, np.float64), (count, channels))[:, None, :]
        for place, values in enumerate(self._errors(actual, mean, quantiles, divisor)):
            known = ~np.isnan(values)
            there = np.where(known, values, 0.0)
            np.add.at(self._sums[place], numbers, there.sum(1))
            np.add.at(self._counts[place], numbers, known.sum(1))
            self._step_sums[place] += there.sum((0, 2))
            self._step_counts[place] += known.sum((0, 2))
        return self

    def metrics(self, naive2: ForecastScores | None = None) -> dict[str, float]:
        """Give the metrics over all that was added; one that no series has is left out.

        naive2: the scores of `Naive2` on the same origins, for `owa`.

        Raises:
            UsageError: nothing was added that can be scored.
        """
        if not self._counts[self._names.index("mae")].sum():
            raise UsageError("expected at least one step whose actual value is known, got none to score")
        mine, *theirs = [
            {name: over_series(means) for name, means in zip(scores._names, scores._means(), strict=True)}
            for scores in (self, *([naive2] if naive2 is not None else []))
        ]
        return {name: value for name, value in _add_derived(mine, *theirs).items() if np.isfinite(value)}

    def by_step(self) -> dict[str, list[float | None]]:
        """Give the metrics for each step ahead, (h); None where nothing was scored.

        Here each scored value has the same weight. Where series have equally many origins and no gaps, the mean over the steps
        is the metric itself (but for rmse).
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            means = dict(zip(self._names, self._step_sums / self._step_counts, strict=True))
        means["rmse"] = np.sqrt(means["mse"])
        return {
            name: [None if np.isnan(value) else float(value) for value in values]
            for name, values in means.items()
            if not np.isnan(values).all()
        }

    @property
    def without_scale(self) -> int:
        """Series and channels that were scored but are not in the MASE: they repeat exactly, or were too short for a scale."""
        of_mase, of_mae = (self._counts[self._names.index(name)] for name in ("mase", "mae"))
        return int(((of_mae > 0) & (of_mase == 0)).sum())

    def intervals(
        self, naive2: ForecastScores | None = None, rounds: int = 1000, seed: int = 0, level: float = 0.95
    ) -> dict[str, Interval]:
        """Give [low, high] for the metrics, from series drawn again with replacement (Efron 1979); {} for fewer than ten.

        All channels and origins of a series hang together, so series are drawn. The same arguments give the same intervals;
        with more than 30,000 series there are fewer rounds, but 200 at least.
        """
        both = [self, *([naive2] if naive2 is not None else [])]
        if len({(scores._series, scores._counts.shape[2]) for scores in both}) > 1:
            raise UsageError("naive2: expected the scores of the same series")
        drawable = np.flatnonzero(self._counts[self._names.index("mae"), : self._series].sum(1))
        if len(drawable) < 10:
            return {}
        terms = [scores._terms()[..., drawable] for scores in both]
        chance = np.random.default_rng(seed)
        found: dict[str, list[float]] = {}
        for _ in range(min(rounds, max(MIN_ROUNDS, MAX_NUMBERS_TOUCHED // len(drawable)))):
            weights = np.bincount(chance.integers(0, len(drawable), len(drawable)), minlength=len(drawable))
            with np.errstate(invalid="ignore", divide="ignore"):
                means = [above @ weights / (below @ weights) for above, below in terms]
            drawn = [dict(zip(scores._names, values, strict=True)) for scores, values in zip(both, means, strict=True)]
            for name, value in _add_derived(*drawn).items():
                found.setdefault(name, []).append(value)
        ends = ((1 - level) / 2, (1 + level) / 2)
        finite = {name: np.array(values)[np.isfinite(values)] for name, values in found.items()}
        return {
            name: [float(end) for end in np.quantile(values, ends)] for name, values in finite.items() if len(values)
        }

    def _check(self, actual: np.ndarray, mean: np.ndarray, quantiles: np.ndarray | None) -> None:
        if actual.ndim != 3 or actual.shape != mean.shape:
            raise UsageError(
                f"actual and mean: expected both (origins, steps, channels), got {actual.shape} and {mean.shape}"
            )
        wanted = (*actual.shape, len(self.levels)) if len(self.levels) else None
        if (None if quantiles is None else np.shape(quantiles)) != wanted:
            raise UsageError(f"quantiles: expected {wanted}, got {None if quantiles is None else np.shape(quantiles)}")
        if self._step_sums.shape[1] and actual.shape[1:] != (self._step_sums.shape[1], self._sums.shape[2]):
            raise UsageError(
                f"actual: expected {self._step_sums.shape[1]} steps and {self._sums.shape[2]} channels as before, "
                f"got {actual.shape[1]} and {actual.shape[2]}; fill up with NaN what is not to be scored"
            )

    def _grow(self, series: int, channels: int, steps: int) -> None:
        """Make space for so many series; twice as many as before at least, so that one after the other costs no more than all."""
        metrics, before, _ = self._sums.shape
        if not self._step_sums.shape[1]:
            self._step_sums, self._step_counts = np.zeros((metrics, steps)), np.zeros((metrics, steps))
            self._sums, self._counts = np.zeros((metrics, 0, channels)), np.zeros((metrics, 0, channels))
        if series > before:
            more = ((0, 0), (0, max(series, 2 * before) - before), (0, 0))
            self._sums, self._counts = np.pad(self._sums, more), np.pad(self._counts, more)

    def _errors(
        self, actual: np.ndarray, mean: np.ndarray, quantiles: np.ndarray | None, scale: np.ndarray
    ) -> Iterator[np.ndarray]:
        """Give each metric's terms (n, h, C) in the order of the names, NaN where there is nothing to score."""
        absolute = np.abs(actual - mean)
        yield scaled(absolute, scale)
        yield percentage_errors(actual, mean)
        bounds = actual[..., None] if quantiles is None else check_forecast(quantiles, "quantiles")
        if quantiles is not None:
            ranked = 2 * pinball_losses(actual, bounds, self.levels) @ level_weights(self.levels)
            yield ranked
            yield scaled(ranked, scale)
        yield absolute**2
        yield absolute
        for low, high in self._pairs.values():
            inside = (bounds[..., low] <= actual) & (actual <= bounds[..., high])
            yield np.where(np.isnan(actual), np.nan, inside)

    def _means(self) -> np.ndarray:
        """Give each metric of each series and channel, (M, S, C); NaN where it has none."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self._sums / self._counts)[:, : self._series]

    def _terms(self) -> np.ndarray:
        """Give what a mean over drawn series is made of: the sum over a series' channels, and how many there are, (2, M, S)."""
        means = self._means()
        return np.stack([np.nansum(means, -1), (~np.isnan(means)).sum(-1)])


def _intervals(levels: np.ndarray) -> dict[str, tuple[int, int]]:
    """Pair each level below 0.5 with the one as far above, by the name of the interval's coverage, the widest last.

    >>> _intervals(np.array([0.1, 0.25, 0.5, 0.75, 0.9]))
    {'coverage_50': (1, 3), 'coverage_80': (0, 4)}
    """
    found = {}
    for low in np.argsort(-levels):
        opposite = np.flatnonzero(np.isclose(levels, 1 - levels[low], rtol=0, atol=1e-9))
        if levels[low] < 0.5 - 1e-9 and len(opposite):
            found[f"coverage_{100 * (1 - 2 * levels[low]):.4g}"] = (int(low), int(opposite[0]))
    return found


def _add_derived(mine: dict[str, float], naive2: dict[str, float] | None = None) -> dict[str, float]:
    """Add the metrics that are made of other metrics, and put the one to read first in front."""
    found = {**mine, "rmse": float(np.sqrt(mine["mse"]))}
    if naive2 is None:
        return found
    return {"owa": owa(mine["smape"], mine["mase"], naive2["smape"], naive2["mase"]), **found}

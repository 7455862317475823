"""A plain linear forecaster for all series together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from recurra.baselines.forecasts import (
    MAX_ERRORS,
    MIN_ERRORS,
    ErrorQuantiles,
    Forecast,
    ForecastBaseline,
    fill_forward,
    first_valid,
    median_scale,
    running_scale,
    subsample,
)
from recurra.baselines.titles import register_baseline
from recurra.errors import DataError

MAX_WINDOW = 512
"""Steps that are looked back on at most."""
MAX_MULTIPLICATIONS = 10**11
"""Multiplications that learning is worth: some ten seconds of one core."""
HELD_OUT_SHARE = 0.2
"""Share of each training history, its end, that is chosen by."""
PENALTIES = tuple(10.0**power for power in range(-5, 2))
NUMBERS_PER_BLOCK = 2**22
"""Numbers of windows that are held at a time."""
_PARTS = ("before", "between", "after")
"""Where what follows a window lies: before the end that is held out, on both sides of its beginning, or in it."""


@dataclass(frozen=True)
class LinearChoice:
    """What was chosen on the end of the training part: steps looked back on, what windows are measured from, and the penalty."""

    window: int
    centre: str
    penalty: float


@register_baseline
class Linear(ForecastBaseline):
    """Ridge regression of the next h values on the last w, for all series and channels together ("NLinear", Zeng et al. 2023).

        ŷ_(T+1 … T+h) = c + W · (y_(T−w+1 … T) − c)      W = argmin Σ |y − ŷ|² / s² + λ·|W|²

    c is the window's last value or its mean; s is each series' mean |y_t − y_(t−m)| over its training part, so that no series counts
    by its size alone. w (one to fourteen seasons, or one to four horizons, 512 steps at most), c and λ are those with the least squared error on
    the last fifth of the training histories, and W is then learnt from all of them. All of this is in closed form, from the
    windows' second moments. A history shorter than w is continued backwards with its first season.

    Intervals: the quantiles of the errors of each step ahead on that last fifth, by the W of the rest, in units of s.

    Attributes:
        choice: what was chosen.

    >>> waves = [np.sin(np.arange(200) * 2 * np.pi / 8 + phase)[:, None] for phase in range(3)]
    >>> model = Linear().fit(waves, season=8, horizon=4)
    >>> bool(np.abs(model.forecast(waves[0][:100])[0] - waves[0][100:104]).max() < 0.01)
    True
    """

    name = "linear"
    title = "linear"

    def fit(self, histories: Sequence[np.ndarray], season: int, horizon: int) -> Self:
        """Learn from training histories. See `ForecastBaseline.fit`.

        Raises:
            DataError: no history is as long as the shortest window and the horizon together.
        """
        parts, scales, windows, moments, per_series = self._compute_moments(
            histories, season, horizon, MAX_MULTIPLICATIONS
        )
        before, after = moments["before"], moments["after"]
        by_choice = self._validation_errors(before, after, windows)
        # Too short to hold anything out: the shortest.
        self.choice = min(by_choice, key=by_choice.__getitem__) if by_choice else LinearChoice(windows[0], "last", 0.1)
        errors = None
        if before.any() and after.any():
            errors = self._held_out_errors(parts, self._solve(before, self.choice), per_series)
        self._weights = self._solve(before + moments["between"] + after, self.choice)
        self._error_quantiles = ErrorQuantiles(
            errors or [[np.zeros(0)]] * self.horizon, median_scale(scales.reshape(-1, 1))
        )
        return self

    @classmethod
    def window_errors(
        cls, histories: Sequence[np.ndarray], season: int, horizon: int, work: float = MAX_MULTIPLICATIONS
    ) -> dict[int, float]:
        """Give for each window w that `fit` would try the least sum of squared errors on the end, in units of s.

        Empty where nothing can be held out.  work: multiplications that it is worth.  Raises as `fit` does.
        """
        model, errors = cls(), dict[int, float]()
        _, _, windows, moments, _ = model._compute_moments(histories, season, horizon, work)
        for choice, error in model._validation_errors(moments["before"], moments["after"], windows).items():
            errors[choice.window] = min(error, errors.get(choice.window, error))
        return errors

    def _compute_moments(
        self, histories: Sequence[np.ndarray], season: int, horizon: int, work: float
    ) -> tuple[list[np.ndarray], np.ndarray, list[int], dict[str, np.ndarray], int]:
        """Give the series in units of their scales, these, the windows to try, the moments, and how many windows of a series count."""
        known = self._check_histories(histories, season, horizon)
        scales = np.concatenate([running_scale(values, self.season, np.array([len(values)])) for values in known])
        parts = [part for values, scale in zip(known, scales, strict=True) for part in self._channels(values, scale)]
        windows = self._windows([len(part) for part in parts])
        width = windows[-1] + self.horizon
        per_series = max(1, int(work / width**2 / max(1, len(parts))))
        moments = {part: np.zeros((width, width)) for part in _PARTS}
        for rows, part in _window_blocks(parts, width, self.horizon, per_series):
            moments[part] += rows.T @ rows
        return parts, scales, windows, moments, per_series

    def rolling(
        self, history: np.ndarray, origins: Sequence[int] | np.ndarray, levels: Sequence[float] = ()
    ) -> Forecast:
        """Forecast after each history[:origin]. See `ForecastBaseline.rolling`."""
        values, places = self._check_origins(history, origins)
        whole, channels = fill_forward(values, self.season), values.shape[1]
        mean = np.empty((len(places), self.horizon, channels))
        for channel, first in enumerate(first_valid(values)):
            column = whole[first:, channel]
            rows = max(1, NUMBERS_PER_BLOCK // self.choice.window)
            for start in range(0, len(places), rows):
                part = places[start : start + rows] - first
                mean[start : start + rows, :, channel] = self._apply(column[self._rows(part)])
        if not len(levels):
            return mean, None
        scale = running_scale(values, self.season, places)
        offsets = np.stack(
            [self._error_quantiles.quantiles(scale[:, [channel]], levels)[:, :, 0] for channel in range(channels)],
            axis=2,
        )
        return mean, mean[..., None] + offsets

    def _channels(self, values: np.ndarray, scale: np.ndarray) -> Iterator[np.ndarray]:
        """Give each channel that has a scale, from its first known value on, without gaps, in units of the scale."""
        whole = fill_forward(values, self.season)
        for channel in np.flatnonzero(scale > 0):
            column = whole[:, channel]
            yield column[~np.isnan(column)] / scale[channel]

    def _windows(self, lengths: Sequence[int]) -> list[int]:
        """List the windows to choose among, ascending; half of the steps at least are in histories that are long enough for each."""
        base = [self.season * count for count in (1, 2, 4, 7, 14)] if self.season > 1 else []
        wanted = sorted(
            {min(MAX_WINDOW, size) for size in [*base, self.horizon, 2 * self.horizon, 4 * self.horizon, 8]}
        )
        sizes = np.array(lengths, np.int64)
        # The end is held out: a window has to fit into the rest, with the horizon.
        room = np.array([held_out_start(size, self.horizon) for size in sizes.tolist()]) - self.horizon
        usable = [size for size in wanted if sizes[room >= size].sum() * 2 >= sizes.sum() > 0]
        if usable:
            return usable
        longest = int(sizes.max(initial=0)) - self.horizon
        if longest < 1:
            raise DataError(
                f"histories: expected one of {self.horizon + 1} known steps that are not all the same, for a horizon of "
                f"{self.horizon}, got {int(sizes.max(initial=0))} at most",
                hint="take a shorter horizon",
            )
        return [min(longest, wanted[0])]

    def _validation_errors(
        self, before: np.ndarray, after: np.ndarray, windows: Sequence[int]
    ) -> dict[LinearChoice, float]:
        """Give the squared error of each choice on the later windows' moments when it was learnt from the earlier ones'."""
        if not before.any() or not after.any():
            return {}
        choices = [LinearChoice(w, c, penalty) for w in windows for c in ("last", "mean") for penalty in PENALTIES]
        return {choice: self._error(before, after, choice) for choice in choices}

    def _error(self, before: np.ndarray, after: np.ndarray, choice: LinearChoice) -> float:
        weights = self._solve(before, choice)
        moments = self._centred(after, choice)
        both = np.concatenate([-weights, np.eye(self.horizon)])  # (w + h, h): a window's error from its values
        return float(np.sum(both * (moments @ both)))

    def _solve(self, moments: np.ndarray, choice: LinearChoice) -> np.ndarray:
        """Give W transposed, (w, h), from the moments of windows and what follows them."""
        own = self._centred(moments, choice)
        inner, outer = own[: choice.window, : choice.window], own[: choice.window, choice.window :]
        size = np.trace(inner) / choice.window
        ridge = choice.penalty * (size if size > 0 else 1.0)
        return np.linalg.solve(inner + ridge * np.eye(choice.window), outer)

    def _centred(self, moments: np.ndarray, choice: LinearChoice) -> np.ndarray:
        """Take the moments of the last w steps and the next h, measured from the window's mean where that was chosen.

        The moments are of values less the window's last, which makes a change of the centre a linear map, whatever the level.
        """
        own = moments[-choice.window - self.horizon :, -choice.window - self.horizon :]
        if choice.centre == "last":
            return own
        lean = own - own[: choice.window].mean(0)
        return lean - lean[:, : choice.window].mean(1, keepdims=True)

    def _apply(self, windows: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Forecast after windows (n, w): (n, h)."""
        centre = windows[:, -1:] if self.choice.centre == "last" else windows.mean(1, keepdims=True)
        return centre + (windows - centre) @ (self._weights if weights is None else weights)

    def _rows(self, origins: np.ndarray) -> np.ndarray:
        """Give the steps of the window before each origin, (n, w); before the beginning those of the first season."""
        steps = origins[:, None] + np.arange(-self.choice.window, 0)
        early = np.where(origins[:, None] >= self.season, steps % self.season, 0)
        return np.where(steps >= 0, steps, early)

    def _held_out_errors(
        self, parts: Sequence[np.ndarray], weights: np.ndarray, per_series: int
    ) -> list[list[np.ndarray]]:
        """Give the errors of each step ahead on the windows held out, by weights learnt from the others."""
        found, size = [], max(MIN_ERRORS, MAX_ERRORS // len(parts))
        width = self.choice.window + self.horizon
        for rows, part in _window_blocks(parts, width, self.horizon, min(per_series, size)):
            if part == "after":
                found.append(rows[:, self.choice.window :] - self._apply(rows[:, : self.choice.window], weights))
        errors = np.concatenate(found)
        return [[errors[:, step]] for step in range(self.horizon)]


def _window_blocks(
    parts: Sequence[np.ndarray], width: int, horizon: int, per_series: int
) -> Iterator[tuple[np.ndarray, str]]:
    """Cut windows with what follows them, (n, w + h), less the last value of the window; at most `per_series` of a series.

    With them, which of `_PARTS` they belong to.
    """
    size = max(1, NUMBERS_PER_BLOCK // width)
    for values in parts:
        if len(values) < width:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(values, width)
        places = subsample(np.arange(len(windows)), per_series)
        ends, border = places + width, held_out_start(len(values), horizon)
        kinds = np.where(ends <= border, 0, np.where(ends - horizon < border, 1, 2))
        for kind, name in enumerate(_PARTS):
            chosen = places[kinds == kind]
            for start in range(0, len(chosen), size):
                rows = windows[chosen[start : start + size]]
                yield rows - rows[:, -horizon - 1 : -horizon], name


def held_out_start(length: int, horizon: int) -> int:
    """Give the first step that is held out: the last fifth, but the last h steps at least."""
    return length - max(horizon, int(HELD_OUT_SHARE * length))

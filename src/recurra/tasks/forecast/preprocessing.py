"""Series in time as numbers that a network reads: transformed, scaled, together with their covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from recurra.data.timeseries.frequency import Frequency
from recurra.data.timeseries.reader import TimeSeries
from recurra.documents import Document, Finite, Positive
from recurra.series import channel_names
from recurra.tasks.forecast.config import MAX_STEPS
from recurra.tasks.forecast.covariates import ForecastCovariates
from recurra.tasks.forecast.scaling import MIN_SCALE, fit_local_scale, lag_windows, pad_batch
from recurra.tasks.forecast.series import SeriesFeatures
from recurra.tasks.timeseries.covariates import Calendar
from recurra.tasks.timeseries.data import refuse_values
from recurra.tasks.timeseries.files import Names, Step, Targets, step_to_json
from recurra.tasks.timeseries.preprocessing import TimeSeriesPreprocessor

MAX_LOG_RATIO = 5.0
"""Logarithm of a window's scale, in units of the mean step, that is read at most."""
MAX_VALUE = 1e30
"""Largest size of a value: what is read and learnt are float32 numbers, whose squares end at 1e38."""
MAX_LOG = 700.0
"""Logarithms end here, so that a forecast of them is finite."""
MAX_SEASON = 1_000_000
"""Steps of a season in a run's file: earlier versions trained with any."""


class _File(Document):
    """What the file of a run holds."""

    targets: Targets
    known: Names
    past: Names
    static: Names
    step: Step | None
    season: int = Field(ge=1, le=MAX_SEASON)
    horizon: int = Field(ge=1, le=MAX_STEPS)
    lookback: int = Field(ge=1, le=MAX_STEPS)
    scale: Literal["last", "standard", "robust", "mean", "none"]
    transform: Literal["none", "log"]
    together: bool
    smoothed: Names = Field(default=[])
    calendar: Names = Field(default=[])
    spreads: dict[str, list[Finite]]
    words: dict[str, Names] = Field(default={})
    apart: Positive | None = None


@dataclass(frozen=True)
class PreprocessingOptions:
    """What is chosen of the reading: as in the configuration, once what was left open there is decided."""

    season: int
    horizon: int
    lookback: int
    window_scaling: str
    transform: str
    multivariate: bool


@dataclass
class ForecastPreprocessor(TimeSeriesPreprocessor[ForecastCovariates]):
    """What series have to look like, and how they become numbers.

    numeric_step: the spacing of times that are numbers.  smoothed: the series, by their keys, whose smoothing is learnt; none
    without smoothing.
    """

    file: ClassVar = "columns.json"

    targets: list[str]
    covariates: ForecastCovariates
    options: PreprocessingOptions
    numeric_step: float | None = None
    smoothed: list[str] = field(default_factory=list)

    @property
    def step(self) -> Frequency | None:
        """The spacing of times that are dates."""
        return self.covariates.calendar.frequency

    @property
    def season(self) -> int:
        """m, the steps of a season."""
        return self.options.season

    @property
    def horizon(self) -> int:
        """h, the steps that are forecast."""
        return self.options.horizon

    @property
    def lookback(self) -> int:
        """w, the values that are read at once at each step."""
        return self.options.lookback

    @property
    def channels(self) -> int:
        """C, the targets that are read as one series."""
        return len(self.targets) if self.options.multivariate else 1

    @property
    def has_unnamed_targets(self) -> bool:
        """Whether the training data gave the targets no names, so that whatever holds as many will do."""
        return are_unnamed(self.targets)

    @property
    def input_size(self) -> int:
        """I, the numbers that are read at a step: the window, its relative scale, what is missing, and the covariates."""
        return self.channels * (self.lookback + 2) + self.covariates.size

    def transform(self, series: TimeSeries) -> list[SeriesFeatures]:
        """Give a series as what is read, each target by itself unless they are read as one.

        Raises `DataError` for values that the transform cannot take.
        """
        series = self.covariates.extend(series, self.horizon)
        covariates = (
            self.covariates.encode_known(series),
            self.covariates.encode_past(series),
            self.covariates.encode_static(series),
        )
        every = range(len(self.targets))
        options, made = self.options, []
        for group in [tuple(every)] if options.multivariate else [(channel,) for channel in every]:
            values = self._transform_values(series, series.values[:, group])
            there = values[~np.isnan(values).any(axis=1)]
            counted = options.window_scaling in ("standard", "last", "robust") and len(there)
            reference = there[0] if counted else np.zeros(len(group))
            values = values - reference
            scaled = fit_local_scale(values, options.lookback, options.season, options.window_scaling, reference)
            rest = (scaled, series.times, *covariates, series.place, series.numeric_times)
            made.append(SeriesFeatures(series.name, group, values, reference, *rest))
        return made

    def _transform_values(self, series: TimeSeries, values: np.ndarray) -> np.ndarray:
        refuse_large_values(series, values)
        if self.options.transform == "none":
            return values.astype(np.float64)
        expected, hint = "a value above 0, as transform = log needs it", "train with --transform none"
        refuse_values(series, values, values <= 0, expected, hint)
        return np.log(values.astype(np.float64))

    def inverse_transform(self, values: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Undo what `transform` did to values, whose references have the same dimensions."""
        whole = values + reference
        return whole if self.options.transform == "none" else np.exp(np.minimum(whole, MAX_LOG))

    # What is read

    def features(self, series: Sequence[SeriesFeatures], firsts: np.ndarray, lasts: np.ndarray) -> np.ndarray:
        """Give what is read at the steps first … last − 1 of series, (longest, B, I) float32, behind the end 0."""
        lengths, size = lasts - firsts, self.lookback * self.channels
        inputs = np.zeros((int(lengths.max(initial=0)), len(series), self.input_size), np.float32)
        windows = inputs[..., :size].reshape(*inputs.shape[:2], self.lookback, self.channels)  # a view
        scaled = [one.scaled for one in series]
        lag_windows(scaled, firsts, lasts, self.lookback, windows)

        def pad(arrays: list[np.ndarray]) -> np.ndarray:
            return pad_batch(arrays, firsts, lasts).swapaxes(0, 1)

        scale, mean_abs_step = pad([each.scale for each in scaled]), pad([each.mean_abs_step for each in scaled])
        missing = np.isnan(pad([one.values for one in series]))
        past, known = pad([one.past_covariates for one in series]), pad([one.known_covariates for one in series])
        static = np.stack([one.static_covariates for one in series])
        static = np.broadcast_to(static, (len(inputs), len(series), self.covariates.static_size))
        none = windows[:, :, 0, :0]
        inputs[..., size:] = self.step_features(none, scale, mean_abs_step, missing, past, known, static)
        for lane in np.flatnonzero(lengths < len(inputs)).tolist():
            inputs[lengths[lane] :, lane] = 0.0
        return inputs

    @staticmethod
    def step_features(
        windows: np.ndarray, scale: np.ndarray, mean_abs_step: np.ndarray, missing: np.ndarray, *covariates: np.ndarray
    ) -> np.ndarray:
        """Concatenate what is read at steps: each (…, n)."""
        ratio = np.clip(np.log((scale + MIN_SCALE) / (mean_abs_step + MIN_SCALE)), -MAX_LOG_RATIO, MAX_LOG_RATIO)
        return np.concatenate(
            [each.astype(np.float32, copy=False) for each in (windows, ratio, missing, *covariates)], axis=-1
        )

    def smoothing_index(self, series: SeriesFeatures) -> int:
        """Give the number of a series among those whose smoothing is learnt; -1 for a new one."""
        return self._smoothing_indices.get(series.key, -1)

    @cached_property
    def _smoothing_indices(self) -> dict[str, int]:
        return {key: number for number, key in enumerate(self.smoothed)}

    def smoothing_inputs(self, series: SeriesFeatures, first: int, last: int) -> np.ndarray:
        """Give what smoothing reads at the steps first … last − 1, (n, 3·C) float32: values, and location and scale of each window.

        Before the beginning (first < 0) the scale is −1.
        """
        start = max(0, first)
        parts = [each[start:last] for each in (series.scaled.filled, series.scaled.loc, series.scaled.scale)]
        there = np.concatenate(parts, axis=1).astype(np.float32)
        before = np.repeat(np.array([[0.0, 0.0, -1.0]], np.float32), start - first, axis=0)
        return np.concatenate([np.repeat(before, series.values.shape[1], axis=1), there])

    # Files

    def to_json(self) -> dict[str, Any]:
        options, covariates = self.options, self.covariates
        return {
            "targets": self.targets,
            "known": covariates.known,
            "past": covariates.past,
            "static": [column.name for column in covariates.static],
            "step": covariates.calendar.frequency_to_json(),
            "season": options.season,
            "horizon": options.horizon,
            "lookback": options.lookback,
            "scale": options.window_scaling,
            "transform": options.transform,
            "together": options.multivariate,
            "smoothed": self.smoothed,
            "calendar": list(covariates.calendar.features),
            "spreads": covariates.scales_to_json(),
            "words": {column.name: column.words for column in covariates.static if column.words is not None},
            "apart": self.numeric_step,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> ForecastPreprocessor:
        read = _File.model_validate(content)
        options = PreprocessingOptions(
            read.season, read.horizon, read.lookback, read.scale, read.transform, read.together
        )
        covariates = ForecastCovariates.from_json(content, Calendar.from_json(step_to_json(read.step), read.calendar))
        return cls(read.targets, covariates, options, read.apart, read.smoothed)


def are_unnamed(targets: Sequence[str]) -> bool:
    """Tell whether these are the names of channels that had none, as in a table with a series a row."""
    return tuple(targets) == channel_names(len(targets))


def refuse_large_values(series: TimeSeries, values: np.ndarray) -> None:
    """Raise `DataError` for the first of the values (T, C) of a series that is too large to be measured by others."""
    expected = f"a finite value of a size up to {MAX_VALUE:g}"
    hint = "write a missing value as an empty cell, and large ones in a larger unit"
    refuse_values(series, values, np.abs(values) > MAX_VALUE, expected, hint)

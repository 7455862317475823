"""Series in time as a detector reads them: scaled, a step late, with what is missing marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.documents import Document, Finite, Positive
from recurra.errors import DataError
from recurra.tasks.detect.scaling import MIN_STD, Scaling
from recurra.tasks.detect.series import EncodedSeries, StreamState, after_gap, gap_threshold
from recurra.tasks.timeseries.covariates import Calendar, Covariates, Standardizer, StaticColumn
from recurra.tasks.timeseries.data import refuse_large, refuse_values
from recurra.tasks.timeseries.files import Names, Step, Targets, step_to_json
from recurra.tasks.timeseries.preprocessing import TimeSeriesPreprocessor

MAX_VALUE = 1e12
"""Scaled values are cut off here, where a square still fits into 32 bits."""
MAX_INPUT = 8.0
"""Scaled values are squashed into ±8 for the cells, so that one that is far out does not drown their memory."""


class _Making(Document):
    scale: Literal["data", "series", "none"] = "data"
    differences: bool = True
    calendar: bool = True


class _File(Document):
    """What the file of a run holds; of a static column its name, its words, a mean and a standard deviation."""

    targets: Targets
    past: Names
    mean: list[Finite]
    spread: list[Positive]
    gaps: list[bool]
    making: _Making
    step: Step | None
    moments: Names
    gap_threshold: int | None = Field(default=None, alias="hole", ge=0, lt=2**63)
    static: list[Annotated[list[str | Names | Finite | None], Field(min_length=4, max_length=4)]]
    each: dict[str, Annotated[list[list[Finite]], Field(min_length=2, max_length=2)]]


@dataclass(frozen=True)
class PreprocessingOptions:
    """How values become features, as in `recurra.tasks.detect.config.Data`."""

    scale: Literal["data", "series", "none"] = "data"
    differences: bool = True
    calendar: bool = True


@dataclass
class DetectorPreprocessor(TimeSeriesPreprocessor[Covariates]):
    """Makes features of series.

    A step is read together with the values of the step before it, since those of its own are what is to be predicted;
    covariates and the calendar are those of the step itself. In place of a missing value the last one that was there is
    read (the mean where none was yet); where the training data lack some of a channel, a feature says so.

    missing: (C) bool, the channels of which training lacks some.  gap_threshold: the microseconds between two steps beyond which
    the second is read as a beginning, since no prediction was made for then; None where steps have no times.
    """

    file: ClassVar = "channels.json"

    targets: list[str]
    covariates: Covariates
    scaling: Scaling
    missing: np.ndarray
    options: PreprocessingOptions
    gap_threshold: int | None = None

    @classmethod
    def build(cls, panel: Panel, options: PreprocessingOptions) -> DetectorPreprocessor:
        """Make it from the training series; raises `DataError` for a channel that is never there."""
        for one in panel.series:
            refuse_large(one, one.values, panel.targets)
            refuse_large(one, one.past, panel.past)
        scaling = Scaling.fit(panel, options.scale)
        present = np.concatenate([np.isfinite(one.values) for one in panel.series])
        static = [
            StaticColumn.fit(name, [one.static[at] for one in panel.series], min_std=MIN_STD)
            for at, name in enumerate(panel.static)
        ]
        calendar = Calendar.fit(panel, whole_cycles=True) if options.calendar else Calendar(panel.frequency)
        return cls(
            list(panel.targets),
            Covariates(list(panel.past), static, calendar),
            scaling,
            np.array(~present.all(axis=0)),
            options,
            gap_threshold([one.times[: len(one)] for one in panel.series]),
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> DetectorPreprocessor:
        read = _File.model_validate(content)
        columns = len(read.targets) + len(read.past)
        scales = [(read.mean, read.spread), *((mean, std) for mean, std in read.each.values())]
        if any(len(each) != columns for pair in scales for each in pair) or len(read.gaps) != len(read.targets):
            raise ValueError("expected as many numbers as channels")
        return cls(
            read.targets,
            Covariates(
                read.past,
                [_static(each) for each in read.static],
                Calendar.from_json(step_to_json(read.step), read.moments),
            ),
            Scaling(
                _scale(read.mean, read.spread),
                {name: _scale(mean, std) for name, (mean, std) in read.each.items()},
            ),
            np.array(read.gaps, bool),
            PreprocessingOptions(**read.making.model_dump()),
            read.gap_threshold,
        )

    def to_json(self) -> dict[str, Any]:
        covariates, overall = self.covariates, self.scaling.overall
        return {
            "targets": self.targets,
            "past": covariates.past,
            "mean": overall.mean.tolist(),
            "spread": overall.divisor.tolist(),
            "gaps": self.missing.tolist(),
            "making": asdict(self.options),
            "step": covariates.calendar.frequency_to_json(),
            "moments": list(covariates.calendar.features),
            "hole": self.gap_threshold,
            "static": [
                [one.name, one.words, one.scale.mean.item(), one.scale.divisor.item()] for one in covariates.static
            ],
            "each": {name: [one.mean.tolist(), one.divisor.tolist()] for name, one in self.scaling.by_series.items()},
        }

    @property
    def channels(self) -> int:
        """C, the values that are predicted and scored."""
        return len(self.targets)

    @property
    def input_size(self) -> int:
        """F, the numbers that the network reads at each step."""
        own = self.channels * (2 if self.options.differences else 1) + int(self.missing.sum()) + 1
        return own + self.covariates.size

    def unscale(self, values: np.ndarray, name: str) -> np.ndarray:
        """Give scaled values (…, C) of a series in their own units."""
        scale = self.scaling.of(name)
        return values * scale.divisor[: self.channels] + scale.mean[: self.channels]

    def initial_state(self) -> StreamState:
        """Give what is carried before the first step of a series."""
        none = np.full(self.channels, np.nan)
        return StreamState(none, none, np.ones(self.channels, bool), np.zeros(len(self.covariates.past)), 0)

    def encode(self, one: TimeSeries, state: StreamState | None = None) -> tuple[EncodedSeries, StreamState]:
        """Turn the steps of a series into numbers, going on from what was read before; gives what is carried on too.

        Raises `DataError`, with the series and the step, for infinity.
        """
        self._check(one)
        state = self.initial_state() if state is None else state
        (scaled, past), steps = self.scaling.transform(one), len(one)
        values = np.clip(scaled, -MAX_VALUE, MAX_VALUE)
        covariates = forward_fill(np.vstack([state.covariates, past]))[1:]
        known = forward_fill(np.vstack([state.second_last, state.last, values]))  # (2 + T, C)
        missing = np.isnan(np.vstack([np.where(state.missing, np.nan, 0.0), values]))  # (1 + T, C)
        starts, time = after_gap(one.times[:steps], state.time, self.gap_threshold)
        starts |= np.arange(state.count, state.count + steps) == 0
        previous = np.where(starts[:, None], np.nan, known[1:-1])
        parts = [squash(_or_zero(previous))]
        if self.options.differences:
            # What has changed since before a gap has not changed in a step.
            across = np.append(state.started, starts[:-1])[:steps, None]
            parts.append(squash(np.where(across, 0.0, _or_zero(previous - known[:-2]))))
        parts.append(missing[:-1, self.missing].astype(float))
        parts.append(starts.astype(float)[:, None])
        parts.append(squash(_or_zero(covariates)))
        if self.covariates.calendar.features:
            parts.append(self.covariates.calendar.encode(one, steps))
        static = self.covariates.encode_static(one)
        parts.append(np.broadcast_to(static, (steps, len(static))))
        features = np.concatenate(parts, axis=1).astype(np.float32)
        encoded = EncodedSeries(features, values.astype(np.float32), _or_zero(previous).astype(np.float32), starts)
        return encoded, StreamState(
            known[-1],
            known[-2],
            missing[-1],
            _or_zero(covariates[-1]) if len(covariates) else state.covariates,
            state.count + steps,
            time,
            bool(starts[-1]) if len(starts) else state.started,
        )

    def _check(self, one: TimeSeries) -> None:
        for given, columns in ((one.values, self.targets), (one.past, self.covariates.past)):
            if given.shape[1] != len(columns):
                raise DataError(
                    f"expected {len(columns)} columns ({', '.join(columns)}), got {given.shape[1]}", source=one.place
                )
            hint = "leave the cell empty where there is no value"
            refuse_values(one, given, np.isinf(given), "a finite number", hint, columns)


def _static(given: Sequence[Any]) -> StaticColumn:
    name, words, mean, std = given
    words_fit = words is None or isinstance(words, list)
    if (
        not isinstance(name, str)
        or not words_fit
        or not isinstance(mean, float | int)
        or not isinstance(std, float | int)
    ):
        raise ValueError("static: expected a name, its words or null, a mean and a standard deviation of each column")
    return StaticColumn(name, words, _scale([mean], [std]))


def _scale(mean: list[float], std: list[float]) -> Standardizer:
    if any(one <= 0 for one in std):
        raise ValueError(f"expected standard deviations above 0, got {min(std)}")
    return Standardizer(np.array(mean, np.float64), np.array(std, np.float64))


def forward_fill(values: np.ndarray) -> np.ndarray:
    """Put the last value that was there in the place of each that is missing, (T, C); NaN before the first.

    >>> forward_fill(np.array([[np.nan], [1.0], [np.nan], [2.0]])).ravel().tolist()
    [nan, 1.0, 1.0, 2.0]
    """
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)


def squash(values: np.ndarray) -> np.ndarray:
    """Press values into ±8, near zero as they are; sums and quotients alone, so that one by one gives the bits of all at once."""
    return values / (1.0 + np.abs(values) / MAX_INPUT)


def _or_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), 0.0, values)

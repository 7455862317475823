"""Series in time as a detector reads them: scaled, a step late, with what is missing marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recurra.data.timeseries.frequency import Frequency
from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.errors import DataError, RunError
from recurra.files import write_whole
from recurra.tasks.detect.features import Calendar, Scaling, StaticFeature
from recurra.tasks.detect.series import EncodedSeries, StreamState, after_gap, gap_threshold

FILE = "channels.json"
MAX_VALUE = 1e12
"""Scaled values are cut off here, where a square still fits into 32 bits."""
MAX_INPUT = 8.0
"""Scaled values are squashed into ±8 for the cells, so that one that is far out does not drown their memory."""


@dataclass(frozen=True)
class PreprocessingOptions:
    """How values become features, as in `recurra.tasks.detect.config.Data`."""

    scale: Literal["data", "series", "none"] = "data"
    differences: bool = True
    calendar: bool = True


class DetectorPreprocessor:
    """Makes features of series; made from the training part, saved with the run, and the same from then on.

    A step is read together with the values of the step before it, since those of its own are what is to be predicted;
    covariates and the calendar are those of the step itself. In place of a missing value the last one that was there is
    read (the mean where none was yet); where the training data lack some of a channel, a feature says so.

    targets, past, static: the columns.  missing: (C) bool, the channels of which training lacks some.  gap_threshold: the
    microseconds between two steps beyond which the second is read as a beginning, since no prediction was made for then; None
    where steps have no times.
    """

    def __init__(
        self,
        targets: Sequence[str],
        past: Sequence[str],
        static: Sequence[StaticFeature],
        scaling: Scaling,
        missing: np.ndarray,
        options: PreprocessingOptions,
        calendar: Calendar,
        gap_threshold: int | None = None,
    ) -> None:
        self.targets, self.past, self.static = list(targets), list(past), list(static)
        self.scaling, self.missing, self.options = scaling, missing, options
        self.calendar, self.gap_threshold = calendar, gap_threshold

    @classmethod
    def build(cls, panel: Panel, options: PreprocessingOptions) -> DetectorPreprocessor:
        """Make it from the training series; raises `DataError` for a channel that is never there."""
        scaling = Scaling.fit(panel, options.scale)
        present = np.concatenate([np.isfinite(one.values) for one in panel.series])
        return cls(
            panel.targets,
            panel.past,
            [StaticFeature.fit(name, [one.static[at] for one in panel.series]) for at, name in enumerate(panel.static)],
            scaling,
            np.array(~present.all(axis=0)),
            options,
            Calendar.fit(panel) if options.calendar else Calendar(panel.frequency),
            gap_threshold([one.times[: len(one)] for one in panel.series]),
        )

    @classmethod
    def load(cls, folder: Path) -> DetectorPreprocessor:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        path = folder / FILE
        try:
            read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            by_series = {
                name: (np.array(mean, float), np.array(std, float)) for name, (mean, std) in read["each"].items()
            }
            made = cls(
                read["targets"],
                read["past"],
                [StaticFeature(*one) for one in read["static"]],
                Scaling(np.array(read["mean"], float), np.array(read["spread"], float), by_series),
                np.array(read["gaps"], bool),
                PreprocessingOptions(**read["making"]),
                Calendar(None if read["step"] is None else Frequency(**read["step"]), read["moments"]),
                read.get("hole"),
            )
            if made.scaling.mean.shape != (made.channels + len(made.past),) or made.missing.shape != (made.channels,):
                raise ValueError("expected as many numbers as channels")
            return made
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}: is damaged: {error}") from None

    def save(self, folder: Path) -> list[str]:
        """Write it into a run folder, under the names that runs have had from the first on; gives the names of the files."""
        options, frequency = self.options, self.calendar.frequency
        content = {
            "targets": self.targets,
            "past": self.past,
            "mean": self.scaling.mean.tolist(),
            "spread": self.scaling.std.tolist(),
            "gaps": self.missing.tolist(),
            "making": {"scale": options.scale, "differences": options.differences, "calendar": options.calendar},
            "step": None if frequency is None else {"count": frequency.count, "unit": frequency.unit},
            "moments": list(self.calendar.features),
            "hole": self.gap_threshold,
            "static": [[one.name, one.words, one.mean, one.std] for one in self.static],
            "each": {name: [mean.tolist(), std.tolist()] for name, (mean, std) in self.scaling.by_series.items()},
        }
        write_whole(folder / FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        return [FILE]

    @property
    def channels(self) -> int:
        """C, the values that are predicted and scored."""
        return len(self.targets)

    @property
    def input_size(self) -> int:
        """F, the numbers that the network reads at each step."""
        others = len(self.past) + len(self.calendar.features) + sum(one.width for one in self.static)
        return self.channels * (2 if self.options.differences else 1) + int(self.missing.sum()) + 1 + others

    def unscale(self, values: np.ndarray, name: str) -> np.ndarray:
        """Give scaled values (…, C) of a series in their own units."""
        mean, std = (part[: self.channels] for part in self.scaling.of(name))
        return values * std + mean

    def initial_state(self) -> StreamState:
        """Give what is carried before the first step of a series."""
        none = np.full(self.channels, np.nan)
        return StreamState(none, none, np.ones(self.channels, bool), np.zeros(len(self.past)), 0)

    def encode(self, one: TimeSeries, state: StreamState | None = None) -> tuple[EncodedSeries, StreamState]:
        """Turn the steps of a series into numbers, going on from what was read before; gives what is carried on too.

        Raises `DataError`, with the series and the step, for infinity.
        """
        self._check(one)
        state = self.initial_state() if state is None else state
        mean, std = self.scaling.of(one.name)
        channels, steps = self.channels, len(one)
        values = np.clip((one.values - mean[:channels]) / std[:channels], -MAX_VALUE, MAX_VALUE)
        covariates = forward_fill(np.vstack([state.covariates, (one.past - mean[channels:]) / std[channels:]]))[1:]
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
        if self.calendar.features:
            parts.append(self.calendar.encode(one))
        static = np.array(
            [number for own, value in zip(self.static, one.static, strict=True) for number in own.encode(value)]
        )
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
        for given, columns in ((one.values, self.targets), (one.past, self.past)):
            if given.shape[1] != len(columns):
                raise DataError(
                    f"expected {len(columns)} columns ({', '.join(columns)}), got {given.shape[1]}", source=one.place
                )
            if np.isinf(given).any():
                step, channel = np.argwhere(np.isinf(given))[0]
                raise DataError(
                    f"series {one.name!r}, step {step + 1}, {columns[channel]!r}: expected a finite number, got infinity",
                    source=one.place,
                    hint="leave the cell empty where there is no value",
                )


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

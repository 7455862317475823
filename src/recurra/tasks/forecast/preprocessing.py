"""Series in time as rows that a network reads: transformed, measured, with what is known beside them as numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from recurra.data.timeseries.frequency import Step, calendar
from recurra.data.timeseries.grid import following
from recurra.data.timeseries.reader import Panel, Timed
from recurra.errors import DataError, RunError
from recurra.files import write_whole
from recurra.series import channel_names
from recurra.tasks.forecast.scaling import TINY, measure, side_by_side, windows_of
from recurra.tasks.forecast.series import Row

FILE = "columns.json"
MOST_WORDS = 50
"""Different words of a static column that are told apart; the others are read as none of them."""
RATIO = 5.0
LARGEST = 1e30
"""Largest size of a value: what is read and learnt are float32 numbers, whose squares end at 1e38."""
MOST_LOG = 700.0
"""Logarithms end here, so that a forecast of them is finite."""


@dataclass
class Form:
    """What series have to look like, and how they become rows; made from the training data, and saved with the run.

    spreads: mean and spread of each known and past column.  words: of each static column that holds words, those that are
    told apart; None for one that holds numbers, whose mean and spread are in `spreads`.  smoothed: the rows, by name, whose
    smoothing is learnt; none without smoothing.  step, apart: the spacing, of times that are dates, or numbers.
    """

    targets: list[str]
    known: list[str]
    past: list[str]
    static: list[str]
    step: Step | None
    season: int
    horizon: int
    lookback: int
    scale: str
    transform: str
    together: bool
    smoothed: list[str] = field(default_factory=list)
    calendar: list[str] = field(default_factory=list)
    spreads: dict[str, tuple[float, float]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    apart: float | None = None

    @property
    def channels(self) -> int:
        """C, the targets that a row holds."""
        return len(self.targets) if self.together else 1

    @property
    def nameless(self) -> bool:
        """Whether the training data gave the targets no names, so that whatever holds as many will do."""
        return is_nameless(self.targets)

    @property
    def ahead(self) -> int:
        """K, what is known of a step ahead."""
        return len(self.known) + len(self.calendar)

    @property
    def about(self) -> int:
        """S, what is said of a whole series."""
        return sum(len(self.words[name]) if name in self.words else 1 for name in self.static)

    @property
    def size(self) -> int:
        """I, the numbers that are read at a step: the window, how lively it is, what is missing, and what stands beside."""
        return self.channels * (self.lookback + 2) + len(self.past) + self.ahead + self.about

    def learn(self, panel: Panel, ends: Sequence[int]) -> None:
        """Take the means, spreads and words of the columns beside the targets; ends: how much of each series is trained on."""
        for place, name in enumerate(self.known):
            self.spreads[name] = _spread([s.known[:end, place] for s, end in zip(panel.series, ends, strict=True)])
        for place, name in enumerate(self.past):
            self.spreads[name] = _spread([s.past[:end, place] for s, end in zip(panel.series, ends, strict=True)])
        for place, name in enumerate(self.static):
            said = [series.static[place] for series in panel.series]
            if all(isinstance(one, int | float) for one in said):
                self.spreads[name] = _spread([np.array([one], float) for one in said])
            else:
                self.words[name] = sorted({str(one) for one in said})[:MOST_WORDS]

    def rows(self, series: Timed) -> list[Row]:
        """Make the rows of a series; raises `DataError` for values that the transform cannot take."""
        series = self._reaching(series)
        ahead, beside, about = self._ahead(series), self._beside(series), self._about(series)
        groups = [tuple(range(len(self.targets)))] if self.together else [(c,) for c in range(len(self.targets))]
        rows = []
        for group in groups:
            values = self._transformed(series, series.values[:, group])
            there = values[~np.isnan(values).any(axis=1)]
            counted = self.scale in ("standard", "last", "robust") and len(there)
            reference = there[0] if counted else np.zeros(len(group))
            values = values - reference
            measured = measure(values, self.lookback, self.season, self.scale, reference)
            said = (ahead, beside, about, series.place, series.numbers)
            rows.append(Row(series.name, group, values, reference, measured, series.times, *said))
        return rows

    def _transformed(self, series: Timed, values: np.ndarray) -> np.ndarray:
        if len(wrong := np.argwhere(np.abs(values) > LARGEST)):
            step, channel = wrong[0]
            raise DataError(
                f"series {series.name}, step {step + 1}: expected a finite value of a size up to {LARGEST:g}; got {values[step, channel]:g}",
                source=series.place,
                hint="write a missing value as an empty cell, and large ones in a larger unit",
            )
        if self.transform == "none":
            return values.astype(np.float64)
        if len(low := np.argwhere(values <= 0)):
            step, channel = low[0]
            raise DataError(
                f"series {series.name}, step {step + 1}: expected a value above 0, as transform = log needs it; got {values[step, channel]:g}",
                source=series.place,
                hint="train with --transform none",
            )
        return np.log(values.astype(np.float64))

    def back(self, values: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Undo what `rows` did to values, whose references have the same dimensions."""
        whole = values + reference
        return whole if self.transform == "none" else np.exp(np.minimum(whole, MOST_LOG))

    def _scaled(self, name: str, values: np.ndarray) -> np.ndarray:
        mean, spread = self.spreads[name]
        return np.nan_to_num((values - mean) / (spread if spread > 1e-9 * abs(mean) else 1.0)).astype(np.float32)

    def _reaching(self, series: Timed) -> Timed:
        """Let times go on to the horizon, so that the calendar of all steps ahead is read; what was known last goes on too."""
        lacking = len(series) + self.horizon - len(series.times)
        if not self.calendar or lacking <= 0 or not len(series.times):
            return series
        times = np.concatenate([series.times, following(series.times, self.step, lacking)])
        return replace(series, times=times, known=np.pad(series.known, ((0, lacking), (0, 0)), "edge"))

    def _ahead(self, series: Timed) -> np.ndarray:
        parts = [self._scaled(name, series.known[:, place])[:, None] for place, name in enumerate(self.known)]
        if self.calendar:
            features, names = calendar(series.times, self.step)
            if names != self.calendar:
                raise DataError(
                    "its time stamps are of another kind than those of the training data", source=series.place
                )
            parts.append(features)
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(series.times), 0), np.float32)

    def _beside(self, series: Timed) -> np.ndarray:
        parts = [self._scaled(name, series.past[:, place])[:, None] for place, name in enumerate(self.past)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(series), 0), np.float32)

    def _about(self, series: Timed) -> np.ndarray:
        parts = []
        for name, said in zip(self.static, series.static, strict=True):
            if name in self.words:
                parts.append(np.array([float(word == str(said)) for word in self.words[name]], np.float32))
            elif isinstance(said, str) and said:
                raise DataError(
                    f"series {series.name}: static column '{name}': expected a number, as in the training data; got {said!r:.40}",
                    source=series.place,
                )
            else:
                parts.append(self._scaled(name, np.array([float("nan" if said == "" else said)])))
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    # What is read

    def read(self, rows: Sequence[Row], firsts: np.ndarray, lasts: np.ndarray) -> np.ndarray:
        """Give what is read at the steps first … last − 1 of rows, side by side, (longest, B, I) float32, behind the end 0."""
        lengths, size = lasts - firsts, self.lookback * self.channels
        inputs = np.zeros((int(lengths.max(initial=0)), len(rows), self.size), np.float32)
        windows = inputs[..., :size].reshape(*inputs.shape[:2], self.lookback, self.channels)  # a view
        measured = [row.measured for row in rows]
        windows_of(measured, firsts, lasts, self.lookback, windows)

        def across(arrays: list[np.ndarray]) -> np.ndarray:
            return side_by_side(arrays, firsts, lasts).swapaxes(0, 1)

        unit, steady = across([each.unit for each in measured]), across([each.steady for each in measured])
        missing = np.isnan(across([row.values for row in rows]))
        beside, ahead = across([row.beside for row in rows]), across([row.ahead for row in rows])
        about = np.broadcast_to(np.stack([row.about for row in rows]), (len(inputs), len(rows), self.about))
        inputs[..., size:] = self.joined(windows[:, :, 0, :0], unit, steady, missing, beside, ahead, about)
        for lane in np.flatnonzero(lengths < len(inputs)).tolist():
            inputs[lengths[lane] :, lane] = 0.0
        return inputs

    @staticmethod
    def joined(
        windows: np.ndarray, unit: np.ndarray, steady: np.ndarray, missing: np.ndarray, *others: np.ndarray
    ) -> np.ndarray:
        """Put side by side what is read at steps: each (…, n)."""
        lively = np.clip(np.log((unit + TINY) / (steady + TINY)), -RATIO, RATIO)
        return np.concatenate(
            [each.astype(np.float32, copy=False) for each in (windows, lively, missing, *others)], axis=-1
        )

    def number(self, row: Row) -> int:
        """Give the number of a row among those whose smoothing is learnt; -1 for a new one."""
        return self._numbers.get(row.name, -1)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.smoothed)}

    def plain(self, row: Row, first: int, last: int) -> np.ndarray:
        """Give what smoothing reads at the steps first … last − 1, (n, 3·C) float32: values, level and unit of each window.

        Before the beginning (first < 0) the unit is −1.
        """
        begin = max(0, first)
        parts = [each[begin:last] for each in (row.measured.filled, row.measured.level, row.measured.unit)]
        there = np.concatenate(parts, axis=1).astype(np.float32)
        before = np.repeat(np.array([[0.0, 0.0, -1.0]], np.float32), begin - first, axis=0)
        return np.concatenate([np.repeat(before, row.values.shape[1], axis=1), there])

    # Files

    def save(self, folder: Path) -> list[str]:
        write_whole(folder / FILE, json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n")
        return [FILE]

    @classmethod
    def load(cls, folder: Path) -> Form:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        path = folder / FILE
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            if read["step"] is not None:
                read["step"] = Step(**read["step"])
            read["spreads"] = {name: (float(mean), float(spread)) for name, (mean, spread) in read["spreads"].items()}
            return cls(**read)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}: is damaged: {error}") from None


def is_nameless(targets: Sequence[str]) -> bool:
    """Tell whether these are the names of channels that had none, as in a table with a series a row."""
    return tuple(targets) == channel_names(len(targets))


def _spread(columns: Sequence[np.ndarray]) -> tuple[float, float]:
    whole = np.concatenate([np.asarray(column, np.float64) for column in columns] or [np.zeros(1)])
    there = whole[np.isfinite(whole)]
    return (float(there.mean()), float(there.std())) if len(there) else (0.0, 1.0)

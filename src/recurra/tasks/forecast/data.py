"""Series in time, ready for training: as numbers, and which of their steps are for training, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from recurra.data.timeseries.append import append_panel
from recurra.data.timeseries.reader import Panel, TimeSeries, TimeSeriesOptions, read_time_series
from recurra.errors import DataError
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.forecast.config import Data, Model
from recurra.tasks.forecast.defaults import build_preprocessor
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor, are_unnamed, refuse_large_values
from recurra.tasks.forecast.series import SeriesFeatures
from recurra.tasks.timeseries.data import refuse_values, truncate

MIN_VALUES = 2
"""Values that a series has to have to be learnt from."""
MAX_NAMES_SHOWN = 5


@dataclass(frozen=True)
class Split:
    """What is forecast for a measurement.

    firsts, ends: for each series the steps that are forecast, firsts ≤ step < ends; what comes before is known.
    """

    name: str
    firsts: list[int]
    ends: list[int]


@dataclass(frozen=True)
class Dataset:
    """Series, and their splits.

    train_ends: how much of each series is trained on.  seasonal_scales, mean_abs_values: (C) for each series, its mean seasonal
    step and its values' mean size in training, both as transformed.
    """

    series: list[SeriesFeatures]
    train_ends: list[int]
    seasonal_scales: list[np.ndarray]
    mean_abs_values: list[np.ndarray]
    valid: Split | None
    test: Split | None
    preprocessor: ForecastPreprocessor
    notes: list[str]
    fingerprint: str

    @cached_property
    def relative_step(self) -> float:
        """The mean over all series of a seasonal step relative to the values' size; of logarithms, of the step itself."""
        if self.preprocessor.options.transform == "log":
            return float(np.mean(self.seasonal_scales))
        pairs = zip(self.seasonal_scales, self.mean_abs_values, strict=True)
        return float(np.mean([np.mean(step / size) for step, size in pairs]))


def reading_options(data: Data, preprocessor: ForecastPreprocessor | None = None) -> TimeSeriesOptions:
    """Give how the run reads all its data: once it is known which columns are the targets and how far apart steps are, so."""
    options = replace(data.reading(), known=tuple(data.known))
    if preprocessor is None:
        return options
    targets = options.target if preprocessor.has_unnamed_targets else tuple(preprocessor.targets)
    return replace(options, frequency=preprocessor.step, numeric_step=preprocessor.numeric_step, target=targets)


def read_dataset(data: Data, model: Model, preprocessor: ForecastPreprocessor | None) -> Dataset:
    """Read all that a run needs; the preprocessor is made from the training part unless it is given.

    Raises `DataError` where nothing is left to learn from, or held-out files do not continue where the training data end.
    """
    panel = read_time_series(data.given, reading_options(data, preprocessor))
    notes = [*panel.notes, *skipped_notes(panel.skipped)]
    panel, starts, more = _append_held_out(panel, data)
    notes += more
    for series in panel.series:
        refuse_large_values(series, series.values)
    if data.max_length is not None:
        panel = replace(panel, series=[truncate(one, data.max_length) for one in panel.series])
    if model.likelihood == "negative-binomial":
        notes += _check_counts(panel)
    borders = [_borders(len(series), data, starts, at) for at, series in enumerate(panel.series)]
    train_ends = [train for train, _, _ in borders]
    if preprocessor is None:
        preprocessor = build_preprocessor(panel, train_ends, data, model)
    notes += _check_lengths(panel, train_ends, data)
    options = preprocessor.options
    if options.lookback == 1 and options.window_scaling != "none":
        notes.append(
            f"lookback 1 with window_scaling {options.window_scaling}: a value that is measured by itself tells nothing, so the model does not "
            f"see the values; read more of them at once, such as --lookback {max(2, 2 * options.season)}, or say --window-scaling none"
        )
    return _make_dataset(panel, borders, preprocessor, notes, smoothing=model.exponential_smoothing)


def _append_held_out(panel: Panel, data: Data) -> tuple[Panel, dict[str, list[int]], list[str]]:
    """Append the files of validation and test; gives where each part begins in each series, by its name, and notes."""
    starts: dict[str, list[int]] = {}
    notes: list[str] = []
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            more = read_time_series(files, _options_of_panel(panel, data))
            if not any(len(series) for series in more.series):
                raise DataError(f"{name}: holds no values to measure on", source=" ".join(files[:3]))
            starts[name] = [len(series) for series in panel.series]
            panel, missing = append_panel(panel, more, name)
            notes += missing
            notes += [f"{name}: {note}" for note in [*more.notes, *skipped_notes(more.skipped)]]
    return panel, starts, notes


def _options_of_panel(panel: Panel, data: Data) -> TimeSeriesOptions:
    """Give how held-out files are read: as those before them, of the same columns and spacing."""
    targets = () if are_unnamed(panel.targets) else panel.targets
    return replace(reading_options(data), target=targets, frequency=panel.frequency, numeric_step=panel.numeric_step)


def _check_counts(panel: Panel) -> list[str]:
    """Note that values are no whole numbers; raises `DataError` for one below 0, which is no count."""
    expected = "a count from 0, as likelihood = negative-binomial needs it"
    fractions = 0
    for series in panel.series:
        hint = "train with another likelihood, such as --likelihood student-t"
        refuse_values(series, series.values, series.values < 0, expected, hint)
        fractions += int((series.values % 1 > 0).sum())
    return [f"{fractions:,} values are no whole numbers: they are learnt from as counts, rounded"] if fractions else []


def _check_lengths(panel: Panel, train_ends: Sequence[int], data: Data) -> list[str]:
    """Note which series are too short to learn from; raises `DataError` where all are."""
    short = [series.name for series, end in zip(panel.series, train_ends, strict=True) if end < MIN_VALUES]
    if len(short) == len(panel):
        raise DataError(
            f"expected at least {MIN_VALUES} values of a series for training, got none of {len(panel)} with as many",
            source=" ".join(data.data[:3]),
            hint="hold less out: --test-steps, --valid-steps",
        )
    if not short:
        return []
    listed = ", ".join(short[:MAX_NAMES_SHOWN]) + (", …" if len(short) > MAX_NAMES_SHOWN else "")
    return [f"{len(short):,} of {len(panel):,} series are too short to learn from: {listed}"]


def _make_dataset(
    panel: Panel,
    borders: Sequence[tuple[int, int, int]],
    preprocessor: ForecastPreprocessor,
    notes: list[str],
    *,
    smoothing: bool,
) -> Dataset:
    made, train_ends, valid, test = [], [], ([], []), ([], [])
    digest = hashlib.sha256(repr((panel.targets, preprocessor.horizon)).encode("utf-8", "surrogatepass"))
    for series, (train, checked, whole) in zip(panel.series, borders, strict=True):
        for one in preprocessor.transform(series):
            made.append(one)
            train_ends.append(train)
            for split, first, end in ((valid, train, checked), (test, checked, whole)):
                split[0].append(max(1, first))
                split[1].append(max(1, first, end))
        digest.update(
            f"{series.name}\0{train},{checked},{whole}\0".encode("utf-8", "surrogatepass") + series.values.tobytes()
        )
        digest.update(
            series.times.tobytes()
            + series.known.tobytes()
            + series.past.tobytes()
            + repr(series.static).encode("utf-8", "surrogatepass")
        )
    splits = [_make_split(made, name, *split) for name, split in (("valid", valid), ("test", test))]
    notes = notes + [f"{name}: holds no value, so nothing is measured there" for name in _empty(splits, valid, test)]
    if smoothing and not preprocessor.smoothed:
        preprocessor.smoothed = [one.key for one in made]
    scales = [seasonal_scale(one, end, preprocessor.season) for one, end in zip(made, train_ends, strict=True)]
    sizes = [mean_abs_value(one, end) for one, end in zip(made, train_ends, strict=True)]
    return Dataset(made, train_ends, scales, sizes, splits[0], splits[1], preprocessor, notes, digest.hexdigest())


def _make_split(series: Sequence[SeriesFeatures], name: str, firsts: list[int], ends: list[int]) -> Split | None:
    """Give a split; None where there is no value in it that could be forecast."""
    for one, first, end in zip(series, firsts, ends, strict=True):
        if not np.isnan(one.values[max(first, one.first_valid + 1) : end]).all():
            return Split(name, firsts, ends)
    return None


def _empty(splits: Sequence[Split | None], *given: tuple[list[int], list[int]]) -> list[str]:
    """Name the splits that hold steps, and no value in any of them."""
    return [
        name
        for name, split, (firsts, ends) in zip(("valid", "test"), splits, given, strict=True)
        if split is None and any(end > first for first, end in zip(firsts, ends, strict=True))
    ]


def seasonal_scale(series: SeriesFeatures, end: int, season: int) -> np.ndarray:
    """Give the mean step from a value to the one a season later in the training part, (C): what errors are measured by.

    Where the series is shorter than that, from a value to the next; of a constant series, 1.
    """
    values = series.values[:end]
    for lag in (season, 1):
        if len(values) > lag:
            steps = np.abs(values[lag:] - values[:-lag])
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.nansum(steps, 0) / (~np.isnan(steps)).sum(0)
            if np.all(mean > 0):
                return mean
    return np.ones(values.shape[1])


def mean_abs_value(series: SeriesFeatures, end: int) -> np.ndarray:
    """Give the mean size of the values of the training part, (C); 1 where they are all zero."""
    values = np.abs(series.values[:end] + series.reference)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, 0) / (~np.isnan(values)).sum(0)
    return np.where(mean > 0, mean, 1.0)


def _borders(length: int, data: Data, starts: dict[str, list[int]], at: int) -> tuple[int, int, int]:
    """Give where the training and the validation part of a series end, and the test: its end."""
    test = _held_out(length, data.test_steps, data.test_share)
    checked = starts["test"][at] if "test" in starts else length - test
    share = 0.1 if data.valid_share is None else data.valid_share
    train = starts["valid"][at] if "valid" in starts else checked - _held_out(checked, data.valid_steps, share)
    return max(0, train), max(0, checked), length


def _held_out(length: int, steps: int | None, share: float) -> int:
    return min(length, steps) if steps is not None else round(length * share)


def default_test_split(series: Sequence[SeriesFeatures], data: Data) -> Split:
    """Choose what of other series is forecast: their end, as much as the run holds out of its own; what comes before is known."""
    firsts = [max(1, len(one) - _held_out(len(one), data.test_steps, data.test_share or 0.1)) for one in series]
    return Split("test", firsts, [max(len(one), first) for one, first in zip(series, firsts, strict=True)])


def check_panel(panel: Panel, preprocessor: ForecastPreprocessor, data: Data, source: str) -> list[TimeSeries]:
    """Give the series of a panel; raises `DataError` where they are not spaced as those of training are, or hold other targets."""
    known = preprocessor.targets
    if len(panel.targets) != len(known):
        expected, got = (f"{len(names)} ({', '.join(names[:8])})" for names in (known, panel.targets))
        raise DataError(
            f"expected as many columns of values as in the training data, {expected}; got {got}", source=source
        )
    step = preprocessor.step
    if data.gaps == "fill" and panel.frequency != step and any(len(series) > 1 for series in panel.series):
        expected, got = (str(each) if each else "steps that are only counted" for each in (step, panel.frequency))
        hint = f"--every {step} averages finer ones in training and in prediction alike" if step else None
        raise DataError(
            f"expected a spacing of {expected}, as in the training data; got {got}", source=source, hint=hint
        )
    return panel.series

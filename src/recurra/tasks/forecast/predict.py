"""A trained forecaster: the next values of files, frames, arrays and lines, as tables and JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recurra.arguments import PathName, checked
from recurra.data.datasets.locate import resolve_files
from recurra.data.timeseries.reader import (
    Panel,
    TimeSeries,
    is_frame,
    panel_from_frame,
    read_time_series,
    read_time_series_bytes,
)
from recurra.errors import DataError, DivergedError, UsageError
from recurra.series import is_missing, is_number, parse_series
from recurra.tasks.base.explanation import Explained
from recurra.tasks.base.predictor import InputKind, Predictor
from recurra.tasks.forecast.backtest import BacktestOptions, Forecasts, backtest
from recurra.tasks.forecast.config import ForecasterConfig, ForecastOptions
from recurra.tasks.forecast.data import check_panel, reading_options
from recurra.tasks.forecast.explain import ForecasterExplainOptions, explain_forecast
from recurra.tasks.forecast.network import ForecastNetwork
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor
from recurra.tasks.forecast.results import (
    forecast_times,
    format_header,
    format_result,
    format_times,
    round_significant,
    to_result,
)
from recurra.tasks.forecast.series import SeriesFeatures
from recurra.tasks.timeseries.data import rows_from_array
from recurra.text import STANDARD_INPUT, Faults


class Forecaster(Predictor[ForecasterConfig]):
    """Predicts the next values of series, and how sure it is of them.

    A result is {"series", "target", "time", "mean", "quantiles": {level: …}}, for each series, and for each target one. "time" holds the h time
    stamps, or numbers of steps; "mean" the point forecast, which is the median where quantiles are learnt, or logarithms. With "steps" also the
    forecast after each step from the first value on: its own "time", and of the steps ahead "mean" and "quantiles".
    """

    name = "forecast"
    PredictOptions = ForecastOptions
    ExplainOptions = ForecasterExplainOptions

    @classmethod
    def load_preprocessor(cls, folder: Path, config: ForecasterConfig) -> ForecastPreprocessor:  # noqa: ARG003
        return ForecastPreprocessor.load(folder)

    @classmethod
    def build_network(cls, config: ForecasterConfig, preprocessor: ForecastPreprocessor) -> ForecastNetwork:
        return ForecastNetwork(preprocessor, config.model)

    @property
    def horizon(self) -> int:
        """h, the steps ahead that were learnt."""
        return self.preprocessor.horizon

    @property
    def quantiles(self) -> list[float]:
        """The quantiles that a forecast gives."""
        return self.config.model.quantiles

    def backtest(self, series: Sequence[SeriesFeatures], origins: Sequence[np.ndarray]) -> Iterator[Forecasts]:
        """Forecast from steps of series; origins: those of each, rising. See `recurra.tasks.forecast.backtest`."""
        options = BacktestOptions(self.quantiles, self.config.model.samples)
        return backtest(self.network, self.preprocessor, options, series, origins)

    # What a user hands over

    @property
    def input_kind(self) -> InputKind:
        return "table"

    @checked
    def parse(self, line: str) -> TimeSeries:
        """Read a series from a line: numbers with commas or blanks between them, or a JSON list; an empty cell is missing."""
        _check_bare(self.preprocessor)
        return series_from_array(parse_series(line), self.preprocessor)

    @checked
    def read_file(self, source: PathName, faults: Faults | None = None) -> list[TimeSeries] | None:
        source = os.fspath(source)
        if source == "-":
            return None
        files, settings = resolve_files([source])
        skipping = faults is not None and faults.skipping
        data = self.config.data.model_copy(update={**settings, **({"on_error": "skip"} if skipping else {})})
        panel = read_time_series(files, reading_options(data, self.preprocessor))
        if faults is not None and skipping:
            faults.skipped += panel.skipped
            panel = replace(panel, skipped=[])
        return self._check(panel, source, notes=True)

    def read_pipe(self, first: bytes, rest: Callable[[], bytes]) -> list[TimeSeries] | None:
        if not is_table(first):
            return None
        panel = read_time_series_bytes(first + rest(), reading_options(self.config.data, self.preprocessor))
        return self._check(panel, STANDARD_INPUT, notes=True)

    def _check(self, panel: Panel, source: str, *, notes: bool = False) -> list[TimeSeries]:
        """Give the series of a panel; notes: show what there is to say of their reading, which is no result."""
        for message in [*panel.notes, *panel.skipped] if notes else ():
            print(message, file=sys.stderr)  # noqa: T201
        return check_panel(panel, self.preprocessor, self.config.data, source)

    def preprocess(self, inputs: Sequence[Any]) -> list[TimeSeries]:
        """Give what a user hands over as series: series, arrays, or data frames with any number of them."""
        found: list[TimeSeries] = []
        for one in inputs:
            if isinstance(one, TimeSeries):
                found.append(one)
            elif is_frame(one):
                panel = panel_from_frame(one, reading_options(self.config.data, self.preprocessor))
                found += self._check(panel, "the data frame")
            else:
                found.append(series_from_array(one, self.preprocessor))
        return found

    # Predictions

    def predict_with(self, inputs: list[Any], options: ForecastOptions) -> list[dict[str, Any]]:
        """Forecast some series; see `Forecaster` for what a result is.

        Raises `UsageError` for more steps than the run has learnt, and `DataError` for a series without any value, or of which
        something that is to be known ahead is missing.
        """
        horizon = self.horizon if options.k is None else options.k
        if not 1 <= horizon <= self.horizon:
            raise UsageError(
                f"k: expected 1 to {self.horizon} steps ahead, as many as this run has learnt; got {options.k}"
            )
        series, owners = self._transform(self.preprocess(inputs), horizon)
        origins = [np.arange(one.first_valid if options.steps else len(one) - 1, len(one)) for one in series]
        forecasts = self._forecast(series, origins, owners, horizon)
        results = []
        for one, owner, found in zip(series, owners, forecasts, strict=True):
            for place, channel in enumerate(one.channels):
                result = {
                    "series": owner.name,
                    "target": self.preprocessor.targets[channel],
                    "time": forecast_times(owner, horizon, self.preprocessor.step),
                    **to_result(*found[len(one) - 1], place, self.quantiles),
                }
                if options.steps:
                    steps = sorted(found)
                    times = format_times(
                        one.times[steps], self.preprocessor.step, owner.utc_offset, owner.numeric_times
                    )
                    result["steps"] = [
                        {"time": time, **to_result(*found[origin], place, self.quantiles)}
                        for time, origin in zip(times, steps, strict=True)
                    ]
                results.append(result)
        return results

    def _transform(self, given: Sequence[TimeSeries], horizon: int) -> tuple[list[SeriesFeatures], list[TimeSeries]]:
        """Give series as they are read, and for each of these the series that it is of."""
        series: list[SeriesFeatures] = []
        owners: list[TimeSeries] = []
        for number, one in enumerate(given, 1):
            if not len(one) or np.isnan(one.values).all(axis=0).any():
                what = "has a target without any value" if len(one) else "has no value"
                raise DataError(
                    f"series {one.name or number} {what}: there is nothing to forecast from", source=one.place
                )
            _check_known(one, horizon, self.preprocessor)
            made = self.preprocessor.transform(one)
            series += made
            owners += [one] * len(made)
        return series, owners

    def _forecast(
        self,
        series: Sequence[SeriesFeatures],
        origins: Sequence[np.ndarray],
        owners: Sequence[TimeSeries],
        horizon: int,
    ) -> list[dict[int, tuple[np.ndarray, np.ndarray]]]:
        """Give for each series, by origin, the mean (h, C) and the quantiles (h, C, Q), rounded."""
        found: list[dict[int, tuple[np.ndarray, np.ndarray]]] = [{} for _ in series]
        for some in self.backtest(series, origins):
            _check_finite(some, owners)
            width = some.quantiles[..., -1] - some.quantiles[..., 0]
            numbers = round_significant(some.mean, width), round_significant(some.quantiles, width[..., None])
            for number, origin, mean, quantiles in zip(
                some.series.tolist(), some.origins.tolist(), *numbers, strict=True
            ):
                found[number][origin] = mean[:horizon], quantiles[:horizon]
        return found

    def explained(self, item: Any, options: ForecasterExplainOptions) -> Explained:
        """Give the forecast of a column at a step ahead; see `explain.explain_forecast`."""
        (series,) = self.preprocess([item])
        self._transform([series], self.horizon)  # raises for what cannot be forecast
        levels = BacktestOptions(self.quantiles, self.config.model.samples)
        return explain_forecast(self.network, self.preprocessor, levels, series, options)

    def format_result(self, result: Mapping[str, Any]) -> str:
        return format_result(result)

    def format_header(self, result: Mapping[str, Any]) -> str | None:
        return format_header(result)


def is_table(first: bytes) -> bool:
    """Tell by its first line whether a pipe holds a table, rather than a series in each line.

    >>> is_table(b"time,sold\\n"), is_table(b"1.5, 2, nan\\n"), is_table(b"[1, null]\\n"), is_table(b'[{"sold": 1}]')
    (True, False, False, True)
    """
    text = first.decode("utf-8", "replace").strip()
    if text.startswith("["):
        return text[1:].lstrip().startswith("{")
    cells = text.replace(",", " ").split()
    return not all(is_number(cell) or is_missing(cell) for cell in cells)


def series_from_array(values: Any, preprocessor: ForecastPreprocessor) -> TimeSeries:
    """Give an array (T) or (T, C) as a series whose steps are only counted."""
    rows = rows_from_array(values, preprocessor.targets)
    if len(wrong := np.argwhere(np.isinf(rows))):
        raise DataError(f"step {wrong[0][0] + 1}: expected a finite number, got infinity")
    _check_bare(preprocessor)
    return TimeSeries.from_values("", rows, "the input")


def _check_bare(preprocessor: ForecastPreprocessor) -> None:
    """Raise `UsageError` where bare numbers do not tell all that the run reads."""
    covariates = preprocessor.covariates
    columns = [*covariates.known, *covariates.past, *(column.name for column in covariates.static)]
    if columns or covariates.calendar.features:
        needed = ", ".join(columns) or "time stamps"
        raise UsageError(
            f"input: bare numbers say nothing of {needed}, which this run reads; give a table with them, as in "
            "`recurra predict RUN table.csv`, or a data frame"
        )


def _check_known(series: TimeSeries, horizon: int, preprocessor: ForecastPreprocessor) -> None:
    """Raise `DataError` where a column that is known ahead is not, at one of the steps that are forecast."""
    names = preprocessor.covariates.known
    if not names:
        return
    known = np.full((horizon, len(names)), np.nan)
    there = series.known[len(series) : len(series) + horizon]
    known[: len(there)] = there
    if not np.isnan(known).any():
        return
    step, column = np.argwhere(np.isnan(known))[0].tolist()
    enough = f", or ask for fewer steps: -k {step}" if step else ""
    prefix = f"series {series.name}: " if series.name else ""
    time = forecast_times(series, step + 1, preprocessor.step)[step]
    raise DataError(
        f"{prefix}'{names[column]}' is not known at {time}, {step + 1} step{'s' * bool(step)} ahead",
        source=series.place,
        hint=f"add rows for the {horizon} steps ahead, with {', '.join(names)} and no {preprocessor.targets[0]}{enough}",
    )


def _check_finite(some: Forecasts, owners: Sequence[TimeSeries]) -> None:
    """Raise `DivergedError` for a forecast that is no number."""
    for values in (some.mean, some.quantiles):
        if not np.isfinite(values).all():
            at = int(np.argwhere(~np.isfinite(values))[0][0])
            name, step = owners[int(some.series[at])].name, int(some.origins[at]) + 1
            raise DivergedError(f"series {name}: the forecast after step {step} is no finite number")

"""A detector as a stream: each step is scored at once, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, cast

import numpy as np
import torch

from recurra.arguments import checked
from recurra.data.timeseries.frequency import utc_offset
from recurra.data.timeseries.reader import TimeSeries
from recurra.data.timeseries.timestamps import read_timestamps
from recurra.errors import DataError, UsageError
from recurra.formatting import abbreviate
from recurra.kernels import exact
from recurra.nn import State, map_state
from recurra.series import to_numbers
from recurra.stream import Stream, check_state
from recurra.tasks.detect.config import Scoring
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.preprocessing import DetectorPreprocessor
from recurra.tasks.detect.residuals import combine_horizons, scaled_error
from recurra.tasks.detect.results import format_time, to_step
from recurra.tasks.detect.scoring import OnlineScorer
from recurra.tasks.detect.series import StreamState
from recurra.tasks.timeseries.data import rows_from_array


class DetectorStream(Stream):
    """Scores the steps of one series as they come.

    stream = run.stream()
    stream.step([20.1, 3.4])                    # {"score": 0.7, "threshold": 5.2, "anomaly": False, "channel": "temp", …}
    stream.step([20.3, None], time="2024-05-31 13:10")   # a missing value has no score, and the last one is read for it
    rival = stream.fork()                       # the same past, another future

    Its state is the network's, then what the preprocessor carries (`StreamState`) and the predictions made at the last A steps,
    then the scorer's. `state` can be kept and set again.
    """

    def __init__(
        self,
        preprocessor: DetectorPreprocessor,
        network: DetectorNetwork,
        scoring: Scoring,
        *,
        per_series: bool = False,
        series: str = "",
    ) -> None:
        network.eval()
        self._network, self._preprocessor, self._series = network, preprocessor, series
        self._device = network.output.weight.device
        self._scorer = OnlineScorer(network, scoring, per_series=per_series)
        self._carried = preprocessor.initial_state()
        self._unit = network.get_buffer("unit").cpu().numpy()
        # Of the last A steps: the location and the scale of each lead, (A, 2, A, C).
        self._predictions = np.full((network.horizon, 2, network.horizon, network.channels), np.nan, np.float32)
        super().__init__(lambda x, state: (x, state), network.zero_state(1))

    @property
    def state(self) -> State:
        """All that is carried from step to step, as copies: the network's layers, the preprocessor's, the scorer's."""
        own = self._carried
        counts = np.array([own.count, own.time, own.started])
        arrays = [own.last, own.second_last, own.missing, own.covariates, counts, self._predictions]
        carried = tuple(torch.from_numpy(np.array(part)) for part in arrays)
        scored = tuple(torch.from_numpy(np.array(part)) for part in self._scorer.state().values())
        return (*map_state(lambda tensor: tensor.detach().clone(), self._state), carried, scored)

    @state.setter
    def state(self, state: State) -> None:
        check_state(self.state[:-1], state[:-1] if isinstance(state, tuple | list) else state)
        *layers, carried, scored = state
        names = self._scorer.state()
        try:  # what a threshold remembers grows with what it has seen
            scorer = self._scorer.fork().resume(
                {
                    name: to_numbers(part, own.dtype).copy()
                    for (name, own), part in zip(names.items(), scored, strict=True)
                }
            )
        except (DataError, TypeError, ValueError):
            raise UsageError("state: expected in its last part what `state` of such a stream gives there") from None
        self._state = map_state(lambda tensor: tensor.detach().clone(), tuple(layers))
        last, second_last, missing, covariates, counts, self._predictions = (part.numpy().copy() for part in carried)
        count, time, started = int(counts[0]), int(counts[1]), bool(counts[2])
        self._carried = StreamState(last, second_last, missing, covariates, count, time, started)
        self._scorer = scorer

    @checked
    def fork(self, series: str | None = None) -> DetectorStream:
        """Give a second stream that has the same past and goes its own way from here; series: and is of this name."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._state = map_state(lambda tensor: tensor.clone(), self._state)
        twin._scorer = self._scorer.fork()
        twin._series = self._series if series is None else series
        return twin

    def _check_element(self, element: Any) -> None:
        columns = self._preprocessor.channels, len(self._preprocessor.covariates.past)
        if not isinstance(element, TimeSeries) or (element.values.shape, element.past.shape) != tuple(
            (1, n) for n in columns
        ):
            raise DataError(f"expected a series of one step, got {abbreviate(element, 40)}; step takes its values")

    @checked
    def feed(self, element: Any) -> Any:
        """Score one step, given as a series of one step; gives a `StepResult` and what was predicted for it, (C) scaled."""
        self._check_element(element)
        encoded, self._carried = self._preprocessor.encode(element, self._carried)
        starts = bool(encoded.starts[0])
        if starts:  # what was predicted is of another time, and from here on predictions are made from nothing
            self._predictions = np.full_like(self._predictions, np.nan)
            self._state = self._network.zero_state(1)
        with torch.inference_mode(), exact(required=False):
            given = (torch.from_numpy(part).unsqueeze(1) for part in (encoded.features, encoded.previous))
            x, previous = (part.to(self._device) for part in given)
            prediction, self._state = self._network(x, previous, self._state)
        newest = np.stack([part[0, 0].cpu().numpy() for part in prediction])  # (2, A, C)
        if not starts:
            self._predictions = np.concatenate([newest[None], self._predictions[:-1]])
        leads = [
            scaled_error(encoded.values[0], made[0, lead], made[1, lead], self._unit[lead])
            for lead, made in enumerate(self._predictions)
        ]
        return self._scorer.step(combine_horizons(leads), encoded.values[0]), newest[0, 0]

    @checked
    def step(self, values: Any, *, time: Any = None, past: Any = None, static: Iterable[Any] = ()) -> dict[str, Any]:
        """Score one step: a value, a list of one for each channel, or a mapping by their names; None or NaN where one is missing.

        time: its stamp, which a run that reads the calendar needs, and without which no gap is seen.  past: the covariates of the step, likewise.
        Gives {"time"?, "score", "threshold", "anomaly", "channel", "expected", "missing"?}.
        """
        one = make_step(self._preprocessor, values, time=time, past=past, static=static, name=self._series)
        result, location = self.feed(one)
        stamp = {} if time is None else {"time": format_time(one)}
        return {**stamp, **to_step(result, location, one, self._preprocessor)}

    @checked
    def read(self, series: Any) -> list[dict[str, Any]]:
        """Score the steps of a series, (T,) or (T, C); gives what `step` does for each."""
        return [self.step(row) for row in rows_from_array(series, self._preprocessor.targets)]


def make_step(
    preprocessor: DetectorPreprocessor, values: Any, *, time: Any, past: Any, static: Iterable[Any], name: str
) -> TimeSeries:
    """Make a series of one step; raises `DataError` for what is not one."""
    covariates, own = preprocessor.covariates, _numbers(values, preprocessor.targets, "values")
    others = _numbers([None] * len(covariates.past) if past is None else past, covariates.past, "past")
    if time is None:
        if covariates.calendar.features:
            raise DataError(
                f"expected a time stamp with each step: this run reads the {covariates.calendar.features[0].split()[0]}"
            )
        times, zone = np.zeros(1, np.int64), None
    else:
        stamp, zone = parse_time(time)
        times = np.array([stamp])
    words = tuple(static) or ("",) * len(covariates.static)
    if len(words) != len(covariates.static):
        names = ", ".join(one.name for one in covariates.static[:8]) or "none"
        raise DataError(f"static: expected {len(covariates.static)} ({names}), got {len(words)}")
    if wrong := [word for word in words if not isinstance(word, str | int | float)]:
        raise DataError(f"static: expected texts or numbers, got {abbreviate(wrong[0], 40)}")
    return TimeSeries(name, own[None], times, np.zeros((1, 0)), others[None], words, "the stream", zone)


def parse_time(time: Any) -> tuple[Any, int | None]:
    """Read a time, a stamp or the number of a step, and its zone as a series has it; raises `DataError` for what is none.

    >>> parse_time("2024-05-31T13:10+02:00"), parse_time("7")
    ((np.datetime64('2024-05-31T11:10:00.000000'), 120), (np.int64(7), None))
    """
    if isinstance(time, np.datetime64) and not np.isnat(time):
        return time, None
    plain = str | float | int | date | np.integer | np.floating
    if not isinstance(time, plain) or isinstance(time, bool) or time != time:
        raise DataError(f"expected a time, got {abbreviate(time, 40)}")
    with suppress(TypeError, ValueError):
        if not abs(number := float(cast(Any, time))) < 2**63:
            raise DataError(f"expected a time, got {abbreviate(time, 40)}")
        return np.int64(number), None
    read = read_timestamps([time], "time")
    if read.wrong:
        raise DataError(read.wrong[0])
    return read.values[0], None if read.local is None else utc_offset(read.values, read.local)


def _numbers(given: Any, names: Sequence[str], what: str) -> np.ndarray:
    """Read the numbers of a step, one for each name; NaN where one is missing."""
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise DataError(f"{what}: expected {', '.join(names)}; got {unknown[0]!r}")
        given = [given.get(name) for name in names]
    try:
        numbers = np.atleast_1d(to_numbers(given))
    except DataError:
        raise DataError(f"{what}: expected numbers, got {abbreviate(given, 60)}") from None
    if numbers.shape != (len(names),):
        raise DataError(f"{what}: expected {len(names)} ({', '.join(names[:8])}), got {numbers.size}")
    if len(infinite := np.flatnonzero(np.isinf(numbers))):
        hint = "leave the cell empty where there is no value"
        raise DataError(f"{names[infinite[0]]!r}: expected a finite number, got infinity", hint=hint)
    return numbers

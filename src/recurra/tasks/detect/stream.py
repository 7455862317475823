"""A detector as a stream: each step is judged at once, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.data.timeseries.frequency import on_clock, zone_of
from recurra.data.timeseries.reader import Timed
from recurra.data.timeseries.timestamps import read_stamps
from recurra.errors import DataError, UsageError
from recurra.kernels import exact
from recurra.nn import State, map_state
from recurra.stream import Stream
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.preprocessing import Readings
from recurra.tasks.detect.residuals import error, joined
from recurra.tasks.detect.scoring import Judge, Verdict
from recurra.tasks.detect.series import Past

if TYPE_CHECKING:
    from recurra.tasks.detect.task import Detector


class DetectorStream(Stream):
    """Judges the steps of one series as they come.

    stream = run.stream()
    stream.step([20.1, 3.4])                    # {"score": 0.7, "threshold": 5.2, "anomaly": False, "channel": "temp", …}
    stream.step([20.3, None], time="2024-05-31 13:10")   # a missing value has no score, and the last one is read for it
    rival = stream.fork()                       # the same past, another future

    Its state is the network's, then what the readings carry (`Past`) and what was foretold at the last A steps, then the
    judge's. `state` can be kept and set again.
    """

    def __init__(self, task: Detector, network: DetectorNetwork, series: str = "") -> None:
        network.eval()
        self._network, self._readings, self._series = network, task.readings, series
        self._device = network.output.weight.device
        self._judge = Judge(network, task.config.scoring, whole=task.whole)
        self._past = self._readings.begin()
        self._unit = network.get_buffer("unit").cpu().numpy()
        self._made = np.full((network.ahead, 2, network.ahead, network.channels), np.nan, np.float32)
        super().__init__(lambda x, state: (x, state), network.zero_state(1))

    @property
    def state(self) -> State:
        """All that is carried from step to step, as copies: the network's layers, the readings', the judge's."""
        past = [self._past.last, self._past.second, self._past.missing, self._past.beside]
        past += [np.array([self._past.count, self._past.time, self._past.fresh]), self._made]
        carried = tuple(torch.from_numpy(np.array(part)) for part in past)
        judged = tuple(torch.from_numpy(np.array(part)) for part in self._judge.state().values())
        return (*map_state(lambda tensor: tensor.detach().clone(), self._state), carried, judged)

    @state.setter
    def state(self, state: State) -> None:
        if len(state) != len(self._state) + 2:
            raise UsageError(f"state: expected {len(self._state) + 2} parts, as `state` gives them; got {len(state)}")
        *layers, carried, judged = state
        shapes = [[tuple(part.shape) for part in layer] for layer in self._state]
        given = [[tuple(part.shape) for part in layer] for layer in layers]
        if shapes != given or tuple(carried[0].shape) != (self._readings.channels,):
            raise UsageError(f"state: expected tensors of shapes {shapes}, got {given}")
        self._state = map_state(lambda tensor: tensor.detach().clone(), tuple(layers))
        last, second, missing, beside, counts, self._made = (part.numpy().copy() for part in carried)
        self._past = Past(last, second, missing, beside, int(counts[0]), int(counts[1]), bool(counts[2]))
        names = self._judge.state()
        self._judge = self._judge.fork().resume(
            {name: part.numpy().copy() for name, part in zip(names, judged, strict=True)}
        )

    def fork(self, series: str | None = None) -> DetectorStream:
        """Give a second stream that has the same past and goes its own way from here; series: and is of this name."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._state = map_state(lambda tensor: tensor.clone(), self._state)
        twin._judge = self._judge.fork()
        twin._series = self._series if series is None else series
        return twin

    def feed(self, element: Any) -> Any:
        """Judge one step, given as a series of one step (`Timed`); gives a `Verdict` and what was foretold, (C) scaled."""
        encoded, self._past = self._readings.encode(element, self._past)
        if encoded.fresh[0]:  # what was foretold is of another time, and from here on it is foretold from nothing
            self._made = np.full_like(self._made, np.nan)
            self._state = self._network.zero_state(1)
        with torch.inference_mode(), exact(required=False):
            given = (torch.from_numpy(part).unsqueeze(1) for part in (encoded.features, encoded.before))
            x, before = (part.to(self._device) for part in given)
            foretold, self._state = self._network(x, before, self._state)
        said = np.stack([part[0, 0].cpu().numpy() for part in foretold])  # (2, A, C)
        if not encoded.fresh[0]:
            self._made = np.concatenate([said[None], self._made[:-1]])
        leads = [
            error(encoded.values[0], made[0, lead], made[1, lead], self._unit[lead])
            for lead, made in enumerate(self._made)
        ]
        return self._judge.step(joined(leads), encoded.values[0]), said[0, 0]

    def step(
        self, values: Any, *, time: Any = None, past: Any = None, static: Sequence[str | float] = ()
    ) -> dict[str, Any]:
        """Judge one step: a value, a list of one for each channel, or a mapping by their names; None or NaN where one is missing.

        time: its stamp, which a run that reads the calendar needs, and without which no hole is seen.  past: the covariates of the step, likewise.
        """
        one = one_step(self._readings, values, time=time, past=past, static=static, name=self._series)
        verdict, location = self.feed(one)
        return said(self._readings, verdict, location, one, self._series, None if time is None else shown_time(one))

    def read(self, series: Any) -> list[dict[str, Any]]:
        """Judge the steps of a series, (T,) or (T, C); gives what `step` says of each."""
        rows = np.asarray(series, np.float64)
        return [self.step(row) for row in (rows[:, None] if rows.ndim == 1 else rows)]


def one_step(
    readings: Readings, values: Any, *, time: Any, past: Any, static: Sequence[str | float], name: str
) -> Timed:
    """Make a series of one step; raises `DataError` for what is not one."""
    own = _numbers(values, readings.targets, "values")
    beside = _numbers([None] * len(readings.past) if past is None else past, readings.past, "past")
    if time is None:
        if readings.moments:
            raise DataError(
                f"expected a time stamp with each step: this run reads the {readings.moments[0].split()[0]}"
            )
        times, zone = np.zeros(1, np.int64), None
    else:
        moment, zone = moment_of(time)
        times = np.array([moment])
    none = np.zeros((1, 0))
    return Timed(
        name, own[None], times, none, beside[None], tuple(static) or ("",) * len(readings.static), "the stream", zone
    )


def moment_of(time: Any) -> tuple[Any, int | None]:
    """Read a time, a stamp or the number of a step, and its zone as `Timed` has it; raises `DataError` for what is none.

    >>> moment_of("2024-05-31T13:10+02:00"), moment_of("7")
    ((np.datetime64('2024-05-31T11:10:00.000000'), 120), (np.int64(7), None))
    """
    if isinstance(time, np.datetime64):
        return time, None
    with suppress(TypeError, ValueError):
        if not abs(number := float(time)) < 2**63:
            raise DataError(f"expected a time, got {time!r:.40}")
        return np.int64(number), None
    read = read_stamps([time], "time")
    if read.wrong:
        raise DataError(read.wrong[0])
    return read.values[0], None if read.local is None else zone_of(read.values, read.local)


def _numbers(given: Any, names: Sequence[str], what: str) -> np.ndarray:
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise DataError(f"{what}: expected {', '.join(names)}; got {unknown[0]!r}")
        given = [given.get(name) for name in names]
    try:
        numbers = np.asarray(
            [np.nan if one is None else one for one in np.atleast_1d(np.asarray(given, object))], np.float64
        )
    except (TypeError, ValueError):
        raise DataError(f"{what}: expected numbers, got {given!r:.60}") from None
    if numbers.shape != (len(names),):
        raise DataError(f"{what}: expected {len(names)} ({', '.join(names[:8])}), got {numbers.size}")
    if len(infinite := np.flatnonzero(np.isinf(numbers))):
        hint = "leave the cell empty where there is no value"
        raise DataError(f"{names[infinite[0]]!r}: expected a finite number, got infinity", hint=hint)
    return numbers


def said(
    readings: Readings, verdict: Verdict, location: np.ndarray, one: Timed, name: str, time: Any, step: int = 0
) -> dict[str, Any]:
    """Say what a verdict means: {"time"?, "score", "threshold", "anomaly", "channel", "expected", "missing"?}."""
    expected = [round(float(value), 6) for value in readings.unscaled(location.astype(np.float64), name)]
    missing = [channel for channel, value in zip(readings.targets, one.values[step], strict=True) if np.isnan(value)]
    return {
        **({} if time is None else {"time": time}),
        "score": None if verdict.score is None else round(verdict.score, 6),
        "threshold": None if verdict.threshold is None else round(verdict.threshold, 6),
        "anomaly": verdict.anomaly,
        "channel": None if verdict.channel is None else readings.targets[verdict.channel],
        "expected": expected[0] if len(expected) == 1 else expected,
        **({"missing": missing} if missing else {}),
    }


def shown_time(series: Timed, step: int = 0) -> str | int:
    """Write the time of a step: a stamp without needless zeros, with its zone where it has one, or the number of the step.

    >>> none, times = np.zeros((1, 0)), np.array(["2024-05-31T13:10"], "M8[us]")
    >>> shown_time(Timed("a", none, times, none, none, (), "")), shown_time(Timed("a", none, times, none, none, (), "", 120))
    ('2024-05-31 13:10:00', '2024-05-31 15:10:00+02:00')
    """
    (time,), zone = on_clock(series.times[step : step + 1], series.zone)
    if not isinstance(time, np.datetime64):
        return int(time)
    return str(time.astype("M8[us]")).replace("T", " ").removesuffix(".000000") + zone

"""Forecasts from the end of series, or from many steps of them, each step of which is read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from recurra.data.batching import inference_batches
from recurra.kernels import exact
from recurra.nn import State
from recurra.nn.exponential_smoothing import SmoothingState
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.forecast.data import Split
from recurra.tasks.forecast.network import ForecastNetwork
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor
from recurra.tasks.forecast.sampling import PathSampler, path_quantiles
from recurra.tasks.forecast.scaling import pad_batch
from recurra.tasks.forecast.series import SeriesFeatures

STEPS_PER_CHUNK = 512
"""Steps that are read at a time: memory does not grow with the length of a series."""
STEPS_PER_BATCH = 40_000
"""Steps of all series that are read at a time."""
ORIGINS_PER_BATCH = 4_096
"""Steps that are forecast from at a time."""
LOOP_WIDTH = 32
"""Numbers after which torch's vector loops come out even: what is left over it computes by another exp and log."""
THREADED_NUMBERS = 32_768
"""Numbers from which on torch shares a loop among threads, wherever that cuts it."""


@dataclass(frozen=True)
class BacktestOptions:
    """What forecasts hold: quantiles: which; samples: how many futures are sampled, where values are fed back."""

    quantiles: Sequence[float]
    samples: int


@dataclass(frozen=True)
class Forecasts:
    """Forecasts from some steps of some series: series (n), their numbers; origins (n); mean (n, h, C); quantiles (n, h, C, Q)."""

    series: np.ndarray
    origins: np.ndarray
    mean: np.ndarray
    quantiles: np.ndarray


def backtest(
    network: nn.Module,
    preprocessor: ForecastPreprocessor,
    options: BacktestOptions,
    series: Sequence[SeriesFeatures],
    origins: Sequence[np.ndarray],
) -> Iterator[Forecasts]:
    """Forecast from steps of series; origins: those of each, rising.  Gives forecasts as they come, in no order of the series.

    A step is read once, however many forecasts rest on it, and its forecast is that which `predict` gives for a series that
    ends there: in exact mode neither depends on what else is read, or on how much at a time.
    """
    reader = _Backtest(cast(ForecastNetwork, network), preprocessor, options, series, origins)
    wanted = [number for number, steps in enumerate(origins) if len(steps)]
    lengths = [int(origins[number][-1]) + 1 for number in wanted]
    with eval_mode(network) as device:
        for indices in inference_batches(np.minimum(lengths, STEPS_PER_CHUNK), STEPS_PER_BATCH):
            yield from reader.read([wanted[index] for index in indices], device)


@dataclass(frozen=True)
class _Backtest:
    """What a backtest reads, and by what."""

    network: ForecastNetwork
    preprocessor: ForecastPreprocessor
    options: BacktestOptions
    series: Sequence[SeriesFeatures]
    origins: Sequence[np.ndarray]

    def read(self, group: list[int], device: torch.device) -> Iterator[Forecasts]:
        """Read some series side by side, a chunk after the other, and forecast from their origins."""
        network = self.network
        ends = np.array([int(self.origins[number][-1]) + 1 for number in group])
        state: State = network.stack.zero_state(len(group))
        smoothing: SmoothingState | None = None
        first = 0
        for last in self._borders(int(ends.max()), group):
            if len(alive := np.flatnonzero(ends > first)) < len(group):
                group, ends = [group[at] for at in alive], ends[alive]
                state = _pick(state, alive)
                smoothing = None if smoothing is None else cast(SmoothingState, _pick((smoothing,), alive)[0])
            lengths = np.minimum(ends, last) - first
            some = [self.series[number] for number in group]
            features = self.preprocessor.features(some, np.full(len(group), first), first + lengths)
            with exact(required=False):
                inputs, naive = torch.from_numpy(features).to(device), None
                if network.smoothing is not None:
                    values, indices = self._smoothing_inputs(some, first, lengths)
                    inputs, naive, smoothing = network.deseasonalise(
                        inputs, values.to(device), indices.to(device), smoothing
                    )
                shorter = torch.from_numpy(lengths) if (lengths < len(inputs)).any() else None
                hidden, state = network(inputs, state, shorter)
                yield from self._forecast(group, first, last, (hidden, inputs, naive), state)
            first = last

    def _forecast(
        self, group: list[int], first: int, last: int, read: tuple[Tensor, Tensor, Tensor | None], state: State
    ) -> Iterator[Forecasts]:
        """Forecast from the origins in a chunk; read: hidden (T, B, H), inputs (T, B, I) and naive forecasts (T, B, h, C) of it."""
        hidden, inputs, naive = read
        here = [self.origins[number] for number in group]
        here = [steps[(steps >= first) & (steps < last)] for steps in here]
        lanes = np.repeat(np.arange(len(group)), [len(steps) for steps in here])
        steps = np.concatenate(here)
        for some in np.split(np.arange(len(steps)), range(ORIGINS_PER_BATCH, len(steps), ORIGINS_PER_BATCH)):
            if len(some):
                at, lane = steps[some] - first, lanes[some]
                batch = _OriginBatch(self, np.array(group)[lane], steps[some])
                states = _pick(state, lane) if self.network.recursive else None
                yield batch.forecast(
                    hidden[at, lane], inputs[at, lane], None if naive is None else naive[at, lane], states
                )

    def _borders(self, end: int, group: list[int]) -> list[int]:
        """Give where the chunks end: behind each origin too where values are fed back, since they go on from the state there."""
        borders = {*range(STEPS_PER_CHUNK, end, STEPS_PER_CHUNK), end}
        if self.network.recursive:
            borders |= {int(step) + 1 for number in group for step in self.origins[number]}
        return sorted(borders)

    def _smoothing_inputs(
        self, series: Sequence[SeriesFeatures], first: int, lengths: np.ndarray
    ) -> tuple[Tensor, Tensor]:
        """Give what smoothing reads, (T, B, 3·C), and the numbers of the series, (B)."""
        preprocessor = self.preprocessor
        values = np.ones((int(lengths.max()), len(series), 3 * preprocessor.channels), np.float32)
        for lane, (one, length) in enumerate(zip(series, lengths.tolist(), strict=True)):
            values[:length, lane] = preprocessor.smoothing_inputs(one, first, first + length)
        indices = torch.tensor([preprocessor.smoothing_index(one) for one in series])
        return torch.from_numpy(values), indices


def _pick(state: State, lanes: np.ndarray) -> State:
    index = torch.from_numpy(lanes)
    return tuple(tuple(each[index] for each in layer) for layer in state)


class _OriginBatch:
    """Some steps of series that are forecast from; numbers (n): of the series."""

    def __init__(self, backtest: _Backtest, numbers: np.ndarray, origins: np.ndarray) -> None:
        self.network, self.preprocessor, self.options = backtest.network, backtest.preprocessor, backtest.options
        self.numbers, self.origins = numbers, origins
        self.series = [backtest.series[number] for number in numbers]
        pairs = list(zip(self.series, origins.tolist(), strict=True))
        self.loc = np.stack([one.scaled.loc[origin] for one, origin in pairs])[:, None]  # (n, 1, C)
        scale = np.stack([one.scaled.scale[origin] for one, origin in pairs])[:, None]
        self.scale = scale * self.network.usual_error.double().cpu().numpy()  # (n, h, C)
        self.reference = np.stack([one.reference for one in self.series])[:, None]
        # Where nothing is known of a step ahead, what was known last goes on.
        known = [one.known_covariates for one in self.series]
        self.known_ahead = pad_batch(known, origins + 1, origins + 1 + self.preprocessor.horizon)  # (n, h, K)

    def forecast(self, hidden: Tensor, inputs: Tensor, naive: Tensor | None, states: State | None) -> Forecasts:
        """Give the forecasts; hidden (n, H), inputs (n, I), naive (n, h, C), states: those to go on from, where values are fed back."""
        levels = list(self.options.quantiles)
        place = levels.index(0.5)
        if states is None:
            mean, quantiles = self._direct(hidden, inputs, naive)
        else:
            sampler = PathSampler(self.network, self.preprocessor, self.options.samples)
            paths = sampler.sample_paths(self.series, self.origins, hidden, inputs, states)
            quantiles = path_quantiles(paths, levels, counts=self.network.output.counts)
            mean = quantiles[..., place]
        if (stretch := self.network.stretch.item()) != 1.0:
            median = quantiles[..., place : place + 1]
            quantiles = median + stretch * (quantiles - median)
        return Forecasts(
            self.numbers,
            self.origins,
            self.preprocessor.inverse_transform(mean, self.reference),
            self.preprocessor.inverse_transform(quantiles, self.reference[..., None]),
        )

    def _direct(self, hidden: Tensor, inputs: Tensor, naive: Tensor | None) -> tuple[np.ndarray, np.ndarray]:
        """Give mean and quantiles of all steps ahead at once."""
        network, device = self.network, hidden.device
        windows = inputs[:, : network.lookback * network.channels]
        known = torch.from_numpy(self.known_ahead).to(device)
        raw, centre = network.distribution_parameters(hidden, windows, known, naive)
        units = torch.from_numpy(np.broadcast_to(self.scale, centre.shape).astype(np.float32)).to(device)
        # So that no forecast depends on how many there are, they are worked out in blocks whose loops have no rest.
        each = max(1, raw[0].numel())
        block = (THREADED_NUMBERS - 1) // (each * LOOP_WIDTH) * LOOP_WIDTH
        split = zip(*(whole.split(block or 1) for whole in (raw, centre, units)), strict=True)
        parts = [self._block(*some, even=block > 0) for some in split]
        mean, quantiles = (np.concatenate(part) for part in zip(*parts, strict=True))
        return self.loc + self.scale * mean, self.loc[..., None] + self.scale[..., None] * quantiles

    def _block(self, raw: Tensor, centre: Tensor, units: Tensor, *, even: bool) -> tuple[np.ndarray, np.ndarray]:
        """Give mean and quantiles of some forecasts; even: filled up to a multiple of `LOOP_WIDTH`."""
        count, output = len(raw), self.network.output
        if even and count % LOOP_WIDTH:
            more = -count % LOOP_WIDTH
            raw, centre, units = (torch.cat([t, t[:1].expand(more, *t.shape[1:])]) for t in (raw, centre, units))
        mean = output.mean(raw, centre)[:count].double().cpu().numpy()
        return mean, output.quantiles(raw, centre, self.options.quantiles, units)[:count].double().cpu().numpy()


@dataclass(frozen=True)
class EvaluationSet:
    """What is measured on: series, a split of them, how much of each is training, and how they became numbers."""

    series: list[SeriesFeatures]
    split: Split
    train_ends: list[int]
    preprocessor: ForecastPreprocessor
    notes: list[str]

    def values(self, number: int) -> np.ndarray:
        """Give the values of a series as they are, (T, C)."""
        one = self.series[number]
        return self.preprocessor.inverse_transform(one.values, one.reference)

    def actual(self, number: int, origin: int) -> np.ndarray:
        """Give the actual values after a step, (h, C), NaN where there is nothing to compare with."""
        horizon, one = self.preprocessor.horizon, self.series[number]
        steps = min(horizon, self.split.ends[number] - origin - 1)
        values = np.full((horizon, one.values.shape[1]), np.nan)
        values[:steps] = self.preprocessor.inverse_transform(one.values[origin + 1 : origin + 1 + steps], one.reference)
        return values


def valid_origins(
    series: Sequence[SeriesFeatures], split: Split, horizon: int, stride: int, most: int | None = None
) -> list[np.ndarray]:
    """Give `forecast_origins` of series, at most so many of each, spread over all of its own.

    Those before a series' first value are left out, where nothing can be predicted by anyone, and those that no value follows.
    """
    found = []
    for one, end, steps in zip(series, split.ends, forecast_origins(split, horizon, stride), strict=True):
        known = np.append(0, np.cumsum(~np.isnan(one.values).all(axis=1)))
        followed = known[np.minimum(steps + 1 + horizon, end)] > known[steps + 1]
        steps = steps[followed & (steps >= one.first_valid)]
        if most is not None and len(steps) > most:
            steps = steps[np.linspace(0, len(steps) - 1, most).round().astype(np.int64)]
        found.append(steps)
    return found


def forecast_origins(split: Split, horizon: int, stride: int) -> list[np.ndarray]:
    """Give the steps of each series that are forecast from: the last known one, and each `stride` further while there is a whole
    horizon to compare with; at least one wherever there is anything to compare with.

    >>> [steps.tolist() for steps in forecast_origins(Split("test", [5, 3], [12, 3]), 3, 2)]
    [[4, 6, 8], []]
    """
    found = []
    for first, end in zip(split.firsts, split.ends, strict=True):
        if end <= first:
            found.append(np.zeros(0, np.int64))
            continue
        last = max(first - 1, end - 1 - horizon)
        found.append(np.arange(first - 1, last + 1, stride))
    return found

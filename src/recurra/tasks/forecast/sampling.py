"""Futures sampled step by step, each value fed back to give the next."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.nn import State
from recurra.tasks.forecast.network import ForecastNetwork
from recurra.tasks.forecast.preprocessing import ForecastPreprocessor
from recurra.tasks.forecast.scaling import MIN_SCALE, MIN_SCALE_SHARE, local_scale
from recurra.tasks.forecast.series import SeriesFeatures


@dataclass(frozen=True)
class PathSampler:
    """Samples futures of series from a network that gives one step ahead; samples: S, how many of each."""

    network: ForecastNetwork
    preprocessor: ForecastPreprocessor
    samples: int

    def sample_paths(
        self, series: Sequence[SeriesFeatures], origins: np.ndarray, hidden: Tensor, inputs: Tensor, states: State
    ) -> np.ndarray:
        """Give futures (n, S, h, C) from the n origins, one after the other, counted from each series' reference.

        hidden (n, H), inputs (n, I): there; states: those to go on from. The random numbers of a forecast depend on its own
        last values alone, so not on what else is forecast.
        """
        paths = [
            self._sample(one, int(origin), hidden[at : at + 1], inputs[at : at + 1], _pick(states, at))
            for at, (one, origin) in enumerate(zip(series, origins, strict=True))
        ]
        return np.stack(paths)

    def _sample(self, series: SeriesFeatures, origin: int, hidden: Tensor, inputs: Tensor, state: State) -> np.ndarray:
        """Sample futures of a series from one step on, (S, h, C)."""
        network, count, horizon = self.network, self.samples, self.preprocessor.horizon
        windows = _Windows.start(series, origin, network.lookback, count, self.preprocessor.options.window_scaling)
        generator = np.random.Generator(np.random.PCG64(zlib.crc32(np.ascontiguousarray(windows.values[0]).tobytes())))
        state = tuple(tuple(each.expand(count, -1).contiguous() for each in layer) for layer in state)
        hidden, inputs = hidden.expand(count, -1), inputs.expand(count, -1)
        usual_error = network.usual_error.double().cpu().numpy()  # (1, C)
        paths = np.zeros((count, horizon, network.channels))
        size = network.lookback * network.channels
        past = _repeat(series.past_covariates[origin], count)  # known no further than here
        static = _repeat(series.static_covariates, count)
        for step in range(horizon):
            known = _repeat(series.known_covariates[min(origin + 1 + step, len(series.known_covariates) - 1)], count)
            ahead = torch.from_numpy(known[:, None].copy()).to(hidden.device)
            raw, centre = network.distribution_parameters(hidden, inputs[:, :size], ahead, None)
            uniform = torch.from_numpy(generator.random((count, 1, network.channels)).astype(np.float32)).to(
                hidden.device
            )
            units = torch.from_numpy((windows.scale[:, None] * usual_error).astype(np.float32)).to(hidden.device)
            sample = network.output.sample(raw, centre, uniform, units).double().cpu().numpy()[:, 0]
            values = windows.loc + windows.scale * usual_error * sample
            paths[:, step] = values
            if step + 1 == horizon:
                break
            windows = windows.append(values, origin + 1 + step)
            given = self.preprocessor.step_features(
                windows.scaled().reshape(count, -1),
                windows.scale,
                windows.mean_abs_step,
                np.zeros_like(windows.scale),
                past,
                known,
                static,
            )
            outputs, state = network(torch.from_numpy(given[None]).to(hidden.device), state)
            hidden, inputs = outputs[0], torch.from_numpy(given).to(hidden.device)
        return paths


@dataclass(frozen=True)
class _Windows:
    """The last values of sampled futures, (S, w, C), and what they are scaled by, (S, C) each, as `fit_local_scale` has it.

    known: how many of the values are there; before the beginning stands the first one.
    """

    values: np.ndarray
    known: int
    loc: np.ndarray
    scale: np.ndarray
    mean_abs_step: np.ndarray
    scaling: str

    @classmethod
    def start(cls, series: SeriesFeatures, origin: int, lookback: int, count: int, scaling: str) -> _Windows:
        """Give the window that ends at a step of a series, so many times."""
        scaled = series.scaled
        tail = scaled.filled[max(0, origin - lookback + 1) : origin + 1]
        known = len(tail)
        if known < lookback:
            tail = np.concatenate([np.repeat(scaled.filled[:1], lookback - known, axis=0), tail])
        values, mean_abs_step, loc, scale = (
            np.repeat(each[None], count, axis=0)
            for each in (tail, scaled.mean_abs_step[origin], scaled.loc[origin], scaled.scale[origin])
        )
        return cls(values, known, loc, scale, mean_abs_step, scaling)

    def append(self, values: np.ndarray, steps: int) -> _Windows:
        """Give the windows that end at the next values (S, C), before which there were so many steps."""
        # The mean step from a value to the next goes on as `fit_local_scale` counts it.
        total = self.mean_abs_step * max(1, steps - 1) * (steps > 1) + np.abs(values - self.values[:, -1])
        mean_abs_step = total / steps
        window = np.concatenate([self.values[:, 1:], values[:, None]], axis=1)
        lookback = window.shape[1]
        known = min(lookback, self.known + 1)
        loc, scale = local_scale(window[:, lookback - known :].transpose(0, 2, 1), self.scaling)
        if self.scaling != "none":
            scale = np.maximum(scale, MIN_SCALE_SHARE * mean_abs_step)
        return _Windows(window, known, loc, scale, mean_abs_step, self.scaling)

    def scaled(self) -> np.ndarray:
        """Give the values as they are read, (S, w, C)."""
        return (self.values - self.loc[:, None]) / np.where(self.scale < MIN_SCALE, 1.0, self.scale)[:, None]


def path_quantiles(paths: np.ndarray, levels: Sequence[float], *, counts: bool) -> np.ndarray:
    """Give the quantiles of futures (n, S, h, C), (n, h, C, Q); counts: whole numbers, as they are themselves.

    >>> path_quantiles(np.array([1.0, 2.0, 4.0, 5.0]).reshape(1, 4, 1, 1), [0.5], counts=False).ravel().tolist()
    [3.0]
    """
    method = "inverted_cdf" if counts else "linear"
    return np.moveaxis(np.quantile(paths, list(levels), axis=1, method=method), 0, -1)


def _pick(states: State, at: int) -> State:
    return tuple(tuple(each[at : at + 1] for each in layer) for layer in states)


def _repeat(values: np.ndarray, count: int) -> np.ndarray:
    return np.broadcast_to(values, (count, len(values)))

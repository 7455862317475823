"""Futures drawn step by step, each value fed back to give the next."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from recurra.nn import State
from recurra.tasks.forecast.network import ForecastNetwork
from recurra.tasks.forecast.preprocessing import Row
from recurra.tasks.forecast.scaling import FLOOR, TINY, measures

if TYPE_CHECKING:
    from recurra.tasks.forecast.task import Forecaster


def draw_paths(
    task: Forecaster,
    model: ForecastNetwork,
    rows: Sequence[Row],
    origins: np.ndarray,
    hidden: Tensor,
    inputs: Tensor,
    states: State,
) -> tuple[np.ndarray, np.ndarray]:
    """Give point (n, h, C) and quantiles (n, h, C, Q) of drawn futures, one of the n steps after the other.

    The random numbers of a forecast depend on its own last values alone, so not on what else is asked.
    """
    found = [
        _drawn(task, model, row, int(origin), hidden[at : at + 1], inputs[at : at + 1], _one(states, at))
        for at, (row, origin) in enumerate(zip(rows, origins, strict=True))
    ]
    paths = np.stack(found)  # (n, S, h, C)
    levels = list(task.levels)
    how = "inverted_cdf" if model.output.counts else "linear"
    quantiles = np.moveaxis(np.quantile(paths, levels, axis=1, method=how), 0, -1)
    return quantiles[..., levels.index(0.5)], quantiles


def _one(states: State, at: int) -> State:
    return tuple(tuple(each[at : at + 1] for each in layer) for layer in states)


def _drawn(
    task: Forecaster, model: ForecastNetwork, row: Row, origin: int, hidden: Tensor, inputs: Tensor, state: State
) -> np.ndarray:
    """Draw futures of a row from one step on: (S, h, C), counted from the row's reference."""
    form, count, w = task.form, task.config.model.paths, model.lookback
    tail = row.measured.filled[max(0, origin - w + 1) : origin + 1]
    known = len(tail)
    if known < w:
        tail = np.concatenate([np.repeat(row.measured.filled[:1], w - known, axis=0), tail])
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(np.ascontiguousarray(tail).tobytes())))
    tails = np.repeat(tail[None], count, axis=0)  # (S, w, C)
    steady = np.repeat(row.measured.steady[None, origin], count, axis=0)
    level, unit = (np.repeat(each[None, origin], count, axis=0) for each in (row.measured.level, row.measured.unit))
    state = tuple(tuple(each.expand(count, -1).contiguous() for each in layer) for layer in state)
    hidden, inputs = hidden.expand(count, -1), inputs.expand(count, -1)
    usual = model.usual_error.double().cpu().numpy()  # (1, C)
    drawn = np.zeros((count, form.horizon, form.channels))
    about = np.broadcast_to(row.about, (count, len(row.about)))
    for step in range(form.horizon):
        at = min(origin + 1 + step, len(row.ahead) - 1)
        ahead = np.broadcast_to(row.ahead[at], (count, len(row.ahead[at])))
        raw, centre = model.say(
            hidden, inputs[:, : w * model.channels], torch.from_numpy(ahead[:, None].copy()).to(hidden.device), None
        )
        uniform = torch.from_numpy(generator.random((count, 1, form.channels)).astype(np.float32)).to(hidden.device)
        units = torch.from_numpy((unit[:, None] * usual).astype(np.float32)).to(hidden.device)
        draws = model.output.draw(raw, centre, uniform, units).double().cpu().numpy()[:, 0]
        values = level + unit * usual * draws
        drawn[:, step] = values
        if step + 1 == form.horizon:
            break
        past = origin + 1 + step  # the mean step from a value to the next goes on as `measure` counts it
        steady = (steady * max(1, past - 1) * (past > 1) + np.abs(values - tails[:, -1])) / past
        tails = np.concatenate([tails[:, 1:], values[:, None]], axis=1)
        known = min(w, known + 1)
        level, unit = measures(tails[:, w - known :].transpose(0, 2, 1), form.scale)
        if form.scale != "none":
            unit = np.maximum(unit, FLOOR * steady)
        windows = (tails - level[:, None]) / np.where(unit < TINY, 1.0, unit)[:, None]
        beside = np.broadcast_to(row.beside[origin], (count, len(row.beside[origin])))  # known no further than here
        given = form.joined(windows.reshape(count, -1), unit, steady, np.zeros_like(unit), beside, ahead, about)
        out, state = model(torch.from_numpy(given[None]).to(hidden.device), state)
        hidden, inputs = out[0], torch.from_numpy(given).to(hidden.device)
    return drawn

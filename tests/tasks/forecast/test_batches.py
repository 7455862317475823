"""Batches hold what a slow loop over rows, origins and steps ahead would put there; no forecast depends on what is asked with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tasks.forecast.test_suite import sales, steps

from recurra.tasks.forecast import Forecaster
from recurra.tasks.forecast.backtest import backtest
from recurra.tasks.forecast.batches import SMALL, chosen, collate
from recurra.tasks.forecast.scaling import TINY


def forecaster(folder: Path, configure: Any = sales, **model: Any) -> Forecaster:
    task = Forecaster(configure(folder, **model))
    task.prepare()
    task.choose(None, lambda: 0.0)
    return task


@pytest.mark.parametrize("loss_by", ["steps", "size", "both"])
@pytest.mark.parametrize("transform", ["none", "log"])
def test_a_batch_is_that_of_a_slow_loop(tmp_path: Path, loss_by: str, transform: str) -> None:
    task = forecaster(tmp_path, transform=transform)
    examples, horizon = task.examples, task.form.horizon
    ends = examples.ends
    cut = np.array([[1, ends[1] - 24, ends[1]], [0, 0, 9], [0, 30, 31], [1, 3, 27]])
    batch = collate(examples, cut, horizon, loss_by, 5, np.random.default_rng(1))
    assert batch.lengths is not None
    assert batch.lengths.tolist() == [24, 9, 1, 24]
    assert np.bincount(batch.lanes).tolist() == [5, 5, 1, 5]
    for at, (lane, step) in enumerate(zip(batch.lanes.tolist(), batch.steps.tolist(), strict=True)):
        number, first, last = cut[lane].tolist()
        row, origin = examples.rows[number], first + step
        assert origin < last
        level, unit = row.measured.level[origin], row.measured.unit[origin]
        for ahead in range(horizon):
            then = origin + 1 + ahead
            np.testing.assert_array_equal(batch.ahead[at, ahead], row.ahead[min(then, len(row.ahead) - 1)])
            there = then < ends[number] and unit[0] > TINY and not np.isnan(row.values[min(then, len(row) - 1)]).any()
            assert bool(batch.weights[at, ahead, 0] > 0) == there
            if not there:
                continue
            value = row.values[then]
            np.testing.assert_allclose(batch.targets[at, ahead], (value - level) / unit, rtol=1e-6)
            by_steps = 1 / examples.scales[number]
            size = examples.sizes[number]
            by_size = 1 / (examples.share * np.maximum(abs(value + row.reference), SMALL * size))
            if transform == "log":
                by_size = np.ones(1) / examples.share
            wanted = {"steps": by_steps, "size": by_size, "both": (by_steps + by_size) / 2}[loss_by]
            np.testing.assert_allclose(batch.weights[at, ahead], unit * wanted, rtol=1e-6)
            np.testing.assert_allclose(batch.units[at, ahead], unit, rtol=1e-6)


@pytest.mark.parametrize("scale", ["last", "none"])
def test_what_is_read_is_that_of_each_step(tmp_path: Path, scale: str) -> None:
    form = (task := forecaster(tmp_path, scale=scale)).form
    rows, firsts, lasts = task.examples.rows, np.array([0, 17]), np.array([31, 29])
    found = form.read(rows, firsts, lasts)
    assert found.shape == (31, 2, form.size)
    assert (found[12:, 1] == 0).all()
    for lane, (row, first, last) in enumerate(zip(rows, firsts.tolist(), lasts.tolist(), strict=True)):
        for step in range(first, last):
            held = row.measured
            window = held.filled[[max(0, at) for at in range(step - form.lookback + 1, step + 1)]]
            lively = np.log((held.unit[step] + TINY) / (held.steady[step] + TINY)).clip(-5, 5)
            unit = np.where(held.unit[step] < TINY, 1.0, held.unit[step])
            parts = [((window - held.level[step]) / unit).ravel(), lively, np.isnan(row.values[step])]
            parts += [row.beside[step], row.ahead[step], row.about]
            np.testing.assert_allclose(found[step - first, lane], np.concatenate(parts), rtol=1e-6, atol=1e-7)


def test_each_step_is_chosen_as_often() -> None:
    counts, generator = np.zeros(6), np.random.default_rng(1)
    for _ in range(2_000):
        lanes, taken = chosen(np.array([6, 2]), 3, generator)
        assert lanes.tolist() == [0, 0, 0, 1, 1]
        assert taken[3:].tolist() == [0, 1]
        assert (np.diff(taken[:3]) > 0).all()
        counts[taken[:3]] += 1
    assert counts.sum() == 6_000
    assert (abs(counts - 1_000) < 120).all()  # five standard deviations


@pytest.mark.parametrize("output", ["quantiles", "student-t"])
@pytest.mark.parametrize("threads", [1, 2])
def test_no_bit_of_a_forecast_depends_on_what_else_is_asked(tmp_path: Path, output: str, threads: int) -> None:
    task = forecaster(tmp_path, steps, output=output)
    torch.manual_seed(1)
    network, row = task.network(), task.examples.rows[0]
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn_like(weight) * 0.3)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        origins = np.arange(1, 500)
        (together,) = backtest(task, network, [row], [origins])
        for some in (origins[:1], origins[40:47], origins[100:233], origins[-1:]):
            (apart,) = backtest(task, network, [row], [some])
            np.testing.assert_array_equal(apart.quantiles, together.quantiles[some - 1])
            np.testing.assert_array_equal(apart.point, together.point[some - 1])
    finally:
        torch.set_num_threads(before)

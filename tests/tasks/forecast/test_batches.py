"""Batches hold what a slow loop over series, origins and steps ahead would put there; no forecast depends on what is predicted with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tasks.forecast.test_suite import sales, walk_steps

from recurra.tasks.forecast import ForecastingTask
from recurra.tasks.forecast.batches import MIN_RELATIVE_SIZE, BatchOptions, collate, sample_origins
from recurra.tasks.forecast.scaling import MIN_SCALE


def prepared(folder: Path, configure: Any = sales, **model: Any) -> ForecastingTask:
    task = ForecastingTask(configure(folder, **model))
    task.prepare()
    task.choose_defaults(None, lambda: 0.0)
    return task


@pytest.mark.parametrize("loss_scale", ["steps", "size", "both"])
@pytest.mark.parametrize("transform", ["none", "log"])
def test_a_batch_is_that_of_a_slow_loop(tmp_path: Path, loss_scale: str, transform: str) -> None:
    dataset = prepared(tmp_path, transform=transform).dataset
    horizon, ends = dataset.preprocessor.horizon, dataset.train_ends
    chunks = np.array([[1, ends[1] - 24, ends[1]], [0, 0, 9], [0, 30, 31], [1, 3, 27]])
    batch = collate(dataset, chunks, BatchOptions(24, 5, horizon, loss_scale), np.random.default_rng(1))
    assert batch.lengths is not None
    assert batch.lengths.tolist() == [24, 9, 1, 24]
    assert np.bincount(batch.lanes).tolist() == [5, 5, 1, 5]
    for at, (lane, step) in enumerate(zip(batch.lanes.tolist(), batch.steps.tolist(), strict=True)):
        number, first, last = chunks[lane].tolist()
        one, origin = dataset.series[number], first + step
        assert origin < last
        loc, scale = one.scaled.loc[origin], one.scaled.scale[origin]
        for ahead in range(horizon):
            then = origin + 1 + ahead
            known = one.known_covariates
            np.testing.assert_array_equal(batch.known_ahead[at, ahead], known[min(then, len(known) - 1)])
            there = (
                then < ends[number] and scale[0] > MIN_SCALE and not np.isnan(one.values[min(then, len(one) - 1)]).any()
            )
            assert bool(batch.weights[at, ahead, 0] > 0) == there
            if not there:
                continue
            value = one.values[then]
            np.testing.assert_allclose(batch.targets[at, ahead], (value - loc) / scale, rtol=1e-6)
            by_steps = 1 / dataset.seasonal_scales[number]
            size = dataset.mean_abs_values[number]
            by_size = 1 / (dataset.relative_step * np.maximum(abs(value + one.reference), MIN_RELATIVE_SIZE * size))
            if transform == "log":
                by_size = np.ones(1) / dataset.relative_step
            wanted = {"steps": by_steps, "size": by_size, "both": (by_steps + by_size) / 2}[loss_scale]
            np.testing.assert_allclose(batch.weights[at, ahead], scale * wanted, rtol=1e-6)
            np.testing.assert_allclose(batch.scales[at, ahead], scale, rtol=1e-6)


@pytest.mark.parametrize("scaling", ["last", "none"])
def test_what_is_read_is_that_of_each_step(tmp_path: Path, scaling: str) -> None:
    dataset = prepared(tmp_path, window_scaling=scaling).dataset
    preprocessor, series, firsts, lasts = dataset.preprocessor, dataset.series, np.array([0, 17]), np.array([31, 29])
    found = preprocessor.features(series, firsts, lasts)
    assert found.shape == (31, 2, preprocessor.input_size)
    assert (found[12:, 1] == 0).all()
    for lane, (one, first, last) in enumerate(zip(series, firsts.tolist(), lasts.tolist(), strict=True)):
        for step in range(first, last):
            scaled = one.scaled
            window = scaled.filled[[max(0, at) for at in range(step - preprocessor.lookback + 1, step + 1)]]
            ratio = np.log((scaled.scale[step] + MIN_SCALE) / (scaled.mean_abs_step[step] + MIN_SCALE)).clip(-5, 5)
            scale = np.where(scaled.scale[step] < MIN_SCALE, 1.0, scaled.scale[step])
            parts = [((window - scaled.loc[step]) / scale).ravel(), ratio, np.isnan(one.values[step])]
            parts += [one.past_covariates[step], one.known_covariates[step], one.static_covariates]
            np.testing.assert_allclose(found[step - first, lane], np.concatenate(parts), rtol=1e-6, atol=1e-7)


def test_each_step_is_chosen_as_often() -> None:
    counts, generator = np.zeros(6), np.random.default_rng(1)
    for _ in range(2_000):
        lanes, steps = sample_origins(np.array([6, 2]), 3, generator)
        assert lanes.tolist() == [0, 0, 0, 1, 1]
        assert steps[3:].tolist() == [0, 1]
        assert (np.diff(steps[:3]) > 0).all()
        counts[steps[:3]] += 1
    assert counts.sum() == 6_000
    assert (abs(counts - 1_000) < 120).all()  # five standard deviations


@pytest.mark.parametrize("likelihood", ["quantiles", "student-t"])
@pytest.mark.parametrize("threads", [1, 2])
def test_no_bit_of_a_forecast_depends_on_what_else_is_predicted(tmp_path: Path, likelihood: str, threads: int) -> None:
    task = prepared(tmp_path, walk_steps, likelihood=likelihood)
    torch.manual_seed(1)
    network, one = task.build_network(), task.dataset.series[0]
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn_like(weight) * 0.3)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        origins = np.arange(1, 500)
        forecaster = task.predictor(network)
        (together,) = forecaster.backtest([one], [origins])
        for some in (origins[:1], origins[40:47], origins[100:233], origins[-1:]):
            (alone,) = forecaster.backtest([one], [some])
            np.testing.assert_array_equal(alone.quantiles, together.quantiles[some - 1])
            np.testing.assert_array_equal(alone.mean, together.mean[some - 1])
    finally:
        torch.set_num_threads(before)

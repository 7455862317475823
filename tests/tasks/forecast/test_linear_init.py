"""A forecaster begins with the straight line of least squares, and in units of the errors that it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra import Run
from recurra.errors import DataError
from recurra.tasks.forecast import Forecaster, ForecasterConfig, ForecastingTask
from recurra.tasks.forecast.backtest import EvaluationSet, valid_origins
from recurra.tasks.forecast.evaluate import MAX_SAMPLED_STEPS, MetricAccumulator, validation_metrics
from recurra.tasks.forecast.linear_init import MIN_ERROR_UNIT, SHRINKAGE_TARGETS, ShrinkageTarget, init_linear
from recurra.training.config import Training
from recurra.training.step import TrainState

from .conftest import TINY, ready, wave, write


def set_line(task: ForecastingTask, network: Any) -> ShrinkageTarget | None:
    return init_linear(network, task.dataset, task.batch_options)


def initialized(
    folder: Path, values: Any, data: dict[str, Any] | None = None, **model: Any
) -> tuple[ForecastingTask, Forecaster, Any]:
    """Give a task, a forecaster whose network adds nothing to the line, and what that is shrunk to."""
    task, forecaster = ready(folder, values, data, **model)
    network: Any = forecaster.network
    target = set_line(task, network)
    for last in (network.head, *([network.last] if network.known_size else ())):
        torch.nn.init.zeros_(last.weight)
    return task, forecaster, target


def forecasts(task: ForecastingTask, forecaster: Forecaster, origins: list[int]) -> np.ndarray:
    """Forecast the first series from some of its steps, (n, h, C)."""
    series = task.dataset.series
    wanted = [np.array(origins), *(np.zeros(0, np.int64) for _ in series[1:])]
    return np.concatenate([found.mean for found in forecaster.backtest(series, wanted)])


def waves(steps: int) -> np.ndarray:
    """Two waves whose periods have nothing in common with each other, nor with a season of 3."""
    at = np.arange(steps)
    return 20 + np.sin(at * 0.7) + 2 * np.sin(at * 0.31 + 1)


@pytest.mark.parametrize(
    "model", [{}, {"window_scaling": "standard"}, {"strategy": "recursive", "likelihood": "normal"}]
)
def test_what_a_line_forecasts_need_not_be_learnt(tmp_path: Path, model: dict[str, Any]) -> None:
    """A sum of two waves continues as a linear map of its last values, but for what the shrinkage costs."""
    values, model = waves(400), {"lookback": 16, **model}
    samples = {"samples": 400} if "strategy" in model else {}
    task, forecaster, target = initialized(tmp_path, values, **model, **samples)
    assert target is not None
    actual = np.stack([values[origin + 1 : origin + 5] for origin in range(300, 390)])
    error = np.abs(forecasts(task, forecaster, list(range(300, 390)))[..., 0] - actual)
    _, naive = ready(tmp_path, values, **model)
    torch.nn.init.zeros_(naive.network.get_submodule("head").get_parameter("weight"))
    before = np.abs(forecasts(task, naive, list(range(300, 390)))[..., 0] - actual)
    assert error.mean() < 0.1 * before.mean()


@pytest.mark.parametrize(
    "target", [ShrinkageTarget(to, strength) for to in ("naive", "last", "mean") for strength in (0.01, 1.0)]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_line_is_that_of_a_slow_loop(
    tmp_path: Path, target: ShrinkageTarget, channels: int, monkeypatch: Any
) -> None:
    """Ridge regression of the targets on the window, both less what they are measured from; here step by step and plainly."""
    chance = np.random.default_rng(5)
    values = np.cumsum(chance.normal(size=(150, channels)), axis=0)
    monkeypatch.setattr("recurra.tasks.forecast.linear_init.SHRINKAGE_TARGETS", [target])
    path = tmp_path / "walks.csv"
    path.write_text("\n".join([",".join("ab"[:channels]), *(",".join(map(str, row)) for row in values)]) + "\n")
    task, _ = ready(tmp_path, [1.0] * 30)
    task.config.data.data, task.config.model.multivariate = [str(path)], True
    task = ForecastingTask(task.config)
    task.prepare()
    network: Any = task.build_network()
    if set_line(task, network) is None:
        pytest.fail("the line has to be better than the naive forecast of a season of 3 here")
    (one,), (end,), (step,) = task.dataset.series, task.dataset.train_ends, task.dataset.seasonal_scales
    lookback, horizon = network.lookback, network.horizon
    seen, wanted, counts = [], [], []
    for origin in range(end - 1):
        steps = np.maximum(np.arange(origin - lookback + 1, origin + 1), 0)
        loc, scale = one.scaled.loc[origin], one.scaled.scale[origin]
        if not (scale > 0).all():
            continue
        window = (one.values[steps] - loc) / scale
        naive = window[network.seasonal_places.numpy()]
        actual = (one.values[origin + 1 : min(origin + 1 + horizon, end)] - loc) / scale
        counts.append((len(actual) * scale / step).sum() / (horizon * channels))
        actual = np.concatenate([actual, naive[len(actual) :]])  # what is not there is as the naive forecast has it
        start = {"naive": naive, "last": np.repeat(window[-1:], horizon, 0), "mean": 0 * naive + window.mean(0)}[
            target.to
        ]
        centre = window[-1] if target.to == "last" else window.mean(0)
        seen.append((window - centre).ravel())
        wanted.append((actual - start).ravel())
    inner, outer, much = np.array(seen), np.array(wanted), np.sqrt(np.array(counts))[:, None]
    ridge = target.strength * np.trace((inner * much).T @ (inner * much)) / inner.shape[1]
    both = np.concatenate([inner * much, np.sqrt(ridge) * np.eye(inner.shape[1])])
    right = np.concatenate([outer * much, np.zeros((inner.shape[1], outer.shape[1]))])
    weights, *_ = np.linalg.lstsq(both, right, rcond=None)
    steps = np.arange(end - lookback, end)
    window = (one.values[steps] - one.scaled.loc[end - 1]) / one.scaled.scale[end - 1]
    centre = window[-1] if target.to == "last" else window.mean(0)
    naive = window[network.seasonal_places.numpy()]
    start = {"naive": naive, "last": np.repeat(window[-1:], horizon, 0), "mean": 0 * naive + window.mean(0)}[target.to]
    plain = start.ravel() + (window - centre).ravel() @ weights
    found = naive.ravel() + network.straight.double().numpy() @ window.ravel()
    np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-4)


def test_where_no_line_is_better_there_is_none(tmp_path: Path) -> None:
    """A season that repeats exactly is forecast by the season before."""
    _, forecaster, target = initialized(tmp_path, [1.0, 5.0, 2.0] * 40)
    network: Any = forecaster.network
    assert target is None
    assert not network.straight.any()
    assert torch.equal(network.usual_error, torch.full_like(network.usual_error, MIN_ERROR_UNIT))


def test_chance_is_shrunk_to_the_mean(tmp_path: Path) -> None:
    values = 50 + np.random.default_rng(2).normal(size=900)
    task, forecaster, target = initialized(tmp_path, values, lookback=20)
    assert target is not None and target.to == "mean" and target.strength >= 1
    assert np.abs(forecasts(task, forecaster, list(range(700, 800))) - 50).max() < 1.0
    assert target in SHRINKAGE_TARGETS
    sentence = "begins with a straight line from the last 20 values, shrunk towards their mean"
    assert task.initialize(task.build_network()) == sentence


def test_what_lies_further_ahead_has_a_larger_unit_of_errors(tmp_path: Path) -> None:
    """The errors of a walk grow with the root of the steps; at first a network's intervals are about as wide as they have to be."""
    values = 1000 + np.cumsum(np.random.default_rng(3).normal(size=3000))
    task, forecaster, _ = initialized(tmp_path, values, {"horizon": 16, "season": 1}, lookback=20)
    usual = forecaster.network.get_buffer("usual_error")[:, 0]
    assert float(usual[15] / usual[0]) == pytest.approx(4.0, rel=0.25)
    origins = np.arange(2800, 2950)
    (found,) = forecaster.backtest(task.dataset.series, [origins])
    actual = np.stack([values[origin + 1 : origin + 17] for origin in origins])
    inside = (actual >= found.quantiles[:, :, 0, 1]) & (actual <= found.quantiles[:, :, 0, -2])
    assert 0.6 < inside.mean() < 0.95  # of 0.8


def test_units_of_errors_come_from_where_there_are_any(tmp_path: Path) -> None:
    """A series that is too short to hold anything out, and a horizon longer than it is."""
    task, forecaster, target = initialized(tmp_path, wave(12), {"horizon": 30, "valid_share": 0.0})
    assert target is None
    assert max(task.dataset.train_ends) < 30
    usual = forecaster.network.get_buffer("usual_error")[:, 0]
    assert torch.isfinite(usual).all() and (usual > 0).all()
    assert len(set(usual[15:].tolist())) == 1  # no series tells of them
    assert len(set(usual[:8].tolist())) > 1


def test_values_that_are_missing_count_nothing(tmp_path: Path) -> None:
    """Every seventh value is missing, and what is forecast there is compared with nothing."""
    values = [float(f"{value:.4f}") for value in 20 + np.sin(np.arange(300) * 2 * np.pi / 7)]
    data = write(tmp_path / "gaps.csv", [None if at % 7 == 3 else value for at, value in enumerate(values)])
    task = ForecastingTask(ForecasterConfig.model_validate({"data": {"data": [str(data)], "horizon": 4}}))
    task.prepare()
    task.choose_defaults(None, lambda: 1.0)
    (one,) = task.dataset.series
    assert np.isnan(one.values).sum() == 43
    one.scaled.filled[np.isnan(one.values)] += 1000.0  # what is read there means nothing, and must not be forecast
    network = task.build_network()
    set_line(task, network)
    assert float(network.get_buffer("usual_error").max()) < 10 * MIN_ERROR_UNIT


def test_a_line_that_would_be_too_wide_is_not_made(tmp_path: Path) -> None:
    _, forecaster, target = initialized(tmp_path, wave(1600), {"horizon": 2}, lookback=1100)
    network: Any = forecaster.network
    assert target is None and not network.straight.any()
    assert not torch.equal(network.usual_error, torch.ones_like(network.usual_error))


@pytest.mark.parametrize(
    "model", [{"exponential_smoothing": True}, {"likelihood": "negative-binomial", "window_scaling": "mean"}]
)
def test_smoothing_and_counts_begin_without_a_line(tmp_path: Path, model: dict[str, Any]) -> None:
    task, forecaster = ready(tmp_path, [value % 5 + 1 for value in range(90)], **model)
    network: Any = forecaster.network
    assert task.initialize(network) is None
    assert not network.straight.any()
    assert torch.equal(network.usual_error, torch.ones_like(network.usual_error))


def test_the_average_of_the_weights_begins_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a task begins with: weights too, not buffers alone."""
    task, _ = ready(tmp_path, waves(200))
    state = TrainState(task, Training(ema=0.9), "float32")

    def initialize(network: Any) -> None:
        torch.nn.init.constant_(network.line.weight, 3.0)

    monkeypatch.setattr(task, "initialize", initialize)
    state.initialize()
    assert (state.weights()["line.weight"] == 3.0).all()


def test_where_nothing_is_left_to_learn_from_it_is_reported(tmp_path: Path) -> None:
    """And not that a linear model has no histories to choose a lookback by."""
    with pytest.raises(DataError, match=r"expected at least 2 values of a series for training.*hold less out"):
        ready(tmp_path, wave(50), {"valid_steps": 100}, lookback=None)


def test_a_regular_series_is_soon_forecast_as_well_as_by_a_line(tmp_path: Path) -> None:
    """A daily wave with little noise: what is to be learnt is small compared with what is read."""
    chance, at = np.random.default_rng(6), np.arange(24 * 60)
    values = 20 + np.sin(2 * np.pi * at / 24) + 0.05 * chance.normal(size=len(at))
    data = write(tmp_path / "pump.csv", [f"{value:.4f}" for value in values], step="60m")
    run = recurra.train("forecast", data, tmp_path / "run", **{**TINY, "lookback": None, "epochs": 10, "horizon": 24})
    assert run.evaluation is not None
    baselines = {name: one["mase"] for name, one in run.evaluation["baselines"].items()}
    assert run.evaluation["metrics"]["mase"] < 1.1 * baselines["linear"] < 0.9 * baselines["seasonal-naive"]


def test_so_much_is_read_as_tells_a_line_something(tmp_path: Path) -> None:
    """What comes back 60 steps later needs a lookback that long; a walk needs its last value, and two seasons are read anyway."""
    chance = np.random.default_rng(7)
    again = chance.normal(size=1500)
    for step in range(60, 1500):
        again[step] += 0.95 * again[step - 60]
    task, _ = ready(tmp_path, again, {"season": 15}, lookback=None)
    assert task.preprocessor.lookback == 60
    task, _ = ready(tmp_path, np.cumsum(chance.normal(size=1500)), {"season": 15}, lookback=None)
    assert task.preprocessor.lookback == 30


def test_validation_looks_at_all_steps_of_a_single_series(tmp_path: Path) -> None:
    task, forecaster = ready(tmp_path, wave(400))
    series, split = task.dataset.series, task.dataset.valid
    assert split is not None
    evaluated = EvaluationSet(series, split, task.dataset.train_ends, task.preprocessor, [])
    accumulator = MetricAccumulator(evaluated, forecaster.quantiles)
    for found in forecaster.backtest(series, valid_origins(series, split, forecaster.horizon, 1)):
        accumulator.add(found)
    metrics = validation_metrics(forecaster, task.dataset)
    assert metrics is not None
    assert metrics["mase"] == pytest.approx(accumulator.metrics()["mase"], rel=1e-6)


def test_validation_samples_few_futures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is sampled step by step: a validation from every step would take longer than the training."""
    task, forecaster = ready(tmp_path, wave(2400), strategy="recursive", samples=2)
    counts: list[int] = []
    backtest = forecaster.backtest

    def spied(series: Any, origins: Any) -> Any:
        counts.append(sum(map(len, origins)))
        return backtest(series, origins)

    monkeypatch.setattr(forecaster, "backtest", spied)
    assert validation_metrics(forecaster, task.dataset)
    assert counts == [MAX_SAMPLED_STEPS // forecaster.horizon]


def test_weights_that_were_saved_before_there_were_buffers_are_read(days: Run) -> None:
    """They were learnt in units of the window, and the whole line by gradients."""
    buffers = {"stretch": 1.0, "usual_error": 1.0, "pace": 1.0, "straight": 0.0}
    weights = days.task.build_network().state_dict()
    weights["line.weight"] = torch.randn_like(weights["line.weight"])
    old = {name: value for name, value in weights.items() if name not in buffers}
    network: Any = days.task.build_network()
    for name in buffers:
        network.get_buffer(name).fill_(2.0)
    network.load_state_dict(old)
    for name, value in buffers.items():
        assert (network.get_buffer(name) == value).all()
    windows = torch.randn(3, network.line.in_features)
    hidden, known = torch.zeros(3, network.head.in_features), torch.zeros(3, network.horizon, network.known_size)
    _, centre = network.eval().distribution_parameters(hidden, windows, known, torch.zeros(3, network.horizon, 1))
    line = torch.nn.functional.linear(windows, weights["line.weight"], weights["line.bias"])
    torch.testing.assert_close(centre[..., 0], line)

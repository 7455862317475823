"""What odd series give: a documented result, or an error that names the series and the row; never a NaN."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tests.tasks.forecast.conftest import TINY, numbers, ready, series_of, wave, write

import recurra
from recurra.errors import DataError
from recurra.nn.distributions import make_distribution


@pytest.mark.parametrize("value", [5.0, 0.0, -3.25])
def test_a_constant_series_continues_as_it_is(tmp_path: Path, value: float) -> None:
    run = recurra.train("forecast", write(tmp_path / "flat.csv", [value] * 60), tmp_path / "run", **TINY)
    (found,) = run.predict([series_of(tmp_path / "flat.csv", run)])
    assert (numbers(found) == value).all()
    metrics = (run.evaluation or {})["metrics"]
    assert metrics["mae"] == 0.0
    assert "mase" not in metrics  # there is no step to measure by
    json.dumps(run.evaluation, allow_nan=False)


def test_a_series_shorter_than_the_horizon_is_learnt_from_beside_others(tmp_path: Path) -> None:
    rows = [f"{np.datetime64('2024-01-01') + at},long,{v}" for at, v in enumerate(wave(60))]
    rows += [f"2024-01-0{day},short,{day}" for day in (1, 2, 3)] + ["2024-01-01,one,4"]
    path = tmp_path / "both.csv"
    path.write_text("\n".join(["time,id,y", *rows]) + "\n")
    run = recurra.train("forecast", path, tmp_path / "run", time="time", series="id", target="y", **TINY)
    found = run.predict(run.predictor.read_file(str(path)))
    assert [one["series"] for one in found] == ["long", "short", "one"]
    assert all(np.isfinite(numbers(one)).all() and len(one["time"]) == 4 for one in found)
    assert (numbers(found[2]) == 4).all()  # one value: nothing has ever changed


@pytest.mark.parametrize("length", [1, 2])
def test_too_short_a_series_alone_is_refused(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "short.csv", [1.0, 2.0][:length])
    with pytest.raises(DataError, match="expected at least 2 values of a series for training"):
        recurra.train("forecast", path, tmp_path / "run", test_steps=1, **TINY)
    assert not (tmp_path / "run").exists()


def test_lengths_zero_and_one_at_prediction(tmp_path: Path) -> None:
    _, forecaster = ready(tmp_path, wave(40))
    (one,) = forecaster.predict([np.array([3.5])])
    assert (numbers(one) == 3.5).all()
    with pytest.raises(DataError, match="series 1 has no value: there is nothing to forecast from"):
        forecaster.predict([np.array([])])
    with pytest.raises(DataError, match="series 2 has a target without any value"):
        forecaster.predict([np.array([1.0]), np.array([np.nan, np.nan])])


def test_a_series_without_values_does_no_harm_to_the_others(tmp_path: Path) -> None:
    rows = [f"{np.datetime64('2024-01-01') + at},good,{v}" for at, v in enumerate(wave(80))]
    rows += [f"{np.datetime64('2024-01-01') + at},dead," for at in range(80)]
    rows += [f"{np.datetime64('2024-01-01') + at},late,{at if at > 77 else ''}" for at in range(80)]
    path = tmp_path / "dead.csv"
    path.write_text("\n".join(["time,id,y", *rows]) + "\n")
    run = recurra.train("forecast", path, tmp_path / "run", time="time", series="id", target="y", **TINY)
    evaluation = run.evaluation or {}
    assert np.isfinite(list(evaluation["metrics"].values())).all()
    assert {"seasonal-naive", "linear"} <= set(evaluation["baselines"])


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
def test_a_gap_where_the_validation_begins_is_stepped_over(tmp_path: Path, strategy: str) -> None:
    values: list[float | None] = [*wave(96), *[None] * 6, *wave(18)]
    path = write(tmp_path / "gap.csv", values)
    run = recurra.train("forecast", path, tmp_path / "run", strategy=strategy, samples=8, **TINY)
    assert (run.evaluation or {})["metrics"]["mase"] > 0


@pytest.mark.parametrize("scaling", ["last", "standard", "robust", "mean"])
def test_tiny_values_are_learnt_like_large_ones(tmp_path: Path, scaling: str) -> None:
    batches = []
    for unit in (1.0, 2.0**-50):  # 1e-15; a power of two, so that nothing is rounded
        task, _ = ready(tmp_path, [value * unit for value in wave(60)], window_scaling=scaling)
        batches.append(next(iter(task.batches(0, batch=4, seed=1))))
    assert (batches[1].weights > 0).any()
    for name in ("inputs", "targets", "weights"):
        one, other = (getattr(batch, name) for batch in batches)
        torch.testing.assert_close(other, one)


def test_what_rounding_leaves_of_a_constant_is_none(tmp_path: Path) -> None:
    task, _ = ready(tmp_path, [0.1 + 0.2, 0.3] * 30)
    assert not (next(iter(task.batches(0, batch=4, seed=1))).weights > 0).any()


def test_small_changes_of_large_values_are_not_rounded_away(tmp_path: Path) -> None:
    path = write(tmp_path / "high.csv", [1e12 + value for value in wave(120)])
    run = recurra.train("forecast", path, tmp_path / "run", **TINY)
    (found,) = run.predict([series_of(path, run)])
    widths = np.array(found["quantiles"]["0.975"]) - np.array(found["quantiles"]["0.025"])
    assert (widths > 1).all()
    assert np.ptp(found["mean"]) > 0.1


def test_a_held_out_part_without_values_is_reported_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "ends.csv", [*wave(90), *[None] * 10])
    run = recurra.train("forecast", path, tmp_path / "run", **TINY)
    summary = run.task.prepare(run.path)
    assert "test: holds no value, so nothing is measured there" in summary.notes
    assert (run.evaluation or {})["data"] == "valid"


@pytest.mark.parametrize("value", ["inf", "-inf", "1e31", "nan"])
def test_infinite_and_huge_values_are_refused_and_nan_is_missing(tmp_path: Path, value: str) -> None:
    path = write(tmp_path / "odd.csv", wave(60))
    lines = path.read_text().split("\n")
    lines[30] = f"{lines[30].split(',')[0]},{value}"
    path.write_text("\n".join(lines))
    if value == "nan":
        run = recurra.train("forecast", path, tmp_path / "run", **TINY)
        assert "1 of 60 values of 'y' are missing" in run.task.prepare().notes
        return
    with pytest.raises(DataError, match=r"odd\.csv: line 31|series odd, step 30"):
        recurra.train("forecast", path, tmp_path / "run", **TINY)


NASTY = st.one_of(
    st.floats(-1e30, 1e30),
    st.sampled_from([np.nan, 0.0, -0.0, 1.0, 1e-300, 1e-13, 1e30, -1e30, 5e-324]),
)


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"window_scaling": "standard", "likelihood": "student-t"},
        {"window_scaling": "robust", "likelihood": "normal", "exponential_smoothing": True},
        {"window_scaling": "mean"},
        {"window_scaling": "none"},
        {"strategy": "recursive", "samples": 8},
        {"strategy": "recursive", "samples": 8, "likelihood": "normal", "window_scaling": "robust"},
    ],
    ids=str,
)
def test_a_forecast_never_holds_a_nan(model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    _, forecaster = ready(tmp_path_factory.mktemp("nasty"), wave(60), **model)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(NASTY, min_size=1, max_size=24))
    @example([1e30, -1e30] * 8)
    @example([1e-300] * 5 + [1e30])
    @example([np.nan] * 9 + [1.0])
    @example([0.0] * 20 + [5e-324])
    def holds(values: list[float]) -> None:
        series = np.array(values)
        assume(not np.isnan(series).all())
        (found,) = forecaster.predict([series], steps=True)
        for one in (found, *found["steps"]):
            values = numbers(one)
            assert np.isfinite(values).all()
            assert (np.diff(values[1:], axis=0) >= 0).all()  # quantiles do not cross

    holds()


COUNTS = {"likelihood": "negative-binomial", "window_scaling": "mean"}


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
def test_counts_are_never_negative_nor_nan(tmp_path: Path, strategy: str) -> None:
    values = [0] * 12 + [0, 0, 3, 0, 0, 1, 0, 7] * 6
    task, forecaster = ready(tmp_path, values, strategy=strategy, samples=16, **COUNTS)
    batch = next(iter(task.batches(0, batch=4, seed=1)))
    assert np.isfinite(task.loss(forecaster.network, batch, None)[0].item())  # the first windows hold nothing but 0
    for series in ([0.0] * 9, [0.0, 0.0, 4.0], [2_000.0, 0.0, 40_000.0, 3.0], [1e9, 2e9]):
        (found,) = forecaster.predict([np.array(series)])
        values = numbers(found)
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        if max(series) < 1e6:  # seven digits are given
            quantiles = np.array(list(found["quantiles"].values()))
            np.testing.assert_allclose(quantiles, np.round(quantiles), atol=1e-3)


def test_sampled_counts_are_whole() -> None:
    output = make_distribution("negative-binomial", [0.5])
    chance = torch.Generator().manual_seed(1)
    raw, uniform = torch.randn(64, 2, generator=chance), torch.rand(64, generator=chance)
    for unit in (0.0, 0.5, 7.0):
        units = torch.full((64,), unit)
        counts = output.sample(raw, torch.zeros(64), uniform, units) * units
        torch.testing.assert_close(counts, counts.round())


@pytest.mark.parametrize("mean", [0.01, 3.0, 1_900.0, 40_000.0])
@pytest.mark.parametrize("alpha", [0.01, 1.0, 20.0])
def test_quantiles_of_counts_are_scipys(mean: float, alpha: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    levels = [0.025, 0.1, 0.5, 0.9, 0.975, 0.995]
    output = make_distribution("negative-binomial", [0.5])
    raw = torch.from_numpy(np.log(np.expm1(np.array([[1.0 - 1e-6, alpha - 1e-3]])))).float()
    found = output.quantiles(raw, torch.zeros(1), levels, torch.tensor([mean]))[0] * mean
    wanted = stats.nbinom.ppf(levels, 1 / alpha, 1 / (1 + alpha * mean))
    # Counted ones are exact but for float32's mean; large ones are a gamma distribution's.
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1.01 if mean > 1e3 else 1e-3)


@pytest.mark.parametrize("kind", ["normal", "student-t", "negative-binomial"])
def test_samples_are_spread_as_what_they_are_drawn_from(kind: str) -> None:
    output, count = make_distribution(kind, [0.5]), 200_000
    raw, unit = torch.tensor([[3.0, 1.0]]), torch.ones(1)
    uniform = (torch.arange(count) + 0.5) / count
    drawn = output.sample(raw.expand(count, 2), torch.zeros(count), uniform, unit.expand(count))
    levels = [0.001, 0.025, 0.3, 0.5, 0.9, 0.999]
    wanted = output.quantiles(raw, torch.zeros(1), levels, unit)[0]
    found = torch.quantile(drawn, torch.tensor(levels), interpolation="higher")
    torch.testing.assert_close(found, wanted.detach(), rtol=0.01, atol=0.01)


def test_counts_are_whole_numbers_from_zero(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"step 4: expected a count from 0.*got -1"):
        ready(tmp_path, [3, 0, 2, -1, *[1] * 30], **COUNTS)
    task, _ = ready(tmp_path, [3, 0, 2.5, *[1] * 30], **COUNTS)
    assert any(note.startswith("1 values are no whole numbers") for note in task.dataset.notes)


def test_logarithms_need_values_above_zero(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="step 12: expected a value above 0"):
        ready(tmp_path, [*wave(11), 0.0, *wave(20)], transform="log")

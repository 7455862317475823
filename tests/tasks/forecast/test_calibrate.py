"""Intervals that hold what they promise: scaled by what the validation part asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurra
from recurra import Run
from recurra.tasks.forecast import Forecaster, ForecastingTask, linear_init
from recurra.tasks.forecast.calibrate import PRIOR_WINDOWS, fit_interval_scale

from .conftest import TINY, walk


def trained(data: Path, folder: Path, **settings: Any) -> Run:
    return recurra.train(
        "forecast", data, folder, **{**TINY, "test_share": 0.2, "valid_share": 0.2, "epochs": 2, **settings}
    )


def metric(run: Run, name: str) -> float:
    assert run.evaluation is not None
    return run.evaluation["metrics"][name]


@pytest.mark.parametrize("settings", [{}, {"likelihood": "normal"}, {"strategy": "recursive", "samples": 50}])
def test_intervals_that_were_learnt_too_narrow_hold_what_they_promise(
    tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forecaster that begins too sure has not learnt better after two passes; the point forecast stays as it is."""
    monkeypatch.setattr(linear_init, "ERROR_UNIT_FACTOR", 0.9)
    data = walk(tmp_path, 900)
    plain = trained(data, tmp_path / "plain", calibrate=False, **settings)
    run = trained(data, tmp_path / "run", **settings)
    assert metric(plain, "coverage_80") < 0.5
    assert 0.72 < metric(run, "coverage_80") < 0.84
    assert metric(run, "crps") < 0.95 * metric(plain, "crps")
    stretch = run.network.get_buffer("stretch").item()
    for before, after in zip(
        *(one.predict(one.predictor.read_file(str(data)) or []) for one in (plain, run)), strict=True
    ):
        quantiles = np.array(list(after["quantiles"].values()))
        assert np.array_equal(before["mean"], after["mean"])
        assert (np.diff(quantiles, axis=0) >= 0).all()
        wide = np.ptp(np.array(list(before["quantiles"].values())), axis=0)
        assert np.ptp(quantiles, axis=0) == pytest.approx(stretch * wide, rel=1e-3)


def test_the_factor_undoes_what_intervals_are_widened_by(tmp_path: Path) -> None:
    run = trained(walk(tmp_path), tmp_path / "run", calibrate=False)
    task, forecaster, stretch = run.task, run.predictor, run.network.get_buffer("stretch")
    assert isinstance(task, ForecastingTask) and isinstance(forecaster, Forecaster)
    valid = task.dataset.valid
    assert valid is not None
    windows = sum(end - first for first, end in zip(valid.firsts, valid.ends, strict=True)) / forecaster.horizon
    power = (windows + PRIOR_WINDOWS) / windows
    whole = fit_interval_scale(forecaster, task.dataset) ** power
    stretch.fill_(2.0)
    assert fit_interval_scale(forecaster, task.dataset) ** power == pytest.approx(whole / 2, rel=1e-3)
    task.config.model.calibrate = True
    task.calibrate(forecaster)
    assert stretch.item() == pytest.approx(whole ** (1 / power), rel=1e-6)


def test_nothing_is_scaled_without_a_validation_part_and_for_counts(tmp_path: Path) -> None:
    data = walk(tmp_path, 200)
    assert trained(data, tmp_path / "a", valid_share=0.0).network.get_buffer("stretch").item() == 1.0
    assert (
        trained(data, tmp_path / "b", likelihood="negative-binomial", window_scaling="mean")
        .network.get_buffer("stretch")
        .item()
        == 1.0
    )


def test_the_evaluation_reports_by_how_much(tmp_path: Path) -> None:
    run = trained(walk(tmp_path), tmp_path / "run")
    assert run.evaluation is not None
    stretch = run.network.get_buffer("stretch").item()
    assert f"{stretch:.2f}" != "1.00"
    assert any(f"are {stretch:.2f} times as wide as was learnt" in note for note in run.evaluation["details"]["notes"])

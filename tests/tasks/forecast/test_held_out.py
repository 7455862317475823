"""What is measured on: files that continue where the training ends, and a backtest that sees nothing of what comes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.tasks.forecast.conftest import TINY, ready, timed, wave, write

import recurra
from recurra import Run
from recurra.errors import DataError
from recurra.kernels import exact
from recurra.tasks.forecast import ForecasterConfig, ForecastingTask


def held_out(folder: Path, start: str, step: str = "1D") -> dict[str, Path]:
    """Write 60 days, and what is held out from another day on."""
    data = write(folder / "learn.csv", wave(60))
    return {"data": data, "test": write(folder / "test.csv", wave(20), start=start, step=step)}


def test_held_out_files_continue_where_the_training_files_end(tmp_path: Path) -> None:
    files = held_out(tmp_path, "2024-03-05")  # the first 60 days end on February 29
    task = ForecastingTask(
        ForecasterConfig.model_validate(
            {"data": {name: [str(path)] for name, path in files.items()} | {"horizon": 4}, "model": {"hidden": 4}}
        )
    )
    summary = task.prepare()
    (one,) = task.dataset.series
    assert len(one) == 60 + 4 + 20
    assert np.isnan(one.values[60:64]).all()
    assert not np.isnan(one.values[64:]).any()
    assert (np.diff(one.times) == np.timedelta64(1, "D")).all()
    assert any("4 steps are missing between" in note for note in summary.notes)


@pytest.mark.parametrize(
    ("start", "step", "message"),
    [
        ("2024-02-20", "1D", "begins at 2024-02-20, before its training data end"),
        ("2024-03-01T06:00", "1440m", "begins at 2024-03-01 06:00, which is off the steps of 1d"),
        ("2024-03-01T00:00", "60m", "has a value every 1h, expected one every 1d"),
    ],
)
def test_held_out_files_that_do_not_continue_are_refused(tmp_path: Path, start: str, step: str, message: str) -> None:
    files = held_out(tmp_path, start, step)
    with pytest.raises(DataError, match=message):
        recurra.train("forecast", files["data"], tmp_path / "run", test=files["test"], **TINY)


@pytest.mark.parametrize(
    "model",
    [{}, {"exponential_smoothing": True}, {"strategy": "recursive", "samples": 8}, {"layers": 2, "dilations": [1, 3]}],
    ids=str,
)
def test_a_backtest_is_what_predict_gives_for_the_same_history(tmp_path: Path, model: dict[str, Any]) -> None:
    _, forecaster = ready(tmp_path, wave(60), **model)
    transform = forecaster.preprocessor.transform
    series = [one for values in (wave(50), wave(31), [1.0]) for one in transform(timed(values))]
    origins = [np.arange(3, 50, 6), np.array([30]), np.array([0])]
    with exact(required=False):
        found = {}
        for some in forecaster.backtest(series, origins):
            for at, key in enumerate(zip(some.series.tolist(), some.origins.tolist(), strict=True)):
                found[key] = some.mean[at], some.quantiles[at]
        assert len(found) == sum(map(len, origins))
        for (number, origin), (mean, quantiles) in found.items():
            (alone,) = transform(timed((wave(50), wave(31), [1.0])[number][: origin + 1]))
            only = next(forecaster.backtest([alone], [np.array([origin])]))
            np.testing.assert_array_equal(only.mean[0], mean)
            np.testing.assert_array_equal(only.quantiles[0], quantiles)


@pytest.mark.parametrize("model", [{}, {"strategy": "recursive", "samples": 8}], ids=str)
def test_predict_reads_the_calendar_of_the_days_ahead_as_a_backtest_does(tmp_path: Path, model: dict[str, Any]) -> None:
    path = write(tmp_path / "days.csv", wave(60))
    data = {"data": [str(path)], "horizon": 9}
    config = {"data": data, "model": {"hidden": 4, "dropout": 0.0, **model}}
    task = ForecastingTask(ForecasterConfig.model_validate(config))
    task.prepare()
    task.choose_defaults(None, lambda: 1.0)
    torch.manual_seed(0)
    forecaster = task.predictor(task.build_network().eval())
    assert "week sin" in task.preprocessor.covariates.calendar.features
    origin = 40
    with exact(required=False):
        (known,) = forecaster.backtest(task.dataset.series, [np.array([origin])])
        (series,) = forecaster.read_file(str(write(tmp_path / "shorter.csv", wave(60)[: origin + 1]))) or []
        (result,) = forecaster.predict([series])
    np.testing.assert_allclose(result["mean"], known.mean[0, :, 0], rtol=1e-6)
    np.testing.assert_allclose(np.array(list(result["quantiles"].values())).T, known.quantiles[0, :, 0], rtol=1e-6)


def test_the_memory_of_a_backtest_does_not_grow_with_its_origins(tmp_path: Path) -> None:
    _, forecaster = ready(tmp_path, wave(60))
    (one,) = forecaster.preprocessor.transform(timed(wave(24_000)))

    def peak(origins: np.ndarray) -> int:
        tracemalloc.start()
        for some in forecaster.backtest([one], [origins]):
            assert np.isfinite(some.mean).all()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(np.arange(0, 24_000, 8))
    few, many = peak(np.arange(12_000)), peak(np.arange(24_000))
    assert many < 1.2 * few


def test_a_point_forecaster_covers_nothing_and_reports_no_coverage(sold: Run) -> None:
    evaluation = sold.evaluation or {}
    plain = evaluation["baselines"]["naive2"]
    assert not any(name.startswith("coverage") for name in plain)
    assert plain["crps"] == pytest.approx(plain["mae"])
    assert any(name.startswith("coverage") for name in evaluation["baselines"]["seasonal-naive"])


def test_other_series_are_measured_on_without_the_training_data(tmp_path: Path) -> None:
    """Without baselines nothing is to be learnt: the Naive2 of the OWA goes by each history alone."""
    data, other = write(tmp_path / "days.csv", wave(80)), write(tmp_path / "other.csv", wave(50))
    run = recurra.train("forecast", data, tmp_path / "run", **TINY)
    wanted = run.evaluate(other)
    data.unlink()
    found = recurra.load(run.path).evaluate(other, baselines=False)
    assert found["baselines"] == {}
    assert found["metrics"] == wanted["metrics"]
    assert "owa" in found["metrics"]

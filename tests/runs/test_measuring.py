"""A finished training is never lost: what cannot be measured, calibrated or drawn is left out, and the run is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.runs.trainings import CASES, SMALL, predicts, raises, train

import recurra
from recurra.errors import DataError, RecurraError
from recurra.runs import record
from recurra.runs.manifest import check_manifest
from recurra.runs.measuring import finite_evaluation
from recurra.runs.run import Run
from recurra.tasks import get_task, task_names


def test_every_task_has_a_case() -> None:
    assert set(CASES) == set(task_names())


# Data that end in numbers too large


def test_an_embedder_of_huge_values_is_whole(tmp_path: Path) -> None:
    rows = [f"{v},{v},{v},{v},{'xy'[n % 2]}" for n in range(24) for v in [1e30 * (n % 2)]]
    (tmp_path / "e.csv").write_text("\n".join(["a,b,c,d,label", *rows]) + "\n")
    run = recurra.train("embed", tmp_path / "e.csv", tmp_path / "run", **SMALL)
    evaluation = run.evaluation
    assert evaluation is not None
    assert any("too large or too small to compute with: rmse (inf)" in note for note in evaluation["details"]["notes"])
    assert all(np.isfinite(value) for value in evaluation["metrics"].values())
    assert run.evaluate() == evaluation


@pytest.mark.parametrize("steps", [20, 60, 200])
def test_a_forecaster_of_denormal_values_is_whole(tmp_path: Path, steps: int) -> None:
    (tmp_path / "d.csv").write_text("\n".join(["v", *(f"{n}e-320" for n in range(steps))]) + "\n")
    run = recurra.train("forecast", tmp_path / "d.csv", tmp_path / "run", horizon=1, **SMALL)
    json.dumps(run.evaluate(), allow_nan=False)


def test_series_without_channels_are_refused_with_their_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "z.npz", x=np.zeros((6, 5, 0)))
    for task in ("detect", "forecast"):
        with pytest.raises(DataError, match=r"z\.npz: x: expected at least one channel and one step, got 6 x 5 x 0"):
            recurra.train(task, tmp_path / "z.npz", tmp_path / "run", **SMALL)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("size", ["1e160", "-1e300"])
def test_values_whose_squares_overflow_are_refused_before_training(tmp_path: Path, size: str) -> None:
    rows = [f"{n % 7},{n % 5}" for n in range(100)]
    rows[40] = f"1,{size}"
    (tmp_path / "s.csv").write_text("\n".join(["v,load", *rows]) + "\n")
    for task, columns in (
        ("detect", {"past": ["load"]}),
        ("forecast", {"past": ["load"]}),
        ("forecast", {"known": ["load"]}),
    ):
        with pytest.raises(
            DataError, match=r"s\.csv: series s, step 41, 'load': expected a finite number of a size up to 1e\+140"
        ):
            recurra.train(task, tmp_path / "s.csv", tmp_path / "run", target=["v"], **columns, **SMALL)


def test_static_numbers_whose_squares_overflow_are_refused(tmp_path: Path) -> None:
    rows = [f"{'ab'[n % 2]},{n // 2},{n % 7},{1e200 if n % 2 else 1}" for n in range(80)]
    (tmp_path / "s.csv").write_text("\n".join(["shop,t,v,area", *rows]) + "\n")
    with pytest.raises(DataError, match="'area': expected finite numbers of a size up to 1e"):
        recurra.train(
            "forecast",
            tmp_path / "s.csv",
            tmp_path / "run",
            time="t",
            series="shop",
            target=["v"],
            static=["area"],
            **SMALL,
        )


# What a task may raise


@pytest.mark.parametrize("task", CASES)
def test_a_fault_of_the_program_leaves_a_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(get_task(task), "evaluate", raises(ValueError("zero-size array")))
        with pytest.raises(
            RecurraError, match=r"is a whole run .*ValueError: zero-size array.*recurra evaluate"
        ) as caught:
            train(task, tmp_path / "run")
        assert isinstance(caught.value.__cause__, ValueError)
        assert "\n" not in str(caught.value)
    check_manifest(tmp_path / "run")
    run = Run.load(tmp_path / "run")
    assert run.evaluation is None
    assert run.info()["unmeasured"] == "ValueError: zero-size array"
    assert predicts(run, task)
    assert run.evaluate()["metrics"]


@pytest.mark.parametrize("task", CASES)
@pytest.mark.parametrize("error", [OverflowError("too large"), ZeroDivisionError(), ValueError("no such thing")])
def test_a_run_that_cannot_be_calibrated_can_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, error: Exception
) -> None:
    monkeypatch.setattr(get_task(task), "calibrate", raises(error))
    if isinstance(error, ValueError):
        with pytest.raises(RecurraError, match="is a whole run"):
            train(task, tmp_path / "run")
    else:
        train(task, tmp_path / "run")
    run = Run.load(tmp_path / "run")
    assert predicts(run, task)
    assert run.evaluation is not None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_calibration_that_is_not_finite_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    def ruin(_: Any, predictor: Any) -> None:
        predictor.network.temperature.fill_(value)

    monkeypatch.setattr(get_task("classify"), "calibrate", ruin)
    assert train("classify", tmp_path / "run").network.temperature.item() == 1.0


@pytest.mark.parametrize(
    "error", [DataError("nothing to measure"), FloatingPointError("overflow"), np.linalg.LinAlgError("singular")]
)
def test_data_that_cannot_be_measured_are_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(get_task("lm"), "evaluate", raises(error))
    run = train("lm", tmp_path / "run")
    assert str(error) in run.info()["unmeasured"]
    with pytest.raises(DataError, match=str(error)):
        run.evaluate()


def test_an_evaluation_that_json_cannot_hold_leaves_a_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = get_task("lm").evaluate

    def with_array(*given: Any, **options: Any) -> dict[str, Any]:
        return {**real(*given, **options), "details": {"array": np.zeros(2)}}

    monkeypatch.setattr(get_task("lm"), "evaluate", with_array)
    with pytest.raises(RecurraError, match=r"is a whole run.*TypeError"):
        train("lm", tmp_path / "run")
    assert Run.load(tmp_path / "run").evaluation is None


def test_a_metric_of_validation_that_is_not_finite_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = get_task("lm").validate
    monkeypatch.setattr(get_task("lm"), "validate", lambda *given: {**real(*given), "perplexity": float("inf")})
    run = train("lm", tmp_path / "run")
    valid = run.events("valid")
    assert valid and all("nll" in event and "perplexity" not in event for event in valid)


def test_a_report_that_cannot_be_drawn_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(record, "write_report", raises(ZeroDivisionError("no width")))
    run = train("lm", tmp_path / "run")
    assert "report.html" not in check_manifest(run.path)
    assert "report: it could not be drawn: ZeroDivisionError: no width" in capsys.readouterr().err


# The gate


def test_figures_that_are_finite_stay_as_they_are() -> None:
    evaluation = {
        "metrics": {"mae": 1.0},
        "baselines": {"mean": {"mae": 2.0}},
        "details": {"notes": ["a"], "n": [None]},
    }
    assert finite_evaluation(evaluation) is evaluation


def test_each_figure_that_is_left_out_is_named() -> None:
    nan, inf = float("nan"), float("inf")
    kept = finite_evaluation(
        {
            "metrics": {f"m{n}": inf for n in range(5)} | {"good": 1},
            "baselines": {"mean": {"m0": nan, "m1": -inf, "m2": nan, "m3": 4.0}},
            "details": {
                "intervals": {"m0": (0.0, inf), "good": [0.5, 1.5]},
                "curve": [{"y": [1.0, nan, np.float64(inf)]}],
            },
        }
    )
    json.dumps(kept, allow_nan=False)
    assert kept["metrics"] == {"good": 1}
    assert kept["baselines"] == {"mean": {"m3": 4.0}}
    assert kept["details"]["intervals"] == {"good": [0.5, 1.5]}
    assert kept["details"]["curve"] == [{"y": [1.0, None, None]}]
    (note,) = kept["details"]["notes"]
    assert note.endswith(
        "m0 (inf), m1 (inf), m2 (inf), m3 (inf), m4 (inf), mean: m0 (nan), 2 more figures, 3 numbers of the details"
    )


def test_weights_of_a_run_are_finite(tmp_path: Path) -> None:
    run = train("detect", tmp_path / "run")
    assert all(torch.isfinite(each).all() for each in run.network.state_dict().values())

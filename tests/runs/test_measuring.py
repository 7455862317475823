"""A finished training is never lost: what cannot be measured, calibrated or drawn is left out, and the run is whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra.errors import DataError, RecurraError, RunError, UsageError
from recurra.runs import record, session
from recurra.runs.manifest import check_manifest
from recurra.runs.measuring import finite_evaluation
from recurra.runs.run import Run
from recurra.tasks import get_task, task_names

SMALL: dict[str, Any] = {"quiet": True, "hidden": 4, "epochs": 1, "threads": 1, "precision": "float32", "layers": 1}
GOLDEN = Path(__file__).parents[1] / "golden" / "data"
SHOPS = {"series": "shop", "time": "date", "target": ["sales"], "horizon": 2, "season": 7, "max_length": 40}
CASES: dict[str, tuple[str, dict[str, Any], Any]] = {
    "lm": ("verse.txt", {}, "the rain"),
    "classify": ("reviews.csv", {"linear": "none"}, "a good film"),
    "tag": ("names.conll", {}, "Anna lives in Rome"),
    "embed": ("waves.ts", {}, np.ones((9, 2), np.float32)),
    "forecast": ("sales.csv", SHOPS, None),
    "detect": ("plant.csv", {"time": "time", "target": ["temp", "bar"], "window": 16}, None),
}


def train(task: str, out: Path, **settings: Any) -> Run:
    data, own, _ = CASES[task]
    return recurra.train(task, GOLDEN / data, out, **SMALL, **own, **settings)


def answers(run: Run, task: str) -> bool:
    """Ask for a prediction, and tell whether there is one."""
    data, _, given = CASES[task]
    inputs = run.predictor.read_file(str(GOLDEN / data)) if given is None else [given]
    assert inputs
    return bool(run.predictor.predict(inputs[:1]))


def raises(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


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
    assert answers(run, task)
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
    assert answers(run, task)
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
    with pytest.raises(RecurraError, match="is a whole run.*TypeError"):
        train("lm", tmp_path / "run")
    assert Run.load(tmp_path / "run").evaluation is None


def test_a_metric_of_validation_that_is_not_finite_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = get_task("lm").validate
    monkeypatch.setattr(get_task("lm"), "validate", lambda *given: {**real(*given), "perplexity": float("inf")})
    run = train("lm", tmp_path / "run")
    valid = run.events("valid")
    assert valid and all("nll" in event and "perplexity" not in event for event in valid)


# Left by an older version, or by a kill


@pytest.mark.parametrize("task", CASES)
def test_a_training_that_was_lost_when_it_was_measured_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    class Lost(BaseException):
        """As a version did that did not catch it: no manifest is written."""

    with monkeypatch.context() as patch:
        patch.setattr(session, "measure_for_record", raises(Lost()))
        with pytest.raises(Lost):
            train(task, tmp_path / "run")
    with pytest.raises(RunError, match="has not ended"):
        Run.load(tmp_path / "run")
    run = recurra.resume(tmp_path / "run", quiet=True)
    whole = train(task, tmp_path / "whole")
    assert run.evaluation == whole.evaluation
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("name", ["report.html", "manifest.json", "model.safetensors", "metrics.jsonl"])
def test_a_disk_that_is_full_or_read_only_at_the_end_is_one_line_and_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    full = OSError(number, os.strerror(number))
    with monkeypatch.context() as patch:
        if name == "metrics.jsonl":
            real = session.MetricsLog.write

            def write(log: Any, event: dict[str, Any]) -> None:
                if event["event"] == "evaluation":
                    raise full
                real(log, event)

            patch.setattr(session.MetricsLog, "write", write)
        else:
            replace = os.replace

            def refuse(source: Any, target: Any) -> None:
                if Path(target).name == name:
                    raise full
                replace(source, target)

            patch.setattr(os, "replace", refuse)
        with pytest.raises(RunError, match=f"cannot be written: {os.strerror(number)}") as caught:
            train("lm", tmp_path / "run")
        assert "\n" not in str(caught.value)
    assert not [path.name for path in (tmp_path / "run").glob(".*")]
    run = recurra.resume(tmp_path / "run", quiet=True)
    whole = train("lm", tmp_path / "whole")
    assert run.evaluation == whole.evaluation
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()
    assert sorted(check_manifest(tmp_path / "run")) == sorted(check_manifest(tmp_path / "whole"))


def test_a_folder_that_is_removed_while_it_trains_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = get_task("lm").validate

    def remove(*given: Any) -> Any:
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        return real(*given)

    monkeypatch.setattr(get_task("lm"), "validate", remove)
    with pytest.raises(RunError, match=r"config\.toml: is missing") as caught:
        train("lm", tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_two_at_once_do_not_disturb_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, met = get_task("lm").evaluate, []

    def meanwhile(*given: Any, **options: Any) -> Any:
        if not met:
            met.append(True)
            with pytest.raises(RunError, match="another process is training there"):
                recurra.resume(tmp_path / "run", quiet=True)
            with pytest.raises(UsageError, match="is there already"):
                train("lm", tmp_path / "run")
            with pytest.raises(RunError, match="has not ended"):
                Run.load(tmp_path / "run")
        return real(*given, **options)

    monkeypatch.setattr(get_task("lm"), "evaluate", meanwhile)
    assert train("lm", tmp_path / "run").evaluation is not None
    assert met


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

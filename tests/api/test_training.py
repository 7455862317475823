"""A training from end to end: what it leaves, that it can be made again, and what is left where it goes wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.api.conftest import SETTINGS, TEXT, weights

import recurra
from recurra.errors import DivergedError, RunError, UsageError
from recurra.runs.run import Run
from recurra.tasks.lm import LanguageModelingTask
from recurra.training.loop import Trainer
from recurra.training.step import TrainState


def test_its_configuration_makes_the_same_model_again(data: Path, whole: Run, tmp_path: Path) -> None:
    again = recurra.train("lm", data, tmp_path / "again", config=whole.path / "config.toml", quiet=True)
    assert weights(again) == weights(whole)
    assert (again.path / "config.toml").read_bytes() == (whole.path / "config.toml").read_bytes()
    without = recurra.train("lm", out=tmp_path / "without", config=whole.path / "config.toml", quiet=True)
    assert weights(without) == weights(whole)


def test_what_was_left_open_is_written_down_and_made_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Precision, epochs and size that were measured here are settings there; only then is it the same training."""
    # A machine that turns slower on the way changes the plan, and what is made by another plan is another model.
    monkeypatch.setattr(Trainer, "_fit_to_time", lambda _: None)
    open_ = {name: value for name, value in SETTINGS.items() if name not in ("precision", "epochs", "batch", "dropout")}
    first = recurra.train("lm", data, tmp_path / "first", **open_, within="3s")
    chosen = first.configuration
    assert chosen.training.within is None
    assert chosen.training.precision in ("float32", "bfloat16")
    assert chosen.training.epochs is not None and chosen.training.batch is not None
    again = recurra.train("lm", data, tmp_path / "again", config=first.path / "config.toml", quiet=True)
    assert weights(again) == weights(first)


def test_within_is_kept_and_said_beforehand(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    settings = {**SETTINGS, "quiet": False, "epochs": None, "within": "6s", "hidden": 16}
    run = recurra.train("lm", data, tmp_path / "run", **settings)
    assert time.monotonic() - began < 60  # not a measure of speed: without the limit it would go on for many minutes
    printed = capsys.readouterr().err
    assert run.events("start")[0]["plan"] in printed
    assert "about" in run.events("start")[0]["plan"]
    assert run.events("end")[0]["reason"] == "finished"


def test_the_model_is_the_best_by_validation_and_averaged(data: Path, tmp_path: Path, whole: Run) -> None:
    best = [event for event in whole.events("valid") if event["best"]][-1]
    assert whole.task.prepare(whole.path).counts["valid_units"] > 0
    metrics = whole.task.validate(whole.predictor)
    assert metrics is not None
    assert metrics["nll"] == pytest.approx(best["nll"], abs=1e-9)
    (checkpoint,) = (whole.path / "checkpoint").iterdir()
    tensors = load_file(checkpoint)
    last = {name.removeprefix("model/"): t for name, t in tensors.items() if name.startswith("model/")}
    kept = load_file(whole.path / "model.safetensors")
    assert kept.keys() == last.keys()
    assert best["step"] == whole.events("end")[0]["step"]  # so that the checkpoint has the average that was best
    for index, (name, _) in enumerate(whole.network.named_parameters()):
        assert torch.equal(kept[name], tensors[f"average/{index}"])
        assert not torch.equal(kept[name], last[name])


def test_files_are_remembered_wherever_the_run_is_used_from(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text(TEXT[: 400 if name != "train" else None], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run = recurra.train("lm", "train.txt", "run", valid="valid.txt", test=[Path("test.txt")], **SETTINGS)
    evaluation = run.evaluation
    monkeypatch.chdir("/")
    assert recurra.load(tmp_path / "run").evaluate() == evaluation
    assert run.configuration.settings.data.valid == [str(tmp_path / "valid.txt")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("pattern", ["*.txt", "t[ex]*.txt", "~/[t]ext.txt", "text.txt", "a[1].txt"])
def test_globs_are_found_in_a_folder_with_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    folder = tmp_path / "d[1]*"
    folder.mkdir()
    (folder / ("a[1].txt" if pattern.startswith("a") else "text.txt")).write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    evaluation = recurra.train("lm", pattern, "run", **{**SETTINGS, "epochs": 0.2}).evaluation
    monkeypatch.chdir("/")
    assert recurra.load(folder / "run").evaluate() == evaluation


def test_runs_without_a_name_are_numbered(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    short = {**SETTINGS, "epochs": 0.2}
    assert [recurra.train("lm", data, **short).path for _ in range(2)] == [Path("runs/lm-1"), Path("runs/lm-2")]


def test_two_trainings_that_begin_at_once_take_two_folders(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare = LanguageModelingTask.prepare

    def prepare_while_another_begins(self: LanguageModelingTask, saved: Path | None = None) -> Any:
        Path("runs/lm-1").mkdir(parents=True, exist_ok=True)
        return prepare(self, saved)

    monkeypatch.setattr(LanguageModelingTask, "prepare", prepare_while_another_begins)
    assert recurra.train("lm", data, **{**SETTINGS, "epochs": 0.2}).path == Path("runs/lm-2")


WILD: dict[str, Any] = {
    **SETTINGS, "cell": "rnn-relu", "layer_norm": False, "optimizer": "sgd", "lr": 1e30, "clip": 1e30, "warmup": 0,
}  # fmt: skip


def test_a_training_that_diverges_leaves_its_last_good_weights(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(DivergedError, match=r"training stopped at step \d+ \(epoch 1, batch \d+\): ") as caught:
        recurra.train("lm", data, folder, **WILD)
    assert str(caught.value).endswith(f"{folder} is a run with the weights of step 0")
    (checkpoint,) = (folder / "checkpoint").iterdir()
    assert all(t.isfinite().all() for t in load_file(checkpoint).values() if t.is_floating_point())
    text = (folder / "metrics.jsonl").read_text(encoding="utf-8")
    assert "NaN" not in text and "Infinity" not in text
    run = recurra.load(folder)
    assert run.info()["ended"] == "diverged"
    assert all(p.isfinite().all() for p in run.network.parameters())
    assert run.evaluation is not None and run.evaluation["metrics"]["nll"] < 10
    assert len(run.generate("the", length=5, seed=1)) >= 8
    with pytest.raises(UsageError, match="has diverged, and would again; train again with a lower lr"):
        recurra.resume(folder, quiet=True)


def ruin(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Make the loss infinite from a step on."""
    trained = TrainState.step

    def train_step(self: TrainState, batch: Any, *rates: float) -> tuple[float, int, float]:
        if self.done >= step:
            with torch.no_grad():
                self.parameters[0].fill_(float("nan"))
        return trained(self, batch, *rates)

    monkeypatch.setattr(TrainState, "step", train_step)


def test_a_training_that_diverges_late_leaves_the_best_it_had(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = next(event for event in whole.events("valid"))
    ruin(monkeypatch, best["step"] + 1)
    with pytest.raises(DivergedError, match=f"a run with the weights of step {best['step']}$"):
        recurra.train("lm", data, tmp_path / "run", **{**SETTINGS, "ema": 0, "checkpoint_seconds": 3600})
    run = recurra.load(tmp_path / "run")
    (end,) = run.events("end")
    assert (end["best_step"], end["step"]) == (best["step"], best["step"] + 1)
    metrics = run.task.validate(run.predictor)
    assert metrics is not None
    assert metrics["nll"] == pytest.approx(run.events("valid")[0]["nll"], abs=1e-9)
    assert run.evaluation is not None


def test_a_model_that_cannot_be_measured_is_a_run_all_the_same(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise DivergedError("expected finite log-probabilities")

    monkeypatch.setattr(LanguageModelingTask, "evaluate", fail)
    run = recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    assert run.evaluation is None
    assert run.info()["ended"] == "finished"


def test_a_failure_before_the_first_checkpoint_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        recurra.train("lm", data, tmp_path / "a" / "b" / "run", **SETTINGS)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="No space left on device"):
        recurra.train("lm", data, tmp_path / "empty", **SETTINGS)
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]


@pytest.mark.parametrize("part", ["report_blocks", "description"])
def test_a_report_that_cannot_be_drawn_loses_no_run(
    data: Path,
    whole: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    part: str,
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a task's own mistake")

    monkeypatch.setattr(LanguageModelingTask, part, fail)
    run = recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    assert weights(run) == weights(whole) and weights(recurra.load(run.path)) == weights(whole)
    output, report = capsys.readouterr().err, run.path / "report.html"
    if part == "report_blocks":  # one part of the page fails, which says so
        assert "a task&#x27;s own mistake" in report.read_text(encoding="utf-8")
    else:  # all of it
        assert output == 'report: it could not be drawn: KeyError: "a task\'s own mistake"\n' and not report.exists()

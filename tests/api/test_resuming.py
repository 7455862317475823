"""A training that was stopped or killed goes on, and ends as if it had not been."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.api.conftest import SETTINGS, at_step, stop, weights

import recurra
from recurra.errors import RunError, UsageError
from recurra.runs import record
from recurra.runs.config import load_configuration
from recurra.runs.run import Run
from recurra.training.checkpoint import read_checkpoint
from recurra.training.loop import Trainer
from recurra.training.progress import Progress


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_can_be_used_and_gone_on_with(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    with monkeypatch.context() as patch:
        at_step(patch, 12, lambda: os.kill(os.getpid(), number))
        stopped = recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    (end,) = stopped.events("end")
    assert end["reason"] == "interrupted"
    assert end["step"] < whole.events("end")[0]["step"]
    assert stopped.evaluation is None
    assert len(stopped.generate("the", length=5, seed=1)) >= 8
    assert recurra.load(tmp_path / "run").info()["ended"] == "interrupted"
    resumed = recurra.resume(tmp_path / "run", quiet=True)
    assert weights(resumed) == weights(whole)
    assert resumed.evaluation == whole.evaluation
    assert [event["reason"] for event in resumed.events("end")] == ["finished"]


def test_a_second_ctrl_c_leaves_what_can_be_gone_on_with(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        at_step(patch, 12, twice)
        with pytest.raises(KeyboardInterrupt):
            recurra.train("lm", data, tmp_path / "run", **{**SETTINGS, "quiet": False})
    assert f"go on with: recurra train --resume {tmp_path / 'run'}" in capsys.readouterr().err
    with pytest.raises(RunError, match="its training has not ended"):
        recurra.load(tmp_path / "run")
    assert weights(recurra.resume(tmp_path / "run", quiet=True)) == weights(whole)


@pytest.mark.usefixtures("slower")
def test_the_epochs_that_were_planned_last_are_written_down(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    assert run.configuration.training.epochs == 1
    assert run.events("plan")[0]["steps"] == run.events("end")[0]["step"] == run.events("start")[0]["steps"] // 2
    with monkeypatch.context() as patch:
        patch.setattr(record, "write_report", lambda *_: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            recurra.train("lm", data, tmp_path / "killed", **SETTINGS)
    assert load_configuration(tmp_path / "killed" / "config.toml").training.epochs == 1
    again = recurra.resume(tmp_path / "killed", quiet=True)
    assert weights(again) == weights(run)
    assert (again.path / "config.toml").read_bytes() == (run.path / "config.toml").read_bytes()


@pytest.mark.usefixtures("slower")
def test_a_plan_that_changed_is_shown_after_a_resumption(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stop(data, tmp_path / "run", monkeypatch)
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(Progress, "event", lambda _, event: shown.append(event))
    recurra.resume(folder, quiet=True)
    assert [event["event"] for event in shown[:2]] == ["start", "plan"]
    assert [event["event"] for event in shown].count("plan") == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_its_first_checkpoint_a_training_keeps_its_limit_of_time(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A kill leaves the folder as it is just then: so a copy of it, made just then, is what a kill leaves."""
    save, killed = Trainer.save, tmp_path / "killed"

    def copy_and_save(loop: Trainer) -> None:
        if moment == "after":
            save(loop)
        if not killed.exists():
            shutil.copytree(tmp_path / "run", killed)
        if moment == "before":
            save(loop)

    settings = {**SETTINGS, "epochs": None, "within": "3s"}
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save", copy_and_save)
        whole = recurra.train("lm", data, tmp_path / "run", **settings)
    assert (killed / "checkpoint").is_dir() == (moment == "after")
    left = load_configuration(killed / "config.toml").training
    assert (left.within, left.epochs, left.precision) == ("3s", None, "float32")
    run = recurra.resume(killed, quiet=True)
    plan = read_checkpoint(killed / "checkpoint").facts["plan"]  # type: ignore[union-attr]
    assert 0 < plan["seconds"] < 3
    assert run.configuration.training.within is None
    assert run.configuration.training.epochs == plan["epochs"]
    assert run.events("end")[0]["reason"] == "finished"
    assert run.configuration.task == whole.configuration.task and run.evaluation is not None


def test_an_unfinished_run_says_how_to_finish_it(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stop(data, tmp_path / "run", monkeypatch)
    with pytest.raises(RunError, match=f"go on with `recurra train --resume {folder}`"):
        recurra.load(folder)
    with pytest.raises(UsageError, match=f"or go on with it: recurra train --resume {folder}"):
        recurra.train("lm", data, folder, **SETTINGS)

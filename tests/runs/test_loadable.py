"""Whatever is trained can be loaded: what a file may hold is never less than what a training makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.runs.trainings import CASES, SMALL, raises, train

import recurra
from recurra.errors import RunError, UsageError
from recurra.runs.run import Run
from recurra.tasks import get_task


@pytest.mark.parametrize(("task", "settings"), [("forecast", {"horizon": 2}), ("detect", {})])
def test_a_step_of_many_microseconds(tmp_path: Path, task: str, settings: dict[str, Any]) -> None:
    step = np.timedelta64(11_832_345_678, "us")  # 3 h 17 min 12.345678 s
    times = np.datetime64("2024-01-01T00:00:00.000000") + step * np.arange(120)
    rows = [f"{time},{np.sin(number / 5):.4f}" for number, time in enumerate(times)]
    (tmp_path / "odd.csv").write_text("\n".join(["time,v", *rows]) + "\n")
    recurra.train(task, tmp_path / "odd.csv", tmp_path / "run", **SMALL, **settings)
    assert Run.load(tmp_path / "run").configuration.task == task


@pytest.mark.parametrize("settings", [{"hop": 600_000}, {"frame": 1_100_000, "hop": 1}])
def test_frames_longer_than_the_series(tmp_path: Path, settings: dict[str, int]) -> None:
    series = np.sin(np.arange(30)[None, :, None] * np.linspace(0.1, 1, 8)[:, None, None])
    np.savez(tmp_path / "s.npz", x=series, y=np.array(["a", "b"] * 4))
    recurra.train("classify", tmp_path / "s.npz", tmp_path / "run", **SMALL, **settings, linear="none")
    assert Run.load(tmp_path / "run").configuration.task == "classify"


@pytest.mark.parametrize("task", CASES)
def test_what_could_not_be_loaded_is_refused_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    monkeypatch.setattr(
        get_task(task).Predictor, "load_preprocessor", raises(RunError("a.json: is damaged: too large"))
    )
    with pytest.raises(UsageError, match=r"cannot be loaded: a\.json: is damaged: too large"):
        train(task, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("task", CASES)
def test_the_largest_seed_is_a_seed(tmp_path: Path, task: str) -> None:
    run = train(task, tmp_path / "run", **{"seed": 2**63 - 1})
    assert run.configuration.training.seed == 2**63 - 1

"""What the tests of trainings from end to end share: a text, settings, and ways to stop a training."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import recurra
from recurra.runs import session
from recurra.runs.run import Run
from recurra.training.loop import Trainer
from recurra.training.plan import Plan, make_plan
from recurra.training.progress import Progress

TEXT = "".join(f"{i} 白日依山盡，黃河入海流。 the rain in spain {i * i % 101}\n" for i in range(40))
SETTINGS: dict[str, Any] = {
    "hidden": 8, "layers": 1, "epochs": 2.0, "bptt": 16, "batch": 4, "threads": 1, "dropout": 0.2, "ema": 0.9,
    "precision": "float32", "validations": 3, "valid_share": 0.1, "test_share": 0.1, "quiet": True, "ngram": "none",
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return recurra.train("lm", data, tmp_path_factory.mktemp("whole") / "run", **SETTINGS)


def weights(run: Run | Path) -> bytes:
    return ((run if isinstance(run, Path) else run.path) / "model.safetensors").read_bytes()


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, then: Any) -> None:
    """Do something when a training shows the entry of a step."""
    event = Progress.event

    def watch(self: Progress, shown: dict[str, Any]) -> None:
        event(self, shown)
        if shown.get("event") == "train" and shown["step"] >= step:
            then()

    monkeypatch.setattr(Progress, "event", watch)


def stop(data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave a training that was stopped in the middle, without a manifest, as a kill would."""
    with monkeypatch.context() as patch:
        at_step(patch, 12, lambda: os.kill(os.getpid(), signal.SIGTERM))
        recurra.train("lm", data, folder, **SETTINGS)
    (folder / "manifest.json").unlink()
    return folder


@pytest.fixture
def slower(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a training with a limit of time find at step 10 that only half of its steps fit into it."""

    def with_a_limit(*arguments: Any) -> Plan:
        return replace(make_plan(*arguments), seconds=3600.0)

    def fit_to_time(loop: Trainer) -> None:
        if loop.position.step == 10:
            loop.plan.epochs, loop.plan.steps = loop.plan.epochs / 2, loop.plan.steps // 2
            loop.emit({"event": "plan", "step": 10, "steps": loop.plan.steps})

    monkeypatch.setattr(session, "make_plan", with_a_limit)
    monkeypatch.setattr(Trainer, "_fit_to_time", fit_to_time)

"""A training that is stopped and resumed ends with the same bits as one that is not, whatever the task learns.

The language model's is also killed, at any moment: `tests/training/test_resume.py`.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurra
from recurra.training.step import TrainState

EXACT = {"precision": "float32", "threads": 1, "seed": 3, "hidden": 6, "epochs": 4, "dropout": 0.2, "quiet": True}


def machines(folder: Path) -> dict[str, Any]:
    rows = [f"m{n % 2},{n // 2},{np.sin(n / 9):.4f},{'' if n % 31 == 0 else n % 5}" for n in range(300)]
    (folder / "machines.csv").write_text("\n".join(["machine,t,x,y", *rows]) + "\n")
    columns = {"series": "machine", "time": "t"}
    return {"data": folder / "machines.csv", **columns, "horizon": 3, "window": 8, "batch": 3}


def waves(folder: Path) -> dict[str, Any]:
    np.savez(folder / "waves.npz", x=np.random.default_rng(1).normal(size=(40, 9, 2)), y=[0, 1] * 20)
    return {"data": folder / "waves.npz", "valid_share": 0.2, "noise": 0.1, "decoder_input_dropout": 0.5, "batch": 8}


def texts(folder: Path) -> dict[str, Any]:
    lines = [f"{n} 白日依山盡 the rain in spain {n * n % 101}" for n in range(40)]
    (folder / "texts.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"data": folder / "texts.txt", "valid_share": 0.2, "unit": "char", "objective": "next_step", "batch": 8}


@pytest.mark.parametrize(("task", "given"), [("detect", machines), ("embed", waves), ("embed", texts)])
def test_stopped_and_resumed_it_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str, given: Any
) -> None:
    settings = {**given(tmp_path), **EXACT}
    whole = recurra.train(task, out=tmp_path / "whole", **settings)
    step, calls = TrainState.step, [0]

    def stopping(self: TrainState, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 7:
            signal.raise_signal(signal.SIGINT)
        return step(self, *arguments)

    monkeypatch.setattr(TrainState, "step", stopping)
    recurra.train(task, out=tmp_path / "stopped", **settings)
    ends = recurra.load(tmp_path / "stopped").events("end")
    assert ends[-1]["reason"] == "interrupted" and ends[-1]["step"] == 7
    resumed = recurra.resume(tmp_path / "stopped", quiet=True)
    known = {"checkpoint", "metrics.jsonl", "report.html", "manifest.json"}  # which hold times
    files = [path.name for path in whole.path.iterdir() if path.name not in known]
    assert "model.safetensors" in files and len(files) > 2
    for name in files:
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes(), name
    assert resumed.evaluation == whole.evaluation

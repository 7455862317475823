"""A training that is stopped and gone on with ends with the same bits as one that is not."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurra
from recurra.training.step import Trainer

SETTINGS = {"hidden": 6, "ahead": 3, "epochs": 4, "window": 8, "batch": 3, "dropout": 0.2, "quiet": True}
EXACT = {"precision": "float32", "threads": 1, "seed": 3}


def test_stopped_and_gone_on_with_it_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"m{n % 2},{n // 2},{np.sin(n / 9):.4f},{'' if n % 31 == 0 else n % 5}" for n in range(300)]
    (tmp_path / "machines.csv").write_text("\n".join(["machine,t,x,y", *rows]) + "\n")
    columns = {"series": "machine", "time": "t"}
    whole = recurra.train("detect", tmp_path / "machines.csv", tmp_path / "whole", **columns, **SETTINGS, **EXACT)
    step, calls = Trainer.step, [0]

    def stopping(self: Trainer, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 7:
            signal.raise_signal(signal.SIGINT)
        return step(self, *arguments)

    monkeypatch.setattr(Trainer, "step", stopping)
    recurra.train("detect", tmp_path / "machines.csv", tmp_path / "stopped", **columns, **SETTINGS, **EXACT)
    ends = recurra.load(tmp_path / "stopped").events("end")
    assert ends[-1]["reason"] == "interrupted" and ends[-1]["step"] == 7
    gone_on = recurra.resume(tmp_path / "stopped", quiet=True)
    for name in ("model.safetensors", "channels.json"):
        assert (gone_on.path / name).read_bytes() == (whole.path / name).read_bytes()
    assert gone_on.evaluation == whole.evaluation

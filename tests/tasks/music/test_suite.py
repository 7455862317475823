"""The model of music keeps what every task promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.tasks.music import MusicConfig, MusicTask
from recurra.testing import task_checks
from recurra.testing.case import TaskCase
from recurra.testing.expect import one_thread

MODELS: dict[str, dict[str, Any]] = {
    "joint": {"head_units": 12},
    "bernoulli": {"head": "bernoulli", "cell": "lstm", "position": False, "key": False, "last_bar": False},
    "voices": {"layers": 1, "dropout": 0.2},
    "drums": {"cell": "rnn"},
    "bare drums": {"expression": False, "tempo": False},
}
DATA: dict[str, dict[str, Any]] = {
    "joint": {"excerpt": 7},
    "bernoulli": {"transpositions": 1},
    "voices": {"steps": 1},
    "drums": {"kind": "drums", "metre": "3/4"},
    "bare drums": {"kind": "drums"},
}
LINES = {
    "joint": ["[[60, 64], [62], []]", "[[21, 108]]"],
    "bernoulli": ["[[60], [62]]"],
    "voices": ["[[72, 60], [-1, 60]]"],
    "drums": ["[[0, 2], [], [1]]"],
    "bare drums": ["[[0, 2], [], [1]]"],
}


def scales(count: int, seed: int = 0) -> list[list[list[int]]]:
    """Make pieces of a scale that goes up over a fifth, from a place that differs."""
    random = np.random.default_rng(seed)
    pieces = []
    for _ in range(count):
        base, length = 48 + int(random.integers(0, 20)), int(random.integers(9, 14))
        pieces.append([[base, base + 7, base + 12 + at % 5] for at in range(length)])
    return pieces


def write(folder: Path, name: str) -> str:
    if "drums" in name:
        from recurra.music import write_midi

        for number in range(40):
            hits = [
                (96 * at + 2 * (at % 2), 96 * at + 24, 36 if (at + number) % 3 else 38, 80 + at % 3, 9)
                for at in range(10 + number % 3)
            ]
            (folder / f"{number}.mid").write_bytes(write_midi(np.array(hits), 96, 90 + number, beats=3))
        return str(folder)
    pieces: Any = scales(40)
    if name == "voices":
        pieces = [[[step[2], -1 if at == 2 else step[0]] for at, step in enumerate(piece)] for piece in pieces]
    (folder / "scales.json").write_text(json.dumps(pieces))
    return str(folder / "scales.json")


def configure(folder: Path, name: str) -> MusicConfig:
    data = {"data": [write(folder, name)], "valid_share": 0.2, "test_share": 0.2, **DATA[name]}
    return MusicConfig.model_validate({"data": data, "model": {"hidden": 8, **MODELS[name]}})


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_suite(check: Any, name: str, tmp_path: Path) -> None:
    lines = LINES[name]
    with one_thread():
        check(TaskCase(MusicTask, lambda folder: configure(folder, name), tmp_path, 4, lines))

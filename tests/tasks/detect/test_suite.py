"""The detector keeps what every task promises, on each kind of series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recurra.tasks import Settings
from recurra.tasks.detect import AnomalyDetectionTask, DetectorConfig
from recurra.testing import check_task
from recurra.testing.case import TaskCase
from recurra.testing.tasks import check_learning, check_loss

TINY = {"hidden": 8, "dropout": 0.1}


def wave(steps: int, chance: np.random.Generator, phase: float = 0.0) -> np.ndarray:
    return np.sin(2 * np.pi * (np.arange(steps) / 12 + phase)) + chance.normal(0, 0.1, steps)


def plant(folder: Path, **settings: object) -> Settings:
    """One machine with two channels, a covariate, time stamps, gaps, and two events in its last part that a column marks."""
    chance = np.random.default_rng(1)
    steps = 420
    temp, load = wave(steps, chance), (np.arange(steps) % 24 < 12).astype(float)
    bar = 3 * load + chance.normal(0, 0.1, steps)
    temp[380:384] += 4
    bar[410] = -9
    rows = ["time,temp,bar,load,fault"]
    for n in range(steps):
        time = np.datetime64("2024-03-01T00:00") + n * np.timedelta64(60, "m")
        cell = "" if n % 37 == 0 else f"{temp[n]:.3f}"
        rows.append(f"{time},{cell},{bar[n]:.3f},{load[n]:.0f},{int(380 <= n < 384 or n == 410)}")
    (folder / "plant.csv").write_text("\n".join(rows) + "\n")
    data = {"data": [str(folder / "plant.csv")], "target": ["temp", "bar"], "past": ["load"], "label": "fault"}
    shares = {"valid_share": 0.2, "test_share": 0.2}
    return DetectorConfig.model_validate({"data": {**data, **shares, "window": 24}, "model": {**TINY, **settings}})


def machines(folder: Path) -> Settings:
    """Several machines of several lengths in one table, each scaled by its own past, with a word and a number for each."""
    chance = np.random.default_rng(2)
    rows = ["machine,kind,size,t,x"]
    for number, steps in enumerate((90, 150, 61)):
        for t, value in enumerate(wave(steps, chance, number / 3)):
            rows.append(f"m{number},{'pump' if number % 2 else 'fan'},{number},{t},{10 * number + value:.3f}")
    (folder / "machines.csv").write_text("\n".join(rows) + "\n")
    data = {
        "data": [str(folder / "machines.csv")],
        "series": "machine",
        "time": "t",
        "target": ["x"],
        "scale": "series",
    }
    further = {"static": ["kind", "size"], "test_share": 0.2}
    model = {**TINY, "cell": "gru", "horizon": 3, "likelihood": "normal"}
    return DetectorConfig.model_validate(
        {"data": {**data, **further}, "model": model, "scoring": {"threshold": "record", "error_smoothing": 4}}
    )


def beats(folder: Path) -> Settings:
    """Short series that are scored as wholes, with an array that says which of those of the test are not normal."""
    chance = np.random.default_rng(3)
    (folder / "labels").mkdir()
    np.save(folder / "train.npy", np.stack([wave(30, chance) for _ in range(60)]))
    np.save(folder / "test.npy", np.stack([wave(30, chance) * (1 if n % 2 else -1) for n in range(20)]))
    np.save(folder / "labels" / "test.npy", np.arange(20) % 2 == 0)
    files = {"data": [str(folder / "train.npy")], "test": [str(folder / "test.npy")], "layout": "series"}
    data = {**files, "anomaly_labels": [str(folder / "labels" / "test.npy")]}
    return DetectorConfig.model_validate({"data": data, "model": {**TINY, "layers": 2, "residual": True}})


def without_calendar(folder: Path) -> Settings:
    config = plant(folder)
    return config.model_copy(update={"data": config.data.model_copy(update={"calendar": False})})


@pytest.mark.parametrize(
    ("configure", "lines"),
    [
        (without_calendar, ["[[1, 2, 0], [3, null, 1], [0, 0, 0]]", "[]", "[[0.5, 0, 1]]"]),
        (machines, ["1, 2, 3, 2, 1", "[]", "1,,3"]),
        (beats, ["[0.1, 0.5, 0.9, 1, 0.9]", "0", "[]"]),
    ],
)
def test_the_suite(configure: Callable[[Path], Settings], lines: list[str]) -> None:
    check_task(AnomalyDetectionTask, configure, lines=lines)


@pytest.mark.parametrize(("cell", "likelihood"), [("rnn", "normal"), ("graves-lstm", "student-t")])
def test_every_cell_learns(tmp_path: Path, cell: str, likelihood: str) -> None:
    def configure(folder: Path) -> Settings:
        return plant(folder, cell=cell, likelihood=likelihood, layers=2, residual=True)

    case = TaskCase(AnomalyDetectionTask, configure, tmp_path)
    check_loss(case)
    check_learning(case)

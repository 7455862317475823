"""What the tests of forecasters share: series, and runs that have learnt from some."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

import recurra
from recurra import Run
from recurra.data.timeseries.reader import TimeSeries
from recurra.tasks.forecast import Forecaster, ForecasterConfig, ForecastingTask

TINY = {"hidden": 8, "lookback": 7, "quiet": True, "epochs": 1, "threads": 1, "horizon": 4, "precision": "float32"}
KNOWN_DAYS = 4
"""Days to come of which is known whether there is a promotion."""


def shops(folder: Path, *, stamps: bool = True, steps: int = 90, gaps: bool = True) -> Path:
    """Write two shops of daily sales, which go up on days of promotion, known ahead; some values are missing."""
    chance = np.random.default_rng(3)
    rows = ["time,shop,size,sales,visits,promotion"]
    for shop, level in (("north", 40.0), ("south", 90.0)):
        before = 0.0
        for day in range(steps):
            time = np.datetime64("2024-01-01") + day if stamps else day
            promotion = int(chance.random() < 0.3)
            before = 0.7 * before + chance.normal()
            sales = level + 3 * np.sin(2 * np.pi * day / 7) + 10 * promotion + before
            written = "" if gaps and day in (20, 21, 50) else f"{sales:.3f}"
            rows.append(f"{time},{shop},{level},{written},{sales / 2 + chance.normal():.3f},{promotion}")
        for day in range(steps, steps + KNOWN_DAYS):  # of the days to come only what is known ahead
            time = np.datetime64("2024-01-01") + day if stamps else day
            rows.append(f"{time},{shop},{level},,,{int(chance.random() < 0.3)}")
    path = folder / "shops.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def walk(folder: Path, steps: int = 600, *, channels: int = 1) -> Path:
    """Write a series that falls back to its level, without time stamps."""
    chance = np.random.default_rng(4)
    values = np.zeros((steps, channels))
    for step in range(1, steps):
        values[step] = 0.2 * values[step - 1] + chance.normal(size=channels)
    header = ",".join(f"c{number}" for number in range(channels))
    path = folder / "walk.csv"
    path.write_text("\n".join([header, *(",".join(f"{20 + v:.4f}" for v in row) for row in values)]) + "\n")
    return path


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    return shops(tmp_path)


def write(path: Path, values: Any, *, start: str = "2024-01-01", step: str = "1D") -> Path:
    """Write a table of one series; None leaves the cell empty."""
    length, unit = np.timedelta64(int(step[:-1]), step[-1]), "D" if step.endswith("D") else "m"
    first = np.datetime64(start, unit)
    rows = [f"{first + at * length},{'' if v is None else v}" for at, v in enumerate(values)]
    path.write_text("\n".join(["time,y", *rows]) + "\n")
    return path


def wave(steps: int, season: int = 7) -> list[float]:
    chance = np.random.default_rng(1)
    return [float(f"{10 + 3 * np.sin(2 * np.pi * at / season) + chance.normal():.3f}") for at in range(steps)]


def ready(
    folder: Path, values: Any, data: dict[str, Any] | None = None, **model: Any
) -> tuple[ForecastingTask, Forecaster]:
    """Give a task that has read a series of counted steps, and a forecaster that has learnt nothing."""
    path = folder / "series.csv"
    path.write_text("\n".join(["y", *(str(value) for value in values)]) + "\n")
    settings = {"data": [str(path)], "horizon": 4, "season": 3, "window": 16, **(data or {})}
    config = {"data": settings, "model": {"hidden": 4, "lookback": 5, "dropout": 0.0, **model}}
    task = ForecastingTask(ForecasterConfig.model_validate(config))
    task.prepare()
    task.choose_defaults(None, lambda: 1.0)
    torch.manual_seed(0)
    return task, cast(Forecaster, task.predictor(task.build_network().eval()))


@pytest.fixture(scope="session")
def days(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of one series of days."""
    folder = tmp_path_factory.mktemp("days")
    return recurra.train("forecast", write(folder / "days.csv", wave(120)), folder / "run", **TINY)


@pytest.fixture(scope="session")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two shops, with columns of all kinds."""
    folder = tmp_path_factory.mktemp("sold")
    columns = {"time": "time", "series": "shop", "target": "sales", "known": "promotion", "past": "visits"}
    return recurra.train("forecast", shops(folder), folder / "run", static="size", **columns, **TINY)


def numbers(result: dict[str, Any]) -> np.ndarray:
    return np.array([result["mean"], *result["quantiles"].values()])


def timed(values: list[float]) -> TimeSeries:
    none = np.zeros((len(values), 0))
    return TimeSeries("", np.array(values)[:, None], np.arange(len(values)), none, none, (), "a test")


def series_of(path: Path, run: Run) -> TimeSeries:
    """Read the one series of a file as `recurra predict` does."""
    (series,) = run.predictor.read_file(str(path)) or []
    return series

"""A trained detector of a small plant, for the tests that ask it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra import Run

STEPS = 480


def rows(faults: bool = False) -> list[str]:
    """Hourly readings of two channels and a covariate; with faults: a jump of temp at step 400, bar fails at 440."""
    chance = np.random.default_rng(5)
    load = (np.arange(STEPS) % 24 < 12).astype(float)
    temp = 20 + np.sin(2 * np.pi * np.arange(STEPS) / 24) + chance.normal(0, 0.05, STEPS)
    bar = 3 * load + chance.normal(0, 0.1, STEPS)
    if faults:
        temp[400:406] += 5
        bar[440:444] = -6
    times = np.datetime64("2024-03-01T00:00") + np.arange(STEPS) * np.timedelta64(60, "m")
    marks = [int(faults and (400 <= n < 406 or 440 <= n < 444)) for n in range(STEPS)]
    return [f"{times[n]},{temp[n]:.4f},{bar[n]:.4f},{load[n]:.0f},{marks[n]}" for n in range(STEPS)]


HEADER = "time,temp,bar,load,fault"


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on normal readings, whose folder also holds faulty.csv."""
    folder: Path = tmp_path_factory.mktemp("plant")
    (folder / "normal.csv").write_text("\n".join([HEADER, *rows()]) + "\n")
    (folder / "faulty.csv").write_text("\n".join([HEADER, *rows(faults=True)]) + "\n")
    columns = {"target": ["temp", "bar"], "past": ["load"], "label": "fault", "time": "time"}
    settings = {"hidden": 16, "epochs": 60, "horizon": 4, "quiet": True, "precision": "float32", "threads": 1}
    return recurra.train("detect", folder / "normal.csv", folder / "run", **columns, **settings)

"""Forecasts are for times with the zone that the history was written with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurra


def table(folder: Path, zone: str) -> Path:
    hours = np.arange("2024-05-01", "2024-05-11", dtype="M8[h]").astype("M8[m]").astype(str)
    rows = [f"{time}{zone},{np.sin(n / 4):.4f}" for n, time in enumerate(hours)]
    path = folder / "tide.csv"
    path.write_text("\n".join(["time,height", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("zoned")
    settings = {"hidden": 4, "epochs": 1, "precision": "float32", "threads": 1, "quiet": True}
    return recurra.train("forecast", table(folder, "+02:00"), folder / "run", horizon=2, **settings)


@pytest.mark.parametrize(("zone", "written"), [("+02:00", "+02:00"), ("Z", "Z"), ("-0330", "-03:30"), ("", "")])
def test_times_ahead_have_the_zone_of_the_history(run: Any, tmp_path: Path, zone: str, written: str) -> None:
    (result,) = run.predict(run.predictor.read_file(str(table(tmp_path, zone))), steps=True)
    assert result["time"] == [f"2024-05-11T00:00{written}", f"2024-05-11T01:00{written}"]
    assert result["steps"][0]["time"] == f"2024-05-01T00:00{written}"


def test_days_on_their_own_clocks_have_no_zone(tmp_path: Path) -> None:
    days = np.arange("2024-03-01", "2024-05-01", dtype="M8[D]").astype(str)
    rows = [f"{day}T00:00{'+02:00' if day >= '2024-04-01' else '+01:00'},{n % 7}" for n, day in enumerate(days)]
    (tmp_path / "sales.csv").write_text("\n".join(["day,sold", *rows]) + "\n")
    settings = {"hidden": 4, "epochs": 1, "quiet": True}
    run: Any = recurra.train("forecast", tmp_path / "sales.csv", tmp_path / "run", horizon=2, **settings)
    (result,) = run.predict(run.predictor.read_file(str(tmp_path / "sales.csv")))
    assert result["time"] == ["2024-05-01", "2024-05-02"]

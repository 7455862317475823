"""When things are, in a detector's results: times come back with the zone that they were written with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.errors import UsageError


def rows(zone: str) -> list[str]:
    hours = np.arange("2024-05-01", "2024-05-15", dtype="M8[h]").astype("M8[m]").astype(str)
    return [f"{time}:00{zone},{np.sin(n / 4) + (9 if n == 300 else 0):.4f}" for n, time in enumerate(hours)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("zoned")
    (folder / "past.csv").write_text("\n".join(["time,x", *rows("+02:00")[:290]]) + "\n")
    settings = {"hidden": 8, "epochs": 20, "precision": "float32", "threads": 1, "quiet": True}
    return recurra.train("detect", folder / "past.csv", folder / "run", **settings)


@pytest.mark.parametrize(("zone", "written"), [("+02:00", "+02:00"), ("Z", "Z"), ("-0330", "-03:30"), ("", "")])
def test_times_come_back_with_their_zone(run: Any, tmp_path: Path, zone: str, written: str) -> None:
    path = tmp_path / "new.csv"
    path.write_text("\n".join(["time,x", *rows(zone)]) + "\n")
    (whole,) = run.predict(run.predictor.read_file(str(path)), steps=True)
    assert [step["time"] for step in whole["steps"][:2]] == [f"2024-05-01 0{n}:00:00{written}" for n in (0, 1)]
    assert f"2024-05-13 12:00:00{written}" in {event["start"] for event in whole["events"]}
    result = CliRunner().invoke(app, ["predict", str(run.path), "-", "--json"], input=path.read_text())
    assert [json.loads(line)["time"] for line in result.stdout.splitlines()] == [s["time"] for s in whole["steps"]]


def test_a_zone_that_changes_is_written_as_utc(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "change.csv"
    path.write_text("time,x\n2024-10-27T02:00+02:00,0\n2024-10-27T02:00+01:00,0.1\n2024-10-27T03:00+01:00,0.2\n")
    (whole,) = run.predict(run.predictor.read_file(str(path)), steps=True)
    assert [step["time"] for step in whole["steps"]] == [f"2024-10-27 0{n}:00:00Z" for n in range(3)]


@pytest.mark.parametrize("given", [{"duplicates": "mean"}, {"every": "2h"}])
def test_rows_that_are_kept_are_not_put_together(tmp_path: Path, given: dict[str, Any]) -> None:
    (tmp_path / "past.csv").write_text("\n".join(["time,x", *rows(""), rows("")[-1]]) + "\n")
    (name, value), settings = *given.items(), {"hidden": 4, "epochs": 1, "quiet": True}
    with pytest.raises(UsageError, match=f"{name}: with gaps = keep .* expected --gaps fill beside --{name} {value}"):
        recurra.train("detect", tmp_path / "past.csv", tmp_path / "run", **given, **settings)
    assert not (tmp_path / "run").exists()
    if name == "every":  # which averages what stands twice
        given = {**given, "duplicates": "first"}
    recurra.train("detect", tmp_path / "past.csv", tmp_path / "run", gaps="fill", **given, **settings)

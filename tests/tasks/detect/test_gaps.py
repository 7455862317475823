"""Gaps in time: what comes after one is a beginning, for no prediction was made for then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import recurra
from recurra import Run
from recurra.cli import app
from recurra.kernels.native import engine
from recurra.tasks.detect.series import gap_threshold

DAYS, KNOWN = 150, 110
HOUR = np.timedelta64(1, "h")
JUMPS = {0: (1, 4.0), 1: (12, -3.0), 2: (18, 3.0)}
"""Steps and size of each kind of fault."""


def readings(chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make readings every ten minutes, with a day, a week and noise that wanders: times (N) and values (N)."""
    times = (np.datetime64("2024-01-01") + np.arange(DAYS * 144) * np.timedelta64(10, "m")).astype("M8[m]")
    day = np.arange(len(times)) / 144
    wander = np.convolve(chance.normal(0, 0.15, len(times)), np.exp(-np.arange(50) / 10))[: len(times)]
    regular = 5 * np.sin(2 * np.pi * day) + 2 * np.sin(4 * np.pi * day + 1) + 1.5 * np.sin(2 * np.pi * day / 7)
    return times, 20 + regular + wander + chance.normal(0, 0.1, len(times))


def cut(chance: np.random.Generator, count: int) -> np.ndarray:
    """Leave gaps of two hours to four days: which of the readings are there, (N) bool."""
    there = np.ones(count, bool)
    for first in np.linspace(500, count - 900, 30).astype(int) + chance.integers(0, 200, 30):
        there[first : first + int(np.exp(chance.uniform(np.log(12), np.log(576))))] = False
    return there


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run on readings with gaps, the file new.csv with gaps and faults, and when these are."""
    chance, folder = np.random.default_rng(7), tmp_path_factory.mktemp("station")
    times, values = readings(chance)
    there = cut(chance, len(times))
    near = np.convolve(~there, np.ones(181), "same") > 0.5
    free = [step for step in range(KNOWN * 144 + 200, len(times) - 100, 97) if not near[step]]
    faults = free[:: max(1, len(free) // 12)][:12]
    for number, step in enumerate(faults):
        steps, size = JUMPS[number % 3]
        values[step : step + steps] += size
    for name, known in (("past", times < times[KNOWN * 144]), ("new", times >= times[KNOWN * 144])):
        rows = [f"{time},{value:.3f}" for time, value in zip(times[there & known], values[there & known], strict=True)]
        (folder / f"{name}.csv").write_text("\n".join(["time,temp", *rows]) + "\n")
    settings = {"precision": "float32", "threads": 1, "quiet": True}
    run = recurra.train("detect", folder / "past.csv", folder / "run", **settings)
    kept = times[there & (times >= times[KNOWN * 144])]
    after = kept[1:][np.diff(kept) > 10 * np.timedelta64(1, "m")]
    assert len(faults) >= 9 and len(after) >= 5
    return {"run": run, "file": folder / "new.csv", "faults": times[faults], "after": after}


def test_no_alarm_is_given_at_a_gap_and_no_fault_is_missed(station: dict[str, Any]) -> None:
    run: Run = station["run"]
    (result,) = run.predict(run.predictor.read_file(str(station["file"])))
    events = [(np.datetime64(event["start"]), np.datetime64(event["end"])) for event in result["events"]]
    found = [any(first <= fault + 3 * HOUR and fault <= last for first, last in events) for fault in station["faults"]]
    assert all(found)
    for after in station["after"]:
        assert not any(first <= after + 3 * HOUR and after <= last for first, last in events), after
    strange = [
        first for first, last in events if not any(f <= last and first <= f + 3 * HOUR for f in station["faults"])
    ]
    assert len(strange) <= 1


def test_a_live_stream_sees_the_same_gaps(station: dict[str, Any]) -> None:
    run: Run = station["run"]
    lines = station["file"].read_text().splitlines()[:700]
    result = CliRunner().invoke(app, ["predict", str(run.path), "-", "--json"], input="\n".join(lines) + "\n")
    streamed = [json.loads(line) for line in result.stdout.splitlines()]
    (whole,) = run.predict(run.predictor.read_file(str(station["file"])), steps=True)
    unscored = [np.datetime64(one["time"]) for one in streamed if one["score"] is None]
    assert unscored == [
        np.datetime64(streamed[0]["time"]),
        *[t for t in station["after"] if t <= np.datetime64(streamed[-1]["time"])],
    ]
    assert len(unscored) > 2
    if engine() is not None:
        assert streamed == whole["steps"][: len(streamed)]


def test_a_stream_that_is_kept_at_the_edge_of_a_gap_goes_on_alike(station: dict[str, Any]) -> None:
    run: Run = station["run"]
    (series,) = run.predictor.read_file(str(station["file"])) or []
    edge = int(np.flatnonzero(series.times.astype("M8[m]") == station["after"][0])[0])
    one: Any = run.stream()
    other: Any = run.stream()
    for at in range(edge - 30, edge):
        one.step(series.values[at], time=series.times[at])
    other.state = one.state
    rows = [(series.values[at], series.times[at]) for at in range(edge, edge + 20)]
    results = [one.step(values, time=time) for values, time in rows]
    assert results[0]["score"] is None and results[1]["score"] is not None
    assert [other.step(values, time=time) for values, time in rows] == results


def test_steps_that_are_uneven_by_nature_have_no_gaps() -> None:
    apart = np.random.default_rng(0).exponential(60, 5000).astype("m8[s]")
    times = np.datetime64("2024-01-01", "us") + np.cumsum(apart)
    threshold = gap_threshold([times])
    assert threshold is not None and (apart.astype("m8[us]").astype(int) > threshold).mean() < 0.002
    weekdays = np.arange("2024-01-01", "2024-12-31", dtype="M8[D]")
    weekdays = weekdays[np.is_busday(weekdays)]
    assert (np.diff(weekdays.astype("M8[us]")).astype(int) <= gap_threshold([weekdays])).all()


def test_without_times_there_are_no_gaps(tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("\n".join(["x", *(f"{n % 7}" for n in range(200))]) + "\n")
    settings = {"hidden": 4, "epochs": 1, "precision": "float32", "threads": 1, "quiet": True}
    run: Any = recurra.train("detect", tmp_path / "bare.csv", tmp_path / "run", **settings)
    assert run.predictor.preprocessor.gap_threshold is None
    (result,) = run.predict([np.arange(20.0) % 7], steps=True)
    assert [step["score"] is None for step in result["steps"]] == [True] + [False] * 19

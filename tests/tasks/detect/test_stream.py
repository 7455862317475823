"""A stream has the results of a file, can be kept and forked, and scores lines at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import recurra
from recurra import Run
from recurra.cli import app
from recurra.errors import DataError, UsageError
from recurra.kernels.native import engine


def given(plant: Run, name: str = "faulty.csv") -> list[Any]:
    items = plant.predictor.read_file(str(plant.path.parent / name))
    assert items is not None
    return items


def stepped(stream: Any, series: Any, first: int, last: int) -> list[dict[str, Any]]:
    return [stream.step(series.values[n], time=series.times[n], past=series.past[n]) for n in range(first, last)]


def test_the_steps_of_a_stream_are_those_of_a_file(plant: Run) -> None:
    (series,) = given(plant)
    whole = plant.predict([series], steps=True)[0]["steps"]
    streamed = stepped(plant.stream(), series, 0, len(series))
    if engine() is not None:
        assert streamed == whole
    else:
        assert [one["anomaly"] for one in streamed] == [one["anomaly"] for one in whole]
    assert any(one["anomaly"] for one in whole)


def test_a_stream_can_be_forked_and_its_state_kept(plant: Run) -> None:
    (series,) = given(plant)
    one = plant.stream()
    stepped(one, series, 0, 390)
    kept, twin, later = one.state, one.fork(), plant.stream()
    expected = stepped(one, series, 390, 420)
    assert stepped(twin, series, 390, 420) == expected
    later.state = kept
    assert stepped(later, series, 390, 420) == expected
    assert one.state[-2][-1].shape == kept[-2][-1].shape


def test_its_memory_does_not_grow(plant: Run) -> None:
    (series,) = given(plant)
    stream = plant.stream()
    sizes = []
    for _ in range(4):
        stepped(stream, series, 0, len(series))
        sizes.append(sum(part.numel() for layer in stream.state[:-1] for part in layer))
    assert len(set(sizes)) == 1


def test_the_pipe_scores_each_line_with_header_list_or_object(plant: Run) -> None:
    (series,) = given(plant)
    lines = (plant.path.parent / "faulty.csv").read_text().splitlines()
    expected = stepped(plant.stream(), series, 0, 40)

    def asked(lines: list[str]) -> list[dict[str, Any]]:
        result = CliRunner().invoke(app, ["predict", str(plant.path), "-", "--json"], input="\n".join(lines) + "\n")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    assert asked(lines[:41]) == expected
    bare = [",".join(line.split(",")[:4]) for line in lines[1:41]]
    assert asked(bare) == expected
    as_lists = [json.dumps([cells[0], *map(float, cells[1:4])]) for cells in (line.split(",") for line in bare)]
    assert asked(as_lists) == expected
    named = [
        json.dumps({"load": float(d), "bar": float(c), "temp": float(b), "time": a})
        for a, b, c, d in (line.split(",") for line in bare)
    ]
    assert asked(named) == expected
    assert asked(["时间,temp,bar,load,fault", *lines[1:41]]) == expected
    assert asked([line.replace('"time"', '"when"') for line in named]) == expected


def test_a_line_that_is_none_is_named(plant: Run) -> None:
    def refused(text: str) -> str:
        result = CliRunner().invoke(app, ["predict", str(plant.path), "-"], input=text)
        assert result.exception is not None
        return str(result.exception)

    assert "line 2: expected a number, got 'x'" in refused("2024-03-01,1,2,0\n2024-03-01 01:00,x,2,0\n")
    assert "line 1: expected 2 values (temp, bar) or a time and them, got 1 cell" in refused("1\n")
    assert "expected a time stamp with each step" in refused("1,2\n")
    assert "'bar' is not there" in refused("time,temp,load\n")


def test_a_time_that_is_none_is_named(plant: Run) -> None:
    for time in ("inf", "NaN", "1e300"):
        with pytest.raises(DataError, match="expected a time, got"):
            plant.predictor.line_stream()(f"{time},1,2,0")


def test_a_line_that_cannot_be_read_is_reported_and_skipped_on_request(plant: Run) -> None:
    lines = [line.encode() for line in (plant.path.parent / "faulty.csv").read_text().splitlines()[:40]]
    whole, broken = list(lines), list(lines)
    broken[20:20] = [b"2024-03-01 19:30", b"", b"2024-03-01 19:30,\xff,1,0,0", b"2024-03-01 19:30,inf,1,0,0"]

    def asked(lines: list[bytes], *options: str) -> Any:
        return CliRunner().invoke(app, ["predict", str(plant.path), "-", *options], input=b"\n".join(lines) + b"\n")

    skipped = asked(broken, "--on-error", "skip")
    assert skipped.exit_code == 0 and skipped.stdout == asked(whole).stdout
    reported = skipped.stderr.splitlines()
    assert [line.split(":")[1] for line in reported] == [" line 21", " line 23", " line 24"]
    assert all(line.endswith("; skipped") for line in reported)
    stopped = asked(broken)
    late = asked([b"no header", *lines], "--on-error", "skip")
    assert late.stdout == asked(whole).stdout and len(late.stderr.splitlines()) == 1
    assert "line 21: expected 5 cells, as in the header; got 1" in str(stopped.exception)
    assert len(stopped.stdout.splitlines()) == 1 + 19  # the columns' names, and those before it were scored


def test_each_series_of_a_pipe_is_a_stream_of_its_own(tmp_path: Path) -> None:
    rows = [f"m{n % 2},{n // 2},{100 * (n % 2) + np.sin(n / 7):.4f}" for n in range(240)]
    (tmp_path / "machines.csv").write_text("\n".join(["machine,t,x", *rows]) + "\n")
    columns = {"series": "machine", "time": "t", "scale": "series"}
    settings = {"hidden": 4, "epochs": 2, "quiet": True, "precision": "float32", "threads": 1}
    run = recurra.train("detect", tmp_path / "machines.csv", tmp_path / "run", **columns, **settings)
    scored = run.predictor.line_stream()
    results = [scored(line) for line in ["machine,t,x", *rows]][1:]
    whole = {one["series"]: one["steps"] for one in run.predict({**_columns(rows)}, steps=True)}
    for name in ("m0", "m1"):
        own = [result for result in results if result["series"] == name]
        assert len(own) == 120 and [result["expected"] for result in own] == pytest.approx(
            [step["expected"] for step in whole[name]], abs=1e-4
        )
    named = run.predictor.line_stream()
    assert named('{"machine": "m1", "t": 0, "x": 100.1412}') == results[1]


def _columns(rows: list[str]) -> dict[str, Any]:
    machines, times, values = zip(*(row.split(",") for row in rows), strict=True)
    return {"machine": list(machines), "t": [int(time) for time in times], "x": [float(value) for value in values]}


def test_a_missing_value_has_no_score_and_is_marked(plant: Run) -> None:
    (series,) = given(plant, "normal.csv")
    stream = plant.stream()
    stepped(stream, series, 0, 60)
    time, past = series.times[60], series.past[60]
    neither = stream.fork().step([None, None], time=time, past=past)
    assert neither["score"] is None and neither["missing"] == ["temp", "bar"] and not neither["anomaly"]
    one = stream.step({"bar": float(series.values[60, 1])}, time=time, past=past)
    assert one["channel"] == "bar" and one["missing"] == ["temp"] and one["score"] is not None
    after = stream.step(series.values[61], time=series.times[61], past=series.past[61])
    assert np.isfinite(after["score"]) and all(np.isfinite(after["expected"]))


def test_infinity_and_what_is_no_number_are_refused(plant: Run) -> None:
    stream, time = plant.stream(), np.datetime64("2024-03-01")
    with pytest.raises(DataError, match="'bar': expected a finite number, got infinity"):
        stream.step([1.0, float("inf")], time=time, past=[0.0])
    with pytest.raises(DataError, match="expected 2 \\(temp, bar\\), got 3"):
        stream.step([1.0, 2.0, 3.0], time=time, past=[0.0])


def test_a_value_beyond_all_bounds_is_an_anomaly_not_an_overflow(plant: Run, tmp_path: Path) -> None:
    (series,) = given(plant, "normal.csv")
    stream = plant.stream()
    stepped(stream, series, 0, 50)
    result = stream.step([1e300, 0.0], time=series.times[50], past=series.past[50])
    assert result["anomaly"] and result["channel"] == "temp" and np.isfinite(result["score"])
    calm = stepped(stream, series, 51, 120)
    assert all(np.isfinite(one["score"]) for one in calm)


def test_what_a_pipe_of_steps_cannot_give_is_refused(plant: Run) -> None:
    for option, name in ((["-k", "1"], "k"), (["--steps"], "steps")):
        result = CliRunner().invoke(app, ["predict", str(plant.path), "-", *option], input="2024-03-01,1,2,0\n")
        assert isinstance(result.exception, UsageError) and str(result.exception).startswith(f"{name}: each line")


def test_a_state_of_another_stream_is_refused_and_changes_nothing(plant: Run) -> None:
    (series,) = given(plant)
    stream = plant.stream()
    stepped(stream, series, 0, 40)
    kept, twin = stream.state, stream.fork()
    scored = kept[-1]
    wrong: list[Any] = [
        None,
        kept[:-1],
        (*kept[:-1], scored[:-1]),
        (*kept[:-1], (scored[0][:1], *scored[1:])),
        (*kept[:-1], tuple(part.to(torch.complex128) for part in scored)),
        (kept[0], tuple(part.to(torch.float16) for part in kept[-2]), scored),
    ]
    for state in wrong:
        with pytest.raises(UsageError, match=r"^state: expected"):
            stream.state = state
    assert stepped(stream, series, 40, 60) == stepped(twin, series, 40, 60)

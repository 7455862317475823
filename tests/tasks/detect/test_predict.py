"""What a detector finds, which channel it names, and what becomes of data that are odd."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra import Run
from recurra.data.timeseries.anomaly_labels import read_anomaly_labels
from recurra.errors import DataError

QUICK = {"hidden": 4, "epochs": 2, "quiet": True, "precision": "float32", "threads": 1}


def test_it_finds_the_events_and_the_responsible_channel(plant: Run) -> None:
    (item,) = plant.predictor.read_file(str(plant.path.parent / "faulty.csv")) or []
    result = plant.predict([item])[0]
    found = {event["channel"]: event for event in result["events"] if event["start"] >= "2024-03-17 00:00:00"}
    assert found["temp"]["start"] == "2024-03-17 16:00:00"
    assert found["bar"]["start"] == "2024-03-19 08:00:00"
    (calm,) = plant.predictor.read_file(str(plant.path.parent / "normal.csv")) or []
    assert len(plant.predict([calm])[0]["events"]) <= 1
    (most,) = plant.predict([item], k=1)[0]["events"]
    assert most["score"] == max(event["score"] for event in result["events"])


def test_it_is_measured_by_the_column_that_says_what_is_abnormal(plant: Run) -> None:
    result = plant.evaluate(plant.path.parent / "faulty.csv")
    assert result["metrics"]["event_recall"] == 1.0 and result["metrics"]["auroc"] > 0.9
    assert set(result["baselines"]) == {"rolling-gaussian"}
    (drawn,) = result["details"]["timelines"]
    assert drawn["truth"] == [[400, 406], [440, 444]]
    assert "Detected anomalies" in (plant.path / "report.html").read_text(encoding="utf-8")


def test_a_constant_channel_is_reported_and_any_change_of_it_is_an_alarm(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    rows = [f"{value:.4f},7" for value in np.sin(np.arange(300) / 5) + chance.normal(0, 0.1, 300)]
    (tmp_path / "flat.csv").write_text("\n".join(["x,still", *rows]) + "\n")
    run = recurra.train("detect", tmp_path / "flat.csv", tmp_path / "run", **{**QUICK, "epochs": 20})
    assert "the same in all training steps" in " ".join(run.task.prepare(run.path).notes)
    values = np.stack([np.sin(np.arange(80) / 5), np.full(80, 7.0)], 1)
    values[60, 1] = 8.0
    (event,) = run.predict([values])[0]["events"]
    assert event["start"] == 60 and event["channel"] == "still"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_series_that_is_too_short_to_learn_from_is_named(tmp_path: Path, count: int) -> None:
    (tmp_path / "short.csv").write_text("x,y\n" + "1,2\n" * count)
    with pytest.raises(DataError, match=r"short\.csv"):
        recurra.train("detect", tmp_path / "short.csv", tmp_path / "run", **QUICK)


def test_series_of_no_and_one_step_have_results(plant: Run) -> None:
    (item,) = plant.predictor.read_file(str(plant.path.parent / "normal.csv")) or []
    none = replace(item, values=item.values[:0], times=item.times[:0], known=item.known[:0], past=item.past[:0])
    one = replace(item, values=item.values[:1], times=item.times[:1], known=item.known[:1], past=item.past[:1])
    nothing, first = plant.predict([none, one], steps=True)
    assert nothing["events"] == nothing["steps"] == [] and nothing["score"] is None
    assert [step["score"] for step in first["steps"]] == [None]


def test_a_channel_that_is_missing_all_the_time_is_no_missing_column(plant: Run, tmp_path: Path) -> None:
    rows = ["time,temp,bar,load,fault", *(f"2024-03-01 {n:02}:00,{20 + n % 2},,0,0" for n in range(12))]
    (tmp_path / "dead.csv").write_text("\n".join(rows) + "\n")
    (result,) = plant.predict(plant.predictor.read_file(str(tmp_path / "dead.csv")), steps=True)
    assert [step["missing"] for step in result["steps"]] == [["bar"]] * 12
    assert plant.evaluate(tmp_path / "dead.csv")["count"] == 12
    (tmp_path / "dark.csv").write_text("\n".join(row.replace("20,", ",").replace("21,", ",") for row in rows) + "\n")
    (nothing,) = plant.predict(plant.predictor.read_file(str(tmp_path / "dark.csv")))
    assert nothing["score"] is None and nothing["events"] == []


def test_infinities_and_other_columns_are_refused_with_their_place(plant: Run, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("time,temp,load\n2024-03-01 00:00,1,0\n2024-03-01 01:00,1,0\n")
    with pytest.raises(DataError, match=r"bar"):
        plant.predictor.read_file(str(tmp_path / "other.csv"))
    (tmp_path / "inf.csv").write_text(
        "time,temp,bar,load,fault\n2024-03-01 00:00,1,2,0,0\n2024-03-01 01:00,inf,2,0,0\n2024-03-01 02:00,1,2,0,0\n"
    )
    with pytest.raises(DataError, match=r"inf.csv"):
        plant.predictor.read_file(str(tmp_path / "inf.csv"))


def test_a_new_series_is_scaled_as_all_are(tmp_path: Path) -> None:
    rows = [f"m{n % 2},{n // 2},{100 * (n % 2) + np.sin(n / 7):.4f}" for n in range(400)]
    (tmp_path / "machines.csv").write_text("\n".join(["machine,t,x", *rows]) + "\n")
    run = recurra.train(
        "detect", tmp_path / "machines.csv", tmp_path / "run", series="machine", time="t", scale="series", **QUICK
    )
    scaling = run.predictor.preprocessor.scaling
    assert scaling.of("m1").mean[0] == pytest.approx(100, abs=0.2)
    assert scaling.of("m9").mean[0] == pytest.approx(50, abs=0.2)
    (tmp_path / "new.csv").write_text("\n".join(["machine,t,x", *(f"m9,{n},{50 + n % 3}" for n in range(30))]) + "\n")
    (item,) = run.predictor.read_file(str(tmp_path / "new.csv")) or []
    assert run.predict([item])[0]["series"] == "m9"


def test_what_is_abnormal_is_read_in_every_form(plant: Run, tmp_path: Path) -> None:
    (item,) = plant.predictor.read_file(str(plant.path.parent / "faulty.csv")) or []
    windows = tmp_path / "windows.json"
    windows.write_text('{"realPlant/faulty.csv": [["2024-03-17 16:00:00", "2024-03-17 21:00:00"]], "b.csv": []}')
    assert read_anomaly_labels(windows).events(item) == [(400, 406)]
    points = tmp_path / "points.json"
    points.write_text('{"faulty.csv": ["2024-03-17 16:00:00"]}')
    assert read_anomaly_labels(points).events(item) == [(400, 401)]
    sequences = tmp_path / "sequences.csv"
    sequences.write_text('chan_id,anomaly_sequences\nfaulty,"[[440, 443], [400, 405]]"\nother,"[]"\n')
    assert read_anomaly_labels(sequences).events(item) == [(400, 406), (440, 444)]
    np.save(tmp_path / "marks.npy", np.arange(480) >= 470)
    flags = read_anomaly_labels(tmp_path / "marks.npy").flags
    assert flags is not None and np.flatnonzero(flags)[0] == 470
    (tmp_path / "bad.csv").write_text("nothing of the kind\n")
    with pytest.raises(DataError, match=r"bad.csv: expected windows in JSON"):
        read_anomaly_labels(tmp_path / "bad.csv")
    sequences.write_text('chan_id,anomaly_sequences\nfaulty,"[[440, 9999]]"\n')
    with pytest.raises(DataError, match="has 480 steps, got 9999"):
        read_anomaly_labels(sequences).events(item)


def test_a_data_frame_is_read_as_a_file_is(tmp_path: Path) -> None:
    times = np.datetime64("2024-03-01T00:00") + np.arange(600) * np.timedelta64(5, "m")
    values = np.sin(np.arange(600) / 9) + np.random.default_rng(3).normal(0, 0.1, 600)
    frame = pd.DataFrame({"time": times.astype(str), "x": values})
    frame.to_csv(tmp_path / "fine.csv", index=False)
    run = recurra.train("detect", tmp_path / "fine.csv", tmp_path / "run", every="10min", gaps="fill", **QUICK)
    (item,) = run.predictor.read_file(str(tmp_path / "fine.csv")) or []
    by_file, by_frame = run.predict([item])[0], run.predict([frame])[0]
    assert by_file["count"] == 300 and by_frame | {"series": by_file["series"]} == by_file


def test_rows_that_are_left_out_of_a_file_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = np.sin(np.arange(300) / 9)
    (tmp_path / "good.csv").write_text("x\n" + "\n".join(f"{value:.4f}" for value in values) + "\n")
    (tmp_path / "bad.csv").write_text("x\n" + "\n".join(f"{value:.4f}" for value in values[:9]) + "\n0.5 x\n0.1\n")
    run = recurra.train("detect", tmp_path / "good.csv", tmp_path / "run", on_error="skip", **QUICK)
    run.predictor.read_file(str(tmp_path / "bad.csv"))
    (message,) = capsys.readouterr().err.splitlines()
    assert message.startswith(f"{tmp_path}/bad.csv: line 11: ")

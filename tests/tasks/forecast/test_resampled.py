"""Values that are brought to another spacing are so when a run is asked as when it was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.tasks.forecast.conftest import TINY, wave

import recurra


def sold(path: Path, hours: int, zone: str = "+08:00") -> Path:
    times = np.datetime64("2024-01-01", "h") + np.arange(hours)
    values = np.repeat(wave(hours // 24 + 1), 24)[:hours]
    path.write_text("\n".join(["time,y", *(f"{t}:00{zone},{v / 24}" for t, v in zip(times, values, strict=True))]))
    return path


def test_a_day_in_course_is_forecast_rather_than_summed(tmp_path: Path) -> None:
    run = recurra.train(
        "forecast", sold(tmp_path / "past.csv", 60 * 24 + 5), tmp_path / "run", every="1d", combine="sum", **TINY
    )
    assert any(
        "its last step, 2024-03-01, has 5 rows where 24 are usual: left out" in n for n in run.task.dataset.notes
    )
    whole, more = (sold(tmp_path / name, 24 * 40 + rest) for name, rest in (("whole.csv", 0), ("more.csv", 13)))
    (one,), (other,) = (run.predict(run.predictor.read_file(str(path))) for path in (whole, more))
    assert one["time"] == other["time"] == [f"2024-02-{day}" for day in (10, 11, 12, 13)]
    assert one["mean"] == other["mean"]
    (series,) = run.predictor.read_file(str(more))
    assert np.allclose(series.values[:, 0], wave(41)[:40])

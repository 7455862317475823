"""Values and settings at the ends of what numbers can be: nothing is warned of, and no process is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

import recurra
from recurra.errors import DataError

SMALL = {"hidden": 4, "layers": 1, "epochs": 1, "threads": 1, "quiet": True}


def _series(path: Path, value: str, steps: int = 60) -> Path:
    """Write a column of values of which every other is this one."""
    rows = (f"{value if step % 2 else step}" for step in range(steps))
    path.write_text("v\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("value", ["1e300", "-1.7e308"])
@pytest.mark.parametrize("task", ["detect", "forecast"])
def test_a_value_whose_square_is_no_number_is_an_error_with_its_place(tmp_path: Path, task: str, value: str) -> None:
    path = _series(tmp_path / "a.csv", value)
    with pytest.raises(
        DataError, match=r"a\.csv: series a, step 2.*: expected a finite (value|number) of a size up to 1e\+"
    ):
        recurra.train(
            task, path, tmp_path / "run", target=["v"], **({"horizon": 2} if task == "forecast" else {}), **SMALL
        )


def test_values_that_float32_does_not_know_are_forecast_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("v\n" + "\n".join(f"{step}e-320" for step in range(60)) + "\n", encoding="utf-8")
    run = recurra.train("forecast", path, tmp_path / "run", horizon=2, **SMALL)
    assert run.evaluation["count"] > 0


def test_a_batch_of_more_lanes_than_steps_reads_what_there_is(tmp_path: Path) -> None:
    path = _series(tmp_path / "a.csv", "0.5", steps=120)
    run = recurra.train("detect", path, tmp_path / "run", batch=10**9, **SMALL)
    assert run.evaluation["count"] > 0

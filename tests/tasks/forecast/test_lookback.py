"""A model that reads one value at a time, measured by itself, sees none: that is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurra

SMALL: dict[str, Any] = {"hidden": 4, "epochs": 2, "horizon": 2, "calendar": False, "quiet": True, "threads": 1}


def first(run: Any, values: np.ndarray) -> np.ndarray:
    """Give how far the forecast is from the last value, which it begins at."""
    return np.array(run.predict(values)["mean"]) - values[-1]


@pytest.mark.parametrize(
    ("given", "blind"),
    [({"lookback": 1}, True), ({"lookback": 1, "window_scaling": "none"}, False), ({"lookback": 2}, False)],
)
def test_a_model_that_sees_no_values_reports_it(tmp_path: Path, given: dict[str, Any], blind: bool) -> None:
    rows = [f"{np.sin(n / 3):.4f}" for n in range(200)]
    (tmp_path / "wave.csv").write_text("\n".join(["y", *rows]) + "\n")
    run = recurra.train("forecast", tmp_path / "wave.csv", tmp_path / "run", **SMALL, **given)
    assert run.evaluation is not None
    notes = [note for note in run.evaluation["details"]["notes"] if note.startswith("lookback 1")]
    assert bool(notes) == blind
    rising, falling = np.arange(30.0), -np.arange(30.0)
    assert np.allclose(first(run, rising), first(run, falling), atol=1e-4) == blind

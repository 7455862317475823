"""What a detector's values are scaled by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.tasks.detect import Detector


@pytest.mark.parametrize("scale", ["data", "none"])
def test_values_are_scaled_by_what_training_has_or_not_at_all(tmp_path: Path, scale: str) -> None:
    values = np.random.default_rng(1).normal(40, 5, (300, 2)).astype(np.float32)
    np.save(tmp_path / "normal.npy", values)
    settings = {"target": ["channel 1"], "past": ["channel 2"], "differences": False, "valid_share": 0.0}
    run = recurra.train(
        "detect", tmp_path / "normal.npy", tmp_path / "run", scale=scale, layout="steps", hidden=4, epochs=0.01, quiet=True, threads=1, **settings
    )  # fmt: skip
    assert isinstance(run.predictor, Detector)
    standardizer = run.predictor.preprocessor.scaling.of("normal")
    (series,) = run.predictor.read_file(str(tmp_path / "normal.npy")) or []
    read = run.predictor.preprocessor.encode(series)[0].values[:, 0]
    if scale == "none":
        assert standardizer.mean.tolist() == [0, 0] and standardizer.divisor.tolist() == [1, 1]
        np.testing.assert_array_equal(read, values[:, 0])
    else:
        assert abs(read.mean()) < 1e-5 and read.std() == pytest.approx(1, abs=1e-5)

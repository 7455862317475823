"""A detector without persistence: what training never had stays unusual for as long as it lasts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import recurra
from recurra.tasks.detect.network import DetectorNetwork, fit_ar1
from recurra.tasks.detect.predict import Detector
from recurra.tasks.detect.task import AnomalyDetectionTask

STEPS, SHIFT = 600, 400


def wave(shift: float, chance: int) -> np.ndarray:
    """A slow wave of 192 steps with noise, which from step 400 on is higher by `shift`; 0.7 is its own spread."""
    steps = np.arange(STEPS)
    values = np.sin(2 * np.pi * steps / 192) + np.random.default_rng(chance).normal(0, 0.05, STEPS)
    return (values + shift * (steps >= SHIFT)).astype(np.float32)


@pytest.mark.parametrize("persistence", [True, False])
def test_a_shift_stays_unusual_without_persistence(tmp_path: Path, persistence: bool) -> None:
    """Unusual is an error above all those of another wave, which has no shift."""
    np.save(tmp_path / "normal.npy", wave(0, 1))
    settings = {"hidden": 16, "epochs": 8, "horizon": 4, "likelihood": "normal", "differences": False, "dropout": 0.0}
    run = recurra.train(
        "detect", tmp_path / "normal.npy", tmp_path / "run", layout="steps", persistence=persistence, quiet=True, precision="float32", threads=1, **settings
    )  # fmt: skip
    assert isinstance(run.network, DetectorNetwork) and isinstance(run.predictor, Detector)
    assert ("persistence" in dict(run.network.named_parameters())) == persistence
    if not persistence:
        assert torch.equal(run.network.get_buffer("persistence"), torch.zeros(4, 1))
    usual, shifted = (errors[:, 0] for errors in run.predictor.errors([wave(0, 2), wave(3, 3)]))
    unusual = shifted > np.nanmax(usual[50:])
    assert unusual[50:SHIFT].mean() < 0.05
    assert unusual[SHIFT : SHIFT + 4].all()
    # Of 8 runs 0.05 to 0.12 of these steps with persistence, and all of them without.
    lasting = unusual[SHIFT + 50 :].mean()
    assert lasting < 0.3 if persistence else lasting > 0.95


def test_the_first_scale_is_that_of_the_values_without_persistence(tmp_path: Path) -> None:
    np.save(tmp_path / "normal.npy", wave(0, 1))
    run = recurra.train(
        "detect", tmp_path / "normal.npy", tmp_path / "run", layout="steps", persistence=False, hidden=4, epochs=0.01, quiet=True, threads=1
    )  # fmt: skip
    assert isinstance(run.task, AnomalyDetectionTask)
    factor, scale = fit_ar1(run.task.training_series, 1, run.configuration.settings.model.horizon, persistence=False)
    assert not factor.any()
    assert scale.numpy() == pytest.approx(1.0, abs=0.05)  # the values are scaled to a spread of 1

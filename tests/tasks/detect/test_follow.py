"""A detector that does not follow the values: what training never had stays unusual for as long as it lasts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import recurra
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.task import Detector

STEPS, SHIFT = 600, 400


def wave(shift: float) -> np.ndarray:
    """A wave of 24 steps with noise, which from step 400 on is higher by `shift`."""
    steps = np.arange(STEPS)
    values = np.sin(2 * np.pi * steps / 24) + np.random.default_rng(int(shift)).normal(0, 0.05, STEPS)
    return (values + shift * (steps >= SHIFT)).astype(np.float32)


def lasting(folder: Path, *, follow: bool) -> float:
    """Train on a wave, and give the median error of the last 150 steps of a shifted one over that of its first 400."""
    np.save(folder / "normal.npy", wave(0))
    settings = {"hidden": 16, "epochs": 40, "ahead": 4, "likelihood": "normal", "differences": False, "dropout": 0.0}
    run = recurra.train(
        "detect", folder / "normal.npy", folder / f"run-{follow}", layout="steps", follow=follow, quiet=True, precision="float32", threads=1, **settings
    )  # fmt: skip
    assert isinstance(run.network, DetectorNetwork) and isinstance(run.task, Detector)
    assert ("persistence" in dict(run.network.named_parameters())) == follow
    if not follow:
        assert torch.equal(run.network.get_buffer("persistence"), torch.zeros(4, 1))
    errors = run.task.errors(run.network, [wave(3)])[0][:, 0]
    return float(np.nanmedian(errors[SHIFT + 50 :]) / np.nanmedian(errors[50:SHIFT]))


def test_a_shift_stays_unusual_where_values_are_not_followed(tmp_path: Path) -> None:
    followed, alone = (lasting(tmp_path, follow=follow) for follow in (True, False))
    assert alone > 1.25 * followed, (alone, followed)


def test_the_first_spread_is_that_of_the_values_where_they_are_not_followed(tmp_path: Path) -> None:
    np.save(tmp_path / "normal.npy", wave(0))
    run = recurra.train(
        "detect", tmp_path / "normal.npy", tmp_path / "run", layout="steps", follow=False, hidden=4, epochs=0.01, quiet=True, threads=1
    )  # fmt: skip
    assert isinstance(run.task, Detector)
    factor, spread = run.task._first_order()
    assert not factor.any()
    assert spread.numpy() == pytest.approx(1.0, abs=0.05)  # the values are scaled to a spread of 1

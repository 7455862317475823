"""The picture model keeps what every task promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.images import encode_png
from recurra.tasks.pixels import PictureConfig, PictureModelingTask
from recurra.testing import task_checks
from recurra.testing.case import TaskCase
from recurra.testing.expect import one_thread

MODELS: dict[str, dict[str, Any]] = {
    "lstm": {"cell": "lstm", "head": 12},
    "two layers": {"cell": "gru", "layers": 2, "head_layers": 2, "dropout": 0.2},
    "no hidden units": {"cell": "rnn", "head_layers": 0},
    "grey": {"cell": "gru", "head": 5},
}
DATA: dict[str, dict[str, Any]] = {
    "lstm": {},
    "two layers": {"binarise": "sample"},
    "no hidden units": {"size": "5x4"},
    "grey": {"levels": 5},
}


def crosses(count: int, seed: int = 0) -> np.ndarray:
    """Draw crosses of different brightness and place, uint8 (N, 6, 7)."""
    random = np.random.default_rng(seed)
    pictures = np.zeros((count, 6, 7), np.uint8)
    for picture in pictures:
        picture[random.integers(6)] = picture[:, random.integers(7)] = random.integers(100, 256)
    return pictures


def configure(folder: Path, name: str) -> PictureConfig:
    np.save(folder / "crosses.npy", crosses(60))
    data = {"data": [str(folder / "crosses.npy")], "valid_share": 0.2, "test_share": 0.2, **DATA[name]}
    return PictureConfig.model_validate({"data": data, "model": {"hidden": 8, **MODELS[name]}})


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_suite(check: Any, name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = tmp_path_factory.mktemp("pictures")
    for number, picture in enumerate(crosses(3, seed=1)):
        (kept / f"{number}.png").write_bytes(encode_png(picture))
    lines = [str(path) for path in sorted(kept.iterdir())]
    with one_thread():
        check(TaskCase(PictureModelingTask, lambda folder: configure(folder, name), tmp_path, 4, lines))

"""The captioner keeps what every task promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tasks.caption.encoders import write_encoder
from tests.tasks.caption.pictures import write_pictures

from recurra.tasks.caption import CaptionConfig, CaptionTask
from recurra.testing import task_checks
from recurra.testing.case import TaskCase
from recurra.testing.expect import one_thread

MODELS: dict[str, dict[str, Any]] = {
    "convolutions": {"cell": "lstm", "channels": 2, "label_smoothing": 0.0},
    "features": {"cell": "gru", "attention": "general", "heads": 2, "layers": 2},
    "location": {"cell": "gru", "attention": "location", "location_width": 3, "channels": 2},
    "no attention": {"cell": "rnn", "attention": "none", "channels": 2, "augment": False, "tied": False},
}


def configure(folder: Path, name: str) -> CaptionConfig:
    data: dict[str, Any] = {"data": [str(write_pictures(folder))], "valid_share": 0.2, "test_share": 0.2, "side": 32}
    if name == "features":
        data["encoder"] = [str(write_encoder(folder / "model.onnx"))]
    return CaptionConfig.model_validate({"data": data, "model": {"hidden": 8, "embedding": 8, **MODELS[name]}})


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_suite(check: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "cache"))
    asked = write_pictures(tmp_path / "asked", 8).parent / "images"
    case_folder = tmp_path / "case"
    case_folder.mkdir()
    lines = [str(asked / f"{number}.png") for number in (0, 5, 2)]
    with one_thread():
        check(TaskCase(CaptionTask, lambda folder: configure(folder, name), case_folder, 4, lines))

"""The transcriber keeps what every task promises, for each kind of signals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tasks.transcribe.signals import write_inks, write_lines, write_sounds

from recurra.tasks.transcribe import TranscriberConfig, TranscriptionTask
from recurra.testing import task_checks
from recurra.testing.case import TaskCase
from recurra.testing.expect import one_thread

MODELS: dict[str, dict[str, Any]] = {
    "sounds": {"cell": "gru", "layers": 1, "joined": 2},
    "sounds as they come": {"cell": "lstm", "bidirectional": False, "layers": 1, "joined": 1, "augment": False},
    "lines": {"cell": "lstm", "layers": 1, "channels": 2},
    "pen": {"cell": "rnn", "layers": 2},
}


def configure(folder: Path, name: str) -> TranscriberConfig:
    data: dict[str, Any] = {"valid_share": 0.2, "test_share": 0.2, "split_by": "signal"}
    if name.startswith("sounds"):
        data |= {"data": [str(write_sounds(folder))], "label_from": "{text}_{speaker}_*", "mels": 12}
    elif name == "lines":
        data |= {"data": [str(write_lines(folder))], "height": 16}
    else:
        data |= {"data": [str(write_inks(folder))]}
    model = {"hidden": 8, "dropout": 0.0, "language_order": 3, **MODELS[name]}
    return TranscriberConfig.model_validate({"data": data, "model": model})


def asked(folder: Path, name: str) -> list[str]:
    folder.mkdir()
    if name == "pen":
        return write_inks(folder, 3).read_text().splitlines()
    (write_lines if name == "lines" else write_sounds)(folder, 3)
    return [str(path) for path in sorted(folder.iterdir()) if path.suffix in (".wav", ".png")]


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", MODELS)
def test_suite(check: Any, name: str, tmp_path: Path) -> None:
    lines = asked(tmp_path / "asked", name)
    case_folder = tmp_path / "case"
    case_folder.mkdir()
    with one_thread():
        check(TaskCase(TranscriptionTask, lambda folder: configure(folder, name), case_folder, 4, lines))

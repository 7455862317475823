"""The model of drawings keeps what every task promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.tasks.strokes.inks import write_jsonl, zigzag

from recurra.tasks.strokes import DrawingConfig, DrawingTask
from recurra.testing import task_checks
from recurra.testing.case import TaskCase
from recurra.testing.expect import one_thread

MODELS: dict[str, dict[str, Any]] = {
    "none": {"cell": "lstm", "components": 3, "drop_points": 0.2},
    "label": {"cell": "gru", "layers": 2, "dropout": 0.2, "components": 2, "embedding": 4},
    "text": {"cell": "lstm", "layers": 2, "components": 2, "embedding": 4, "window": 2},
}


def configure(folder: Path, name: str) -> DrawingConfig:
    path = write_jsonl(folder / "pen.jsonl", 60, condition=name)
    data = {"data": [str(path)], "valid_share": 0.2, "test_share": 0.2, "condition": name}
    return DrawingConfig.model_validate({"data": data, "model": {"hidden": 8, **MODELS[name]}})


def lines(name: str) -> list[str]:
    text = {} if name == "none" else {"text": "o" if name == "label" else "oz"}
    inks = [[stroke.round(3).tolist() for stroke in zigzag(seed).strokes] for seed in (1, 3)]
    return [json.dumps({"strokes": ink, **text}) for ink in inks]


@pytest.fixture(scope="module", params=MODELS, name="case")
def make_case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TaskCase:
    folder = tmp_path_factory.mktemp("strokes")
    name = request.param
    return TaskCase(DrawingTask, lambda place: configure(place, name), folder, 4, lines(name))


@pytest.mark.parametrize("check", task_checks(), ids=lambda check: check.__name__)
def test_promise(case: TaskCase, check: Any) -> None:
    with one_thread():
        check(case)

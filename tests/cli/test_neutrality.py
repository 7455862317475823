"""The verbs and the report know no task by name: what they show of one, and of its results, is the task's own."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.runs.config import Configuration
from recurra.runs.run import Run
from recurra.tasks import Files, Settings, Task, get_task, task_names
from recurra.tasks.base import registry
from recurra.tasks.base.options import RankedOptions
from recurra.tasks.base.predictor import Predictor
from recurra.training.config import Training

NEUTRAL = ("cli", "report", "training", "verbs/base")


class Sorter(Predictor):
    """Sorts texts into kinds; it has only what a prediction needs."""

    name = "sorter"
    PredictOptions = RankedOptions
    load_preprocessor = build_network = None  # type: ignore[assignment]

    def predict_with(self, inputs: list[str], options: RankedOptions) -> list[dict[str, Any]]:
        assert not options.steps
        return [{"text": text, "kind": "verse" if "\u3002" in text else "prose", "of": options.k} for text in inputs]

    def input_warnings(self, text: str) -> list[str]:
        return ["too short to tell"] if len(text) < 3 else []


class SortingTask(Task):
    """A task of which nothing is asked but how it is configured."""

    name, title, Predictor = "sorter", "Sorter", Sorter


@pytest.fixture
def sorter(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(Path("runs/a"), Configuration("sorter", Settings(), Training()), Sorter(None, None, None))  # type: ignore[arg-type]
    monkeypatch.setattr(Run, "load", classmethod(lambda _, path: run))
    monkeypatch.setattr(Run, "to", lambda self, device: self)


def call(*arguments: str) -> Any:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_a_prediction_of_another_shape_is_printed(sorter: None) -> None:
    result = call("predict", "runs/a", "-t", "月落。", "-t", "ab", "-k", "2")
    assert result.stdout == "text: 月落。\tkind: verse\tof: 2\ntext: ab\tkind: prose\tof: 2\n"
    assert result.stderr == "too short to tell\n"


class Pairs(Settings):
    """Which texts, and what of them."""

    references: Files = Field(default=[], description="What there should be.")
    labels: list[str] = Field(default=[], description="Names of the kinds.")
    sizes: list[int] = Field(default=[], description="How many of each.")


class PairsConfig(Settings):
    """Sorts texts."""

    pairs: Pairs = Pairs()


def test_a_list_says_by_its_type_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SortingTask, "Config", PairsConfig, raising=False)
    monkeypatch.setitem(registry._tasks, "sorter", SortingTask)
    monkeypatch.setenv("COLUMNS", "120")
    shown = call("train", "sorter", "--help").stdout
    for flag, metavar in (("references", "FILE"), ("labels", "TEXT"), ("sizes", "N")):
        assert re.search(rf"--{flag}\s+{metavar}\s", shown), shown


@pytest.mark.parametrize("task", task_names())
def test_the_help_of_a_task_shows_its_own_examples(task: str) -> None:
    shown = " ".join(call("train", task, "--help").stdout.split())
    assert get_task(task).cli_examples
    for command in get_task(task).cli_examples:
        assert command in shown


@pytest.mark.parametrize("part", NEUTRAL)
def test_no_task_is_named(part: str) -> None:
    named = []
    for path in sorted(Path(recurra.__file__).parent.joinpath(part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in task_names():
                named.append(f"{path.name}, line {node.lineno}: {node.value}")
    assert named == []

"""What a report asks of a task, whatever the task."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.cli import app
from recurra.report.page import render
from recurra.report.record import Record
from recurra.report.use import USAGE_OF_ANY
from recurra.tasks import get_task, task_names
from recurra.tasks.base.capabilities import Generates, GeneratesWhole, Scores

KEYS = st.sampled_from(
    [
        "notes",
        "map",
        "points",
        "x",
        "y",
        "label",
        "cluster",
        "forecasts",
        "history",
        "mean",
        "quantiles",
        "by_step",
        "beside",
        "mase",
        "timelines",
        "curves",
        "value",
        "steps",
        "events",
        "truth",
        "classes",
        "confusion",
        "per_class",
        "per_type",
        "reliability",
        "mistakes",
        "intervals",
        "accuracy",
        "fewer",
        "overlays",
        "picture",
        "caption",
        "references",
        "words",
        "weights",
        "examples",
        "confusions",
        "groups",
        "lengths",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", task_names())
@given(details=st.dictionaries(KEYS, JSON, max_size=5), metrics=JSON)
@settings(max_examples=60, deadline=None)
def test_an_evaluation_may_hold_anything(name: str, details: dict[str, Any], metrics: object) -> None:
    task = get_task(name)
    evaluation = {"event": "evaluation", "task": name, "data": "test", "metrics": metrics, "details": details}
    render(Record({"task": name}, evaluations=[evaluation]), Path("run"), task.description(), task.report_blocks)


@pytest.mark.parametrize("name", task_names())
def test_a_report_names_only_what_a_task_can_do(name: str) -> None:
    task = get_task(name)
    needed = {"generate": (Generates, GeneratesWhole), "score": (Scores,)}
    verbs = {command.name for command in app.registered_commands}
    assert task.description().usage
    for _, line in (*task.description().usage, *USAGE_OF_ANY):
        verb = shlex.split(line.format(run="runs/a").rpartition("| ")[2])[1]  # what a pipe ends in
        assert verb in verbs and "{" not in line.format(run="runs/a")
        assert verb not in needed or any(_has_methods(task.Predictor, kind) for kind in needed[verb])


def _has_methods(predictor: type, capability: type) -> bool:
    methods = [name for name, value in vars(capability).items() if callable(value) and not name.startswith("_")]
    return all(callable(getattr(predictor, method, None)) for method in methods)


@pytest.mark.parametrize("name", task_names())
def test_a_task_has_names_for_what_it_counts(name: str) -> None:
    description = get_task(name).description()
    assert description.title == get_task(name).title
    one, several = description.element
    assert several == f"{one}s" and one != "element"

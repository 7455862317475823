"""What tasks and baselines are called, and the commands that a page names."""

from __future__ import annotations

import shlex

import pytest

from recurra.cli import app
from recurra.report.figures import figure
from recurra.report.names import baseline_name, commands, task_name
from recurra.tasks import get_task, task_names


def test_unknown_names_stay_as_they_are() -> None:
    assert baseline_name("my-rule") == "my-rule"
    assert figure("my_score").lower is None
    assert [line for _, line in commands("my_task", "runs/a")] == [
        "recurra evaluate runs/a DATA",
        "recurra info runs/a",
    ]


@pytest.mark.parametrize("name", task_names())
def test_every_task_is_called_as_it_calls_itself(name: str) -> None:
    assert task_name(name) == get_task(name).title


@pytest.mark.parametrize("name", task_names())
def test_a_page_names_only_what_a_task_can_do(name: str) -> None:
    verbs = {command.name for command in app.registered_commands}
    for _, line in commands(name, "runs/a"):
        verb = shlex.split(line.rpartition("| ")[2])[1]  # what a pipe ends in
        assert verb in verbs
        does = {"generate": "write"}.get(verb, verb)
        assert verb == "info" or callable(getattr(get_task(name), does, None))

"""`recurra train TASK`: a command for each task, made when it is asked for."""

from __future__ import annotations

import pytest
import typer
from pydantic import create_model
from tests.verbs.conftest import call

from recurra.errors import UsageError
from recurra.runs.config import fields, renamed
from recurra.tasks import Settings, get_task, task_names
from recurra.tasks.base.registry import RESERVED
from recurra.verbs import train


@pytest.fixture
def group() -> train.TaskGroup:
    made = typer.main.get_command(train.app)
    assert isinstance(made, train.TaskGroup)
    return made


def test_only_the_command_that_is_asked_for_is_made_and_once(
    group: train.TaskGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    command = train._command
    monkeypatch.setattr(train, "_command", lambda task: (made.append(task), command(task))[1])
    context = typer.Context(group)
    assert group.list_commands(context) == task_names() and made == []
    assert group.get_command(context, "lm") is group.get_command(context, "lm")
    assert made == ["lm"] and group.get_command(context, "nothing") is None


def test_the_names_that_it_takes_itself_are_reserved(group: train.TaskGroup) -> None:
    command = group.get_command(typer.Context(group), "lm")
    own = {parameter.name for parameter in command.params} - {*fields("lm"), *renamed("lm")}
    assert own <= RESERVED and RESERVED - own <= {"task", "help"}


@pytest.mark.usefixtures("two_of_a_name")
def test_a_task_with_two_settings_of_a_name_is_refused_alone() -> None:
    assert "lm" in call("train", "--help") and "classify" in call("train", "classify", "--help")
    for arguments in (["--help"], ["data.txt", "--lr", "1"], []):
        with pytest.raises(UsageError, match=r"lm: expected one setting named lr, got two: model\.lr and training\.lr"):
            call("train", "lm", *arguments)


@pytest.fixture
def two_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = create_model("Inner", __base__=Settings, lr=(int, 1))
    monkeypatch.setattr(get_task("lm"), "Config", create_model("Twice", __base__=Settings, model=(inner, inner())))

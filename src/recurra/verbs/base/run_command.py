"""A command about a run, whose options are those that the run's own predictor takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from recurra.documents import read_toml
from recurra.errors import RunError, UsageError
from recurra.tasks.base.options import unknown_option_message
from recurra.tasks.base.settings import Settings

_OPTIONS = "recurra.options"


class RunCommand(TyperCommand):
    """Adds the options of the run that is named among the arguments; without one, those that most runs take.

    A subclass names the predictor's attribute that declares them, and what stands for it where no run is named.
    """

    attribute: str
    usual: type[Settings]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        from recurra.verbs.base.flags import click_parameters

        own = [parameter for parameter in self.params if not getattr(parameter, "of_run", False)]
        task = next((found for each in _arguments(args, own) if (found := _task_of(each)) is not None), None)
        kind = self.usual if task is None else self.options_of(task)
        added = click_parameters(kind) if kind is not None else []
        for parameter in added:
            parameter.of_run = True
        if both := sorted({one.name for one in own} & {one.name for one in added}):
            raise UsageError(
                f"{both[0]}: the task {task} has an option of this name, which is one of this verb's own; it has to be renamed in the task"
            )
        self.params = [*own, *added]
        if kind is None or task is None:
            # What is named is no run, which is the error to tell of, not an option that only some run takes.
            ctx.ignore_unknown_options = ctx.allow_extra_args = True
        try:
            rest = super().parse_args(ctx, args)
        except Exception as error:
            # By its name: by the version of typer it is click's own, or that of the copy of click that typer has.
            if type(error).__name__ != "NoSuchOption" or kind is None or task is None:
                raise
            names = [parameter.opts[-1] for parameter in added if not parameter.hidden]
            raise UsageError(unknown_option_message(str(getattr(error, "option_name", "")), names, task)) from None
        names = [parameter.name for parameter in added]
        ctx.meta[_OPTIONS] = {name: ctx.params.pop(name) for name in names if name in ctx.params}
        return rest

    def options_of(self, task: str) -> type[Settings] | None:
        """Give what a task's predictors take; None where they cannot do what this verb asks."""
        from recurra.tasks import get_task

        return getattr(get_task(task).Predictor, self.attribute, None)


def given_options(context: typer.Context) -> dict[str, Any]:
    """Give what the user said of the run's own options, by name."""
    return {name: value for name, value in context.meta[_OPTIONS].items() if value not in (None, [], ())}


def _arguments(args: Sequence[str], own: Sequence[Any]) -> Iterator[str]:
    """Give the words that are neither options nor the values of the verb's own options."""
    with_value = {
        name for one in own for name in one.opts if name.startswith("-") and not getattr(one, "is_flag", False)
    }
    words = iter(args)
    for word in words:
        if word in with_value:
            next(words, None)
        elif word and not word.startswith("-"):
            yield word


def _task_of(argument: str) -> str | None:
    """Give the task of the run in a folder; None for what is no run, or of a task that is not known, which loading it says."""
    try:
        task = read_toml(Path(argument, "config.toml")).get("task")
    except RunError:
        return None
    if not isinstance(task, str):
        return None
    from recurra.tasks import get_task

    try:
        get_task(task)
    except UsageError:
        return None
    return task

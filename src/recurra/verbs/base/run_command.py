"""A command about a run, whose options are those that the run's own predictor takes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from recurra.errors import UsageError
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
        task = next((found for argument in args if (found := _task_of(argument)) is not None), None)
        kind = self.usual if task is None else self.options_of(task)
        added = click_parameters(kind) if kind is not None else []
        for parameter in added:
            parameter.of_run = True
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
            name = str(getattr(error, "option_name", "")).lstrip("-").replace("-", "_")
            raise UsageError(unknown_option_message(name, kind, task)) from None
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


def _task_of(argument: str) -> str | None:
    """Give the task of the run in a folder; None for what is no run."""
    if argument.startswith("-"):
        return None
    try:
        with Path(argument, "config.toml").open("rb") as file:
            task = tomllib.load(file).get("task")
    except (OSError, ValueError):
        return None
    return task if isinstance(task, str) else None

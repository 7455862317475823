"""`recurra train TASK DATA`: one command for each task, with a flag for each of its settings."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from recurra.errors import UsageError
from recurra.verbs.base.flags import old_parameter, parameter, setting_parameter, takes_list
from recurra.verbs.base.options import Quiet, note

POSITION = 10
PANELS = {"data": "Data", "model": "Model", "training": "Training"}


class TaskGroup(TyperGroup):
    """The tasks as commands, made when they are asked for: importing torch takes seconds, and `recurra --help` must not wait."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  as click calls it
        from recurra.tasks import task_names

        return task_names()

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and (made := _make(cmd_name)) is not None:
            self.commands[cmd_name] = made
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise UsageError(_no_task(args[0]))
        return super().resolve_command(ctx, args)


def _make(task: str) -> Any:
    """Make the command of a task; None where there is no such task."""
    from recurra.tasks import get_task

    try:
        title = get_task(task).title
    except UsageError:
        return None
    made = typer.Typer(rich_markup_mode="rich")
    made.callback()(lambda: None)
    try:
        made.command(task, short_help=title, no_args_is_help=True)(_command(task))
    except UsageError as error:  # its settings cannot be told apart, which must not take the list of all tasks down
        anything = {"ignore_unknown_options": True, "help_option_names": []}
        made.command(task, short_help=title, context_settings=anything)(_refusal(error))
    return typer.main.get_group(made).commands[task]


def _refusal(error: UsageError) -> Callable[..., None]:
    def command(arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:  # noqa: ARG001
        raise error

    return command


def _no_task(word: str) -> str:
    """Say that a word is no task; for data that were named without a task, where it stands."""
    from recurra.data import get, names
    from recurra.tasks import task_names, unknown_choice_message

    if word == "-" or word in names() or os.path.exists(word):  # noqa: PTH110  no error where a name is too long
        task = get(word).task if word in names() else "TASK"
        return f"task: expected one of {', '.join(task_names())} before the data, as in `recurra train {task} {word}`"
    return f"task: {unknown_choice_message(word, task_names())}"


app = typer.Typer(
    cls=TaskGroup,
    help="Train a model of a task on your data: a run folder with the model, its figures and a report.",
    invoke_without_command=True,
)


@app.callback()
def _resume(
    context: typer.Context,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="RUN", help="Go on with a training that was interrupted or killed."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    if resume is not None:
        if context.invoked_subcommand is not None:
            raise UsageError("resume: expected the run folder alone, as in `recurra train --resume RUN`")
        from recurra.api import resume as resume_training

        _finish(resume_training(resume, quiet=quiet))
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _command(task: str) -> Callable[..., None]:
    """Make the command of a task; its parameters are made from the task's configuration."""
    from recurra.runs.config import fields
    from recurra.tasks import get_task

    settings = {name: entry for name, entry in fields(task).items() if name != "data"}

    def command(**given: Any) -> None:
        from recurra import api

        data, out = given.pop("data_arguments"), given.pop("out")
        config, quiet, resume = given.pop("config"), given.pop("quiet"), given.pop("resume")
        extra = dict(_assignment(text, task) for text in given.pop("set"))
        flags = {name: value for name, value in given.items() if value is not None and value != []}
        if resume:
            if out is None:
                raise UsageError("resume: expected the run folder too, as in -o RUN --resume")
            _finish(api.resume(out, data, task=task, config=config, quiet=quiet, **{**flags, **extra}))
            return
        if not data and config is None:
            raise UsageError(
                f"data: expected files, folders or the name of a data set, as in `recurra train {task} novel.txt`"
            )
        _finish(api.train(task, data, out, config=config, quiet=quiet, **{**flags, **extra}))

    parameters = [
        parameter("data_arguments", list[str] | None, typer.Argument(metavar="DATA...", show_default=False, help="Files, folders, globs, the name of a data set (`recurra data list`), or - for standard input."), []),
        parameter("out", Path | None, typer.Option("--out", "-o", metavar="RUN", help="The run folder to make. Default: a new one under runs/.")),
        parameter("config", Path | None, typer.Option("--config", metavar="FILE", help="Settings from a TOML file; flags outrank it.")),
        parameter("set", list[str], typer.Option("--set", metavar="KEY=VALUE", help="Any setting by its name, as in model.hidden=256."), []),
        parameter("resume", bool, typer.Option("--resume", help="Go on with the training in -o RUN, with the data and the settings that it began with."), False),
        inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Quiet),
        *(setting_parameter(name, field, _panel(section)) for name, (section, field) in settings.items()),
        *_old_names(task),
    ]  # fmt: skip
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__doc__ = f"{get_task(task).Config.__doc__}\n{_examples(get_task(task).cli_examples)}"
    return command


def _examples(commands: Sequence[str]) -> str:
    return "\n\n".join(["[bold]Examples[/bold]", *map(escape, commands)]) if commands else ""


def _panel(section: str) -> str:
    return PANELS.get(section, section.title())


def _old_names(task: str) -> Iterator[inspect.Parameter]:
    """Give the flags of names that settings had before, where no setting of today has them."""
    from recurra.runs.config import fields, renamed

    known = fields(task)
    for old, (_, new) in renamed(task).items():
        if old not in known:
            yield old_parameter(old, new, known[new.name][1])


def _assignment(text: str, task: str) -> tuple[str, Any]:
    from recurra.runs.config import current_name, fields

    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"set: expected KEY=VALUE, got {text!r}")
    today = current_name(task, name, None)[0].strip().rpartition(".")[2].replace("-", "_")
    known = fields(task).get(today)
    return name.strip(), value.split(",") if known and takes_list(known[1]) else value


def _finish(run: Any) -> None:
    """Say what there is now and what to do with it."""
    end = run.events("end")[-1]
    if end["reason"] == "interrupted":
        note(
            f"stopped after step {end['step']}; the run can be used, or gone on with: recurra train --resume {run.path}"
        )
        raise typer.Exit(130)
    from recurra.tasks import get_task
    from recurra.verbs.base.evaluation import print_evaluation

    if run.evaluation is not None:
        print_evaluation(run.evaluation, get_task(run.configuration.task).element[1], run.notes_shown)
    report = run.path / "report.html"
    note(f"run: {run.path}" + (f"   report: {report}" if report.is_file() else ""))


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="train")

"""The tasks by name: ours are the packages and modules beside this folder, those of other packages are found by an entry point."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar

from recurra.errors import UsageError
from recurra.plugins import load_entry_points
from recurra.tasks.base.settings import unknown_choice_message
from recurra.tasks.base.task import Task

ENTRY_POINTS = "recurra.tasks"
"""The group of entry points in which another package names the module that registers its task."""

RESERVED = frozenset({"task", "data_arguments", "out", "config", "set", "resume", "quiet", "help"})
"""What `recurra train` and `recurra.train` take beside the settings: no setting can have such a name."""

_PACKAGE = "recurra.tasks"
_tasks: dict[str, type[Task]] = {}
TaskT = TypeVar("TaskT", bound=Task)


def register_task(task: type[TaskT]) -> type[TaskT]:
    """Make a task known under its name; used as a class decorator.

    Raises `ValueError` where there is such a task already, or a section or a setting has a name that is taken.
    """
    if task.name in _tasks:
        raise ValueError(f"a task named {task.name!r} is registered already")
    _check_names(task)
    _tasks[task.name] = task
    return task


def _check_names(task: type[Task]) -> None:
    for section, field in task.Config.model_fields.items():
        if section == "training":
            raise ValueError(
                f"{task.name}: expected another name for the section training, which every task has already"
            )
        for name in getattr(field.annotation, "model_fields", ()):
            if name in RESERVED:
                raise ValueError(
                    f"{task.name}: {section}.{name}: expected another name, for `recurra train` has an option {name}"
                )


def task_names() -> list[str]:
    """List the names of all tasks, sorted."""
    _import_tasks()
    return sorted(_tasks)


def get_task(name: str) -> type[Task]:
    """Find a task by its name; raises `UsageError` for an unknown one."""
    if name not in _tasks and f"{_PACKAGE}.{name}" in _modules():  # the others need not be waited for
        _register_by(partial(importlib.import_module, f"{_PACKAGE}.{name}"))
    if name not in _tasks:
        _import_tasks()
    if name not in _tasks:
        raise UsageError(f"task: {unknown_choice_message(name, sorted(_tasks))}")
    return _tasks[name]


@cache
def _modules() -> list[str]:
    package = importlib.import_module(_PACKAGE)
    return [module.name for module in pkgutil.iter_modules(package.__path__, f"{_PACKAGE}.")]


@cache
def _import_tasks() -> None:
    """Import every task, which registers it: a module or package in recurra.tasks is all that one needs."""
    for module in _modules():
        _register_by(partial(importlib.import_module, module))
    load_entry_points(ENTRY_POINTS, lambda point: _register_by(point.load))


def _register_by(load: Callable[[], object]) -> None:
    """Import a module; one that fails leaves no task behind, so that whoever asks for it next meets the same error."""
    before = dict(_tasks)
    try:
        load()
    except Exception:
        _tasks.clear()
        _tasks.update(before)
        raise

"""The data and the settings that a user gives for a training, as layers for `configure`, with the files in them found."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from recurra.arguments import PathName
from recurra.data import locate, names
from recurra.errors import DataError, UsageError
from recurra.files import expand_home
from recurra.formatting import abbreviate, closest
from recurra.runs.config import Configuration, configure, fields, read_settings, resolve_name, setting_value
from recurra.tasks import get_task

Source = PathName


def layers(
    task: str, data: Source | Iterable[Source], config: Source | None, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Give what a user says as layers for `configure`, the files in it found."""
    file = {} if config is None else read_settings(Path(config), task)
    arguments = [data] if isinstance(data, str | os.PathLike) else list(data)
    if not arguments:
        arguments = file.pop("data.data", [])
    named, located = _locate([str(argument) for argument in arguments], get_task(task).generated_data)
    return [named, _anchored(task, file), located, _anchored(task, settings)]


def check_same(started: Configuration, layers: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Raise `UsageError` for a setting that is not the one that a training began with; what was left open was chosen then."""
    known = fields(started.task)
    given_names = {
        resolve_name(started.task, name, known)
        for layer in layers
        for name, given in layer.items()
        if given is not None
    }
    if "within" in given_names:
        raise UsageError("within: a training is resumed with the time that it was given when it began; leave it out")
    asked = configure(started.task, *layers)
    for name in sorted(given_names):
        had, got = (setting_value(configuration, name, known) for configuration in (started, asked))
        if got not in (had, None, "auto"):
            raise UsageError(
                f"{name}: a training is resumed with the settings it began with, in {folder} {abbreviate(had)}; "
                f"got {abbreviate(got)}"
            )


def _locate(arguments: list[str], generated: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn the name of a data set into its settings and its files; other arguments stay as they are.

    generated: names of data that the task makes itself.
    """
    if len(arguments) == 1 and arguments[0] in generated and not os.path.exists(arguments[0]):  # noqa: PTH110
        return {"name": arguments[0]}, {"data": arguments}
    if len(arguments) == 1 and not os.path.exists(arguments[0]) and arguments[0] in names():  # noqa: PTH110  no error where a name is too long
        found = locate(arguments[0])
        files = {"data": found.train, "valid": found.valid, "test": found.test}
        located = {name: [str(path) for path in paths] for name, paths in files.items() if paths}
        return {**found.settings, "name": arguments[0]}, located
    for argument in arguments:
        close = closest(argument, [*names(), *generated]) if re.fullmatch(r"[\w-]+", argument) else None
        if close and argument != "-" and not os.path.exists(argument):  # noqa: PTH110
            same = argument == close
            hint = f"name the data set {argument} alone" if same else f"did you mean the data set {close}?"
            raise DataError("is no file here", source=argument, hint=hint)
    return {}, {"data": [_absolute(argument) for argument in arguments]} if arguments else {}


def _anchored(task: str, layer: Mapping[str, Any]) -> dict[str, Any]:
    """Make the files of a layer absolute, as those of `data` are."""
    known, of_files = fields(task), get_task(task).file_settings()

    def anchored(name: str, value: Any) -> Any:
        if value is None or resolve_name(task, name, known) not in of_files:
            return value
        files = [value] if isinstance(value, str | Path) else value
        return [_absolute(str(file)) for file in files] if isinstance(files, list | tuple) else value

    return {name: anchored(name, value) for name, value in layer.items()}


def _absolute(argument: str) -> str:
    """Make a file, a folder or a glob absolute; what stands before a glob is a name, whatever is in it.

    >>> _absolute("/texts/*.txt"), _absolute("-")
    ('/texts/*.txt', '-')
    """
    path = expand_home(argument)
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"data: expected names in UTF-8, which a run's settings can hold, got {argument}; rename it, or name its folder"
        ) from None
    if argument == "-" or not glob.has_magic(argument) or os.path.lexists(path):
        return argument if argument == "-" else str(path.absolute())
    if argument.startswith("~"):
        home, *rest = Path(argument).parts
        return str(Path(glob.escape(str(expand_home(home))), *rest))
    return str(Path(glob.escape(str(Path.cwd())), argument))

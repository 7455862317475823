"""A run's configuration: a task's own sections and the training's, from defaults, data set, file and flags, in this order."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from recurra.documents import read_toml
from recurra.errors import RunError, UsageError
from recurra.formatting import MAX_MESSAGE_CHARACTERS, abbreviate, closest, shorten
from recurra.runs.upgrade import upgrade
from recurra.tasks import Settings, get_task
from recurra.tasks.base.settings import Renamed
from recurra.training.config import Training
from recurra.version import __version__

FORMAT = 2
"""Of config.toml; 1, which does not say so, has some settings under older names."""


@dataclass
class Configuration:
    """Which task, its sections, and how it is trained; format: of the file that it was read from."""

    task: str
    settings: Settings
    training: Training
    format: int = FORMAT

    def to_toml(self) -> str:
        """Give the text of a config.toml; settings that are None (left to be chosen) are left out."""
        sections = {name: getattr(self.settings, name) for name in type(self.settings).model_fields}
        document: dict[str, Any] = {"task": self.task, "recurra": __version__, "format": FORMAT}
        for name, section in {**sections, "training": self.training}.items():
            document[name] = section.model_dump(exclude_none=True)
        return tomli_w.dumps(document)


def sections(task: str) -> dict[str, type[Settings]]:
    """Give the sections of a task's configuration, the training's last.

    >>> list(sections("lm"))
    ['data', 'model', 'training']
    """
    fields = get_task(task).Config.model_fields
    found = {name: field.annotation for name, field in fields.items()}
    return {**{name: kind for name, kind in found.items() if isinstance(kind, type)}, "training": Training}


def fields(task: str) -> dict[str, tuple[str, FieldInfo]]:
    """Give every setting of a task by its name: its section and what is known of it.

    Raises `UsageError` where two sections have a setting of one name: one of the two could not be reached.
    """
    found: dict[str, tuple[str, FieldInfo]] = {}
    for section, kind in sections(task).items():
        for name, field in kind.model_fields.items():
            if name in found:
                raise UsageError(
                    f"{task}: expected one setting named {name}, got two: {found[name][0]}.{name} and {section}.{name}"
                )
            found[name] = section, field
    return found


def configure(task: str, *layers: Mapping[str, Any]) -> Configuration:
    """Build a configuration from layers of settings by name (`hidden` or `model.hidden`), later ones first in rank.

    Raises `UsageError` for an unknown name, with the likeliest one meant, and for a value that does not fit.
    """
    known = fields(task)
    chosen: dict[str, dict[str, Any]] = {section: {} for section in sections(task)}
    for layer_given in layers:
        layer = _by_current_names(task, layer_given, known)
        given_names = {name for name, value in layer.items() if value is not None}
        for name, other in Training.either.items():
            if name in given_names:
                if other in given_names:
                    raise UsageError(f"{name}, {other}: expected one of the two, got both; leave one of them out")
                chosen["training"].pop(other, None)
        for name, value in layer.items():
            chosen[known[name][0]][name] = value
    return _validate(task, chosen)


def _by_current_names(
    task: str, layer: Mapping[str, Any], known: Mapping[str, tuple[str, FieldInfo]]
) -> dict[str, Any]:
    """Give a layer by the settings' names of today; raises `UsageError` for a setting that is given by two names."""
    found: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for given, value in layer.items():
        name, current = current_name(task, given, value)
        name = resolve_name(task, name, known)
        if current is None and name in found:
            continue
        if found.get(name) is not None and _plain(given) != _plain(origin[name]):
            raise UsageError(f"{origin[name]}, {given}: expected one of the two, which are the same setting; got both")
        found[name], origin[name] = current, given
    return found


def _plain(name: str) -> str:
    return name.strip().rpartition(".")[2].replace("-", "_")


def renamed(task: str) -> dict[str, tuple[str, Renamed]]:
    """Give every setting of a task that had another name before, by that name: its section, and what it is called now.

    >>> renamed("lm")["window"][1].name
    'bptt'
    """
    return {old: (section, new) for section, kind in sections(task).items() for old, new in kind.renamed.items()}


def current_name(task: str, name: str, value: Any) -> tuple[str, Any]:
    """Give the name and the value that a setting has today; those that were never renamed stay as they are."""
    section, _, last = name.strip().rpartition(".")
    found = renamed(task).get(last.replace("-", "_"))
    if found is None or section not in ("", found[0]) or last.replace("-", "_") in fields(task):
        return name, value
    return f"{found[0]}.{found[1].name}", found[1].value(value)


def resolve_name(task: str, name: str, known: Mapping[str, tuple[str, FieldInfo]]) -> str:
    """Give the setting that a name means: `hidden` for `model.hidden`; raises `UsageError` for an unknown one.

    >>> resolve_name("lm", "model.hidden", fields("lm")), resolve_name("lm", "weight-decay", fields("lm"))
    ('hidden', 'weight_decay')
    """
    section, _, last = current_name(task, name, None)[0].strip().rpartition(".")
    last = last.replace("-", "_")
    if last not in known:
        close = closest(last, known)
        hint = f"did you mean {close}?" if close else f"`recurra train {task} --help` lists them"
        raise UsageError(f"{name}: no such setting of {task}; {hint}")
    if section not in ("", known[last][0]):
        raise UsageError(f"{name}: no such setting of {task}; did you mean {known[last][0]}.{last}?")
    return last


def _validate(task: str, chosen: dict[str, Any]) -> Configuration:
    given = dict(chosen)
    try:
        training = Training.model_validate(given.pop("training", {}))
        settings = get_task(task).Config.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        got = "" if "got" in message else f", got {abbreviate(first['input'])}"
        raise UsageError(f"{place}: {message[:1].lower()}{message[1:]}{got}") from None
    configuration = Configuration(task, settings, training)
    for name, (section, _) in (known := fields(task)).items():
        number = setting_value(configuration, name, known)
        if isinstance(number, float) and not (math.isfinite(number) or (number > 0 and name in Training.endless)):
            raise UsageError(f"{section}.{name}: expected a finite number, got {number}")
    return configuration


def setting_value(configuration: Configuration, name: str, known: Mapping[str, tuple[str, FieldInfo]]) -> Any:
    """Give a setting by its name.

    >>> setting_value(configure("lm", {"hidden": 64}), "hidden", fields("lm"))
    64
    """
    section = known[name][0]
    return getattr(configuration.training if section == "training" else getattr(configuration.settings, section), name)


def read_settings(path: Path, task: str) -> dict[str, Any]:
    """Read the settings of a TOML file as a layer for `configure`; raises `UsageError` with the place of a fault."""
    try:
        document = read_toml(path)
    except RunError as error:
        raise UsageError(str(error)) from None
    named = document.pop("task", task)
    if named != task:
        raise UsageError(f"{path}: is the configuration of a {named} run, not of {task}")
    version = document.pop("recurra", "?")
    if document.pop("format", FORMAT) not in (1, FORMAT):
        raise UsageError(f"{path}: was written by a newer Recurra ({version}), this is {__version__}; install that one")
    layer = {}
    for section, values in document.items():
        if not isinstance(values, dict):
            raise UsageError(f"{path}: {section}: expected in a section, one of {', '.join(sections(task))}")
        layer |= {f"{section}.{name}": value for name, value in values.items()}
    try:
        configure(task, layer)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return layer


def load_configuration(path: Path) -> Configuration:
    """Read a run folder's config.toml; raises `RunError` when it is none, or none that this version can use."""
    document = read_toml(path)
    if "task" not in document:
        raise RunError(f"{path}: expected a run's configuration, got one that names no task")
    task, version = str(document.pop("task")), shorten(str(document.pop("recurra", "?")))
    form = document.pop("format", 1)
    if form not in (1, FORMAT):
        raise RunError(f"{path}: was written by a newer Recurra ({version}), this is {__version__}; install that one")
    try:
        configuration = _validate(task, upgrade(sections(task), document) if form == 1 else document)
    except UsageError as error:
        other = "" if version == __version__ else f" (it was written by Recurra {version}, this is {__version__})"
        raise RunError(f"{path}: cannot be used: {shorten(str(error), MAX_MESSAGE_CHARACTERS)}{other}") from None
    configuration.format = form
    return configuration

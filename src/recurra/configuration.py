"""A run's configuration: a task's own sections and the training's, from defaults, data set, file and flags, in this order."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from recurra import __version__
from recurra.errors import RecurraError, RunError, UsageError
from recurra.tasks import Settings, get_task
from recurra.training.config import Training


@dataclass
class Configuration:
    """Which task, its sections, and how it is trained."""

    task: str
    settings: Settings
    training: Training

    def to_toml(self) -> str:
        """Give the text of a config.toml; settings that are None (left to be chosen) are left out."""
        sections = {name: getattr(self.settings, name) for name in type(self.settings).model_fields}
        document: dict[str, Any] = {"task": self.task, "recurra": __version__}
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
    """Give every setting of a task by its name: its section and what is known of it; names are unique over sections."""
    return {
        name: (section, field) for section, kind in sections(task).items() for name, field in kind.model_fields.items()
    }


def takes_list(field: FieldInfo) -> bool:
    """Tell whether a setting is a list."""
    return field.annotation is list or (bool(get_args(field.annotation)) and str(field.annotation).startswith("list"))


def configure(task: str, *layers: Mapping[str, Any]) -> Configuration:
    """Build a configuration from layers of settings by name (`hidden` or `model.hidden`), later ones first in rank.

    Raises `UsageError` for an unknown name, with the likeliest one meant, and for a value that does not fit.
    """
    known = fields(task)
    chosen: dict[str, dict[str, Any]] = {section: {} for section in sections(task)}
    for layer in layers:
        for name, value in layer.items():
            section, _, leaf = name.rpartition(".")
            leaf = leaf.replace("-", "_")
            if leaf not in known or section not in ("", known[leaf][0]):
                raise UsageError(f"{name}: no such setting of {task}; {_meant(leaf, known)}")
            chosen[known[leaf][0]][leaf] = value
    return _validate(task, chosen)


def _meant(name: str, known: Mapping[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "`recurra train lm --help` lists them"


def _validate(task: str, chosen: dict[str, dict[str, Any]], error: type[RecurraError] = UsageError) -> Configuration:
    try:
        training = Training.model_validate(chosen.pop("training", {}))
        return Configuration(task, get_task(task).Config.model_validate(chosen), training)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise error(f"{place}: {message} (got {first['input']!r})") from None


def read_settings(path: Path, task: str) -> dict[str, Any]:
    """Read the settings of a TOML file as a layer for `configure`; raises `UsageError` with the place of a fault."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    written = document.pop("task", task)
    if written != task:
        raise UsageError(f"{path}: is the configuration of a {written} run, not of {task}")
    document.pop("recurra", None)
    layer = {}
    for section, values in document.items():
        if not isinstance(values, dict):
            raise UsageError(f"{path}: {section}: expected in a section, one of {', '.join(sections(task))}")
        layer |= {f"{section}.{name}": value for name, value in values.items()}
    return layer


def load_configuration(path: Path) -> Configuration:
    """Read a run folder's config.toml; raises `RunError` when it is none."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        task = document.pop("task")
        document.pop("recurra", None)
        return _validate(task, document, RunError)
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, UsageError) as error:
        raise RunError(f"{path}: is damaged: {error}") from None

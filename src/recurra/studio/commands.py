"""A training that a page asks for, as the command line that does the same."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from recurra.data import names
from recurra.data.datasets.locate import find
from recurra.data.datasets.registry import get
from recurra.errors import RecurraError, UsageError
from recurra.files import path_exists
from recurra.runs.config import configure, fields, resolve_name
from recurra.runs.request import layers
from recurra.studio.options import Reference, given_value, takes_several
from recurra.tasks.base.settings import flag_name, is_file_setting

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_KEY = re.compile(r"(?:[a-z]+\.)?([a-z][a-z0-9_]*)[:,]")


@dataclass
class Wanted:
    """data: the files to train on.  dataset: the name of a data set instead.  settings: by their names.  name: of the run's folder."""

    task: str
    data: list[Path]
    dataset: str | None
    settings: dict[str, Any] = field(default_factory=dict)
    name: str | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a request, and of which setting."""

    key: str | None
    message: str


def known_dataset(name: str) -> str:
    """Give the name of a data set that can be used; raises `UsageError` for one that is not known, or that a download would have to bring first."""
    if name not in names():
        get(name)
    dataset = get(name)
    if dataset.builtin is None and find(dataset) is None:
        raise UsageError(f"data: {name} is not on this machine yet; get it with `recurra data get {name}`")
    return name


def refer(wanted: Wanted, finder: Reference) -> Wanted:
    """Give the same with the settings that name files and runs by where these are; raises `UsageError` for an unknown setting, and for a file that is none of the uploads."""
    known = fields(wanted.task)
    settings = {}
    for name, value in wanted.settings.items():
        last = resolve_name(wanted.task, name, known)
        entry = known[last][1]
        if last == "data":
            raise UsageError("data: is what the training is asked for with; leave it out of the settings")
        if is_file_setting(entry):
            value = value if isinstance(value, list) or value is None else [value]
        settings[last] = given_value(last, entry, value, finder)
    return Wanted(wanted.task, wanted.data, wanted.dataset, settings, wanted.name)


def faults(wanted: Wanted) -> list[Fault]:
    """List what is wrong with the settings of a training, each by itself, as far as that can be seen before the data are read."""
    found = []
    for name, value in wanted.settings.items():
        try:
            configure(wanted.task, {name: value})
        except UsageError as error:
            found.append(Fault(name, str(error)))
    if found:
        return found
    try:
        configure(wanted.task, *layers(wanted.task, _data(wanted), None, wanted.settings))
    except RecurraError as error:
        match = _KEY.match(str(error))
        return [Fault(None if match is None else match[1], str(error))]
    return []


def _data(wanted: Wanted) -> list[str]:
    return [wanted.dataset] if wanted.dataset is not None else [str(path) for path in wanted.data]


def arguments(wanted: Wanted, out: Path) -> list[str]:
    """Give the words of the command after `recurra`; what settings say is left to the command line to check."""
    known = fields(wanted.task)
    words = ["train", wanted.task, *_data(wanted), "-o", str(out)]
    for name, value in wanted.settings.items():
        words += _flags(name, known[name][1], value)
    return words


def _flags(name: str, entry: FieldInfo, value: Any) -> list[str]:
    if value is None:
        return []
    flag = flag_name(name, entry)
    if isinstance(value, bool) and flag.startswith("--"):
        return [flag if value else f"--no-{flag[2:]}"]
    several = value if isinstance(value, list) else [value]
    if takes_several(entry) and not several:
        return []
    return [word for one in several for word in _flag(flag, one)]


def _flag(flag: str, value: Any) -> list[str]:
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise UsageError(f"{flag.lstrip('-')}: expected a text or a number")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\0" in text:
        raise UsageError(f"{flag.lstrip('-')}: expected a text without zero bytes")
    if text.startswith("-") and flag.startswith("--"):
        return [f"{flag}={text}"]
    return [flag, text]


def shown(words: Sequence[str], by_path: Mapping[str, str]) -> str:
    """Write a command line for people; by_path: what to call a file or a folder.

    >>> shown(["train", "lm", "/tmp/x/my verse.txt", "-o", "/srv/runs/lm-1"], {"/tmp/x/my verse.txt": "my verse.txt", "/srv/runs/lm-1": "runs/lm-1"})
    "recurra train lm 'my verse.txt' -o runs/lm-1"
    """
    return " ".join(["recurra", *(shlex.quote(by_path.get(word, word)) for word in words)])


def new_folder(home: Path, task: str, name: str | None) -> Path:
    """Choose the folder of a new run; raises `UsageError` for a name that is none, or that is used already."""
    if name is not None:
        if not _NAME.fullmatch(name):
            raise UsageError("name: expected letters, digits, - and _, at most 64")
        if path_exists(home / name):
            raise UsageError(f"name: there is a folder {name} already; choose another")
        return home / name
    number = 1
    while path_exists(home / f"{task}-{number}"):
        number += 1
    return home / f"{task}-{number}"

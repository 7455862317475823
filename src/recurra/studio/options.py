"""Settings and options as the page shows them, and what a page gives for them: files and runs by their ids alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from recurra.errors import UsageError
from recurra.formatting import abbreviate
from recurra.tasks.base.settings import Settings, flag_name, flag_of, is_file_setting

NO_RUN_OR_FILE = ("own", "none", "")
"""Words that an option which names a run or a file may hold too."""
Reference = Callable[[str], Path | None]
"""Finds a file or a run by its id."""


def kind_of(field: FieldInfo) -> str:
    """Say what a setting takes: "flag", "int", "float", "text", "choice", "upload" (the id of one), "run" (likewise), or "written": a file to write.

    >>> class Section(Settings):
    ...     hidden: int | None = None
    >>> kind_of(Section.model_fields["hidden"])
    'int'
    """
    flag = flag_of(field)
    words = re.split(r"[|.\s]", flag.metavar or "")
    if flag.writes:
        return "written"
    if "RUN" in words:
        return "run"
    if is_file_setting(field) or {"FILE", "PICTURE"} & set(words):
        return "upload"
    plain = _plain(field.annotation)
    if any(get_origin(kind) is Literal for kind in plain):
        return "choice" if len(plain) == 1 else "text"
    return next((name for kind, name in _NAMES if kind in plain), "text")


_NAMES: tuple[tuple[type, str], ...] = ((str, "text"), (bool, "flag"), (float, "float"), (int, "int"))


def _plain(annotation: Any) -> list[Any]:
    """Give the types of a setting, those of a list's items, without None."""
    if get_origin(annotation) is Literal or not get_args(annotation):
        return [] if annotation is NoneType else [annotation]
    return [kind for part in get_args(annotation) if not isinstance(part, str | int) for kind in _plain(part)]


def takes_several(field: FieldInfo) -> bool:
    """Tell whether a setting is a list."""
    return get_origin(field.annotation) is list


def describe_field(name: str, field: FieldInfo) -> dict[str, Any]:
    """Give a setting or an option as the page shows it."""
    choices = [choice for kind in _plain(field.annotation) if get_origin(kind) is Literal for choice in get_args(kind)]
    return {
        "key": name,
        "help": field.description or "",
        "type": kind_of(field),
        "choices": choices or None,
        "default": field.get_default(call_default_factory=True),
        "list": takes_several(field),
        "flag": flag_name(name, field),
    }


def describe_options(kind: type[Settings] | None) -> list[dict[str, Any]]:
    """Give every option that a page can set."""
    if kind is None:
        return []
    described = [describe_field(name, field) for name, field in kind.model_fields.items()]
    return [one for one in described if one["type"] != "written"]


def given_options(kind: type[Settings], given: Mapping[str, Any], find: Reference) -> dict[str, Any]:
    """Give options as a verb takes them: uploads and runs by where they are.

    find: gives the file of an upload, or the folder of a run.  Raises `UsageError` for a name where an id is expected, and for what only the command line writes.
    """
    return {name: given_value(name, kind.model_fields.get(name), value, find) for name, value in given.items()}


def given_value(name: str, field: FieldInfo | None, value: Any, find: Reference) -> Any:
    """Give one value; field: None of a name that is unknown, which its reader refuses."""
    kind = "" if field is None else kind_of(field)
    if kind == "written":
        raise UsageError(f"{name}: files are written by the command line alone; leave it out")
    if kind not in ("upload", "run") or value is None:
        return value
    found = [_find(name, one, find) for one in (value if isinstance(value, list) else [value])]
    return found if isinstance(value, list) else found[0]


def _find(name: str, value: Any, find: Reference) -> str:
    if isinstance(value, str) and value in NO_RUN_OR_FILE:
        return value
    path = find(value) if isinstance(value, str) else None
    if path is None:
        raise UsageError(f"{name}: expected the id of an upload or a run, got {abbreviate(value, 40)}; upload the file")
    return str(path)

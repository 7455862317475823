"""Settings as flags of the command line: everything about a flag is in the setting, and stays text here until that reads it."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from recurra.tasks.base.settings import Flag, Renamed, Settings, flag_name, flag_of, is_file_setting


def takes_list(field: FieldInfo) -> bool:
    """Tell whether a setting is a list."""
    return field.annotation is list or (bool(get_args(field.annotation)) and str(field.annotation).startswith("list"))


def parameter(name: str, kind: Any, option: Any, default: Any = None) -> inspect.Parameter:
    """Give a parameter of a command, as typer reads them off a function's signature."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def setting_parameter(
    name: str, field: FieldInfo, panel: str | None = None, *, hidden: bool = False
) -> inspect.Parameter:
    """Turn a setting into a flag. It stays text here: the settings are what reads and checks it."""
    mark = Flag() if hidden else flag_of(field)
    flag = "--" + name.replace("_", "-") if hidden else flag_name(name, field)
    default = "" if field.default in (None, [], False, "") else f" [dim]\\[default: {_shown(field.default)}][/dim]"
    common = {
        "help": f"{field.description}{default}",
        "rich_help_panel": panel,
        "show_default": False,
        "hidden": hidden,
    }
    flags = list(dict.fromkeys([flag] if mark.short is None else [flag, mark.short]))
    if takes_list(field):
        return parameter(name, list[str], typer.Option(*flags, metavar=_metavar(field), **common), [])
    if field.annotation is bool:
        return parameter(name, bool | None, typer.Option(f"{flag}/--no-{flag[2:]}", *flags[1:], **common))
    return parameter(name, str | None, typer.Option(*flags, metavar=_metavar(field), **common))


def old_parameter(old: str, new: Renamed, field: FieldInfo) -> inspect.Parameter:
    """Turn the name that a setting had before into a flag, so that command lines in scripts go on to work; no help lists it."""
    if new.values:  # the words of before, whatever the setting takes today
        return parameter(old, str | None, typer.Option("--" + old.replace("_", "-"), hidden=True))
    return setting_parameter(old, field, hidden=True)


def click_parameters(kind: type[Settings]) -> list[Any]:
    """Give the flags of a section as click has them; those that had another name before have that too, which no help lists."""

    def command(**_: Any) -> None:
        pass

    fields = kind.model_fields
    made = [setting_parameter(name, field) for name, field in fields.items()]
    made += [old_parameter(old, new, fields[new.name]) for old, new in kind.renamed.items()]
    command.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
    app = typer.Typer(rich_markup_mode="rich", add_completion=False)
    app.command()(command)
    return typer.main.get_command(app).params


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _metavar(field: FieldInfo) -> str:
    if (given := flag_of(field).metavar) is not None:
        return given
    if is_file_setting(field):
        return "FILE"
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    choices = next((kind for kind in (field.annotation, *kinds) if get_origin(kind) is Literal), None)
    if choices is not None:
        return "|".join(map(str, get_args(choices)))
    kind = kinds[0] if kinds else field.annotation
    return {int: "N", float: "X", str: "TEXT"}.get(kind, "VALUE")  # type: ignore[arg-type]

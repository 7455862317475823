"""What settings are made of: sections, the type of those that name files, short flags, and the message for an unknown choice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from recurra.formatting import abbreviate, closest

MAX_WHOLE_NUMBER, MAX_NUMBER = 10**9, 1e30
"""A number in a setting is at most so far from zero, where the setting itself has no limit: more fits no size or count, and no float32."""


_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class _Paths:
    """Marks a setting whose items are paths."""


Files = Annotated[list[str], _Paths()]
"""A setting that names files, folders or globs, or - for standard input."""


@dataclass(frozen=True)
class Flag:
    """Marks a setting whose flag on the command line is not made from its name alone.

    short: one letter, as in -k.  long: instead of the setting's name.  metavar: what the help shows for the value.
    writes: whether the value names a file that is written.

    >>> class Section(Settings):
    ...     top: Annotated[int, Flag(short="-t")] = 5
    >>> flag_of(Section.model_fields["top"]).short
    '-t'
    """

    short: str | None = None
    long: str | None = None
    metavar: str | None = None
    writes: bool = False


def flag_of(field: FieldInfo) -> Flag:
    """Give how a setting is written on the command line."""
    return next((mark for mark in field.metadata if isinstance(mark, Flag)), Flag())


def flag_name(name: str, field: FieldInfo) -> str:
    """Give the flag of a setting: --hidden, or -k of one whose name is one letter.

    >>> class Section(Settings):
    ...     weight_decay: float = 0.01
    ...     k: Annotated[int, Flag(short="-k")] = 5
    >>> [flag_name(name, field) for name, field in Section.model_fields.items()]
    ['--weight-decay', '-k']
    """
    mark = flag_of(field)
    return f"-{name}" if mark.short == f"-{name}" else mark.long or "--" + name.replace("_", "-")


def is_file_setting(field: FieldInfo) -> bool:
    """Tell whether a setting names files.

    >>> class Section(Settings):
    ...     data: Files = []
    ...     tags: list[str] = []
    >>> [is_file_setting(field) for field in Section.model_fields.values()]
    [True, False]
    """
    return any(isinstance(mark, _Paths) for mark in field.metadata)


@dataclass(frozen=True)
class Renamed:
    """What a setting is called now, and what its old values are, where these have changed too."""

    name: str
    values: Mapping[Any, Any] = field(default_factory=dict)

    def value(self, given: Any) -> Any:
        """Give today's value for an old one.

        >>> Renamed("multivariate", {"together": True}).value("together")
        True
        """
        return self.values.get(given, given) if isinstance(given, str | int | float) else given


class Settings(BaseModel):
    """A section of a configuration: the single source for flags, TOML, validation, help and docs.

    Where several words may stand, one alone may too. A truth value is no number, a number is no truth value, and every number has a limit.

    >>> class Section(Settings):
    ...     target: list[str] = []
    ...     hidden: int = 64
    >>> Section(target="sales").target
    ['sales']
    >>> Section(hidden=True)
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for Section
    hidden
      Value error, expected a number, got true ...
    """

    renamed: ClassVar[Mapping[str, Renamed]] = {}
    """Settings by the names that they had before: runs and command lines that were written then go on to work."""

    endless: ClassVar[frozenset[str]] = frozenset()
    """Numbers that have no limit, and may be infinite."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _known_choice(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[info.field_name].annotation if info.field_name else None
        if kind == list[str] and isinstance(value, str):
            return [value]
        value = _from_array(value)
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, str) and _HALF_A_PAIR.search(text):
                raise ValueError("expected a text in Unicode, as UTF-8 can write it")  # as every run's settings are
        if get_origin(kind) is Literal and isinstance(value, str) and value not in get_args(kind):
            raise ValueError(unknown_choice_message(value, get_args(kind)))
        _check_truth_values(value, _plain_types(kind))
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _limited(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.field_name or ""
        marks = cls.model_fields[name].metadata if name else ()
        if name not in cls.endless and not any(hasattr(mark, "le") or hasattr(mark, "lt") for mark in marks):
            for each in value if isinstance(value, list) else [value]:
                limit: float = MAX_WHOLE_NUMBER if isinstance(each, int) else MAX_NUMBER
                if isinstance(each, int | float) and limit < abs(each) != math.inf:
                    raise ValueError(f"expected a number of at most {limit:,}, got {abbreviate(each)}")
        return value


def _from_array(value: Any) -> Any:
    """Give an array or a tensor of one number as that number, and a row of numbers as a list; raises `ValueError` for others."""
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, type):
        return value
    if not isinstance(shape, tuple) or len(shape) > 1 or not hasattr(value, "tolist"):
        raise ValueError(f"expected one value, got {abbreviate(value)}")
    try:
        return value.tolist()
    except (RuntimeError, NotImplementedError):  # a tensor that has no numbers
        raise ValueError(f"expected numbers, got {abbreviate(value)}") from None


def _check_truth_values(value: Any, types: frozenset[Any]) -> None:
    """Raise `ValueError` for a truth value where a number is expected, and for a number where a truth value is."""
    for each in value if isinstance(value, list | tuple) else [value]:
        if isinstance(each, bool) and bool not in types and types & {int, float}:
            raise ValueError(f"expected a number, got {str(each).lower()}")
        if isinstance(each, int | float) and not isinstance(each, bool) and bool in types and not types & {int, float}:
            raise ValueError(f"expected true or false, got {abbreviate(each)}")


@cache
def _plain_types(kind: Any) -> frozenset[Any]:
    """Give the types that a setting, or an item of it, may have."""
    if get_origin(kind) in (Union, UnionType, list, Annotated):
        return frozenset[Any]().union(*(_plain_types(inner) for inner in get_args(kind)))
    if get_origin(kind) is Literal:
        return frozenset(type(choice) for choice in get_args(kind))
    return frozenset({kind})


def unknown_choice_message(value: str, known: Iterable[object]) -> str:
    """Say that a value is none of those there are, and which was probably meant: what an error says after the setting.

    >>> unknown_choice_message("LSMT", ["lstm", "gru"])
    "expected one of lstm, gru; got 'LSMT'; did you mean lstm?"
    >>> unknown_choice_message("transformer", ["lstm", "gru"])
    "expected one of lstm, gru; got 'transformer'"
    """
    names = [str(name) for name in known]
    close = closest(value.lower(), names, likeness=0.4)
    return f"expected one of {', '.join(names)}; got {value!r}" + (f"; did you mean {close}?" if close else "")

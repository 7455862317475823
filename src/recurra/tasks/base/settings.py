"""What settings are made of: sections, the type of those that name files, and what is said of a choice that there is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.fields import FieldInfo


class _Paths:
    """Marks a setting whose items are paths."""


Files = Annotated[list[str], _Paths()]
"""A setting that names files, folders or globs, or - for standard input."""


def names_files(field: FieldInfo) -> bool:
    """Tell whether a setting names files.

    >>> class Section(Settings):
    ...     data: Files = []
    ...     tags: list[str] = []
    >>> [names_files(field) for field in Section.model_fields.values()]
    [True, False]
    """
    return any(isinstance(mark, _Paths) for mark in field.metadata)


class Settings(BaseModel):
    """A section of a configuration: the single source for flags, TOML, validation, help and docs.

    Where several words may stand, one alone may too.

    >>> class Section(Settings):
    ...     target: list[str] = []
    >>> Section(target="sales").target
    ['sales']
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _known_choice(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[info.field_name].annotation if info.field_name else None
        if kind == list[str] and isinstance(value, str):
            return [value]
        if get_origin(kind) is Literal and isinstance(value, str) and value not in get_args(kind):
            raise ValueError(unknown(value, get_args(kind)))
        return value


def unknown(value: str, known: Iterable[str]) -> str:
    """Say that a value is none of those there are, and which was probably meant: what an error says after the setting.

    >>> unknown("LSMT", ["lstm", "gru"])
    "expected one of lstm, gru; got 'LSMT'; did you mean lstm?"
    >>> unknown("transformer", ["lstm", "gru"])
    "expected one of lstm, gru; got 'transformer'"
    """
    names = list(known)
    close = difflib.get_close_matches(value.lower(), names, n=1, cutoff=0.4)
    return f"expected one of {', '.join(names)}; got {value!r}" + (f"; did you mean {close[0]}?" if close else "")

"""Reading the JSON and TOML files of a run folder, which may come from a stranger: bounded, and an error in one line."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recurra.errors import RunError
from recurra.formatting import abbreviate, shorten

MAX_JSON_BYTES = 16 * 2**20
MAX_TOML_BYTES = 4 * 2**20
MAX_LOG_BYTES = 64 * 2**20
"""Of metrics.jsonl."""
MAX_LEVELS = 40
"""Levels of nesting of a document; whatever walks through it goes as deep."""
MAX_TOML_KEYS = 20_000
"""Keys of a TOML document, each part of a dotted one counted: a reader makes tables of each, hundreds of bytes large."""
_TOML_STRING_OR_COMMENT = re.compile(
    r'''"""(?:\\[\s\S]|[^"\\]|"{1,2}(?!"))*+(?:"{3,5})?|"(?:\\.|[^"\\\n])*+"?'''
    r"""|'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5})?|'[^'\n]*+'?"""
    r"""|(?P<comment>\#[^\n]*+)"""
)  # each is taken to its end, closed or not, so that no place is looked at twice
_TOML_NAME = re.compile(r"(?P<name>[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++)*+)(?P<is_key>[ \t]*+[=\]])?")

Finite = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(allow_inf_nan=False, ge=0)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]


class Document(BaseModel):
    """What a JSON file has to look like: each value of just its type, and no name that is not known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def read_json(path: Path, hook: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Read a JSON file; raises `RunError` where it cannot be read, or is too large or nested too deep.

    hook: makes an object of its pairs, and may raise `ValueError`.
    """
    return _parse(path, MAX_JSON_BYTES, "JSON", lambda text: json.loads(text, object_pairs_hook=hook))


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; raises `RunError` as `read_json` does."""
    return _parse(path, MAX_TOML_BYTES, "TOML", _parse_toml)


def _parse_toml(text: str) -> dict[str, Any]:
    check_toml_keys(text)
    return tomllib.loads(text)


def check_toml_keys(text: str) -> None:
    """Raise `ValueError` for more keys than `MAX_TOML_KEYS`, `RecursionError` for a key of more parts than `MAX_LEVELS`.

    Before a document is parsed: `a.a.a = 1` of 30,000 parts would take gigabytes. Parts in quotes count as any other.

    >>> check_toml_keys("[model]\\n'size.of'.it = 1.5  # a.b.c")
    """
    bare = _TOML_STRING_OR_COMMENT.sub(lambda found: "" if found["comment"] else "s", text)
    keys = 0
    for found in _TOML_NAME.finditer(bare):
        parts = found["name"].count(".") + 1
        if parts > MAX_LEVELS:
            raise RecursionError
        keys += parts if found["is_key"] else 0  # or it is a number, or another value
        if keys > MAX_TOML_KEYS:
            raise ValueError(f"expected up to {MAX_TOML_KEYS:,} keys, each part of a dotted one counted, got more")


def _parse(path: Path, most: int, form: str, parse: Callable[[str], Any]) -> Any:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # of what else there is, reading may never end
            raise RunError(f"{path}: cannot be read: expected a file, got something else")
        if (size := about.st_size) > most:
            raise RunError(f"{path}: expected {form} of up to {most:,} bytes, got {size:,}")
        document = parse(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise RunError(f"{path}: not valid {form}: {shorten(str(error))}") from None
    except RecursionError:
        raise _too_deep(path, form) from None
    if levels_exceed(document, MAX_LEVELS):
        raise _too_deep(path, form)
    return document


def _too_deep(path: Path, form: str) -> RunError:
    return RunError(f"{path}: expected {form} with up to {MAX_LEVELS} levels of nesting, got more")


def levels_exceed(document: Any, most: int) -> bool:
    """Tell whether there are more levels of lists and objects in a document, however many there are.

    >>> levels_exceed([[1], {"a": 2}], 2), levels_exceed([[[1]]], 2)
    (False, True)
    """
    level = [document]
    for _ in range(most + 1):
        inner = [each for each in level if isinstance(each, dict | list)]
        if not inner:
            return False
        level = [value for each in inner for value in (each.values() if isinstance(each, dict) else each)]
    return True


def damaged(path: Path, error: Exception) -> RunError:
    """Give the error for a file of a run folder that does not hold what it should; of several problems, the first.

    >>> class Size(Document):
    ...     hidden: int
    >>> try:
    ...     Size.model_validate({"hidden": "64"})
    ... except ValueError as error:
    ...     print(damaged(Path("size.json"), error))
    size.json: is damaged: hidden: input should be a valid integer, got '64'
    """
    if isinstance(error, KeyError) and error.args:
        return RunError(f"{path}: is damaged: {shorten(str(error.args[0]))} is missing")
    if not isinstance(error, ValidationError):
        return RunError(f"{path}: is damaged: {shorten(str(error))}")
    first = error.errors(include_url=False)[0]
    place = shorten(".".join(str(part) for part in first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] == "missing" else f", got {abbreviate(first['input'])}"
    return RunError(f"{path}: is damaged: {f'{place}: ' if place else ''}{message[:1].lower()}{message[1:]}{got}")

"""What an annotation asks of a value: types with names for people, rules, and how a value is checked against them."""

from __future__ import annotations

import collections.abc as abc
import os
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    Literal,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    runtime_checkable,
)


@dataclass(frozen=True)
class Rule:
    """What is asked of a value beyond its type, in an annotation: `Annotated[int, Rule(lambda n: n > 0, "a number from 1")]`.

    expected: says it in a message, in place of the type.
    """

    holds: Callable[[Any], bool]
    expected: str


def _is_path(path: str | os.PathLike[str]) -> bool:
    try:
        return isinstance(os.fspath(path), str) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


_PATH = Rule(_is_path, "a path")
PathName = Annotated[str | os.PathLike[str], _PATH]
"""A file, a folder or a glob; - for standard input."""
MAX_THREADS = 1024
MAX_NUMBERS_LISTED = 10_000_000
"""Of a range: it costs nothing to write one that no memory holds."""
Threads = Annotated[int, Rule(lambda number: 1 <= number <= MAX_THREADS, f"a whole number from 1 to {MAX_THREADS}")]
Positive = Annotated[int, Rule(lambda number: number >= 1, "a whole number from 1")]
MAX_SIZE = 65_536
Size = Annotated[int, Rule(lambda number: 1 <= number <= MAX_SIZE, f"a whole number from 1 to {MAX_SIZE:,}")]
"""Of a vector, as of the hidden units of a layer."""


@runtime_checkable
class Array(Protocol):
    """An array or a tensor of any library."""

    @property
    def shape(self) -> Any: ...


@runtime_checkable
class Signal(Protocol):
    """A sound or an ink: what was read from a file, with what there is to say of it."""

    @property
    def notes(self) -> tuple[str, ...]: ...


@runtime_checkable
class DataFrame(Protocol):
    """A data frame of any library."""

    @property
    def columns(self) -> Any: ...


class Refused(Exception):
    """A value is not what its annotation says; of a list: where, what is expected there, and what came."""

    def __init__(self, place: str = "", expected: str = "", value: object = None) -> None:
        super().__init__(place)
        self.place, self.expected, self.value = place, expected, value


Convert = Callable[[Any], Any]
_NAMES: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    os.PathLike: "a path",
    Array: "an array",
    DataFrame: "a data frame",
    Signal: "a signal",
    abc.Mapping: "a dict",
    abc.Callable: "a function",
    tuple: "a tuple",
}


def converter(hint: Any) -> Convert | None:
    """Give what checks a value against an annotation, and raises `Refused`; None where everything is right."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any or hint is object or isinstance(hint, TypeVar):
        return None
    if origin is Annotated:
        return _with_rules(converter(parts[0]), [part for part in parts[1:] if isinstance(part, Rule)])
    if origin in (Union, types.UnionType):
        return _any_of([converter(part) for part in parts])
    if origin is Literal:
        return _test(
            lambda value: (
                any(isinstance(value, type(one)) and value == one for one in parts) and not isinstance(value, bool)
            )
        )
    if origin is tuple and parts[1:] == (...,):
        return _list_of(converter(parts[0]), (list, tuple), tuple, parts[0])
    if origin in (list, abc.Sequence, abc.Iterable):
        return _list_of(converter(parts[0]), list if origin is list else abc.Iterable, list, parts[0])
    return _of_type(origin or (type(None) if hint is None else hint))


def _test(holds: Callable[[Any], bool]) -> Convert:
    def convert(value: Any) -> Any:
        if not holds(value):
            raise Refused
        return value

    return convert


def _of_type(kind: Any) -> Convert:
    if kind not in (bool, int, float):
        return _test(callable if kind is abc.Callable else lambda value: isinstance(value, kind))
    kinds = {bool: bool, int: int, float: (int, float)}[kind]

    def convert(value: Any) -> Any:
        plain = _plain(value)
        if not isinstance(plain, kinds) or (isinstance(plain, bool) and kind is not bool):
            raise Refused
        return plain

    return convert


def _plain(value: Any) -> Any:
    """Give an array or a tensor of one number as that number, and anything else as it is."""
    if isinstance(value, type) or getattr(value, "shape", None) != () or not hasattr(value, "item"):
        return value
    try:
        return value.item()
    except (RuntimeError, NotImplementedError):  # a tensor that has no numbers
        raise Refused from None


def _any_of(converters: list[Convert | None]) -> Convert | None:
    some = [one for one in converters if one is not None]
    if len(some) < len(converters):
        return None

    def convert(value: Any) -> Any:
        nearest = Refused()
        for one in some:
            try:
                return one(value)
            except Refused as refused:
                nearest = refused if refused.place else nearest
        raise nearest

    return convert


def _with_rules(convert: Convert | None, rules: list[Rule]) -> Convert:
    def convert_all(value: Any) -> Any:
        found = value if convert is None else convert(value)
        if not all(rule.holds(found) for rule in rules):
            raise Refused
        return found

    return convert_all


def _list_of(convert: Convert | None, kinds: Any, make: Callable[[list[Any]], Any], each: Any) -> Convert:
    def convert_item(number: int, item: Any) -> Any:
        try:
            return item if convert is None else convert(item)
        except Refused as refused:
            expected, value = (refused.expected, refused.value) if refused.place else (describe(each), item)
            raise Refused(f"[{number}]{refused.place}", expected, value) from None

    def convert_all(value: Any) -> Any:
        if not isinstance(value, kinds) or isinstance(value, str | bytes | abc.Mapping):
            raise Refused
        if isinstance(value, range) and len(value) > MAX_NUMBERS_LISTED:
            raise Refused
        try:
            items = list(value)
        except TypeError:  # an array of no dimension
            raise Refused from None
        return make([convert_item(number, item) for number, item in enumerate(items)])

    return convert_all


def describe(hint: Any) -> str:
    """Say what an annotation asks for.

    >>> describe(str | abc.Iterable[PathName] | None), describe(Literal["a", "b"]), describe(tuple[tuple[int, ...], ...])
    ('a text or a list (each a path)', 'one of a, b', 'a tuple (each a tuple (each a whole number))')
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return next((part.expected for part in parts[1:] if isinstance(part, Rule)), "") or describe(parts[0])
    if origin in (Union, types.UnionType):
        words = list(dict.fromkeys(describe(part) for part in parts if part is not type(None)))
        return " or ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
    if origin is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if origin in (list, tuple, abc.Sequence, abc.Iterable):
        each = "" if parts[0] is Any else f" (each {describe(parts[0])})"
        return f"a {'tuple' if origin is tuple else 'list'}{each}"
    kind = origin or hint
    return _NAMES.get(kind) or f"a {getattr(kind, '__name__', kind)}"

"""One gate for what a caller hands over: each argument is checked against its annotation before the function runs."""

from __future__ import annotations

import collections.abc as abc
import functools
import inspect
import os
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

import numpy as np

from recurra.errors import UsageError
from recurra.formatting import abbreviate, closest

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Rule:
    """What is asked of a value beyond its type, in an annotation: `Annotated[int, Rule(lambda n: n > 0, "a number from 1")]`.

    expected: says it in a message, in place of the type.
    """

    holds: Callable[[Any], bool]
    expected: str


MAX_NAME_BYTES = 255
"""Of a file or a folder, on all common file systems."""


def _is_path(path: str | Path) -> bool:
    try:
        parts = [os.fsencode(part) for part in Path(path).parts]
    except UnicodeEncodeError:
        return False
    return all(len(part) <= MAX_NAME_BYTES and b"\0" not in part for part in parts)


_PATH = Rule(_is_path, f"a path, each part of at most {MAX_NAME_BYTES} bytes")
PathName = Annotated[str | Path, _PATH]
"""A file, a folder or a glob."""
FileName = Annotated[str, _PATH]
"""The same as text, or - for standard input."""
MAX_THREADS = 4096
Threads = Annotated[int, Rule(lambda number: 1 <= number <= MAX_THREADS, f"a number of threads from 1 to {MAX_THREADS}")]
Positive = Annotated[int, Rule(lambda number: number >= 1, "a whole number from 1")]


@runtime_checkable
class Array(Protocol):
    """An array or a tensor of any library."""

    @property
    def shape(self) -> Any: ...


@runtime_checkable
class DataFrame(Protocol):
    """A data frame of any library."""

    @property
    def columns(self) -> Any: ...


class _Refused(Exception):
    """A value is not what its annotation says."""


Convert = Callable[[Any], Any]
_NAMES: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    Path: "a path",
    Array: "an array",
    DataFrame: "a data frame",
    abc.Mapping: "a dict",
    abc.Callable: "a function",
    tuple: "a tuple",
}


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function run only with arguments that it takes, of the types that its annotations say.

    A number of numpy counts as one, and what can be read only once (`Iterable[…]`) comes as a list. Raises `UsageError`, which
    names the argument, for a value of another type, and for too many, too few or unknown arguments, with the likeliest meant.

    >>> @checked
    ... def repeat(text: str, times: Positive = 2) -> str:
    ...     return text * times
    >>> repeat("a", times=np.int64(3))
    'aaa'
    >>> repeat("a", times=2.5)
    Traceback (most recent call last):
    recurra.errors.UsageError: times: expected a whole number from 1, got 2.5
    >>> repeat("a", time=3)
    Traceback (most recent call last):
    recurra.errors.UsageError: time: repeat does not take this argument; did you mean times?
    """
    gate: _Gate | None = None

    @functools.wraps(function)
    def call(*args: P.args, **named: P.kwargs) -> R:
        nonlocal gate
        if gate is None:  # not before: what an annotation names may be defined later
            gate = _Gate(function)
        return function(*gate.positional(args, named), **gate.named(named))

    return cast(Callable[P, R], call)


class _Gate:
    """The arguments of a function, and how each is checked."""

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = get_type_hints(inspect.unwrap(function), include_extras=True)
        parameters = inspect.signature(function).parameters.values()
        names = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
        self._collects = any(one.kind == one.VAR_KEYWORD for one in parameters)
        self._is_method = names[:1] in (["self"], ["cls"])
        self._called = function.__name__ if function.__name__ != "__init__" else function.__qualname__.split(".")[-2]
        self._required = [one.name for one in parameters if one.default is one.empty and one.kind not in (2, 4)]
        known = [one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
        self._known = {name: _Argument(name, hints.get(name, Any)) for name in known}
        self._positional = [self._known[name] for name in names]

    def positional(self, args: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        """Check the arguments that have no names, and that there are all that have to be."""
        self._check_names(len(args), named)
        return [one.convert(value) for one, value in zip(self._positional, args, strict=False)]

    def named(self, named: dict[str, Any]) -> dict[str, Any]:
        """Check the arguments by name; those that are collected are the function's own."""
        return {name: self._known[name].convert(value) if name in self._known else value for name, value in named.items()}

    def _check_names(self, count: int, named: dict[str, Any]) -> None:
        if count > len(self._positional):
            most, given = len(self._positional) - self._is_method, count - self._is_method
            raise UsageError(f"{self._called}: expected {most} argument{'s' * (most != 1)} at most without a name, got {given}")
        for name in named:
            if name not in self._known and not self._collects:
                raise UsageError(f"{name}: {self._called} does not take this argument{self._hint(name)}")
        if twice := next((one.name for one in self._positional[:count] if one.name in named), None):
            raise UsageError(f"{twice}: {self._called} got this argument twice, by its place and by its name")
        there = {one.name for one in self._positional[:count]} | named.keys()
        if lacking := next((name for name in self._required if name not in there), None):
            raise UsageError(f"{lacking}: {self._called} needs this argument")

    def _hint(self, name: str) -> str:
        names = [one for one in self._known if one not in ("self", "cls")]
        if close := closest(name, names):
            return f"; did you mean {close}?"
        return f"; it takes {', '.join(names) or 'none'}"


class _Argument:
    """One argument: its name, and the check that its annotation asks for."""

    def __init__(self, name: str, hint: Any) -> None:
        self.name, self._hint, self._convert = name, hint, _converter(hint)

    def convert(self, value: Any) -> Any:
        """Give the value as the function reads it; raises `UsageError` for one of another type."""
        if self._convert is None:
            return value
        try:
            return self._convert(value)
        except _Refused:
            expected = _describe(self._hint)
        raise UsageError(f"{self.name}: expected {expected}, got {abbreviate(value)}")


def _converter(hint: Any) -> Convert | None:
    """Give what checks a value against an annotation, and raises `_Refused`; None where everything is right."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any or hint is object or isinstance(hint, TypeVar):
        return None
    if origin is Annotated:
        return _with_rules(_converter(parts[0]), [part for part in parts[1:] if isinstance(part, Rule)])
    if origin in (Union, types.UnionType):
        return _any_of([_converter(part) for part in parts])
    if origin is Literal:
        return _test(lambda value: any(type(value) is type(one) and value == one for one in parts))
    if origin is tuple and parts[1:] == (...,):
        return _list_of(_converter(parts[0]), (list, tuple), tuple)
    if origin in (list, abc.Sequence, abc.Iterable):
        return _list_of(_converter(parts[0]), {list: list, abc.Sequence: (list, tuple)}.get(origin, abc.Iterable), list)
    return _of_type(origin or (type(None) if hint is None else hint))


def _test(holds: Callable[[Any], bool]) -> Convert:
    def convert(value: Any) -> Any:
        if not holds(value):
            raise _Refused
        return value

    return convert


def _of_type(kind: Any) -> Convert:
    if kind not in (bool, int, float):
        return _test(callable if kind is abc.Callable else lambda value: isinstance(value, kind))
    kinds = {bool: bool, int: int, float: (int, float)}[kind]

    def convert(value: Any) -> Any:
        plain = value.item() if isinstance(value, np.generic) else value
        if not isinstance(plain, kinds) or (isinstance(plain, bool) and kind is not bool):
            raise _Refused
        return plain

    return convert


def _any_of(converters: list[Convert | None]) -> Convert | None:
    some = [one for one in converters if one is not None]
    if len(some) < len(converters):
        return None

    def convert(value: Any) -> Any:
        for one in some:
            try:
                return one(value)
            except _Refused:
                continue
        raise _Refused

    return convert


def _with_rules(convert: Convert | None, rules: list[Rule]) -> Convert:
    def convert_all(value: Any) -> Any:
        found = value if convert is None else convert(value)
        if not all(rule.holds(found) for rule in rules):
            raise _Refused
        return found

    return convert_all


def _list_of(convert: Convert | None, kinds: Any, make: Callable[[list[Any]], Any]) -> Convert:
    def convert_all(value: Any) -> Any:
        if not isinstance(value, kinds) or isinstance(value, str | bytes | abc.Mapping):
            raise _Refused
        try:
            items = list(value)
        except TypeError:  # an array of no dimension
            raise _Refused from None
        return make(items if convert is None else [convert(item) for item in items])

    return convert_all


def _describe(hint: Any) -> str:
    """Say what an annotation asks for.

    >>> _describe(str | abc.Iterable[PathName] | None), _describe(Literal["a", "b"]), _describe(tuple[tuple[int, ...], ...])
    ("a text or a list (each a path, each part of at most 255 bytes)", "one of 'a', 'b'", 'a tuple (each a tuple (each a whole number))')
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return next((part.expected for part in parts[1:] if isinstance(part, Rule)), "") or _describe(parts[0])
    if origin in (Union, types.UnionType):
        words = list(dict.fromkeys(_describe(part) for part in parts if part is not type(None)))
        return " or ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
    if origin is Literal:
        return f"one of {', '.join(map(repr, parts))}"
    if origin in (list, tuple, abc.Sequence, abc.Iterable):
        each = "" if parts[0] is Any else f" (each {_describe(parts[0])})"
        return f"a {'tuple' if origin is tuple else 'list'}{each}"
    kind = origin or hint
    return _NAMES.get(kind) or f"a {getattr(kind, '__name__', kind)}"

"""One gate for what a caller hands over: each argument is checked against its annotation before the function runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast, get_type_hints

from recurra.arguments.annotations import Refused, converter, describe
from recurra.errors import RecurraError, UsageError
from recurra.formatting import abbreviate, closest

P = ParamSpec("P")
R = TypeVar("R")


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function run only with arguments that it takes, of the types that its annotations say.

    A number of numpy counts as one, and what can be read only once (`Iterable[…]`) comes as a list. Raises `UsageError`, which
    names the argument, for a value of another type, and for too many, too few or unknown arguments, with the likeliest meant.

    >>> from recurra.arguments import Positive
    >>> @checked
    ... def repeat(text: str, times: Positive = 2) -> str:
    ...     return text * times
    >>> repeat("a", 3)
    'aaa'
    >>> repeat("a", times=2.5)
    Traceback (most recent call last):
    recurra.errors.UsageError: times: expected a whole number from 1, got 2.5
    >>> repeat("a", time=3)
    Traceback (most recent call last):
    recurra.errors.UsageError: time: repeat does not take this argument; did you mean times?
    """
    gate = _Gate(function)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> R:
        args, named = gate.check(args, named)
        return function(*args, **named)

    return cast(Callable[P, R], call)


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """Check the arguments of a function as `checked` does, but only once it has failed: for what is called at each step.

    >>> @explained
    ... def double(x: list[int]) -> list[int]:
    ...     return x + x.copy()
    >>> double([1]), double.__name__
    ([1, 1], 'double')
    >>> double(3)
    Traceback (most recent call last):
    recurra.errors.UsageError: x: expected a list (each a whole number), got 3
    """
    gate = _Gate(function)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> R:
        try:
            return function(*args, **named)
        except (AttributeError, IndexError, TypeError, ValueError, RuntimeError) as error:
            if not isinstance(error, RecurraError):
                gate.check(args, named)
            raise

    return cast(Callable[P, R], call)


class _Gate:
    """The arguments of a function, and how each is checked; read when it is first called, since an annotation may name what comes later."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    @functools.cached_property
    def _parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self._function).parameters.values())

    @functools.cached_property
    def _positional(self) -> list[_Argument]:
        kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
        return [self._known[one.name] for one in self._parameters if one.kind in kinds]

    @functools.cached_property
    def _known(self) -> dict[str, _Argument]:
        hints = get_type_hints(inspect.unwrap(self._function), include_extras=True)
        kinds = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
        return {
            one.name: _Argument(one.name, hints.get(one.name, Any), one.default is one.empty)
            for one in self._parameters
            if one.kind not in kinds
        }

    @functools.cached_property
    def _plain_counts(self) -> range:
        """How many arguments without a name are enough, and not too many."""
        required = [one.name for one in self._known.values() if one.required]
        places = [one.name for one in self._positional]
        fewest = sum(name in places for name in required)
        return range(fewest, len(places) + 1) if set(required) <= set(places) else range(0)

    def check(self, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Give the arguments as the function reads them. Those that it collects by any name are its own."""
        if named or len(args) not in self._plain_counts:
            self._check_names(len(args), named)
            known = self._known
            named = {name: known[name].convert(value) if name in known else value for name, value in named.items()}
        return tuple(one.convert(value) for one, value in zip(self._positional, args, strict=False)), named

    def _check_names(self, count: int, named: dict[str, Any]) -> None:
        called, collects = self._called, any(one.kind == one.VAR_KEYWORD for one in self._parameters)
        if count > len(self._positional):
            is_method = [one.name for one in self._positional[:1]] in (["self"], ["cls"])
            most, given = len(self._positional) - is_method, count - is_method
            raise UsageError(
                f"{called}: expected {most} argument{'s' * (most != 1)} at most without a name, got {given}"
            )
        for name in named:
            if name not in self._known and not collects:
                raise UsageError(f"{name}: {called} does not take this argument{self._hint(name)}")
        if twice := next((one.name for one in self._positional[:count] if one.name in named), None):
            raise UsageError(f"{twice}: {called} got this argument twice, by its place and by its name")
        there = {one.name for one in self._positional[:count]} | named.keys()
        if lacking := next((one.name for one in self._known.values() if one.required and one.name not in there), None):
            raise UsageError(f"{lacking}: {called} needs this argument")

    @property
    def _called(self) -> str:
        function = self._function
        return function.__name__ if function.__name__ != "__init__" else function.__qualname__.split(".")[-2]

    def _hint(self, name: str) -> str:
        names = [one for one in self._known if one not in ("self", "cls")]
        if close := closest(name, names):
            return f"; did you mean {close}?"
        return f"; it takes {', '.join(names) or 'none'}"


class _Argument:
    """One argument: its name, and the check that its annotation asks for."""

    def __init__(self, name: str, hint: Any, required: bool) -> None:
        self.name, self.required = name, required
        self._hint, self._convert = hint, converter(hint)

    def convert(self, value: Any) -> Any:
        """Give the value as the function reads it; raises `UsageError` for one of another type."""
        if self._convert is None:
            return value
        try:
            return self._convert(value)
        except Refused as found:
            refused = found
        expected, got = (refused.expected, refused.value) if refused.place else (describe(self._hint), value)
        raise UsageError(f"{self.name}{refused.place}: expected {expected}, got {abbreviate(got)}")

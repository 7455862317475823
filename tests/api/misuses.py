"""Misuses of the Python interface: each public function and method, each of its arguments, each value that may be wrong there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recurra.errors import RecurraError

MAX_RESULTS_READ = 3
"""Of a result that comes piece by piece."""

# Made at each call: a generator is read once, and what is handed over may be kept.
WRONG: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "0": lambda: 0,
    "-1": lambda: -1,
    "2.5": lambda: 2.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "1e30": lambda: 1e30,
    "10**30": lambda: 10**30,
    "1j": lambda: 1j,
    "Fraction": lambda: Fraction(1, 3),
    "empty str": lambda: "",
    "str": lambda: "nosuch",
    "surrogate": lambda: "\ud800",
    "NUL": lambda: "a\0b",
    "file name of 300 characters": lambda: "x" * 300,
    "bytes": lambda: b"x",
    "Path": lambda: Path("nosuch"),
    "missing time": lambda: np.datetime64("NaT"),
    "bytes of numpy": lambda: np.void(b"abc"),
    "complex of numpy": lambda: np.complex64(1j),
    "truth value in a tensor": lambda: torch.tensor([True]),
    "datetime": lambda: datetime(2024, 5, 31, tzinfo=UTC),
    "object": object,
    "class": lambda: int,
    "function": lambda: print,
    "generator": lambda: (each for each in (1, "a")),
    "broken iterator": lambda: iter([object()]),
    "empty list": list,
    "[None]": lambda: [None],
    "[1, 'a']": lambda: [1, "a"],
    "ragged": lambda: [[1.0], [2.0, 3.0]],
    "nested": lambda: [[[["a"]]]],
    "str list": lambda: ["a", "b"],
    "bytes list": lambda: [b"a"],
    "set": lambda: {"a"},
    "empty dict": dict,
    "dict": lambda: {"a": [1, 2]},
    "int dict": lambda: {1: 2},
    "array ()": lambda: np.array(1.0),
    "array (0,)": lambda: np.zeros(0),
    "array (0, 0)": lambda: np.zeros((0, 0)),
    "array (3, 0)": lambda: np.zeros((3, 0)),
    "array (2, 2, 2, 2)": lambda: np.zeros((2, 2, 2, 2)),
    "array of str": lambda: np.array(["a"]),
    "array of bytes": lambda: np.array([b"a"]),
    "array of objects": lambda: np.array([object(), None], object),
    "array of times": lambda: np.array(["2024-05-31"], "M8[D]"),
    "structured array": lambda: np.zeros(2, [("a", "f4"), ("b", "i4")]),
    "complex array": lambda: np.array([[1 + 2j], [3.0]]),
    "infinite array": lambda: np.array([[np.inf], [1.0]]),
    "huge array": lambda: np.array([[1e300], [-1e300]]),
    "tensor": lambda: torch.zeros(2, 3),
    "empty tensor": lambda: torch.zeros(0),
    "tensor with gradient": lambda: torch.zeros(3, requires_grad=True),
    "complex tensor": lambda: torch.zeros(3, dtype=torch.complex64),
    "bfloat16 tensor": lambda: torch.zeros(3, 1, dtype=torch.bfloat16),
    "sparse tensor": lambda: torch.zeros(2, 2).to_sparse(),
    "meta tensor": lambda: torch.zeros(3, 1, device="meta"),
    "module": lambda: torch.nn.Linear(2, 3),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A function or method, and arguments by name with which it works.

    options: further ones that it takes by name.  values: the wrong ones that are tried.
    """

    name: str
    make: Callable[[], Callable[..., Any]]
    valid: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    values: tuple[str, ...] = tuple(WRONG)
    calls: bool = True
    """Whether calls with other arguments than its own are misuses too; not of a function that sets a property."""

    def parameters(self) -> list[str]:
        """Name its arguments, without those that only collect others."""
        found = inspect.signature(self.make()).parameters.values()
        named = [one.name for one in found if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
        return [*named, *self.options]


@dataclass(frozen=True)
class Misuse:
    """One call; call: makes it, with everything that it needs."""

    name: str
    call: Callable[[], Any]


def misuses(target: Target) -> Iterator[Misuse]:
    """List what can be wrong in a call of a target: each argument's value, a name, a number of arguments."""

    def calling(arguments: Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]) -> Callable[[], Any]:
        def call() -> Any:
            function = target.make()
            positional, named = arguments()
            return consume(function(*positional, **named))

        return call

    for parameter in target.parameters():
        for word in target.values:
            made = calling(lambda p=parameter, m=WRONG[word]: ((), {**target.valid, p: m()}))  # type: ignore[misc]
            yield Misuse(f"{target.name}({parameter}={word})", made)
    if not target.calls:
        return
    for name in ("nosuch", "self", "lenght", "input"):
        if name not in target.parameters():
            yield Misuse(f"{target.name}({name}=1)", calling(lambda n=name: ((), {**target.valid, n: 1})))  # type: ignore[misc]
    yield Misuse(f"{target.name}(8 arguments)", calling(lambda: ((None,) * 8, {})))
    for lacking in target.valid:
        given = {name: value for name, value in target.valid.items() if name != lacking}
        yield Misuse(f"{target.name}(without {lacking})", calling(lambda g=given: ((), g)))  # type: ignore[misc]


def consume(result: Any) -> Any:
    """Read the beginning of a result that comes piece by piece: what is wrong with it may show only then."""
    if hasattr(result, "__enter__") and hasattr(result, "__exit__") and not isinstance(result, torch.Tensor):
        with result:
            return None
    return list(islice(result, MAX_RESULTS_READ)) if isinstance(result, Iterator) else result


def failure(misuse: Misuse) -> str | None:
    """Say what a misuse ends in where it is neither a result nor a `RecurraError` of one line; None where it is."""
    try:
        misuse.call()
    except RecurraError as error:
        return None if str(error).strip() and "\n" not in str(error) else f"{misuse.name}: not one line: {error}"
    except Exception as error:  # noqa: BLE001
        return f"{misuse.name}: {type(error).__name__}: {str(error)[:100]!r}"
    return None

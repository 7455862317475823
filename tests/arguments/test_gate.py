"""The gate lets through what an annotation says, as the function reads it, and refuses the rest by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch

from recurra.arguments import Array, PathName, Positive, checked
from recurra.arguments.annotations import Refused, converter
from recurra.errors import RecurraError, UsageError


@pytest.mark.parametrize(
    ("hint", "right", "wrong"),
    [
        (int, [0, -1, np.int8(3)], [True, 1.0, "1", None, np.float32(1), np.bool_(True)]),
        (float, [0.5, 1, np.float32(1)], [False, "1", 1j]),
        (bool, [True, np.bool_(False)], [0, 1, "yes", np.zeros(2)]),
        (str | None, ["", None, np.str_("a")], [b"", 0]),
        (Positive, [1, np.int64(2)], [0, -1, 1.5]),
        (PathName, ["a", Path("a"), "文/*.txt"], [b"a", "a\0", "\ud800", 3]),
        (Literal["a", 1], ["a", 1], ["b", True, np.array(["a"])]),
        (Iterable[str], [["a"], ("a",), np.array(["a"])], ["a", b"a", [1], {"a": 1}, np.array("a")]),
        (
            int,
            [3, np.int64(3), np.array(3), torch.tensor(3)],
            [True, 2.5, torch.zeros((), device="meta"), np.array([3])],
        ),
        (Sequence[int], [[1], (1,), np.array([1]), range(2), np.array([[1]])[0]], [{"a": 1}, [1.5], "1", range(10**9)]),
        (tuple[int, ...], [(1,), []], [1, ["a"]]),
        (Mapping[str, int], [{}], [[]]),
        (Callable[[], int], [print], [3]),
        (Array, [np.zeros(2)], [[0]]),
        (Any, [object()], []),
    ],
)
def test_values(hint: Any, right: list[Any], wrong: list[Any]) -> None:
    convert = converter(hint) or (lambda value: value)
    for value in right:
        convert(value)
    for value in wrong:
        with pytest.raises(Refused):
            convert(value)


class Sampler:
    """A class whose methods are checked."""

    @checked
    def __init__(self, size: Positive) -> None:
        self.size = size

    @checked
    def draw(self, texts: Iterable[str], *, times: int, **options: Any) -> tuple[Any, ...]:
        return texts, times, options

    @checked
    def clear(self) -> Sampler:
        return self


def test_it_gives_what_the_function_reads() -> None:
    texts, times, options = Sampler(np.int64(2)).draw((text for text in "ab"), times=np.int64(3), seed=np.int64(4))
    assert (texts, type(texts)) == (["a", "b"], list)
    assert (times, type(times)) == (3, int)
    assert type(options["seed"]) is np.int64  # what is collected is checked by whoever reads it


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Sampler(0), "size: expected a whole number from 1, got 0"),
        (lambda: Sampler(), "size: Sampler needs this argument"),
        (lambda: Sampler(1, 2), "Sampler: expected 1 argument at most without a name, got 2"),
        (lambda: Sampler(sise=1), "sise: Sampler does not take this argument; did you mean size?"),
        (lambda: Sampler(1).draw([]), "times: draw needs this argument"),
        (lambda: Sampler(1).draw([], 3), "draw: expected 1 argument at most without a name, got 2"),
        (lambda: Sampler(1).draw([], times=1, self=2), "self: draw got this argument twice, by its place and by its name"),
        (lambda: Sampler(1).draw([1], times=1), "texts[0]: expected a text, got 1"),
        (lambda: Sampler(1).clear(1), "clear: expected 0 arguments at most without a name, got 1"),
        (lambda: Sampler(1).clear(now=1), "now: clear does not take this argument; it takes none"),
        (lambda: Sampler(np.zeros((3, 2))), "size: expected a whole number from 1, got array([[0., 0.], [0., 0.], [0., 0.]])"),
    ],
)  # fmt: skip
def test_it_names_the_argument(call: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()
    assert str(caught.value) == message


def test_a_value_that_cannot_be_shown_is_named() -> None:
    class Silent:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    with pytest.raises(UsageError, match="got an object of Silent"):
        Sampler(Silent())  # type: ignore[arg-type]


def test_a_failure_of_the_function_itself_goes_through() -> None:
    @checked
    def fail(number: int) -> None:
        raise TypeError("its own")

    with pytest.raises(TypeError, match="its own"):
        fail(1)


@pytest.mark.parametrize("break_", ["\n", "\r\n", " \n  ", "\u2028", "\x85"])
def test_every_error_is_one_line(break_: str) -> None:
    assert str(RecurraError(f"a{break_}b")) == f"a{break_.encode('unicode_escape').decode()}b"

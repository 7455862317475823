"""How a check says what it expected."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from recurra.errors import RecurraError


def expect(condition: bool, message: str) -> None:
    """Raise `AssertionError` with a message unless a condition holds, under `python -O` too."""
    if not condition:
        raise AssertionError(message)


def expect_error(kind: type[RecurraError], call: Callable[[], Any], what: str) -> None:
    """Raise `AssertionError` unless a call raises an error of a kind, and says something."""
    try:
        call()
    except kind as error:
        expect(
            bool(str(error).strip()), f"{what}: expected a {kind.__name__} that says what is wrong, got an empty one"
        )
    except Exception as error:
        raise AssertionError(f"{what}: expected a {kind.__name__}, got {type(error).__name__}: {error}") from error
    else:
        raise AssertionError(f"{what}: expected a {kind.__name__}, but nothing was raised")


def expect_close(what: str, got: Tensor, wanted: Tensor, limit: float) -> None:
    """Raise `AssertionError` unless two tensors agree in shape, and nowhere differ by more than `limit` times the largest value."""
    expect(got.shape == wanted.shape, f"{what}: expected shape {tuple(wanted.shape)}, got {tuple(got.shape)}")
    if not wanted.numel():
        return
    difference = (got.double() - wanted.double()).abs().max().item()
    allowed = limit * max(wanted.double().abs().max().item(), 1e-30)
    # A difference that is not a number is not within any limit.
    expect(
        difference <= allowed, f"{what}: expected to agree within {allowed:.3g}, but they differ by {difference:.3g}"
    )


def expect_same(what: str, got: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    """Raise `AssertionError` unless two lists of tensors are the same, bit for bit, type and shape included."""
    expect(len(got) == len(wanted), f"{what}: expected {len(wanted)} tensors, got {len(got)}")
    for index, (a, b) in enumerate(zip(got, wanted, strict=True)):
        expect(
            a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b),
            f"{what}: expected the same tensors, but the one at {index} differs",
        )


@contextmanager
def one_thread() -> Generator[None]:
    """Let torch work in one thread for a while: for tiny tensors the others cost more than they do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

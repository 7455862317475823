"""What is compared: cells, shapes, precisions, numbers of threads."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

from recurra.cells import cell_names, get_cell
from recurra.errors import UsageError

Precision = Literal["float32", "bfloat16"]

DEFAULT_CELLS = tuple(name for name in cell_names() if name != "rnn-relu")  # it costs what the other RNN costs


class Shape(NamedTuple):
    """I input features, H hidden units, B sequences of T steps, L layers."""

    I: int  # noqa: E741  the design's letter
    H: int
    B: int
    T: int
    L: int

    def __str__(self) -> str:
        return ", ".join(map(str, self))


SHAPES = (
    Shape(64, 64, 16, 100, 1),
    Shape(128, 128, 50, 50, 2),
    Shape(200, 200, 20, 20, 2),
    Shape(1, 130, 64, 784, 1),
    Shape(8, 128, 32, 168, 2),
    Shape(512, 512, 50, 50, 2),
    Shape(650, 650, 20, 35, 2),
    Shape(1024, 1024, 32, 35, 1),
)
QUICK_SHAPES = (Shape(64, 64, 16, 100, 1), Shape(200, 200, 20, 20, 2))


@dataclass(frozen=True)
class Case:
    """One comparison: a cell against its peer, in a shape, a precision, with a number of threads."""

    cell: str
    shape: Shape
    precision: Precision
    threads: int


def training_flops(cell: str, shape: Shape) -> int:
    """Operations in the matrix products of a training step: forward, and twice that backward.

    >>> training_flops("lstm", Shape(64, 64, 16, 100, 1)) == 3 * 2 * 16 * 100 * 4 * 64 * (64 + 64)
    True
    """
    rows = len(get_cell(cell).gates) * shape.H
    columns = shape.I + shape.H + (shape.L - 1) * 2 * shape.H
    return 3 * 2 * shape.B * shape.T * rows * columns


def cases(
    cells: Iterable[str], shapes: Iterable[Shape], precisions: Iterable[str], threads: Iterable[int]
) -> list[Case]:
    """Every combination, checked; raises `UsageError`."""
    for cell in (cells := list(cells)):
        get_cell(cell)
    for count in (threads := list(threads)):
        if not 1 <= count <= usable_cores():
            raise UsageError(f"threads: expected 1 to {usable_cores()}, the cores there are; got {count}")
    for shape in (shapes := list(shapes)):
        if min(shape) < 1:
            raise UsageError(f"shape: expected five positive integers I,H,B,T,L, got {shape}")
    for precision in (precisions := list(precisions)):
        if precision not in get_args(Precision):
            raise UsageError(f"precision: expected one of {', '.join(get_args(Precision))}; got {precision!r}")
    return [
        Case(cell, shape, cast(Precision, precision), count)
        for count in threads
        for cell in cells
        for shape in shapes
        for precision in precisions
    ]


def default_threads() -> list[int]:
    """Give 1, and 2 where the machine has two cores for this process."""
    return [1, 2] if usable_cores() > 1 else [1]


def usable_cores() -> int:
    """Count the cores that this process may run on: fewer than the machine's in many a container."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

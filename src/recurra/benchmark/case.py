"""What is compared: cells, shapes, precisions, numbers of threads."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from recurra.cells import get_cell
from recurra.errors import UsageError

Precision = Literal["float32", "bfloat16"]

CELLS = ("lstm", "gru", "rnn")
"""What is set against a peer; the relu RNN costs what the other does, and no peer has the Graves LSTM."""


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
RAGGED_SHAPES = (SHAPES[0], SHAPES[1], SHAPES[3], SHAPES[4])
QUICK_SHAPES = (Shape(64, 64, 16, 100, 1), Shape(200, 200, 20, 20, 2))
STREAM_SIZES = (64, 128, 256, 512, 1024)
QUICK_SIZES = (128, 512)


@dataclass(frozen=True)
class Scope:
    """How much is measured; empty shapes and sizes stand for each section's own."""

    cells: Sequence[str] = CELLS
    shapes: Sequence[Shape] = ()
    sizes: Sequence[int] = ()
    precisions: Sequence[str] = get_args(Precision)
    threads: Sequence[int] = (1,)
    quick: bool = False

    def check(self) -> None:
        """Raise `UsageError` for what cannot be measured here."""
        for cell in self.cells:
            get_cell(cell)
        for count in self.threads:
            if not 1 <= count <= usable_cores():
                raise UsageError(f"threads: expected 1 to {usable_cores()}, the cores there are; got {count}")
        for shape in self.shapes:
            if min(shape) < 1:
                raise UsageError(f"shape: expected five positive integers I,H,B,T,L, got {shape}")
        for size in self.sizes:
            if size < 1:
                raise UsageError(f"hidden: expected a positive number of units, got {size}")
        for precision in self.precisions:
            if precision not in get_args(Precision):
                raise UsageError(f"precision: expected one of {', '.join(get_args(Precision))}; got {precision!r}")


def training_flops(cell: str, shape: Shape) -> int:
    """Operations in the matrix products of a training step: forward, and twice that backward.

    >>> training_flops("lstm", Shape(64, 64, 16, 100, 1)) == 3 * 2 * 16 * 100 * 4 * 64 * (64 + 64)
    True
    """
    return 3 * 2 * shape.B * shape.T * weight_count(cell, shape)


def weight_count(cell: str, shape: Shape) -> int:
    """Numbers in the matrices of all layers."""
    rows = len(get_cell(cell).gates) * shape.H
    return rows * (shape.I + shape.H + (shape.L - 1) * 2 * shape.H)


def default_threads() -> list[int]:
    """Give 1, and 2 where the machine has two cores for this process."""
    return [1, 2] if usable_cores() > 1 else [1]


def usable_cores() -> int:
    """Count the cores that this process may run on: fewer than the machine's in many a container."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1

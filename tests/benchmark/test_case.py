"""What is compared is every combination, and nothing that makes no sense."""

from __future__ import annotations

import pytest

from recurra.benchmark import DEFAULT_CELLS, QUICK_SHAPES, SHAPES, Shape, cases, default_threads
from recurra.benchmark.case import training_flops, usable_cores
from recurra.errors import UsageError


def test_every_combination_once() -> None:
    todo = cases(("lstm", "gru"), SHAPES, ("float32", "bfloat16"), [1])
    assert len(todo) == len(set(todo)) == 2 * 8 * 2


def test_the_defaults_are_the_published_shapes() -> None:
    assert set(DEFAULT_CELLS) == {"rnn", "lstm", "graves-lstm", "gru"}
    assert Shape(1, 130, 64, 784, 1) in SHAPES
    assert set(QUICK_SHAPES) < set(SHAPES)
    assert 1 in default_threads()


@pytest.mark.parametrize(
    ("cell", "shape", "precision", "threads", "problem"),
    [
        ("lsmt", Shape(1, 1, 1, 1, 1), "float32", 1, "cell: expected one of"),
        ("lstm", Shape(1, 0, 1, 1, 1), "float32", 1, "positive integers"),
        ("lstm", Shape(1, 1, 1, 1, 1), "float16", 1, "precision: expected one of float32, bfloat16; got 'float16'"),
        ("lstm", Shape(1, 1, 1, 1, 1), "float32", 0, "threads: expected 1 to"),
        ("lstm", Shape(1, 1, 1, 1, 1), "float32", usable_cores() + 1, "threads: expected 1 to"),
    ],
)
def test_nonsense_is_refused(cell: str, shape: Shape, precision: str, threads: int, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        cases([cell], [shape], [precision], [threads])


def test_operations_are_those_of_the_matrix_products() -> None:
    # Two layers of a GRU by hand: 3 gates, forward once and backward twice, 2 operations for each weight and step.
    first, second = 3 * 4 * (5 + 4), 3 * 4 * (4 + 4)
    assert training_flops("gru", Shape(5, 4, 2, 7, 2)) == 3 * 2 * (2 * 7) * (first + second)

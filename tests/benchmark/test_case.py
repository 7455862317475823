"""What is compared makes sense, and covers what is published."""

from __future__ import annotations

from typing import Any

import pytest

from recurra.benchmark import Scope, Shape, default_threads
from recurra.benchmark.case import QUICK_SHAPES, RAGGED_SHAPES, SHAPES, STREAM_SIZES, training_flops, usable_cores
from recurra.errors import UsageError


def test_the_defaults_are_the_published_shapes() -> None:
    assert len(set(SHAPES)) == 8
    assert Shape(1, 130, 64, 784, 1) in SHAPES
    assert set(QUICK_SHAPES) < set(SHAPES)
    assert set(RAGGED_SHAPES) < set(SHAPES)
    assert STREAM_SIZES == (64, 128, 256, 512, 1024)
    assert 1 in default_threads()
    Scope(threads=default_threads()).check()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"cells": ["lsmt"]}, "cell: expected one of"),
        ({"shapes": [Shape(1, 0, 1, 1, 1)]}, "positive integers"),
        ({"sizes": [0]}, "hidden: expected a positive"),
        ({"precisions": ["float16"]}, "precision: expected one of float32, bfloat16; got 'float16'"),
        ({"threads": [0]}, "threads: expected 1 to"),
        ({"threads": [usable_cores() + 1]}, "threads: expected 1 to"),
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        Scope(**wrong).check()


def test_operations_are_those_of_the_matrix_products() -> None:
    # Two layers of a GRU by hand: 3 gates, forward once and backward twice, 2 operations for each weight and step.
    first, second = 3 * 4 * (5 + 4), 3 * 4 * (4 + 4)
    assert training_flops("gru", Shape(5, 4, 2, 7, 2)) == 3 * 2 * (2 * 7) * (first + second)

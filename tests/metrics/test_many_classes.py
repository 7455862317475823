"""Of thousands of classes the probabilities are most of the memory: what measures them holds no second copy of all."""

from __future__ import annotations

import tracemalloc

import numpy as np

from recurra.baselines import Majority
from recurra.metrics import classification, intervals

EXAMPLES, CLASSES = 8_000, 4_000  # more than the rounds of an interval may touch at once


def peak_memory(call, *arguments) -> int:
    tracemalloc.start()
    call(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_measures_of_many_classes_hold_no_second_copy() -> None:
    targets = np.arange(EXAMPLES) % CLASSES
    rows = np.full((EXAMPLES, CLASSES), 1 / CLASSES)
    for measure in (classification, intervals):
        # One bool of each probability is checked.
        assert peak_memory(measure, rows, targets) < rows.nbytes / 2
    assert "auroc" not in intervals(rows, targets) and "accuracy" in intervals(rows, targets)


def test_the_majority_takes_the_memory_of_one_row() -> None:
    baseline = Majority().fit([""] * CLASSES, np.arange(CLASSES), CLASSES)
    assert peak_memory(baseline.probabilities, [""] * EXAMPLES) < 8 * CLASSES * 4

"""Probabilities of many classes: made some rows at a time, and in the place of the logits where these are not needed."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from recurra.tasks.classify.results import MAX_CELLS_AT_ONCE, class_probabilities


@pytest.mark.parametrize("multi_label", [False, True])
def test_rows_do_not_depend_on_the_others(multi_label: bool) -> None:
    logits = np.random.default_rng(1).normal(size=(1100, 2000)) * 20
    assert logits.size > 2 * MAX_CELLS_AT_ONCE
    found = class_probabilities(logits, multi_label=multi_label)
    for row in (0, 523, 524, 525, 1099):
        np.testing.assert_array_equal(found[row], class_probabilities(logits[row][None], multi_label=multi_label)[0])
    expected = 1 / (1 + np.exp(-logits)) if multi_label else np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("multi_label", [False, True])
def test_in_place_they_take_no_memory_of_their_own(multi_label: bool) -> None:
    logits = np.zeros((4000, 2000))
    tracemalloc.start()
    try:
        assert class_probabilities(logits, multi_label=multi_label, out=logits) is logits
        assert tracemalloc.get_traced_memory()[1] < 6 * 8 * MAX_CELLS_AT_ONCE
    finally:
        tracemalloc.stop()

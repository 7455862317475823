"""Shapley values, integrated gradients and the measure of whether they hold, on functions that are written down."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.errors import UsageError
from recurra.explain.blocks import sentences
from recurra.explain.faithfulness import Faithfulness, measure_faithfulness
from recurra.explain.shapley import (
    MIN_PAIRS,
    STEPS_WANTED,
    integrated_gradients,
    permutation_shapley,
    shapley_values,
)
from recurra.tasks.base.explanation import MIN_SEGMENTS, Segment, Target, group_elements

PARTS = 14
WEIGHTS = np.linspace(-1.0, 1.0, PARTS)


def curved(masks: np.ndarray) -> np.ndarray:
    """Parts that act on each other by threes."""
    there = masks.astype(float)
    return there @ WEIGHTS + 2 * there[:, 0] * there[:, 3] * there[:, 5] - there[:, 1] * there[:, 2]


def truth() -> np.ndarray:
    """What symmetry says: each product is shared equally by its parts."""
    shares = WEIGHTS.copy()
    shares[[0, 3, 5]] += 2 / 3
    shares[[1, 2]] -= 1 / 2
    return shares


def test_many_parts_are_sampled_and_the_errors_say_how_well() -> None:
    found = shapley_values(curved, PARTS, pairs=64, seed=2)
    assert found.errors is not None and "64 pairs" in found.method
    assert found.sum_error < 1e-9
    assert (np.abs(found.shares - truth()) <= 4 * found.errors + 1e-9).all()
    assert np.abs(found.shares - truth()).max() < 0.15


def test_parts_that_act_by_twos_are_exact_with_any_permutations() -> None:
    found = permutation_shapley(lambda masks: masks[:, 0] * masks[:, 1] + masks @ WEIGHTS, PARTS, 2, seed=0)
    expected = WEIGHTS + np.where(np.arange(PARTS) < 2, 0.5, 0.0)
    np.testing.assert_allclose(found.shares, expected, atol=1e-12)


def test_exact_values_of_few_parts() -> None:
    found = shapley_values(lambda masks: curved(np.pad(masks, ((0, 0), (0, PARTS - 6)))), 6)
    np.testing.assert_allclose(found.shares, truth()[:6], atol=1e-12)
    assert found.errors is None


def test_the_seed_fixes_what_is_drawn() -> None:
    one, same, other = (permutation_shapley(curved, PARTS, 3, seed).shares for seed in (1, 1, 2))
    assert (one == same).all() and not (one == other).all()


def test_one_permutation_has_no_error() -> None:
    with pytest.raises(UsageError, match="expected 2 to 10,000 pairs"):
        shapley_values(curved, PARTS, pairs=1)


def test_integrated_gradients_of_a_polynomial() -> None:
    def gradients(shares: np.ndarray) -> np.ndarray:
        found = np.tile(WEIGHTS, (len(shares), 1))
        for place, others in ((0, (3, 5)), (3, (0, 5)), (5, (0, 3))):
            found[:, place] += 2 * shares[:, others[0]] * shares[:, others[1]]
        found[:, 1] -= shares[:, 2]
        found[:, 2] -= shares[:, 1]
        return found

    found = integrated_gradients(curved, gradients, PARTS)
    np.testing.assert_allclose(found.shares, truth(), atol=1e-12)


def test_faithfulness_of_a_right_and_of_a_wrong_explanation() -> None:
    right = measure_faithfulness(curved, truth())
    wrong = measure_faithfulness(curved, -truth())
    assert right is not None and wrong is not None
    assert right.count == 1 and right.top > right.random > wrong.top
    assert measure_faithfulness(curved, truth()[:1]) is None


@pytest.mark.parametrize("elements", [100, 5_000, 100_000])
def test_a_long_input_takes_a_bounded_number_of_steps(elements: int) -> None:
    segments, _ = group_elements([Segment("a", at, at + 1) for at in range(elements)], None)
    asked: list[int] = []

    def values(masks: np.ndarray) -> np.ndarray:
        asked.append(len(masks))
        return masks.sum(1).astype(np.float64)

    shapley_values(values, len(segments), steps=elements)
    least = 2 * MIN_PAIRS * MIN_SEGMENTS  # without which there is no explanation
    assert sum(asked) * elements <= max(2.2 * STEPS_WANTED, 1.2 * least * elements)


def test_shares_that_name_nothing_special_are_said_to_say_little() -> None:
    found = permutation_shapley(lambda masks: masks.sum(1).astype(np.float64), 20, 4, 0)
    target = Target("good", "log-odds", 19, "the mean")
    for top, little in ((1.0, True), (3.0, False)):
        written = sentences(target, found, Faithfulness(2, top, 0.5, 0.6))
        assert any("say little" in each for each in written) == little
